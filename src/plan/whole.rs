//! A plan as a whole: what to write, in which order, and what to record at its end.

use serde_json::Value;

use super::{Blocker, Effect, Event, ObjectRef};
use crate::api::Time;

/// What to do now, and what to write down afterwards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Writes, in order of their phases. Effects of one phase do not need each other.
    pub effects: Vec<Effect>,
    /// Events of the decisions that `record` writes down; sent before it.
    pub events: Vec<Event>,
    /// The one status write, and the last; `None` where nothing new is to be written down.
    pub record: Option<Record>,
    /// What the update waits for.
    pub blockers: Vec<Blocker>,
    /// When to look again although nothing has changed.
    pub wake_at: Option<Time>,
}

/// The status write that ends a plan: a merge patch of the difference to the status that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The object whose status it is.
    pub object: ObjectRef,
    /// Version that the plan was computed from; the write is refused where it has moved.
    pub resource_version: String,
    /// Merge patch, `{"status": {…}}`.
    pub patch: Value,
    /// Whether the kind has a status subresource.
    pub subresource: Option<&'static str>,
    /// Why, for the log.
    pub reason: String,
}

impl Plan {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty() && self.record.is_none() && self.events.is_empty()
    }

    /// Notes that something happens at `time`; the earliest such time wakes the key.
    pub fn wake(&mut self, time: Time) {
        if crate::mutant!("timers-forgotten") {
            return;
        }
        self.wake_at = Some(self.wake_at.map_or(time, |earlier| earlier.min(time)));
    }
}
