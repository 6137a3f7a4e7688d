//! From caches to a world: which objects concern one Rollout. Nothing is fetched.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::Value;

use super::cached::CachedRollout;
use crate::api::rollout::TemplateRef;
use crate::api::traffic_routing::GatewayApi;
use crate::api::{
    AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, EndpointSlice, LabelSelector, Meta, Pod, ReplicaSet,
    Rollout, Service, Workload,
};
use crate::plan::ObjectRef;
use crate::rollout::invalid::{analysis_fields, service_fields, template_object};
use crate::rollout::workload::{self, WorkloadView};
use crate::rollout::world::{Claim, RouteView, Templates, World};
use crate::rollout::{Memory, Settings, SpecDigest};
use crate::traffic::gateway_api::{self, RouteKind, RouteRef, RouteSelector};

/// Templates that one Rollout may reach through others.
const MAX_TEMPLATES: usize = 1_000;

/// What is known of an object.
#[derive(Clone, Debug)]
pub enum Lookup<K> {
    /// It exists.
    Found(Arc<K>),
    /// It does not exist.
    Absent,
    /// It exists and does not decode.
    Invalid(String),
    /// Its kind has not been read yet.
    Unread,
}

/// Where objects are looked up: the caches of the controller, or the store of a simulation.
pub trait Objects {
    /// A Rollout.
    fn rollout(&self, namespace: &str, name: &str) -> Option<Arc<CachedRollout>>;
    /// ReplicaSets that an owner controls.
    fn replica_sets_of(&self, owner_uid: &str) -> Vec<Arc<ReplicaSet>>;
    /// ReplicaSets of a namespace that nobody controls.
    fn orphan_replica_sets(&self, namespace: &str) -> Vec<Arc<ReplicaSet>>;
    /// Pods that a ReplicaSet controls.
    fn pods_of(&self, replica_set_uid: &str) -> Vec<Arc<Pod>>;
    /// A Service.
    fn service(&self, namespace: &str, name: &str) -> Option<Arc<Service>>;
    /// The endpoints of a Service.
    fn endpoints_of(&self, namespace: &str, service: &str) -> Vec<Arc<EndpointSlice>>;
    /// A route of any kind.
    fn route(&self, route: &ObjectRef) -> Option<Arc<Value>>;
    /// The routes of a kind in a namespace whose labels a selector takes.
    fn routes_in(&self, kind: RouteKind, namespace: &str, labels: &LabelSelector) -> Vec<Arc<Value>>;
    /// AnalysisRuns that an owner controls.
    fn runs_of(&self, owner_uid: &str) -> Vec<Arc<AnalysisRun>>;
    /// AnalysisRuns that an owner controls and that do not decode, each with what is wrong.
    fn unreadable_runs_of(&self, owner_uid: &str) -> Vec<(ObjectRef, String)>;
    /// An AnalysisTemplate.
    fn template(&self, namespace: &str, name: &str) -> Lookup<AnalysisTemplate>;
    /// A ClusterAnalysisTemplate.
    fn cluster_template(&self, name: &str) -> Lookup<ClusterAnalysisTemplate>;
    /// A workload that a Rollout takes its template from.
    fn workload(&self, object: &ObjectRef) -> Lookup<Workload>;
    /// Rollouts of a namespace that name a Service.
    fn rollouts_with_service(&self, namespace: &str, service: &str) -> Vec<Arc<CachedRollout>>;
}

/// The world of one Rollout, as one without memory sees it; `None` where it does not exist.
pub fn observe(objects: &dyn Objects, (namespace, name): (&str, &str), settings: &Arc<Settings>) -> Option<World> {
    let cached = objects.rollout(namespace, name)?;
    let (rollout, digest, workload) = resolved(objects, &cached);
    let replica_sets = replica_sets(objects, &rollout);
    let pods = replica_sets.iter().flat_map(|rs| objects.pods_of(&rs.metadata.uid)).collect();
    let mut services = BTreeMap::new();
    let mut endpoints = BTreeMap::new();
    for (_, service) in service_fields(&rollout.spec.strategy) {
        if let Some(found) = objects.service(namespace, service) {
            endpoints.insert(service.to_owned(), objects.endpoints_of(namespace, service));
            services.insert(service.to_owned(), found);
        }
    }
    let (templates, mut unreadable) = templates(objects, &rollout);
    unreadable.extend(objects.unreadable_runs_of(&rollout.metadata.uid));
    Some(World {
        replica_sets,
        pods: by_age(pods, |pod: &Pod| &pod.metadata),
        claims: claims(objects, &rollout, &services),
        services,
        endpoints,
        routes: routes(objects, &rollout),
        runs: by_age(objects.runs_of(&rollout.metadata.uid), |run: &AnalysisRun| &run.metadata),
        templates,
        unreadable,
        digest,
        rollout,
        workload,
        memory: Memory::default(),
        settings: Arc::clone(settings),
    })
}

/// The Rollout with the template that it refers to.
fn resolved(objects: &dyn Objects, cached: &CachedRollout) -> (Arc<Rollout>, Arc<SpecDigest>, WorkloadView) {
    let written = |view| (Arc::clone(&cached.rollout), Arc::clone(&cached.digest), view);
    let object = match workload::referenced(&cached.rollout) {
        None => return written(WorkloadView::None),
        Some(Err(cause)) => return written(WorkloadView::Unusable(cause)),
        Some(Ok(object)) => object,
    };
    match objects.workload(&object) {
        Lookup::Unread => written(WorkloadView::Unread(object)),
        Lookup::Absent => written(WorkloadView::Unusable(workload::not_found(&object))),
        Lookup::Invalid(error) => written(WorkloadView::Unusable(error)),
        Lookup::Found(found) => {
            let (rollout, digest) = cached.with_template_of(&found);
            (rollout, digest, WorkloadView::Found(object, found))
        }
    }
}

