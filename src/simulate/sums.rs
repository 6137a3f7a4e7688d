//! What a release came to.

use std::time::Duration;

use super::timeline::{Requests, State};

/// Sums of a release.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// The most pods that existed at once.
    pub most_pods: i64,
    /// The same above the replicas that the Rollout asked for then.
    pub most_above: i64,
    /// Seconds of pods above the replicas, one for each pod and second.
    pub pod_seconds_above: f64,
    /// When the abort was decided.
    pub aborted_at: Option<Duration>,
    /// Requests until then.
    pub before_abort: Requests,
    last: Duration,
}

impl Sums {
    /// Counts the time up to `at`, in which things stood as in `state`.
    pub(super) fn until(&mut self, at: Duration, state: &State) {
        let span = at.saturating_sub(self.last).as_secs_f64();
        self.last = self.last.max(at);
        self.pod_seconds_above += f64::from(u32::try_from(above(state)).unwrap_or(0)) * span;
    }

    /// Counts pods at an instant.
    pub(super) fn sized(&mut self, state: &State) {
        self.most_pods = self.most_pods.max(state.old.existing + state.new.existing);
        self.most_above = self.most_above.max(above(state));
    }

    /// Notes the abort.
    pub(super) fn aborted(&mut self, at: Duration, total: &Requests) {
        if self.aborted_at.is_none() {
            self.aborted_at = Some(at);
            self.before_abort = *total;
        }
    }
}

fn above(state: &State) -> i64 {
    (state.old.existing + state.new.existing - state.replicas).max(0)
}
