//! A world, what is done to it and what goes wrong, as data: a *case*. Its JSON is the script of a regression.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::analyst::Outcome;
use super::rig::{KEY, Rig};
use crate::sim::bare::strike::Strike;
use crate::sim::bare::view::Trouble;
use crate::sim::models::{Autoscaler, Disruption, NodeLifecycle};

/// Who is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The current revision.
    New,
    /// The stable one.
    Stable,
}

/// What happens to a Rollout and its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
    /// Takes `spec.replicas` away.
    Unscale,
    /// Deletes so many pods.
    Kill(Side, usize),
    /// Makes so many running pods unready.
    Hurt(Side, usize),
    /// Makes hurt pods well again.
    Heal,
    /// Somebody writes a canary weight into the route.
    Weigh(i64),
    /// Somebody points a Service (by number) at a revision.
    Select(usize, Side),
    /// Somebody takes the hash out of a Service's selector.
    Unselect(usize),
    /// Somebody deletes a ReplicaSet.
    Delete(Side),
    /// The controller starts anew.
    Restart,
    /// Evicts so many pods, as far as budgets allow.
    Evict(Side, usize),
    /// `spec.restartAt`: every pod is to be another one.
    Renew,
    /// The user sets the index of the step one further.
    Skip,
    /// Other steps, by number.
    Steps(u8),
    /// Metadata of canary and stable pods, by number.
    Wear(u8),
    /// Somebody scales the referenced Deployment.
    Grow(i32),
    /// From now on the data plane needs so many milliseconds for a route.
    Plane(u64),
    /// From now on the data plane refuses every change of a route.
    Refuse,
    /// A node falls silent, by its number.
    Lose(usize),
    /// Somebody writes what looks like ours, by number.
    Tamper(u8),
}

/// What a cluster has beside what every release needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Beside {
    /// A `PodDisruptionBudget` over all pods that lets so many be missing.
    Budget(i32),
    /// An autoscaler on an external metric whose load asks for so many pods.
    Autoscaler(i32),
    /// Care for lost nodes.
    Nodes,
}

impl Beside {
    /// Puts it into the cluster.
    pub fn join(self, rig: &mut Rig) {
        let cluster = &mut rig.core.cluster;
        let server = cluster.server.clone();
        let user = server.hand("user");
        let labels = json!({"matchLabels": {"app": "shop"}});
        match self {
            Self::Budget(missing) => {
                cluster.add(Disruption::new(&server, Duration::ZERO));
                let budget = json!({
                    "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
                    "metadata": {"name": "shop", "namespace": KEY.0}, "spec": {"maxUnavailable": missing, "selector": labels},
                });
                rig.did(user.create("PodDisruptionBudget", budget));
            }
            Self::Autoscaler(pods) => {
                let autoscaler = Autoscaler::new(&server, cluster.traffic.loads());
                autoscaler.external().lock().insert("requests".to_owned(), f64::from(pods) * 10.0);
                cluster.add(autoscaler);
                let metric = json!({
                    "metric": {"name": "requests"}, "target": {"type": "AverageValue", "averageValue": "10"},
                });
                let autoscaler = json!({
                    "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
                    "metadata": {"name": "shop", "namespace": KEY.0},
                    "spec": {
                        "scaleTargetRef": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": KEY.1},
                        "minReplicas": 1, "maxReplicas": 30, "metrics": [{"type": "External", "external": metric}],
                    },
                });
                rig.did(user.create("HorizontalPodAutoscaler", autoscaler));
            }
            Self::Nodes => {
                let plane = cluster.gateway.plane();
                cluster.add(NodeLifecycle::new(&server, plane));
            }
        }
    }
}

/// A world and its script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scenario {
    /// `spec.strategy`.
    pub strategy: Value,
    /// `spec.replicas`.
    pub replicas: i32,
    /// `spec.minReadySeconds`.
    pub min_ready: i32,
    /// `spec.progressDeadlineAbort`.
    pub deadline_abort: bool,
    /// Whether a data plane shows itself.
    pub gateway: bool,
    /// Of all chance in the cluster.
    pub seed: u64,
    /// Milliseconds from a look that wrote to the next.
    pub pace: u64,
    /// Seconds from creation to ready, by template.
    pub start: [String; 3],
    /// How analysis runs end.
    pub outcomes: Vec<Outcome>,
    /// Milliseconds to wait, and then what.
    pub script: Vec<(u64, Action)>,
    /// More of `spec`, merged into it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub more: Value,
    /// `spec.workloadRef.scaleDown` where a Deployment has the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// What the cluster has beside what every release needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Beside>,
}

