//! A world and what is done to it, as data: a specification, a pace, and what people and chance do.

use serde_json::Value;

use super::analyst::Outcome;

/// Who is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The current revision.
    New,
    /// The stable one.
    Stable,
}

/// What happens to a Rollout and its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Applies the template of an image: 0 to 2 are good, 3 to 5 are not.
    Apply(u8),
    /// `status.abort`.
    Abort,
    /// Takes the abort back.
    Retry,
    /// Takes the pause conditions away.
    Promote,
    /// `status.promoteFull`.
    PromoteFull,
    /// `spec.paused`.
    Pause(bool),
    /// `spec.replicas`.
    Scale(i32),
    /// Deletes so many pods.
    Kill(Side, usize),
    /// Makes so many running pods unready.
    Hurt(Side, usize),
    /// Makes hurt pods well again.
    Heal,
    /// Somebody writes a canary weight into the route.
    Weigh(i64),
    /// Somebody points a Service at a revision.
    Select(usize, Side),
    /// Somebody takes the hash out of a Service's selector.
    Unselect(usize),
    /// Somebody deletes a ReplicaSet.
    Delete(Side),
    /// The controller starts anew.
    Restart,
}

/// A world and its script.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// `spec.strategy`.
    pub strategy: Value,
    /// `spec.replicas`.
    pub replicas: i32,
    /// `spec.minReadySeconds`.
    pub min_ready: i32,
    /// Whether `spec.progressDeadlineAbort` is set.
    pub deadline_abort: Option<()>,
    /// Whether a data plane shows itself.
    pub gateway: Option<()>,
    /// Of all chance in the cluster.
    pub seed: u64,
    /// Milliseconds from a look that wrote to the next.
    pub pace: u64,
    /// Seconds from creation to ready, by template.
    pub start: [&'static str; 3],
    /// How analysis runs end.
    pub outcomes: Vec<Outcome>,
    /// Milliseconds to wait, and then what.
    pub script: Vec<(u64, Action)>,
}
