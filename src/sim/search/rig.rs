//! A core, its cluster, its analyst and the checker, moved from event to event.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::analyst::Analyst;
use super::scenario::Action;
use super::world::{SERVICES, template};
use crate::api::{Rollout, Time};
use crate::rollout::memory::Cause;
use crate::rollout::strategy::restart;
use crate::sim::api_server::{Cursor, Entry, Now, Reject, Saved};
use crate::sim::bare::Core;
use crate::sim::bare::apply::Applied;
use crate::sim::bare::process::Process;
use crate::sim::checker::Checker;
use crate::sim::checker::check::CONTROLLER;
use crate::sim::clock::ManualClock;
use crate::sim::cluster::{Cluster, Settings};
use crate::sim::models::gateway;
use crate::sim::object;

mod judge;

/// Events of one run, before that counts as never ending.
pub(super) const MAX_EVENTS: usize = 5_000;
/// Ticks of the cluster at one instant, before that counts as never ending.
const MAX_TICKS: usize = 200;
/// Pods at one time, before that counts as never ending: hardly any case wants more than a few.
const MAX_PODS: usize = 100;
/// Seconds after which everything has come to its end that ever does.
pub(super) const REST: u64 = 20_000;
/// So long without a write, what still asks again and again never comes to an answer: longer than every delay,
/// deadline and window.
const STILL: Duration = Duration::from_mins(30);
/// Looks that write, without anything else moving, before that counts as a loop.
const MAX_WRITES: usize = 60;
/// A process that stands still for longer is succeeded: the lease time.
const LEASE_TIME: Duration = Duration::from_secs(15);
/// A failed write is tried again within the longest back-off and a time-out.
const LATEST_RETRY: Duration = Duration::from_secs(40);
/// The lease of controllers that contend.
pub const LEASE: &str = "siskin";
/// The Rollout's namespace and name.
pub const KEY: (&str, &str) = ("default", "shop");

/// The rig.
#[derive(Clone)]
pub struct Rig {
    /// The core under test.
    pub core: Core,
    /// The checker, fed with every write.
    pub checker: Checker,
    /// The AnalysisRun controller.
    pub analyst: Analyst,
    /// From a look that wrote to the next.
    pub pace: Duration,
    /// Pods at one time, before that counts as never ending.
    pub most_pods: usize,
    /// Whether requests may fail and views be late: without that a refused write is a defect.
    pub troubled: bool,
    /// What somebody does at a turn, by its number.
    pub hands: BTreeMap<u64, Vec<Action>>,
    /// What the controller had heard when it looked last.
    looked_at: Option<u64>,
    /// Versions by which the API server is behind that a process meets after its next crash.
    pub behind_after_crash: u64,
    /// For how long there is no process after the next crash.
    pub absence: Duration,
    /// Until when there is none.
    away_until: Option<Time>,
    /// Events of each kind that the longest-lived process has met.
    pub events: BTreeMap<String, u64>,
    busy: usize,
    /// The last version that was seen, and since when.
    still: (u64, Time),
    cursor: Cursor,
    last: Vec<Arc<Entry>>,
    /// The first request of a user that was refused: the world is not the one that was meant.
    refused: RefCell<Option<String>>,
}

/// A rig at some moment: [`Rig::save`].
pub(super) struct Snapshot {
    time: Time,
    store: Saved,
    plane: gateway::View,
    rig: Rig,
}

impl Rig {
    /// A cluster with Services, a route, an analysis template and, with `gateway`, a data plane; no Rollout yet.
    pub fn bare(seed: u64, gateway: Option<()>) -> Self {
        let rig = Self::empty(seed, "2026-11-21T12:00:00Z".parse().unwrap_or_default());
        rig.furnish(gateway, &SERVICES);
        rig
    }

    /// A cluster with nothing in it, at an instant.
    pub fn empty(seed: u64, start: Time) -> Self {
        let clock = ManualClock::at(start);
        let told = clock.now();
        Self::over(clock, seed, told)
    }