/// Milliseconds from which on a delay may change how a release ends.
const LONG: u64 = 8_000;

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fault {
    /// One write of the controller, by its number from 0.
    Write {
        /// Which.
        number: u64,
        /// What happens to it.
        strike: Strike,
    },
    /// One event of a watch, by its number from 0.
    Watch {
        /// The kind that is watched.
        kind: String,
        /// Which.
        number: u64,
        /// What happens to it.
        trouble: Trouble,
    },
    /// All events of a kind arrive late, in milliseconds: they are reordered against those of the others.
    Lag {
        /// The kind.
        kind: String,
        /// How late.
        millis: u64,
    },
    /// After a write the process dies, and its successor lists from an API server that is behind.
    Older {
        /// Which write.
        number: u64,
        /// By how many versions.
        versions: u64,
    },
    /// After a write the process dies, and for so many milliseconds there is none. Through the full shell another begins at
    /// once.
    Away {
        /// Which write.
        number: u64,
        /// For how long.
        millis: u64,
    },
    /// At a write the leader stands still until another has taken over, whose clock is off: there are two for a moment, and
    /// what the one has recorded the other measures. Through the full shell it dies.
    Clock {
        /// Which write.
        number: u64,
        /// By how many milliseconds the successor's clock is ahead; behind, where that is negative.
        ahead: i64,
    },
    /// Somebody does something at one turn of the run, by its number from 0: at any moment in which anything moves.
    Act {
        /// Which.
        turn: u64,
        /// What.
        action: Action,
    },
}

impl Fault {
    /// The row of the report's table.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Write { strike, .. } => match strike {
                Strike::CrashBefore => "write: crash before",
                Strike::CrashAfter => "write: crash after",
                Strike::LoseResponse => "write: response lost",
                Strike::Conflict => "write: 409",
                Strike::TooMany(_) => "write: 429 with Retry-After",
                Strike::Internal => "write: 500",
                Strike::Timeout => "write: time-out",
                Strike::Freeze(_) => "leader: frozen, another takes over",
            },
            Self::Watch { trouble, .. } => match trouble {
                Trouble::Late(_) => "watch: event delayed",
                Trouble::Behind(_) => "watch: stale by k events",
                Trouble::Lost(_) => "watch: event dropped, relisted",
            },
            Self::Lag { .. } => "watch: kinds reordered",
            Self::Older { .. } => "restart against an older API server",
            Self::Away { .. } => "no controller for a while",
            Self::Clock { .. } => "two leaders, clocks apart",
            Self::Act { .. } => "somebody acts at any moment",
        }
    }

    /// Whether the controller's requests or its views suffer; people may do what they like without that.
    pub const fn hurts(&self) -> bool {
        !matches!(self, Self::Act { .. })
    }

    /// Whether it may take so long that a deadline passes, or an update comes before the first deployment is over.
    pub const fn is_long(&self) -> bool {
        match self {
            Self::Watch { trouble: Trouble::Late(millis) | Trouble::Lost(millis), .. } | Self::Lag { millis, .. } => {
                *millis >= LONG
            }
            Self::Watch { trouble: Trouble::Behind(_), .. } | Self::Away { .. } => true,
            Self::Write { .. } | Self::Older { .. } | Self::Clock { .. } | Self::Act { .. } => false,
        }
    }

    /// Whether views are late by it.
    pub const fn delays(&self) -> bool {
        !matches!(self, Self::Write { .. } | Self::Clock { .. } | Self::Away { .. } | Self::Act { .. })
    }
}

/// One fault run: a scenario under one schedule of faults, from start to rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The scenario.
    pub scenario: Scenario,
    /// The schedule.
    pub faults: Vec<Fault>,
}
