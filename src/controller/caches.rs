//! What the controllers watch, by the questions that they ask of it, and which keys a change concerns.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::core::{ApiResource, GroupVersionKind};

use super::cached::CachedRollout;
use super::workloads::{BY_WORKLOAD, Gates, LastSizes, Workloads, drained_otherwise, workload_of};
use crate::api::lite::Pod;
use crate::api::{
    AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, EndpointSlice, Kind, Meta, ReplicaSet, Service, names,
};
use crate::plan::ObjectRef;
use crate::rollout::invalid::{analysis_fields, service_fields};
use crate::rollout::release;
use crate::runtime::cache::{Cached, Change, Index, Source, Store};
use crate::runtime::object::{Entry, Json, ObjectKey};
use crate::runtime::queue::{Lane, Queue};
use crate::runtime::watch::{Watch, Watches};
use crate::traffic::gateway_api::RouteKind;

mod objects;
mod routes;

/// Every cache. Cheap to clone.
#[derive(Clone)]
pub struct Caches {
    /// Rollouts with their digests.
    pub rollouts: Arc<Store<CachedRollout>>,
    /// ReplicaSets that carry a pod hash.
    pub replica_sets: Arc<Store<ReplicaSet>>,
    /// Pods that carry a pod hash.
    pub pods: Arc<Store<Pod>>,
    /// Services.
    pub services: Arc<Store<Service>>,
    /// EndpointSlices.
    pub slices: Arc<Store<EndpointSlice>>,
    /// Routes of the Gateway API, by kind.
    pub routes: BTreeMap<RouteKind, Arc<Store<Json>>>,
    /// AnalysisRuns.
    pub runs: Arc<Store<AnalysisRun>>,
    /// AnalysisTemplates.
    pub templates: Arc<Store<AnalysisTemplate>>,
    /// ClusterAnalysisTemplates.
    pub cluster_templates: Arc<Store<ClusterAnalysisTemplate>>,
    /// What Rollouts take their templates from.
    pub workloads: Workloads,
    /// What deleted Rollouts wanted.
    pub last_sizes: LastSizes,
}

/// The queues that changes feed.
#[derive(Clone)]
pub struct Queues {
    /// Rollouts to look at.
    pub rollouts: Queue<ObjectKey>,
    /// AnalysisRuns to look at.
    pub runs: Queue<ObjectKey>,
    /// Services that nobody may need any more.
    pub services: Queue<ObjectKey>,
    /// Deployments that nobody may drain any more.
    pub deployments: Queue<ObjectKey>,
}

/// Which part of a cluster is looked at.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// One namespace; `None` for all.
    pub namespace: Option<String>,
    /// The instance whose objects are ours; empty: objects without an instance.
    pub instance_id: String,
}

impl Scope {
    /// The label selector of our own kinds.
    fn instance_selector(&self) -> String {
        if self.instance_id.is_empty() {
            format!("!{}", names::INSTANCE_ID)
        } else {
            format!("{}={}", names::INSTANCE_ID, self.instance_id)
        }
    }
}

pub(super) const BY_SERVICE: &str = "service";
const BY_TEMPLATE: &str = "template";
const BY_OWNER: &str = "owner";
const ORPHANS: &str = "orphans";

