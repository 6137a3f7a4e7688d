//! What should hold: the common language of canary and blue-green.

use std::time::Duration;

use crate::traffic::gateway_api::ManagedRoute;

/// What becomes of one revision's pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing changes: the user paused.
    Keep,
    /// This many pods.
    Size(i32),
    /// The revision served traffic: its pods stay for a delay, then go.
    Retire {
        /// How long they stay after their last share of traffic.
        delay: Duration,
        /// How many revisions may wait like this at once.
        limit: Option<usize>,
    },
    /// The update was aborted: its pods stay until the stable revision is complete, and a delay longer.
    RetireAborted {
        /// How long they stay.
        delay: Duration,
    },
    /// An intermediate revision: its pods go once no traffic reaches them.
    Drop,
}

/// One revision and its fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeGoal {
    /// Name of the ReplicaSet.
    pub name: String,
    /// What becomes of it.
    pub fate: Fate,
    /// Why, for the log.
    pub reason: String,
}

/// When a Service may be given to a revision for the first time or again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// At least one available pod.
    One,
    /// All pods of the revision: traffic depends on it at once.
    Full,
}

/// Which revision a Service selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceGoal {
    /// Name of the Service.
    pub service: String,
    /// Hash of the revision.
    pub hash: String,
    /// What the revision must have first.
    pub readiness: Readiness,
    /// Whether it serves users outside of any router: the whole traffic follows the switch.
    pub takes_all: bool,
}

/// Weights of the routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightGoal {
    /// The canary's weight, 0 to the maximum.
    pub canary: i32,
}

/// What should hold, whether or not the way there is safe yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    /// Sizes by revision.
    pub sizes: Vec<SizeGoal>,
    /// Selectors.
    pub services: Vec<ServiceGoal>,
    /// Weights; `None` without a router or where they stay as they are.
    pub weight: Option<WeightGoal>,
    /// Managed routes, in order; `None` where the Rollout names none.
    pub managed: Option<Vec<ManagedRoute>>,
    /// Sizes of a canary without a router: paced together, since they share one room.
    pub paced: Option<super::ratio::Ratio>,
}
