//! Pure: the language in which every kind decides.
//!
//! A [`Plan`] is a value: it prints, compares and replays. The shell carries it out and adds nothing to it.
//! Every prefix of a plan is safe, and every plan can be dropped: the next look at the world makes a better one.

pub mod blocker;
pub mod effect;
pub mod event;
pub mod object;

pub use blocker::Blocker;
pub use effect::{Basis, Effect, Phase, Precondition, Verb};
pub use event::{Event, EventType};
pub use object::{ObjectRef, Resource};

use crate::api::Time;
use serde_json::Value;

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
        self.wake_at = Some(self.wake_at.map_or(time, |earlier| earlier.min(time)));
    }
}