    /// The same, where somebody else moves the time.
    pub fn told(seed: u64, start: Time, told: Now) -> Self {
        Self::over(ManualClock::at(start), seed, told)
    }

    fn over(clock: ManualClock, seed: u64, told: Now) -> Self {
        let cluster = Cluster::new(told, Settings { seed, ..Settings::default() });
        let cursor = cluster.server.subscribe();
        let analyst = Analyst::new(&cluster.server);
        let core = Core::new(cluster, clock, KEY);
        Self {
            core,
            checker: Checker::default(),
            analyst,
            pace: Duration::from_millis(20),
            most_pods: MAX_PODS,
            troubled: false,
            hands: BTreeMap::new(),
            looked_at: None,
            behind_after_crash: 0,
            absence: Duration::ZERO,
            away_until: None,
            events: BTreeMap::new(),
            busy: 0,
            still: (0, Time::default()),
            cursor,
            last: Vec::new(),
            refused: RefCell::new(None),
        }
    }

    /// A rig with a data plane and a Rollout of this specification.
    pub fn new(spec: &Value) -> Self {
        let rig = Self::bare(1, Some(()));
        rig.create(spec);
        rig
    }

    /// Everything as it is now, to be played on from more than once.
    pub(super) fn save(&self) -> Snapshot {
        let plane = self.core.cluster.gateway.plane();
        let plane = plane.lock().clone();
        Snapshot { time: self.core.now(), store: self.core.cluster.server.save(), plane, rig: self.clone() }
    }

    /// The rig as it was. It shares its server and its clock with every other of the same origin: only the one that was
    /// loaded last may be played on.
    pub(super) fn load(snapshot: &Snapshot) -> Self {
        let cluster = &snapshot.rig.core.cluster;
        snapshot.rig.core.clock.set(snapshot.time);
        cluster.server.load(snapshot.store.clone());
        *cluster.gateway.plane().lock() = snapshot.plane.clone();
        snapshot.rig.clone()
    }

    /// Remembers what came of a request of a user: one that is refused makes the next run fail, for the world is then
    /// not the one that was meant.
    pub fn did<T>(&self, answer: Result<T, Reject>) {
        if let Err(reject) = answer {
            self.refused.borrow_mut().get_or_insert_with(|| reject.to_string());
        }
    }

    /// The controller starts anew.
    pub fn restart(&mut self) {
        for (kind, count) in self.core.process.view.counts() {
            let most = self.events.entry(kind.to_owned()).or_default();
            *most = count.max(*most);
        }
        self.core.restart();
        self.looked_at = None;
    }

