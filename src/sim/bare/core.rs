//! One Rollout, looked at again and again.

use std::sync::Arc;
use std::time::Duration;

use super::apply::{Applied, apply};
use super::view::View;
use crate::api::{Rollout, Time};
use crate::controller::observe::observe;
use crate::plan::{Event, Plan};
use crate::rollout::memory::{Memory, stored};
use crate::rollout::{Settings, decide};
use crate::sim::api_server::Hand;
use crate::sim::clock::ManualClock;
use crate::sim::cluster::Cluster;

/// Looks without the clock moving, before that counts as a loop.
const MAX_LOOKS: usize = 50;

/// The decisions about one Rollout of a simulated cluster.
pub struct Core {
    /// The cluster; its clock is `clock`.
    pub cluster: Cluster,
    /// The clock of everything.
    pub clock: ManualClock,
    /// What the operator chose.
    pub settings: Arc<Settings>,
    /// Events so far.
    pub events: Vec<Event>,
    /// The last plan.
    pub plan: Plan,
    memory: Option<Memory>,
    hand: Hand,
    key: (String, String),
}

impl Core {
    /// A core that looks at `namespace/name`.
    pub fn new(cluster: Cluster, clock: ManualClock, (namespace, name): (&str, &str)) -> Self {
        let hand = cluster.server.hand("rollouts-controller");
        Self {
            cluster,
            clock,
            settings: Arc::new(Settings::default()),
            events: Vec::new(),
            plan: Plan::default(),
            memory: None,
            hand,
            key: (namespace.to_owned(), name.to_owned()),
        }
    }

    /// Forgets everything that is not stored, as a restart does.
    pub fn restart(&mut self) {
        self.memory = None;
    }

    /// One look: decide, carry out. Returns what came of it; `None` where the Rollout does not exist.
    pub fn look(&mut self) -> Option<Applied> {
        let view = View(self.hand.clone());
        let mut world = observe(&view, (&self.key.0, &self.key.1), &self.settings)?;
        let now = self.clock.time();
        world.memory = self.memory.take().unwrap_or_else(|| stored::recall(&world, now));
        let decision = decide(&world, now);
        let applied = apply(&self.hand, &decision.plan);
        self.events.extend(applied.events.iter().cloned());
        self.memory = Some(Memory { failures: applied.failures.clone(), ..decision.memory });
        self.plan = decision.plan;
        Some(applied)
    }

    /// Looks until there is nothing to write.
    ///
    /// # Errors
    /// The last plan, where that does not come to an end.
    pub fn settle(&mut self) -> Result<(), String> {
        for _ in 0..MAX_LOOKS {
            self.look();
            if self.plan.is_empty() {
                return Ok(());
            }
        }
        Err(format!("no rest after {MAX_LOOKS} looks at one instant: {:#?}", self.plan))
    }

    /// Lets time pass in steps, looking at each of them.
    ///
    /// # Errors
    /// As [`Core::settle`].
    pub fn run(&mut self, span: Duration, step: Duration) -> Result<(), String> {
        let end = self.clock.time() + span;
        self.cluster.tick();
        self.settle()?;
        while self.clock.time() < end && !step.is_zero() {
            self.clock.advance(step);
            self.cluster.tick();
            self.settle()?;
        }
        Ok(())
    }

    /// The Rollout as it is stored.
    pub fn rollout(&self) -> Option<Rollout> {
        let value = self.hand.get("Rollout", &self.key.0, &self.key.1)?;
        serde::Deserialize::deserialize(&*value).ok()
    }

    /// Somebody else's hand in the cluster.
    pub fn user(&self) -> Hand {
        self.cluster.server.hand("user")
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.clock.time()
    }
}