pub(super) fn within(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

pub(super) fn lane<K: Cached>(change: &Change<'_, K>) -> Lane {
    match change.source {
        Source::Watch => Lane::Event,
        Source::List => Lane::Resync,
    }
}

/// The key of the Rollout that controls an object.
fn owning_rollout(meta: &Meta) -> Option<ObjectKey> {
    let owner = meta.controller().filter(|owner| owner.kind == "Rollout")?;
    Some(ObjectKey::new(&meta.namespace, &owner.name))
}

fn owner_uid(meta: &Meta) -> Vec<String> {
    meta.controller().map(|owner| owner.uid.clone()).into_iter().collect()
}

impl Caches {
    /// Empty caches that feed `queues`.
    pub fn new(queues: &Queues) -> Self {
        let gates = Gates::default();
        let last_sizes = LastSizes::default();
        let rollouts = rollouts(queues, &gates, &last_sizes);
        let replica_sets = replica_sets(queues);
        Self {
            pods: pods(queues, &replica_sets),
            services: services(queues, &rollouts),
            slices: slices(queues, &rollouts),
            routes: RouteKind::ALL.into_iter().map(|kind| (kind, routes::cache(queues, &rollouts, kind))).collect(),
            runs: runs(queues),
            templates: named_by_rollouts(queues, &rollouts, BY_TEMPLATE, Vec::new(), |meta| {
                within(&meta.namespace, &meta.name)
            }),
            cluster_templates: named_by_rollouts(queues, &rollouts, BY_TEMPLATE, Vec::new(), |meta| {
                within("", &meta.name)
            }),
            workloads: Workloads::new(queues, &rollouts, gates),
            last_sizes,
            rollouts,
            replica_sets,
        }
    }

    /// Starts the watches that fill them.
    pub fn watch(&self, watches: &mut Watches, scope: &Scope) {
        let namespace = || scope.namespace.clone();
        let ours = scope.instance_selector();
        let rollout =
            ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Rollout"), "rollouts");
        watches.start(Watch::of(rollout, Arc::clone(&self.rollouts)).within(namespace()).labelled(&ours));
        watches.start(Watch::all(Arc::clone(&self.replica_sets)).within(namespace()).labelled(names::POD_HASH));
        watches.start(Watch::all(Arc::clone(&self.pods)).within(namespace()).labelled(names::POD_HASH));
        watches.start(Watch::all(Arc::clone(&self.services)).within(namespace()));
        watches.start(Watch::all(Arc::clone(&self.slices)).within(namespace()));
        for (kind, routes) in &self.routes {
            let resource = kind.resource();
            let kind = GroupVersionKind::gvk(&resource.group, &resource.version, &resource.kind);
            let resource = ApiResource::from_gvk_with_plural(&kind, &resource.plural);
            watches.start(Watch::of(resource, Arc::clone(routes)).within(namespace()).optional());
        }
        watches.start(Watch::all(Arc::clone(&self.runs)).within(namespace()).labelled(&ours));
        watches.start(Watch::all(Arc::clone(&self.templates)).within(namespace()).labelled(&ours));
        if scope.namespace.is_none() {
            // A namespaced controller has no right to read what belongs to the cluster.
            watches.start(Watch::all(Arc::clone(&self.cluster_templates)).labelled(&ours));
        }
        self.workloads.watch(watches, scope.namespace.as_deref());
    }

    /// ReplicaSets of a namespace that carry a pod hash and that nobody controls.
    pub fn orphans_of(&self, namespace: &str) -> Vec<Arc<ReplicaSet>> {
        self.replica_sets.by(ORPHANS, namespace)
    }

    /// The version of an object that a cache holds, by the object's kind.
    pub fn meta(&self, object: &ObjectRef) -> Option<Meta> {
        let key = ObjectKey::new(&object.namespace, &object.name);
        let kind = object.resource.kind.as_ref();
        Some(match kind {
            "Rollout" => self.rollouts.entry(&key)?.meta().clone(),
            ReplicaSet::KIND => self.replica_sets.entry(&key)?.meta().clone(),
            Pod::KIND => self.pods.entry(&key)?.meta().clone(),
            Service::KIND => self.services.entry(&key)?.meta().clone(),
            AnalysisRun::KIND => self.runs.entry(&key)?.meta().clone(),
            EndpointSlice::KIND => self.slices.entry(&key)?.meta().clone(),
            "Deployment" => self.workloads.meta(object)?,
            other => self.routes.get(&RouteKind::named(other)?)?.entry(&key)?.meta().clone(),
        })
    }
}

fn rollouts(queues: &Queues, gates: &Gates, last_sizes: &LastSizes) -> Arc<Store<CachedRollout>> {
    let (queues, gates, last_sizes) = (queues.clone(), gates.clone(), last_sizes.clone());
    let indexes = vec![
        Index { name: BY_SERVICE, keys: services_of },
        Index { name: routes::BY_ROUTE, keys: routes::named_by },
        Index { name: BY_TEMPLATE, keys: templates_of },
        Index { name: BY_WORKLOAD, keys: workload_of },
    ];
    Arc::new(Store::new(indexes, move |change| {
        if let Some(cached) = change.new_object() {
            gates.open_for(&cached.rollout);
        }
        queues.rollouts.add(change.key(), lane(change));
        for service in no_longer_named(change) {
            queues.services.add(service, lane(change));
        }
        last_sizes.note(change);
        if let Some(deployment) = drained_otherwise(change) {
            queues.deployments.add(deployment, lane(change));
        }
    }))
}

/// Services that a Rollout named before a change, and does not after it.
fn no_longer_named(change: &Change<'_, CachedRollout>) -> Vec<ObjectKey> {
    let Some(old) = change.old_object() else { return Vec::new() };
    let new = change.new_object();
    if new.is_some_and(|new| new.rollout.metadata.generation == old.rollout.metadata.generation) {
        return Vec::new();
    }
    let still = new.map(|new| service_fields(&new.rollout.spec.strategy)).unwrap_or_default();
    let before = service_fields(&old.rollout.spec.strategy);
    let gone = before.into_iter().filter(|(_, name)| !still.iter().any(|(_, other)| other == name));
    gone.map(|(_, name)| ObjectKey::new(&old.rollout.metadata.namespace, name)).collect()
}

/// Services concern the Rollouts that name them; one that a Rollout has switched may have lost it.
fn services(queues: &Queues, rollouts: &Arc<Store<CachedRollout>>) -> Arc<Store<Service>> {
    let (queues, rollouts) = (queues.clone(), Arc::clone(rollouts));
    Arc::new(Store::new(Vec::new(), move |change: &Change<'_, Service>| {
        let Some(meta) = change.new.or(change.old).map(Entry::meta) else { return };
        let named = rollouts.by(BY_SERVICE, &within(&meta.namespace, &meta.name));
        if named.is_empty() && change.new_object().is_none_or(|service| release::manager(service).is_some()) {
            queues.services.add(change.key(), lane(change));
        }
        for cached in named {
            queues.rollouts.add(ObjectKey::of(&cached.rollout.metadata), lane(change));
        }
    }))
}

