//! When a model has to look: some time after a change, and when one of its timers is due.

use std::time::Duration;

use crate::api::Time;

/// The alarm of one model.
#[derive(Debug)]
pub struct Gate {
    /// How long after a change the model looks.
    pub lag: Duration,
    seen: Option<u64>,
    pending: Option<Time>,
    timer: Option<Time>,
}

impl Gate {
    /// A gate that opens `lag` after each change.
    pub const fn new(lag: Duration) -> Self {
        Self { lag, seen: None, pending: None, timer: None }
    }

    /// Whether the model has to look now, given the version of what it reads.
    pub fn opens(&mut self, now: Time, version: u64) -> bool {
        if self.seen != Some(version) && self.pending.is_none() {
            self.pending = Some(now + self.lag);
        }
        let is_due = |at: Option<Time>| at.is_some_and(|at| at <= now);
        let open = is_due(self.pending) || is_due(self.timer);
        if is_due(self.pending) {
            self.pending = None;
            self.seen = Some(version);
        }
        open
    }

    /// Sets the model's own timer; none stops it.
    pub fn wake_at(&mut self, timer: Option<Time>) {
        self.timer = timer;
    }

    /// When the gate opens next if nothing changes.
    pub fn next(&self) -> Option<Time> {
        earliest([self.pending, self.timer])
    }
}

/// The earliest of several instants.
pub fn earliest(times: impl IntoIterator<Item = Option<Time>>) -> Option<Time> {
    times.into_iter().flatten().min()
}
