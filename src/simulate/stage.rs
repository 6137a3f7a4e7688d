//! The stage: cluster, controller, analyst and checker under one clock, which jumps from one due instant to the next.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::analyst::Analyst;
use super::behaviour::Version;
use super::controller::Controller;
use super::input::{Input, kind_of};
use super::options::Options;
use super::versions::{Said, Versions};
use crate::api::{Rollout, Time};
use crate::sim::api_server::{Cursor, Hand, Reject};
use crate::sim::checker::{Checker, Violation};
use crate::sim::clock::ManualClock;
use crate::sim::cluster::{Cluster, Settings};
use crate::sim::models::balancer::{self, Order};
use crate::sim::models::mesh::{self, Lag};
use crate::sim::models::{Autoscaler, Disruption, LoadBalancer, Mesh, NodeLifecycle, Placement, Scheduler};
use crate::sim::traffic::{Load, Target};

/// The day of every simulation: a Monday noon, so that a daily course of the load is at its height.
const DAY: &str = "2026-01-05T12:00:00Z";
/// From a look that wrote to the next.
const PACE: Duration = Duration::from_millis(50);
/// Longest span whose requests are drawn at once.
const SLICE: Duration = Duration::from_secs(5);
/// The same for even users in days of quiet, but for the last of it: what comes then may look back.
const COARSE_SLICE: Duration = Duration::from_mins(10);
const LOOKED_BACK_ON: Duration = Duration::from_mins(15);
/// The same where somebody measures how busy each pod is.
const FINE_SLICE: Duration = Duration::from_secs(1);
/// How late controllers react.
const REACTION: Duration = Duration::from_millis(10);
/// Health checks of a load balancer's new target.
const REGISTRATION: Duration = Duration::from_secs(10);
/// Proxies of a mesh, and how long each takes to hear of something.
const PROXIES: usize = 5;
const HEARS: Lag = Lag { least: Duration::from_millis(50), most: Duration::from_secs(1) };
/// Ticks at one instant before that counts as a loop.
const MAX_TICKS: usize = 500;

/// What stands between users and Services, where they do not come through a gateway.
fn entrance(input: &Input, cluster: &mut Cluster, seed: u64) -> Result<(), String> {
    let (server, plane) = (cluster.server.clone(), cluster.gateway.plane());
    match input.furniture.target {
        Some(Target::Balancer(_) | Target::Ingress(_)) => {
            let order = Order::RegisterFirst;
            let manner = balancer::Manner { registration: REGISTRATION, throttle: Duration::ZERO, order };
            cluster.add(LoadBalancer::new(&server, plane, manner));
        }
        Some(Target::Mesh(_)) => {
            let manner = mesh::Manner { proxies: PROXIES, routes: HEARS, clusters: HEARS, seed };
            let refused = |reject: Reject| format!("the model of the mesh: {}", reject.message);
            cluster.add(Mesh::new(&server, plane, manner).map_err(refused)?);
        }
        _ => {}
    }
    Ok(())
}

/// Why a simulation ends before its time.
#[derive(Clone, Debug)]
pub(super) enum Halt {
    /// A promise of the controller is broken.
    Violation(Box<Violation>),
    /// Something goes on for ever without time passing.
    Loop(String),
}

/// What looks on.
pub(super) trait Onlooker {
    /// Something has changed, or a time has come.
    fn look(&mut self, stage: &mut Stage);
    /// Requests have been sent.
    fn flow(&mut self, stage: &Stage);
}

pub(super) struct Stage {
    pub cluster: Cluster,
    pub clock: ManualClock,
    pub controller: Controller,
    pub analyst: Analyst,
    pub user: Hand,
    pub said: Arc<Mutex<Said>>,
    checker: Checker,
    cursor: Cursor,
    looked_at: u64,
    /// Longest spans whose requests are drawn at once: near to what happens, and far from it.
    slices: (Duration, Duration),
}

impl Stage {
    /// Sets everything up and applies the files, Rollouts last: they name the others.
    ///
    /// # Errors
    /// What the API server refuses.
    pub fn set(input: &Input, options: &Options) -> Result<Self, String> {
        let clock = ManualClock::at(DAY.parse().unwrap_or_default());
        let mut cluster = Cluster::new(clock.now(), Settings { seed: options.seed, ..Settings::default() });
        let server = cluster.server.clone();
        let said = Arc::new(Mutex::new(said(input, options)));
        cluster.kubelet.set_placement(Placement::Scheduled);
        // Before the scheduler: what a pod is like stands on it when the kubelet first sees it.
        cluster.add(Versions::new(&server, Arc::clone(&said)));
        cluster.add(Scheduler::new(&server, REACTION));
        cluster.add(NodeLifecycle::new(&server, cluster.gateway.plane()));
        cluster.add(Disruption::new(&server, REACTION));
        cluster.add(Autoscaler::new(&server, cluster.traffic.loads()));
        entrance(input, &mut cluster, options.seed)?;
        let analyst = Analyst::new(server.hand("analysis-controller"), cluster.prometheus(), clock.clone());
        let controller = Controller::new(server.hand("rollouts-controller"), &clock, input.key(), options.seed);
        let (cursor, user) = (server.subscribe(), server.hand("user"));
        let checker = Checker::default();
        let near = if input.furniture.capacity.is_some() { FINE_SLICE } else { SLICE };
        let far = if options.users.are_even() { COARSE_SLICE } else { near };
        let slices = (near, far);
        let stage = Self { cluster, clock, controller, analyst, user, said, checker, cursor, looked_at: 0, slices };
        stage.apply(input)?;
        Ok(stage)
    }

