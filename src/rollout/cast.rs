//! Who plays which part: the new revision, the stable one, the others.

use std::sync::Arc;
use std::time::Duration;

use super::memory::readiness::{Readiness, ready_since};
use super::revision;
use super::size::{Size, Sizes};
use super::world::World;
use crate::api::{Pod, ReplicaSet, RolloutStatus, Time, names};

/// One revision: its ReplicaSet and its pods, counted from the pods themselves.
#[derive(Clone, Debug)]
pub struct Revision {
    /// The ReplicaSet.
    pub rs: Arc<ReplicaSet>,
    /// Its pods.
    pub pods: Vec<Arc<Pod>>,
    /// Its size.
    pub size: Size,
    /// Ready pods that are not on their way out.
    pub ready: i32,
}

impl Revision {
    /// The pod hash that it is known by.
    pub fn hash(&self) -> &str {
        self.rs.pod_hash()
    }

    /// Its revision number; 0 where the annotation is absent or no number.
    pub fn number(&self) -> i64 {
        self.rs.metadata.annotation(names::REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// When it is to be scaled down, if that is decided. An unreadable deadline counts as none.
    pub fn deadline(&self) -> Option<Time> {
        self.rs.metadata.annotation(names::SCALE_DOWN_DEADLINE).and_then(|text| text.parse().ok())
    }

    /// Whether the pod with this uid is one of its pods.
    pub fn has_pod(&self, uid: &str) -> bool {
        self.pods.iter().any(|pod| pod.metadata.uid == uid)
    }

    /// Name of the ReplicaSet.
    pub fn name(&self) -> &str {
        &self.rs.metadata.name
    }
}

/// All revisions by the part that they play. `stable` is the same as `new` in a Rollout at rest.
#[derive(Clone, Debug, Default)]
pub struct Cast {
    /// The revision of the current template; absent before its ReplicaSet exists.
    pub new: Option<Revision>,
    /// The revision that was promoted last; absent before the first promotion.
    pub stable: Option<Revision>,
    /// All others, oldest first.
    pub others: Vec<Revision>,
    /// ReplicaSets that nobody owns and that the selector matches.
    pub orphans: Vec<Arc<ReplicaSet>>,
    /// When the next ready pod will have been so for long enough.
    pub next_available: Option<Time>,
    /// How long pods have been ready, for the next look.
    pub readiness: Readiness,
}

impl Cast {
    /// Assigns the parts.
    pub fn of(world: &World, now: Time) -> Self {
        let mut cast = Self::default();
        let uid = &world.rollout.metadata.uid;
        let wait = Wait::of(world, now);
        cast.next_available = wait.readiness.wakes_at(wait.min_ready, now);
        let mut owned = Vec::new();
        for rs in &world.replica_sets {
            match rs.metadata.controller() {
                Some(owner) if owner.uid == *uid => owned.push(wait.count(world, rs)),
                None if rs.metadata.deletion_timestamp.is_none() => cast.orphans.push(Arc::clone(rs)),
                _ => {}
            }
        }
        let stable = &world.rollout.status.stable_rs;
        let new = revision::find::new_revision(world, &owned);
        for (position, revision) in owned.into_iter().enumerate() {
            let is_stable = !stable.is_empty() && revision.hash() == stable && cast.stable.is_none();
            let is_new = new == Some(position);
            if is_stable {
                cast.stable = Some(revision.clone());
            }
            if is_new {
                cast.new = Some(revision);
            } else if !is_stable {
                cast.others.push(revision);
            }
        }
        cast.readiness = wait.readiness;
        cast
    }

    /// Whether the new revision is the stable one.
    pub fn at_stable(&self) -> bool {
        matches!((&self.new, &self.stable), (Some(new), Some(stable)) if new.rs.metadata.uid == stable.rs.metadata.uid)
    }

    /// The stable revision where it is not the new one.
    pub fn distinct_stable(&self) -> Option<&Revision> {
        if self.at_stable() { None } else { self.stable.as_ref() }
    }

    /// Whether the stable revision that the record names is not there: somebody has deleted it, or its watch is behind.
    pub fn lacks_stable(&self, status: &RolloutStatus) -> bool {
        self.stable.is_none() && !status.stable_rs.is_empty()
    }

    /// Every revision once, the new one first.
    pub fn all(&self) -> impl Iterator<Item = &Revision> {
        self.new.iter().chain(self.distinct_stable()).chain(&self.others)
    }

    /// The revision that is known by a hash.
    pub fn by_hash(&self, hash: &str) -> Option<&Revision> {
        self.all().find(|revision| !hash.is_empty() && revision.hash() == hash)
    }

    /// The numbers that replica arithmetic needs. Pods and ReplicaSets arrive by different watches: available is what
    /// both show. What is about to be adopted counts as one of the others.
    pub fn sizes(&self) -> Sizes {
        let shown = |revision: &Revision| {
            let available = revision.size.available.min(revision.rs.status.available_replicas);
            Size { available, ..revision.size }
        };
        let orphans =
            self.orphans.iter().map(|rs| Size { spec: rs.wanted(), replicas: rs.status.replicas, available: 0 });
        Sizes {
            new: self.new.as_ref().map(shown),
            stable: self.distinct_stable().map(shown),
            others: self.others.iter().map(shown).chain(orphans).collect(),
        }
    }

    /// Pods of the new revision.
    pub fn new_size(&self) -> Size {
        self.new.as_ref().map(|revision| revision.size).unwrap_or_default()
    }

    /// Pods of the stable revision.
    pub fn stable_size(&self) -> Size {
        self.stable.as_ref().map(|revision| revision.size).unwrap_or_default()
    }
}

/// How long a pod has to be ready before it is available, and what is known of that.
struct Wait {
    min_ready: Duration,
    readiness: Readiness,
    now: Time,
}

impl Wait {
    fn of(world: &World, now: Time) -> Self {
        let min_ready = Duration::from_secs(u64::try_from(world.rollout.spec.min_ready_seconds).unwrap_or(0));
        Self { min_ready, readiness: world.memory.readiness.follow(&world.pods, min_ready, now), now }
    }

    /// Counts a ReplicaSet's pods.
    fn count(&self, world: &World, rs: &Arc<ReplicaSet>) -> Revision {
        let controlled = |pod: &&Arc<Pod>| pod.metadata.controller().is_some_and(|owner| owner.uid == rs.metadata.uid);
        let pods: Vec<Arc<Pod>> = world.pods.iter().filter(controlled).map(Arc::clone).collect();
        let (mut ready, mut seen, mut said) = (0, 0, 0);
        for (pod, since) in pods.iter().filter_map(|pod| Some((pod, ready_since(pod)?))) {
            ready += 1;
            seen += i32::from(self.readiness.is_ripe(pod, self.min_ready, self.now));
            said += i32::from(self.readiness.may_be_ripe(since, self.min_ready, self.now));
        }
        let available = seen.max(said.min(rs.status.available_replicas));
        let size = Size { spec: rs.wanted(), replicas: rs.status.replicas, available };
        Revision { rs: Arc::clone(rs), pods, size, ready }
    }
}
