//! The workloads that Rollouts take their templates from, of three kinds.
//!
//! A kind is watched from the first Rollout that refers to one of it. Most clusters have far more Deployments than
//! Rollouts, each with a template of some kilobytes, and most Rollouts have a template of their own: watching always
//! would cost each installation what few use. Once asked for, the whole kind is watched: a watch has no selector for
//! "named by a Rollout", and one watch a name is not bounded. ReplicaSets are those that no Rollout owns.

use std::collections::HashMap;
use std::sync::Arc;

use kube::core::{ApiResource, GroupVersionKind};
use parking_lot::Mutex;

use super::cached::CachedRollout;
use super::caches::{Queues, lane, within};
use super::observe::Lookup;
use crate::api::{Meta, Rollout, Workload, names};
use crate::plan::{ObjectRef, Resource};
use crate::rollout::release;
use crate::rollout::workload::{DEPLOYMENT, POD_TEMPLATE, REPLICA_SET, referenced};
use crate::runtime::cache::{Change, Entry, Store};
use crate::runtime::object::ObjectKey;
use crate::runtime::watch::{Gate, Watch, Watches};

/// Index of Rollouts by the workload that they refer to.
pub const BY_WORKLOAD: &str = "workload";
const KINDS: [Resource; 3] = [DEPLOYMENT, REPLICA_SET, POD_TEMPLATE];

/// Deleted Rollouts whose last size is remembered.
const MAX_LAST_SIZES: usize = 1_000;

/// Pods that Rollouts wanted when they were deleted: an autoscaler may have asked for more than their Deployment ever
/// had. Cheap to clone. Where it is full, or the process is another one, the Deployment's own note counts.
#[derive(Clone, Debug, Default)]
pub struct LastSizes(Arc<Mutex<HashMap<ObjectKey, LastSize>>>);

#[derive(Debug)]
struct LastSize {
    /// Whose pods they are to be.
    deployment: ObjectKey,
    pods: i32,
}

impl LastSizes {
    /// Remembers the size of a Rollout that refers to a Deployment and has been deleted.
    pub fn note(&self, change: &Change<'_, CachedRollout>) {
        let Some(cached) = change.old_object().filter(|_| change.new.is_none()) else { return };
        let (Some(pods), Some((deployment, _))) = (cached.rollout.spec.replicas, deployment_of(cached)) else { return };
        let mut sizes = self.0.lock();
        if sizes.len() < MAX_LAST_SIZES {
            sizes.insert(change.key(), LastSize { deployment, pods });
        }
    }

    /// The size of a Rollout that has been deleted, if it is remembered.
    pub fn of(&self, rollout: &ObjectKey) -> Option<i32> {
        self.0.lock().get(rollout).map(|size| size.pods)
    }

    /// Nothing is owed to the Deployment: nobody asks any more how many pods its Rollouts had.
    pub fn forget(&self, deployment: &ObjectKey) {
        self.0.lock().retain(|_, size| size.deployment != *deployment);
    }
}

/// The Deployment that a Rollout refers to, as long as it is not on its way out, and whether it drains it.
fn deployment_of(cached: &CachedRollout) -> Option<(ObjectKey, bool)> {
    let rollout = &cached.rollout;
    let object = referenced(rollout)?.ok().filter(|object| object.resource == DEPLOYMENT)?;
    let stays = rollout.metadata.deletion_timestamp.is_none();
    stays.then(|| (ObjectKey::new(&object.namespace, &object.name), release::drains(rollout)))
}

/// The Deployment that is another matter for a Rollout after a change than before it.
pub fn drained_otherwise(change: &Change<'_, CachedRollout>) -> Option<ObjectKey> {
    let before = change.old_object().and_then(|old| deployment_of(old))?;
    let after = change.new_object().and_then(|new| deployment_of(new));
    (after.as_ref() != Some(&before)).then_some(before.0)
}

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

/// The text of [`BY_WORKLOAD`] that Rollouts have which refer to a Deployment.
pub fn deployment_text(deployment: &ObjectKey) -> String {
    text(&DEPLOYMENT, &deployment.namespace, &deployment.name)
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
            let (queues, rollouts, of) = (queues.clone(), Arc::clone(rollouts), resource.clone());
            let store = Store::new(Vec::new(), move |change: &Change<'_, Workload>| {
                let Some(meta) = change.new.or(change.old).map(Entry::meta).filter(|_| !same_to_us(change)) else {
                    return;
                };
                let drained = change.new_object().is_some_and(|new| release::drained_by(new).is_some());
                if of == DEPLOYMENT && (drained || change.new.is_none()) {
                    queues.deployments.add(change.key(), lane(change));
                }
                for cached in rollouts.by(BY_WORKLOAD, &text(&of, &meta.namespace, &meta.name)) {
                    queues.rollouts.add(ObjectKey::of(&cached.rollout.metadata), lane(change));
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

    /// A Deployment, if it is known and decodes.
    pub fn deployment(&self, key: &ObjectKey) -> Option<Arc<Workload>> {
        self.kind(&DEPLOYMENT)?.store.get(key)
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
                && [names::DRAINED_FROM, names::DRAINED_BY]
                    .iter()
                    .all(|note| old.metadata.annotation(note) == new.metadata.annotation(note))
                && old.status == new.status
        }
        _ => false,
    }
}
