//! One Rollout, looked at again and again, by a controller that may die and be succeeded.

use std::sync::Arc;
use std::time::Duration;

use super::apply::Applied;
use super::process::Process;
use crate::api::{Rollout, Time};
use crate::plan::{Event, Plan};
use crate::rollout::Settings;
use crate::runtime::clock::Clock;
use crate::sim::api_server::Hand;
use crate::sim::clock::ManualClock;
use crate::sim::cluster::Cluster;

/// How long an API server that is behind stays so.
const OLDER_FOR: Duration = Duration::from_secs(2);
/// Looks without the clock moving, before that counts as a loop.
const MAX_LOOKS: usize = 50;

/// The decisions about one Rollout of a simulated cluster. A clone acts on the same server, at the same clock.
#[derive(Clone)]
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
    /// The controller that leads.
    pub process: Process,
    /// One that led before and does not know yet that it does not any more.
    pub former: Option<Process>,
    /// By how many milliseconds the clock of the next process is ahead.
    pub ahead_next: i64,
    told: Clock,
    key: (String, String),
}

impl Core {
    /// A core that looks at `namespace/name`.
    pub fn new(cluster: Cluster, clock: ManualClock, (namespace, name): (&str, &str)) -> Self {
        let told = Clock::told(clock.now(), 1.0);
        let process = Process::new(&cluster.server, &told, (namespace, name), cluster.server.version());
        Self {
            cluster,
            clock,
            settings: Arc::new(Settings::default()),
            events: Vec::new(),
            plan: Plan::default(),
            process,
            former: None,
            ahead_next: 0,
            told,
            key: (namespace.to_owned(), name.to_owned()),
        }
    }

    /// Forgets everything that is not stored, as a restart does.
    pub fn restart(&mut self) {
        self.restart_behind(0);
    }

    /// A restart whose first lists come from an API server that is so many versions behind; the rest arrives two
    /// seconds later, as events.
    pub fn restart_behind(&mut self, versions: u64) {
        let version = self.cluster.server.version().saturating_sub(versions).max(1);
        self.process = self.successor(version);
        if versions > 0 {
            self.process.view.hold(self.clock.time() + OLDER_FOR);
        }
    }

    fn successor(&mut self, version: u64) -> Process {
        let mut successor = self.process.successor(&self.told, version);
        successor.ahead = std::mem::take(&mut self.ahead_next);
        successor
    }

    /// Another process takes over; this one stands still and wakes up later, its lease long gone.
    pub fn hand_over(&mut self) {
        let successor = self.successor(self.cluster.server.version());
        let mut former = std::mem::replace(&mut self.process, successor);
        former.depose(&self.told);
        former.strikes.ordered.clear();
        self.former = Some(former);
    }

    /// One look: decide, carry out. Returns what came of it; `None` where there was nothing to decide.
    pub fn look(&mut self) -> Option<Applied> {
        let now = self.clock.time();
        let look = self.process.look(&self.settings, now);
        self.events.extend(look.events);
        self.plan.clone_from(&self.process.plan);
        look.applied
    }

    /// One look of the process that led before.
    pub fn look_back(&mut self) -> Option<Applied> {
        let now = self.clock.time();
        let former = self.former.as_mut()?;
        former.look(&self.settings, now).applied
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
        let value = self.user().get("Rollout", &self.key.0, &self.key.1)?;
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
