//! What every beat of a decision reads: the world, and what was worked out from it once.

use super::cast::Cast;
use super::safety::route::Routes;
use super::strategy::steps;
use super::world::World;
use crate::api::{RolloutStatus, Time, names};

/// One decision's common ground.
pub struct Case<'w> {
    /// The world.
    pub world: &'w World,
    /// Who plays which part.
    pub cast: &'w Cast,
    /// The routes of a canary.
    pub routes: &'w Routes,
    /// The time that all of the decision agrees on.
    pub now: Time,
}

impl<'w> Case<'w> {
    /// The record as it was read.
    pub fn status(&self) -> &'w RolloutStatus {
        &self.world.rollout.status
    }

    /// Hash of the new revision: its ReplicaSet's label, or what a new ReplicaSet will carry.
    pub fn new_hash(&self) -> &'w str {
        self.cast.new.as_ref().map_or(self.world.digest.pod_hash.as_str(), |new| new.hash())
    }

    /// The revision number of the Rollout, as its annotation says; that of the new ReplicaSet where it is absent.
    pub fn revision(&self) -> i64 {
        let annotated = self.world.rollout.metadata.annotation(names::REVISION).and_then(|text| text.parse().ok());
        let new = self.cast.new.as_ref().map_or(0, super::cast::Revision::number);
        annotated.unwrap_or(new).max(new)
    }

    /// Whether the strategy is a canary.
    pub fn is_canary(&self) -> bool {
        self.world.rollout.spec.strategy.canary.is_some()
    }

    /// Whether a person's or analysis' pause has been lifted and not yet been acted on.
    pub fn resumed(&self) -> bool {
        self.status().controller_pause && self.status().pause_conditions.is_empty()
    }

    /// Whether the update is over by the record.
    pub fn fully_promoted(&self) -> bool {
        !self.status().stable_rs.is_empty() && self.status().stable_rs == self.status().current_pod_hash
    }

    /// The index past the last step; `None` without steps.
    pub fn end(&self) -> Option<i32> {
        let len = steps::len(&self.world.rollout);
        (len > 0).then_some(len)
    }
}