    /// Creates the Rollout.
    pub fn create(&self, spec: &Value) {
        let rollout = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
            "metadata": {"name": KEY.1, "namespace": KEY.0}, "spec": spec,
        });
        self.did(self.core.user().create("Rollout", rollout));
    }

    /// Lets events happen until an instant; returns early, with the clock there, where nothing moves any more.
    ///
    /// # Errors
    /// A broken promise, or a loop.
    pub fn run_until(&mut self, end: Time) -> Result<(), String> {
        for _ in 0..MAX_EVENTS {
            if self.turn(end)? {
                return Ok(());
            }
        }
        Err(self.endless())
    }

    /// One turn on the way to an instant: cluster, controller, then time up to the next event. Returns whether the
    /// instant is reached.
    ///
    /// # Errors
    /// A broken promise.
    pub(super) fn turn(&mut self, end: Time) -> Result<bool, String> {
        if let Some(refused) = self.refused.take() {
            return Err(self.story(&format!("a user was refused: {refused}")));
        }
        let due = self.models()?;
        let wrote = self.look()?;
        let now = self.core.now();
        if wrote && !self.pace.is_zero() && now < end {
            self.core.clock.advance(self.pace);
            return Ok(false);
        }
        // The successor of a process that has just died looks at once.
        if wrote || self.looked_at.is_none() && self.away_until.is_none() {
            return Ok(false);
        }
        let former = self.core.former.as_ref().and_then(Process::next);
        let own = self.away_until.or_else(|| self.core.process.next());
        let next = [due, own, former].into_iter().flatten().min();
        match next {
            Some(next) if next < end && !self.gives_up(end) => {
                // A due time that has passed without a change is looked at again a moment later.
                self.core.clock.advance(now.until(next).max(Duration::from_millis(1)));
                Ok(false)
            }
            _ => {
                self.core.clock.advance(now.until(end));
                Ok(true)
            }
        }
    }

    /// Whether nothing happens any more up to an instant, but that models and a restart that is refused ask again.
    fn gives_up(&mut self, end: Time) -> bool {
        let (now, version) = (self.core.now(), self.core.cluster.server.version());
        if self.still.0 != version {
            self.still = (version, now);
        }
        let own = self.away_until.or_else(|| self.core.process.next());
        let asks = || own.is_some_and(|next| next < end) && !self.restarts();
        now.since(self.still.1) > STILL && !asks()
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// As [`Rig::run_until`].
    pub fn run(&mut self, seconds: u64) -> Result<(), String> {
        let end = self.core.now() + Duration::from_secs(seconds);
        self.run_until(end)
    }

    /// Runs on to the end of everything, and judges what is left there.
    ///
    /// # Errors
    /// As [`Rig::run_until`], and where the rest is none.
    pub fn rest(&mut self) -> Result<(), String> {
        self.run(REST)?;
        self.judge_rest()
    }

    /// Whether pods are still to be restarted: a budget that refuses them is asked again and again, and that is no rest.
    pub(super) fn restarts(&self) -> bool {
        self.rollout().is_some_and(|rollout| restart::pending(&rollout).is_some())
    }

    /// The time has moved on to an instant.
    ///
    /// # Errors
    /// A request of a user that was refused.
    pub(super) fn catch_up(&mut self, now: Time) -> Result<(), String> {
        self.core.clock.advance(self.core.now().until(now));
        match self.refused.take() {
            Some(refused) => Err(self.story(&format!("a user was refused: {refused}"))),
            None => Ok(()),
        }
    }

    /// Writes of the controller so far, without leases and events.
    pub fn written(&self) -> usize {
        self.decisions().count()
    }

    /// Those writes.
    pub(super) fn decisions(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.last.iter().map(|entry| &**entry).filter(|entry| is_decision(entry))
    }

    /// Lets the cluster answer to what was written; returns when it has more to do.
    pub(super) fn models(&mut self) -> Result<Option<Time>, String> {
        for _ in 0..MAX_TICKS {
            let before = self.core.cluster.server.version();
            let due = self.core.cluster.tick();
            let analysis = self.analyst.tick(self.core.now());
            self.check()?;
            if self.checker.state.list("Pod", KEY.0).nth(self.most_pods).is_some() {
                return Err(self.story("I40: pods without end"));
            }
            if self.core.cluster.server.version() == before {
                return Ok([due, analysis].into_iter().flatten().min());
            }
            self.busy = 0;
        }
        Err(self.story("the cluster never comes to rest at one instant"))
    }

    /// One look where something has arrived or a time has come; returns whether it wrote.
    pub(super) fn look(&mut self) -> Result<bool, String> {
        let now = self.core.now();
        let version = self.core.cluster.server.version();
        if self.core.former.as_ref().is_some_and(|former| former.next().is_some_and(|at| at <= now)) {
            self.core.look_back();
            if self.core.cluster.server.version() != version {
                return Err(self.story("I38: a process wrote that had not renewed its lease"));
            }
            if self.core.former.as_ref().is_some_and(|former| former.frozen_until().is_none()) {
                // It has met the end of its lease, and ends.
                self.core.former = None;
            }
        }
        if !self.awake(now) {
            return Ok(false);
        }
        if !self.troubled {
            self.checker.tick(now).map_err(|violation| self.story(&violation.to_string()))?;
        }
        self.looked_at = Some(self.core.process.view.heard());
        self.checker.state.late_slices = self.core.process.view.is_behind("EndpointSlice");
        let applied = self.core.look();
        self.guarded()?;
        self.outcome(applied)?;
        let wrote = self.core.cluster.server.version() != version;
        self.busy = if wrote { self.busy + 1 } else { 0 };
        self.check()?;
        if self.busy > MAX_WRITES {
            return Err(self.story("I40: writes again and again"));
        }
        Ok(wrote)
    }

    /// Whether something has arrived, or a time has come, since the last look.
    pub(super) fn awake(&mut self, now: Time) -> bool {
        if self.away_until.is_some_and(|until| until > now) {
            return false;
        }
        if self.away_until.take().is_some() {
            self.restart();
        }
        self.core.process.view.sync(now);
        let woken = self.core.process.next().is_some_and(|at| at <= now);
        let frozen = self.core.process.frozen_until().is_some_and(|until| until > now);
        (self.looked_at != Some(self.core.process.view.heard()) || woken) && !frozen
    }

    /// What a look has come to: a crash has a successor, and a failure needs a reason.
    fn outcome(&mut self, applied: Option<Applied>) -> Result<(), String> {
        if self.core.process.frozen_until().is_some_and(|until| until > self.core.now() + LEASE_TIME) {
            self.core.hand_over();
            self.looked_at = None;
        }
        let Some(applied) = applied else { return Ok(()) };
        if applied.crashed {
            let versions = std::mem::take(&mut self.behind_after_crash);
            self.core.restart_behind(versions);
            self.looked_at = None;
            let absence = std::mem::take(&mut self.absence);
            self.away_until = (!absence.is_zero()).then(|| self.core.now() + absence);
        }
        let late = self.core.now() + LATEST_RETRY;
        if applied.failed.is_some() && !applied.crashed && self.core.process.next().is_none_or(|next| next > late) {
            return Err(self.story("I36: a failed write is not tried again"));
        }
        match applied.failures.iter().find(|failure| failure.cause != Cause::Budget && !self.troubled) {
            Some(failure) => Err(self.story(&format!("refused: {failure:?}"))),
            None => Ok(()),
        }
    }

    fn check(&mut self) -> Result<(), String> {
        for entry in self.cursor.drain().map_err(|missed| missed.to_string())? {
            self.last.push(Arc::clone(&entry));
            self.led(&entry)?;
            if let Err(violation) = self.checker.observe(&entry) {
                return Err(self.story(&violation.to_string()));
            }
        }
        Ok(())
    }

    /// The Rollout.
    pub fn rollout(&self) -> Option<Rollout> {
        self.core.rollout()
    }

    /// Phase and message.
    pub fn shown(&self) -> String {
        self.rollout().map(|r| format!("{} {}", r.status.phase, r.status.message).trim().to_owned()).unwrap_or_default()
    }

    /// Merge-patches the Rollout as a user.
    pub fn edit(&self, patch: &Value) {
        self.did(self.core.user().merge("Rollout", KEY, patch));
    }

    /// Applies a pod template as a user.
    pub fn update(&self, image: &str) {
        self.edit(&json!({"spec": {"template": template(image, "", "0.5")}}));
    }

    /// Merge-patches the Rollout's status as a user.
    pub fn command(&self, status: &Value) {
        self.did(self.core.user().merge_status("Rollout", KEY, &json!({"status": status})));
    }

    /// The canary's weight in the route.
    pub fn weight(&self) -> i64 {
        let route = self.core.user().get("HTTPRoute", KEY.0, "shop");
        route.and_then(|route| object::integer(&route, "/spec/rules/0/backendRefs/1/weight")).unwrap_or(-1)
    }
}

/// Whether a write follows from a decision: it is neither about the lease nor an event.
fn is_decision(entry: &Entry) -> bool {
    entry.actor == CONTROLLER && !matches!(entry.kind.as_str(), "Lease" | "Event")
}