fn services_of(cached: &CachedRollout) -> Vec<String> {
    let rollout = &cached.rollout;
    let fields = service_fields(&rollout.spec.strategy);
    fields.into_iter().map(|(_, name)| within(&rollout.metadata.namespace, name)).collect()
}

fn templates_of(cached: &CachedRollout) -> Vec<String> {
    let rollout = &cached.rollout;
    let fields = analysis_fields(&rollout.spec.strategy);
    let templates = fields.iter().flat_map(|(_, analysis)| &analysis.templates);
    let namespace = |cluster: bool| if cluster { "" } else { rollout.metadata.namespace.as_str() };
    templates.map(|template| within(namespace(template.cluster_scope), &template.template_name)).collect()
}

fn replica_sets(queues: &Queues) -> Arc<Store<ReplicaSet>> {
    let queue = queues.rollouts.clone();
    let indexes = vec![
        Index { name: BY_OWNER, keys: |rs: &ReplicaSet| owner_uid(&rs.metadata) },
        Index {
            name: ORPHANS,
            keys: |rs: &ReplicaSet| {
                let orphan = rs.metadata.controller().is_none();
                orphan.then(|| rs.metadata.namespace.clone()).into_iter().collect()
            },
        },
    ];
    Arc::new(Store::new(indexes, move |change| {
        let metas = [change.old, change.new].into_iter().flatten().map(Entry::meta);
        for key in metas.filter_map(owning_rollout) {
            queue.add(key, lane(change));
        }
    }))
}

fn pods(queues: &Queues, replica_sets: &Arc<Store<ReplicaSet>>) -> Arc<Store<Pod>> {
    let (queue, replica_sets) = (queues.rollouts.clone(), Arc::clone(replica_sets));
    let indexes = vec![Index { name: BY_OWNER, keys: |pod: &Pod| owner_uid(&pod.metadata) }];
    Arc::new(Store::new(indexes, move |change: &Change<'_, Pod>| {
        if same_to_us(change) {
            return;
        }
        let Some(meta) = change.new.or(change.old).map(Entry::meta) else { return };
        let Some(owner) = meta.controller() else { return };
        let rs = replica_sets.get(&ObjectKey::new(&meta.namespace, &owner.name));
        if let Some(key) = rs.and_then(|rs| owning_rollout(&rs.metadata)) {
            queue.add(key, lane(change));
        }
    }))
}

/// Whether nothing that decisions read has changed.
fn same_to_us(change: &Change<'_, Pod>) -> bool {
    match (change.old_object(), change.new_object()) {
        (Some(old), Some(new)) => {
            old.metadata.uid == new.metadata.uid
                && old.status == new.status
                && old.metadata.deletion_timestamp == new.metadata.deletion_timestamp
                && old.metadata.labels == new.metadata.labels
                && old.metadata.annotations == new.metadata.annotations
        }
        _ => false,
    }
}

fn slices(queues: &Queues, rollouts: &Arc<Store<CachedRollout>>) -> Arc<Store<EndpointSlice>> {
    let service = |meta: &Meta| within(&meta.namespace, meta.label(names::SERVICE_NAME).unwrap_or_default());
    let indexes = vec![Index {
        name: BY_SERVICE,
        keys: |slice: &EndpointSlice| {
            let name = slice.metadata.label(names::SERVICE_NAME);
            name.map(|name| within(&slice.metadata.namespace, name)).into_iter().collect()
        },
    }];
    named_by_rollouts(queues, rollouts, BY_SERVICE, indexes, service)
}

fn runs(queues: &Queues) -> Arc<Store<AnalysisRun>> {
    let queues = queues.clone();
    let indexes = vec![Index { name: BY_OWNER, keys: |run: &AnalysisRun| owner_uid(&run.metadata) }];
    Arc::new(Store::new(indexes, move |change| {
        queues.runs.add(change.key(), lane(change));
        let Some(meta) = change.new.or(change.old).map(Entry::meta) else { return };
        if let Some(key) = owning_rollout(meta) {
            queues.rollouts.add(key, lane(change));
        }
    }))
}

/// A cache of objects that Rollouts name: a change concerns the Rollouts that `index` finds under `text`.
fn named_by_rollouts<K: Cached>(
    queues: &Queues,
    rollouts: &Arc<Store<CachedRollout>>,
    index: &'static str,
    indexes: Vec<Index<K>>,
    text: impl Fn(&Meta) -> String + Send + Sync + 'static,
) -> Arc<Store<K>> {
    let (queue, rollouts) = (queues.rollouts.clone(), Arc::clone(rollouts));
    Arc::new(Store::new(indexes, move |change| {
        let Some(meta) = change.new.or(change.old).map(Entry::meta) else { return };
        for cached in rollouts.by(index, &text(meta)) {
            queue.add(ObjectKey::of(&cached.rollout.metadata), lane(change));
        }
    }))
}