fn by_age<K>(mut objects: Vec<Arc<K>>, meta: impl Fn(&K) -> &Meta) -> Vec<Arc<K>> {
    objects.sort_by(|a, b| {
        let (a, b) = (meta(a), meta(b));
        (a.creation_timestamp, &a.name).cmp(&(b.creation_timestamp, &b.name))
    });
    objects
}

/// ReplicaSets that the Rollout owns, and those that it could adopt.
fn replica_sets(objects: &dyn Objects, rollout: &Rollout) -> Vec<Arc<ReplicaSet>> {
    let mut found = objects.replica_sets_of(&rollout.metadata.uid);
    if let Some(selector) = rollout.spec.selector.as_ref().filter(|selector| !selector.is_empty()) {
        let orphans = objects.orphan_replica_sets(&rollout.metadata.namespace);
        found.extend(orphans.into_iter().filter(|orphan| selector.matches(&orphan.metadata.labels)));
    }
    by_age(found, |rs: &ReplicaSet| &rs.metadata)
}

/// The settings of the Rollout's router.
fn router(rollout: &Rollout) -> Option<GatewayApi> {
    let routing = rollout.spec.strategy.canary.as_ref()?.traffic_routing.as_ref()?;
    gateway_api::settings(routing).ok().flatten()
}

/// Selectors of routes in the Rollout's settings.
pub fn route_selectors(rollout: &Rollout) -> Vec<RouteSelector> {
    let settings = router(rollout);
    settings.map(|settings| gateway_api::selectors(&settings, &rollout.metadata.namespace)).unwrap_or_default()
}

/// Routes that the Rollout's settings name.
pub fn route_refs(rollout: &Rollout) -> Vec<RouteRef> {
    let settings = router(rollout);
    let routes = settings.map(|settings| gateway_api::routes(&settings, &rollout.metadata.namespace));
    routes.unwrap_or_default()
}

/// Routes that the Rollout names, then those that its selectors find, by name; kind by kind, each once.
fn routes(objects: &dyn Objects, rollout: &Rollout) -> Vec<RouteView> {
    let named = route_refs(rollout).into_iter().map(|RouteRef { object, header_routes }| RouteView {
        found: objects.route(&object),
        header_routes,
        object,
    });
    let mut views: Vec<RouteView> = named.collect();
    for RouteSelector { kind, namespace, labels } in route_selectors(rollout) {
        let mut hits: Vec<RouteView> = Vec::new();
        for found in objects.routes_in(kind, &namespace, &labels) {
            let meta = Meta::deserialize(found.get("metadata").unwrap_or(&Value::Null)).unwrap_or_default();
            let object = ObjectRef::from_meta(kind.resource(), &meta);
            if !views.iter().any(|view| view.object == object) {
                hits.push(RouteView { found: Some(found), header_routes: false, object });
            }
        }
        hits.sort_by(|a, b| a.object.cmp(&b.object));
        views.extend(hits);
    }
    let order = |view: &RouteView| RouteKind::named(&view.object.resource.kind);
    views.sort_by_key(order);
    views
}

/// Templates that the Rollout reaches, each once, and those among them that do not decode.
fn templates(objects: &dyn Objects, rollout: &Rollout) -> (Templates, BTreeMap<ObjectRef, String>) {
    let mut found = Templates::default();
    let mut unreadable = BTreeMap::new();
    let namespace = &rollout.metadata.namespace;
    let fields = analysis_fields(&rollout.spec.strategy);
    let mut open: Vec<TemplateRef> = fields.iter().flat_map(|(_, analysis)| analysis.templates.clone()).collect();
    for _ in 0..MAX_TEMPLATES {
        let Some(next) = open.pop() else { break };
        let object = template_object(&next, namespace);
        let name = next.template_name;
        if next.cluster_scope && !found.cluster.contains_key(&name) {
            match objects.cluster_template(&name) {
                Lookup::Found(template) => {
                    open.extend(template.spec.templates.iter().cloned());
                    found.cluster.insert(name, template);
                }
                Lookup::Invalid(error) => drop(unreadable.insert(object, error)),
                Lookup::Absent | Lookup::Unread => {}
            }
        } else if !next.cluster_scope && !found.namespaced.contains_key(&name) {
            match objects.template(namespace, &name) {
                Lookup::Found(template) => {
                    open.extend(template.spec.templates.iter().cloned());
                    found.namespaced.insert(name, template);
                }
                Lookup::Invalid(error) => drop(unreadable.insert(object, error)),
                Lookup::Absent | Lookup::Unread => {}
            }
        }
    }
    (found, unreadable)
}

/// Services that an older Rollout names as well: they are its own.
fn claims(objects: &dyn Objects, rollout: &Rollout, services: &BTreeMap<String, Arc<Service>>) -> Vec<Claim> {
    let age = |meta: &Meta| (meta.creation_timestamp, meta.name.clone());
    let mut claims = Vec::new();
    for service in services.values() {
        let others = objects.rollouts_with_service(&rollout.metadata.namespace, &service.metadata.name);
        let older = others.iter().map(|other| &other.rollout.metadata).filter(|other| {
            other.uid != rollout.metadata.uid
                && other.deletion_timestamp.is_none()
                && age(other) < age(&rollout.metadata)
        });
        claims.extend(older.map(|other| Claim { object: ObjectRef::to(&**service), owner: other.name.clone() }));
    }
    claims
}
