//! The Rollout controller: one look after the other, with what goes wrong between it and the API server.

use std::sync::Arc;
use std::time::Duration;

use crate::api::Time;
use crate::controller::observe::observe;
use crate::plan::Plan;
use crate::rollout::memory::{Cause, Failure, Memory, stored};
use crate::rollout::{Settings, decide};
use crate::sim::api_server::Hand;
use crate::sim::bare::calm::Calm;
use crate::sim::bare::view::View;
use crate::sim::clock::ManualClock;
use crate::sim::random::SplitMix;

/// From a failed write to the next look; doubled with each failure in a row.
const RETRY: Duration = Duration::from_millis(500);
/// The longest such wait.
const MAX_RETRY: Duration = Duration::from_secs(30);

/// What the API server makes of the controller's writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reach {
    /// This share of them is refused.
    Errors(f64),
    /// Nobody answers.
    Nobody,
}

pub(super) struct Controller {
    hand: Hand,
    key: (String, String),
    /// What its watches have shown it: everything, always at once.
    view: View,
    executor: Calm,
    settings: Arc<Settings>,
    memory: Option<Memory>,
    random: SplitMix,
    failures: u32,
    /// The last plan.
    pub plan: Plan,
    /// The API server as it is now.
    pub reach: Reach,
    /// When it looks again after a failure.
    pub retry_at: Option<Time>,
    /// Until when nobody holds the lease.
    pub dead_until: Option<Time>,
    /// Writes that were refused so far.
    pub refused: u64,
}

impl Controller {
    pub fn new(hand: Hand, clock: &ManualClock, (namespace, name): (&str, &str), seed: u64) -> Self {
        Self {
            view: View::new(hand.server()),
            executor: Calm::new(hand.clone(), clock, (namespace, name)),
            hand,
            key: (namespace.to_owned(), name.to_owned()),
            settings: Arc::new(Settings::default()),
            memory: None,
            random: SplitMix::new(seed ^ 0x00c0_117d),
            failures: 0,
            plan: Plan::default(),
            reach: Reach::Errors(0.0),
            retry_at: None,
            dead_until: None,
            refused: 0,
        }
    }

    /// Whether it can look at all.
    pub fn is_up(&self, now: Time) -> bool {
        self.reach != Reach::Nobody && self.dead_until.is_none_or(|until| until <= now)
    }

    /// Dies; another process takes over, which knows only what is stored.
    pub fn die(&mut self, until: Time) {
        self.memory = None;
        self.view = View::new(self.hand.server());
        self.plan = Plan::default();
        self.dead_until = Some(until);
    }

    /// One look: decide, carry out.
    pub fn look(&mut self, now: Time) {
        self.retry_at = None;
        self.view.sync(now);
        let Some(mut world) = observe(&self.view, (&self.key.0, &self.key.1), &self.settings) else { return };
        world.memory = self.memory.take().unwrap_or_else(|| stored::recall(&world, now));
        let decision = decide(&world, now);
        let (reached, refused) = self.reached(&decision.plan);
        let mut applied = self.executor.carry_out(reached);
        applied.failures.extend(refused);
        let failed = applied.failures.iter().any(|failure| failure.cause != Cause::Budget);
        self.failures = if failed { self.failures + 1 } else { 0 };
        if failed {
            let wait = RETRY * 2_u32.saturating_pow(self.failures.saturating_sub(1).min(8));
            self.retry_at = Some(now + wait.min(MAX_RETRY));
        }
        self.memory = Some(Memory { failures: applied.failures, dropped: applied.dropped, ..decision.memory });
        self.plan = decision.plan;
    }

    /// The part of a plan that reaches the API server, and what is refused: by the executor's rules, a refusal stops
    /// later phases but not the record.
    fn reached(&mut self, plan: &Plan) -> (Plan, Vec<Failure>) {
        let Reach::Errors(share) = self.reach else { return (Plan::default(), Vec::new()) };
        if share <= 0.0 {
            return (plan.clone(), Vec::new());
        }
        let mut reached = Plan { effects: Vec::new(), ..plan.clone() };
        let mut refused: Vec<Failure> = Vec::new();
        let mut failed_phase = None;
        for effect in &plan.effects {
            if failed_phase.is_some_and(|failed| failed < effect.phase) {
                break;
            }
            if self.random.unit() < share {
                failed_phase = Some(effect.phase);
                refused.push(failure(&effect.object));
            } else {
                reached.effects.push(effect.clone());
            }
        }
        if let Some(record) = plan.record.as_ref().filter(|_| self.random.unit() < share) {
            refused.push(failure(&record.object));
            reached.record = None;
        }
        self.refused += refused.len() as u64;
        (reached, refused)
    }
}

fn failure(object: &crate::plan::ObjectRef) -> Failure {
    let message = "InternalError (500): the API server refused, by a fault of the simulation".to_owned();
    Failure { object: object.clone(), message, cause: Cause::Passing }
}
