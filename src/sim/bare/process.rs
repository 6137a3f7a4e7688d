//! One controller process over the simulated store: its caches, its memory, its requests.

use std::sync::Arc;
use std::time::Duration;

use super::apply::{Applied, Means, Progress, Run};
use super::strike::Strikes;
use super::view::View;
use crate::api::Time;
use crate::controller::observe::observe;
use crate::plan::{Event, Plan};
use crate::rollout::memory::{Memory, stored};
use crate::rollout::{Settings, decide};
use crate::runtime::clock::Clock;
use crate::runtime::expectations::{self, Expectations, Readiness, Seen};
use crate::runtime::lease::Fence;
use crate::runtime::object::ObjectKey;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::checker::check::CONTROLLER;
use crate::sim::object;

/// After a plan was dropped, the change that moved its basis brings the key back; this is for the case that it is known already.
const AFTER_DROP: Duration = Duration::from_millis(200);

/// A controller process.
#[derive(Clone)]
pub struct Process {
    /// What its watches have shown it.
    pub view: View,
    /// What goes wrong with its writes.
    pub strikes: Strikes,
    /// The last plan.
    pub plan: Plan,
    /// When it looks again although nothing has arrived.
    pub wake_at: Option<Time>,
    /// By how many milliseconds its clock is ahead; behind, where that is negative.
    pub ahead: i64,
    memory: Option<Memory>,
    expectations: Expectations<ObjectKey>,
    fence: Fence,
    frozen: Option<(Time, Box<Run>)>,
    hand: Hand,
    key: ObjectKey,
}

/// What a look has come to.
#[derive(Debug, Default)]
pub struct Look {
    /// What came of its plan; `None` where there was none.
    pub applied: Option<Applied>,
    /// Events of its plan.
    pub events: Vec<Event>,
}

impl Process {
    /// A process that looks after one Rollout. Its caches show what the server held at `version`.
    pub fn new(server: &ApiServer, clock: &Clock, key: (&str, &str), version: u64) -> Self {
        Self {
            view: View::as_of(server, version),
            strikes: Strikes::default(),
            plan: Plan::default(),
            wake_at: None,
            ahead: 0,
            memory: None,
            expectations: Expectations::new(clock.clone()),
            fence: Fence::open(clock.clone()),
            frozen: None,
            hand: server.hand(CONTROLLER),
            key: ObjectKey::new(key.0, key.1),
        }
    }

    /// A process in place of one that has died: it knows what is stored, and counts requests on.
    #[must_use]
    pub fn successor(&self, clock: &Clock, version: u64) -> Self {
        let key = (self.key.namespace.as_str(), self.key.name.as_str());
        Self { strikes: self.strikes.clone(), ..Self::new(self.hand.server(), clock, key, version) }
    }

    /// Closes the fence: this process has not renewed its lease in time.
    pub fn depose(&mut self, clock: &Clock) {
        self.fence = Fence::closed(clock.clone());
    }

    /// Until when the process stands still; `None` where it runs.
    pub fn frozen_until(&self) -> Option<Time> {
        self.frozen.as_ref().map(|(until, _)| *until)
    }

    /// When the process has something to do if nothing happens.
    pub fn next(&self) -> Option<Time> {
        match self.frozen_until() {
            Some(until) => Some(until),
            None => [self.wake_at, self.view.next()].into_iter().flatten().min(),
        }
    }

    /// What the process knows beside its caches, as text.
    pub fn known(&self) -> String {
        format!("{:?} {:?}", self.memory, self.wake_at)
    }

    /// One look: decide, carry out.
    pub fn look(&mut self, settings: &Arc<Settings>, now: Time) -> Look {
        if let Some((until, run)) = self.frozen.take() {
            if until > now {
                self.frozen = Some((until, run));
                return Look::default();
            }
            return self.carry_out(*run, now);
        }
        self.view.sync(now);
        self.wake_at = None;
        if let Some(wait) = self.behind() {
            self.wake_at = Some(now + wait);
            self.plan = Plan::default();
            return Look::default();
        }
        let key = (self.key.namespace.as_str(), self.key.name.as_str());
        let Some(mut world) = observe(&self.view, key, settings) else { return Look::default() };
        let shown = later(now, self.ahead);
        world.memory = self.memory.take().unwrap_or_else(|| stored::recall(&world, shown));
        let mut decision = decide(&world, shown);
        decision.plan.wake_at = decision.plan.wake_at.map(|at| later(at, self.ahead.saturating_neg()));
        self.plan = decision.plan.clone();
        self.memory = Some(decision.memory);
        self.carry_out(Run::new(decision.plan, self.key.clone()), now)
    }

    fn carry_out(&mut self, run: Run, now: Time) -> Look {
        let mut means = Means {
            hand: &self.hand,
            strikes: &mut self.strikes,
            expectations: &self.expectations,
            fence: &self.fence,
        };
        match run.go_on(&mut means) {
            Progress::Frozen(run, millis) => {
                self.frozen = Some((now + Duration::from_millis(millis), run));
                Look::default()
            }
            Progress::Done(applied) => {
                let retry = self.strikes.retry(applied.failed.as_ref(), now);
                let dropped = applied.dropped.then(|| now + AFTER_DROP);
                self.wake_at = [self.plan.wake_at, retry, dropped].into_iter().flatten().min();
                if let Some(memory) = &mut self.memory {
                    memory.failures.clone_from(&applied.failures);
                    memory.dropped = applied.dropped;
                }
                Look { events: applied.events.clone(), applied: Some(applied) }
            }
        }
    }

    /// How long to wait because the caches have not seen what this process wrote; `None` where they have.
    fn behind(&self) -> Option<Duration> {
        let of =
            |object: &expectations::ObjectRef| (object.kind, object.key.namespace.clone(), object.key.name.clone());
        let cached = |object: &expectations::ObjectRef| {
            let (kind, namespace, name) = of(object);
            self.view.seen(kind, &namespace, &name)
        };
        match self.expectations.check(&self.key, cached) {
            Readiness::Ready => None,
            Readiness::Behind { check_after } => Some(check_after),
            Readiness::ReadLive(objects) => {
                for object in objects {
                    let (kind, namespace, name) = of(&object);
                    let live = self.hand.get(kind, &namespace, &name).map(|live| Seen {
                        uid: object::uid(&live).to_owned(),
                        resource_version: object::text(&live, "/metadata/resourceVersion").to_owned(),
                    });
                    self.expectations.read(&self.key, object, live);
                }
                Some(AFTER_DROP)
            }
        }
    }
}

/// An instant so many milliseconds later; earlier, where that is negative.
pub fn later(at: Time, millis: i64) -> Time {
    Time::from_nanos(at.nanos().saturating_add(millis.saturating_mul(1_000_000)))
}
