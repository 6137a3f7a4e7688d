//! The workloads that Rollouts take their templates from, of three kinds.
//!
//! A kind is watched from the first Rollout that refers to one of it. Most clusters have far more Deployments than
//! Rollouts, each with a template of some kilobytes, and most Rollouts have a template of their own: watching always
//! would cost each installation what few use. Once asked for, the whole kind is watched: a watch has no selector for
//! "named by a Rollout", and one watch a name is not bounded. ReplicaSets are those that no Rollout owns.

use std::sync::Arc;

use kube::core::{ApiResource, GroupVersionKind};

use super::cached::CachedRollout;
use super::caches::{Queues, lane, within};
use super::observe::Lookup;
use crate::api::{Meta, Rollout, Workload, names};
use crate::plan::{ObjectRef, Resource};
use crate::rollout::workload::{DEPLOYMENT, POD_TEMPLATE, REPLICA_SET, referenced};
use crate::runtime::cache::{Change, Entry, Store};
use crate::runtime::object::ObjectKey;
use crate::runtime::watch::{Gate, Watch, Watches};

/// Index of Rollouts by the workload that they refer to.
pub const BY_WORKLOAD: &str = "workload";
const KINDS: [Resource; 3] = [DEPLOYMENT, REPLICA_SET, POD_TEMPLATE];

/// What starts the watch of each kind.
#[derive(Clone, Debug, Default)]
pub struct Gates([Gate; 3]);

impl Gates {
    /// Asks for the kind that a Rollout refers to.
    pub fn open_for(&self, rollout: &Rollout) {
        let Some(Ok(object)) = referenced(rollout) else { return };
        for (kind, gate) in KINDS.iter().zip(&self.0) {
            if *kind == object.resource {
                gate.open();
            }
        }
    }
}

/// One kind.
#[derive(Clone)]
struct Kind {
    resource: Resource,
    store: Arc<Store<Workload>>,
    gate: Gate,
}

/// The three kinds. Cheap to clone.
#[derive(Clone)]
pub struct Workloads(Vec<Kind>);

fn text(resource: &Resource, namespace: &str, name: &str) -> String {
    format!("{}/{}", resource.kind, within(namespace, name))
}

/// The texts of [`BY_WORKLOAD`].
pub fn workload_of(cached: &CachedRollout) -> Vec<String> {
    let object = referenced(&cached.rollout).and_then(Result::ok);
    object.map(|object| text(&object.resource, &object.namespace, &object.name)).into_iter().collect()
}

impl Workloads {
    /// Empty caches; a change concerns the Rollouts that refer to the object.
    pub fn new(queues: &Queues, rollouts: &Arc<Store<CachedRollout>>, gates: Gates) -> Self {
        let kind = |(resource, gate): (Resource, Gate)| {
            let (queue, rollouts, of) = (queues.rollouts.clone(), Arc::clone(rollouts), resource.clone());
            let store = Store::new(Vec::new(), move |change: &Change<'_, Workload>| {
                let Some(meta) = change.new.or(change.old).map(Entry::meta).filter(|_| !same_to_us(change)) else {
                    return;
                };
                for cached in rollouts.by(BY_WORKLOAD, &text(&of, &meta.namespace, &meta.name)) {
                    queue.add(ObjectKey::of(&cached.rollout.metadata), lane(change));
                }
            });
            Kind { resource, store: Arc::new(store), gate }
        };
        Self(KINDS.into_iter().zip(gates.0).map(kind).collect())
    }

    /// Starts the watches, which wait for their first Rollout.
    pub fn watch(&self, watches: &mut Watches, namespace: Option<&str>) {
        for Kind { resource, store, gate } in &self.0 {
            let kind = GroupVersionKind::gvk(&resource.group, &resource.version, &resource.kind);
            let kind = ApiResource::from_gvk_with_plural(&kind, &resource.plural);
            let watch = Watch::of(kind, Arc::clone(store)).within(namespace.map(str::to_owned)).when(gate.clone());
            let bare = *resource == REPLICA_SET;
            watches.start(if bare { watch.labelled(format!("!{}", names::POD_HASH)) } else { watch });
        }
    }

    fn kind(&self, resource: &Resource) -> Option<&Kind> {
        self.0.iter().find(|kind| kind.resource == *resource)
    }

    /// The metadata of an object, if it is known.
    pub fn meta(&self, object: &ObjectRef) -> Option<Meta> {
        let kind = self.kind(&object.resource)?;
        Some(kind.store.entry(&ObjectKey::new(&object.namespace, &object.name))?.meta().clone())
    }

    /// What is known of an object.
    pub fn lookup(&self, object: &ObjectRef) -> Lookup<Workload> {
        let Some(kind) = self.kind(&object.resource) else { return Lookup::Absent };
        match kind.store.entry(&ObjectKey::new(&object.namespace, &object.name)) {
            Some(Entry::Valid(workload)) => Lookup::Found(workload),
            Some(Entry::Invalid(invalid)) => Lookup::Invalid(invalid.error.clone()),
            None if kind.gate.synced() => Lookup::Absent,
            None => Lookup::Unread,
        }
    }
}

/// Whether nothing that decisions read has changed.
fn same_to_us(change: &Change<'_, Workload>) -> bool {
    match (change.old_object(), change.new_object()) {
        (Some(old), Some(new)) => {
            old.metadata.uid == new.metadata.uid
                && old.metadata.generation == new.metadata.generation
                && old.metadata.annotation(names::DRAINED_FROM) == new.metadata.annotation(names::DRAINED_FROM)
                && old.status == new.status
        }
        _ => false,
    }
}
