//! How many pods a share of the traffic needs, and whether they are there.

use crate::api::lite::{Endpoint, TargetRef};
use crate::api::{EndpointSlice, names};
use crate::rollout::cast::{Cast, Revision};
use crate::rollout::strategy::ratio;
use crate::rollout::world::World;

/// A share of the traffic as `part` of `whole` (weights, so that no fraction is lost); `whole` is above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The part.
    pub part: i32,
    /// The whole: the maximum weight.
    pub whole: i32,
}

impl Share {
    /// No traffic.
    pub const NONE: Self = Self { part: 0, whole: 1 };
    /// All traffic.
    pub const ALL: Self = Self { part: 1, whole: 1 };

    /// Whether this is no traffic at all.
    pub const fn is_none(self) -> bool {
        self.part <= 0
    }
}

/// `spec.replicas` and how many of them may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Wanted pods.
    pub replicas: i32,
    /// maxUnavailable in pods.
    pub unavailable: i32,
}

impl Demand {
    /// Pods that must be available behind a share: its part of the wanted pods less maxUnavailable, and one at least.
    ///
    /// Worked example: 10 pods of which 2 may be missing. A share of 25 % needs ceil(2.5) − 2 = 1, all of it needs 8.
    pub fn need(self, share: Share) -> i32 {
        if share.is_none() || self.replicas == 0 {
            return 0;
        }
        (ratio::by_weight(self.replicas, share.part, share.whole) - self.unavailable).max(1)
    }
}

/// Ready endpoints of a Service that belong to a revision's pods, and ready ones that do not.
/// `None` where no EndpointSlice exists for the Service: then nothing is known, and nothing is waited for.
pub fn endpoints(world: &World, service: &str, revision: &Revision) -> Option<(i32, i32)> {
    let slices = world.endpoints.get(service).filter(|slices| !slices.is_empty())?;
    let (mut own, mut foreign) = (0, 0);
    for ready in slices.iter().flat_map(|slice| ready_pods(slice)) {
        if revision.has_pod(&ready.uid) {
            own += 1;
        } else {
            foreign += 1;
        }
    }
    Some((own, foreign))
}

/// Ready endpoints of a Service, whoever's they are; `None` where no EndpointSlice exists for it.
pub fn ready(world: &World, service: &str) -> Option<usize> {
    let slices = world.endpoints.get(service).filter(|slices| !slices.is_empty())?;
    Some(slices.iter().map(|slice| ready_endpoints(slice).count()).sum())
}

/// The first pod behind a Service's ready endpoints that is of no revision.
pub fn stranger<'w>(world: &'w World, cast: &Cast, service: &str) -> Option<&'w TargetRef> {
    let slices = world.endpoints.get(service)?;
    slices
        .iter()
        .flat_map(|slice| ready_pods(slice))
        .find(|ready| !cast.all().any(|revision| revision.has_pod(&ready.uid)))
}

/// The pods behind a slice's ready endpoints.
fn ready_pods(slice: &EndpointSlice) -> impl Iterator<Item = &TargetRef> {
    ready_endpoints(slice).filter_map(|endpoint| endpoint.target_ref.as_ref())
}

fn ready_endpoints(slice: &EndpointSlice) -> impl Iterator<Item = &Endpoint> {
    slice.endpoints.iter().filter(|endpoint| endpoint.conditions.ready.unwrap_or(true))
}

/// The pod hash that a Service selects; `None` where the Service is absent or selects no revision.
pub fn selected<'w>(world: &'w World, service: &str) -> Option<&'w str> {
    world.service(service)?.spec.selector.get(names::POD_HASH).filter(|hash| !hash.is_empty())
}

/// The revision that a Service selects, if it is one of ours.
pub fn target<'w>(world: &World, cast: &'w Cast, service: &str) -> Option<&'w Revision> {
    cast.by_hash(selected(world, service)?)
}

/// Whether a Service selects a revision that is none of ours any more: somebody has deleted it (I01).
pub fn dangles(world: &World, cast: &Cast, service: &str) -> bool {
    selected(world, service).is_some_and(|hash| cast.by_hash(hash).is_none())
}

/// Pods that can be counted on: available ones, but no more than the ReplicaSet wants
/// (the rest are about to go although they still answer), and no more than its own controller counts: pods and
/// ReplicaSets arrive by different watches, and only what both show is there.
pub fn dependable(revision: &Revision) -> i32 {
    revision.size.available.min(revision.size.spec).min(revision.rs.status.available_replicas)
}

/// Pods that may answer users: what only one of the two watches shows may be there as well.
pub fn possible(revision: &Revision) -> i32 {
    revision.size.available.max(revision.rs.status.available_replicas)
}
