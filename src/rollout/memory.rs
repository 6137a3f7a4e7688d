//! What one look leaves for the next. None of it is needed to be safe: without it Siskin waits longer.
//!
//! It lives in the process. What a restart should not cost is also kept in `status.siskin`: [`stored`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::api::Time;
use crate::plan::ObjectRef;
use readiness::Readiness;

pub mod readiness;
pub mod stored;

/// By how much the clocks of controllers that succeed each other may be apart without harm (docs/decisions/0013).
pub const CLOCKS_APART: Duration = Duration::from_secs(30);

/// A route's weight as it was written once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenWeight {
    /// Generation of the route.
    pub generation: i64,
    /// The canary's share of the whole, 0 to `max`.
    pub canary: i32,
    /// Whether managed routes led to the canary as well.
    pub managed: bool,
    /// The Service that was the canary's then: ping and pong change roles.
    pub canary_service: String,
    /// Revision behind the canary Service then.
    pub canary_hash: String,
    /// Revision behind the stable Service then.
    pub stable_hash: String,
}

/// What is known of the weights before those in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Past {
    /// Nothing: any weight may be in force.
    #[default]
    Unknown,
    /// None of them is in force.
    Over,
}

/// A route, and which of its weights may still be in force somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteMemory {
    /// What may be in force: the newest last.
    pub in_flight: Vec<WrittenWeight>,
    /// Whether that is all that may be in force; it stays unknown until the newest weight is settled.
    pub past: Past,
    /// Since when the newest is acknowledged with its endpoints observed.
    pub settling_since: Option<Time>,
}

/// Maxima of the attempt: progress is a new maximum, not a rise (a crash loop rises for ever).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HighWater {
    /// Revision that the maxima are about.
    pub hash: String,
    /// Pods of the new revision.
    pub updated: i32,
    /// Available pods of the new revision.
    pub available: i32,
    /// Where the steps stood; unknown to a look that has only the record.
    pub step: Option<i32>,
}

/// The Deployment that the template comes from, as it was scaled last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrainMemory {
    /// Size that was written last.
    pub size: Option<i32>,
    /// When.
    pub at: Option<Time>,
    /// When it was scaled down again after somebody else had scaled it up, in the last minute.
    pub repairs: Vec<Time>,
}

/// A write that failed, as a fact of the next look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was to be written.
    pub object: ObjectRef,
    /// What the API server said.
    pub message: String,
    /// Why.
    pub cause: Cause,
}

/// Why a write failed, as far as that decides what is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// What the next attempt may be spared: a conflict, an outage.
    Passing,
    /// The name belongs to an object of somebody else.
    NameTaken,
    /// A disruption budget refuses the eviction.
    Budget,
    /// The API server will not take it until somebody changes something: permissions, a policy, the write itself.
    Denied,
}

/// An eviction that a disruption budget has refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Name of the pod.
    pub pod: String,
    /// What the API server said.
    pub message: String,
    /// When.
    pub at: Time,
}

/// The last write to a Service or a route, and how often it had to be made again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contest {
    /// The patch.
    pub write: String,
    /// Version of the object that it was made for.
    pub resource_version: String,
    /// When it was planned last.
    pub at: Time,
    /// When it was planned again because somebody had undone it, in the last minute.
    pub repairs: Vec<Time>,
}

/// What earlier looks left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// By route.
    pub routes: BTreeMap<ObjectRef, RouteMemory>,
    /// Since when this process has looked at the Rollout without being held up; `None` before its first look.
    pub watching_since: Option<Time>,
    /// When the last look was, if it wanted to write: the next comes once that is seen.
    pub acted_at: Option<Time>,
    /// Progress of the attempt.
    pub high_water: HighWater,
    /// The drain of a referenced Deployment.
    pub drain: DrainMemory,
    /// Since when each blocker blocks, by code and object.
    pub blocked_since: BTreeMap<(String, String), Time>,
    /// Blockers that an event has told of, by code and object.
    pub told: BTreeSet<(String, String)>,
    /// Writes that somebody else may undo, by object.
    pub contests: BTreeMap<ObjectRef, Contest>,
    /// Writes of the last plan that failed.
    pub failures: Vec<Failure>,
    /// Whether the last plan was not carried out to its end, because something that it rests on had moved.
    pub dropped: bool,
    /// How long pods have been ready.
    pub readiness: Readiness,
    /// Evictions that were refused lately.
    pub refusals: Vec<Refusal>,
    /// When the last plan was made, if it evicts a pod.
    pub evicting_at: Option<Time>,
}