    fn apply(&self, input: &Input) -> Result<(), String> {
        let server = self.user.server();
        server.create_namespace(input.key().0);
        let own = (kind_of(&input.rollout), input.rollout.clone());
        for (kind, value) in input.files.others().chain(std::iter::once(&own)) {
            server.create_namespace(crate::sim::object::namespace(value));
            let name = crate::sim::object::name(value).to_owned();
            self.user
                .create(kind, value.clone())
                .map_err(|reject| format!("the API server refuses {kind} {name:?}: {}", reject.message))?;
        }
        Ok(())
    }

    /// The present time.
    pub fn now(&self) -> Time {
        self.clock.time()
    }

    /// The Rollout.
    pub fn rollout(&self, (namespace, name): (&str, &str)) -> Option<Rollout> {
        let value = self.user.get("Rollout", namespace, name)?;
        serde::Deserialize::deserialize(&*value).ok()
    }

    /// Sends users.
    pub fn send(&mut self, load: Load) {
        self.cluster.traffic.add(load);
    }

    /// Moves on by one instant, at most to `end`, and no further than `pending`, where the caller has something to do.
    ///
    /// # Errors
    /// Why it cannot go on.
    pub fn step(&mut self, (pending, end): (Option<Time>, Time), onlooker: &mut dyn Onlooker) -> Result<(), Halt> {
        let due = self.models()?;
        let wrote = self.look()?;
        onlooker.look(self);
        let now = self.now();
        let next = if wrote {
            Some(now + PACE)
        } else {
            let controller = [self.controller.plan.wake_at, self.controller.retry_at, self.controller.dead_until];
            // Whoever is dead wakes for nothing else.
            let wakes = if self.controller.is_up(now) { controller } else { [None, None, self.controller.dead_until] };
            [due].into_iter().chain(wakes).flatten().filter(|at| *at > now).min()
        };
        let next = [next, pending.filter(|at| *at > now)].into_iter().flatten().min().unwrap_or(end);
        self.advance(next.min(end).max(now + Duration::from_millis(1)), onlooker);
        Ok(())
    }

    /// Lets requests come until an instant, and moves the clock there. Nothing else happens meanwhile.
    fn advance(&mut self, to: Time, onlooker: &mut dyn Onlooker) {
        while self.now() < to {
            let left = self.now().until(to);
            let (near, far) = self.slices;
            let slice = left.saturating_sub(LOOKED_BACK_ON).min(far).max(near).min(left);
            self.clock.advance(slice);
            self.cluster.traffic.pass(self.clock.time());
            onlooker.flow(self);
        }
    }

    /// Lets the cluster answer to what was written; returns when it has more to do.
    fn models(&mut self) -> Result<Option<Time>, Halt> {
        for _ in 0..MAX_TICKS {
            let before = self.cluster.server.version();
            let due = self.cluster.tick();
            let analysis = self.analyst.tick();
            self.check()?;
            if self.cluster.server.version() == before {
                return Ok([due, analysis].into_iter().flatten().min());
            }
        }
        Err(Halt::Loop("the simulated cluster never comes to rest at one instant".to_owned()))
    }

    /// One look where something has changed or a time has come; returns whether it wrote.
    fn look(&mut self) -> Result<bool, Halt> {
        let now = self.now();
        let version = self.cluster.server.version();
        let timers = [self.controller.plan.wake_at, self.controller.retry_at, self.controller.dead_until];
        let woken = timers.into_iter().flatten().any(|at| at <= now);
        if !self.controller.is_up(now) || (version == self.looked_at && !woken) {
            return Ok(false);
        }
        self.controller.dead_until = None;
        self.controller.look(now);
        self.looked_at = version;
        self.check()?;
        Ok(self.cluster.server.version() != version)
    }

    fn check(&mut self) -> Result<(), Halt> {
        for entry in self.cursor.drain().map_err(|missed| Halt::Loop(missed.to_string()))? {
            self.checker.observe(&entry).map_err(|violation| Halt::Violation(Box::new(violation)))?;
        }
        Ok(())
    }

    /// Merge-patches the Rollout's status, as a person's command does.
    ///
    /// # Errors
    /// What the API server answers.
    pub fn command(&self, key: (&str, &str), status: &Value) -> Result<(), String> {
        let done = self.user.merge_status("Rollout", key, &json!({"status": status}));
        done.map(drop).map_err(|reject| reject.to_string())
    }
}

/// How the versions behave at first.
fn said(input: &Input, options: &Options) -> Said {
    let mut said = Said::default();
    for version in [Version::Stable, Version::Canary] {
        let mut behaviour = options.behaviour(version);
        behaviour.capacity = behaviour.capacity.or(input.furniture.capacity);
        said.behaviour.insert(version, behaviour);
    }
    said
}
