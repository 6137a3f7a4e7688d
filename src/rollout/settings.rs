//! What the operator of the controller chose, as far as decisions depend on it.

use std::time::Duration;

/// How long after its acknowledgement a route counts as settled.
pub const DEFAULT_ROUTE_GRACE: Duration = Duration::from_secs(5);
/// How often every Rollout is looked at although nothing has changed.
pub const DEFAULT_RESYNC: Duration = Duration::from_mins(15);

/// Pods whose labels and annotations one plan writes.
pub const DEFAULT_PODS_PER_PLAN: usize = 10;

/// What a route without any implementation behind it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclaimed {
    /// What is written is all there is; timing is Argo's.
    Tolerated,
    /// Nothing goes on until an implementation acknowledges.
    Refused,
}

/// What unknown fields of a manifest mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownFields {
    /// One warning event.
    Warned,
    /// InvalidSpec.
    Refused,
}

/// What becomes of `status.siskin` in this cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnStatus {
    /// It is kept: a restart costs the grace of a route at most.
    Kept,
    /// The definition of Rollouts prunes it, or nobody knows: it is neither written nor read.
    Pruned,
}

/// How the status tells its generation and its readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusDialect {
    /// As Argo does: the generation is a text, and there are only Argo's conditions.
    Argo,
    /// As kstatus reads it: the generation is a number, with `Ready`, `Reconciling` and `Stalled`.
    Kstatus,
}

/// Settings of the decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Time between looks at a Rollout at rest.
    pub resync: Duration,
    /// Time between a route's acknowledgement and settled.
    pub route_grace: Duration,
    /// Routes that nothing has claimed.
    pub unclaimed: Unclaimed,
    /// Unknown fields.
    pub unknown_fields: UnknownFields,
    /// Siskin's own part of the status.
    pub own_status: OwnStatus,
    /// Pods whose labels and annotations one plan writes; at least 1.
    pub pods_per_plan: usize,
    /// The dialect of the status.
    pub dialect: StatusDialect,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            resync: DEFAULT_RESYNC,
            route_grace: DEFAULT_ROUTE_GRACE,
            unclaimed: Unclaimed::Tolerated,
            unknown_fields: UnknownFields::Warned,
            own_status: OwnStatus::Kept,
            pods_per_plan: DEFAULT_PODS_PER_PLAN,
            dialect: StatusDialect::Argo,
        }
    }
}
