//! Cases through the full shell: client, caches, queue and workers over the in-memory server, in tokio's paused time.
//!
//! The models and the checker are those of the bare core; what looks and writes is the controller that people run. Call
//! [`play`] inside a current-thread runtime whose time is paused. Analysis runs are ended by the analyst: their one
//! metric is not due for ten days, so that the controller's own measurements stay out of the way.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::play::{act, create, furnish};
use super::replay::Trace;
use super::rig::{KEY, LEASE, Rig};
use super::scenario::{Action, Case, Fault};
use crate::api::Time;
use crate::controller::app::{Controller, Leadership, Parts, Threads};
use crate::controller::caches::Scope;
use crate::rollout::Settings;
use crate::runtime::client::Clients;
use crate::runtime::clock::Clock;
use crate::runtime::lease::Terms;
use crate::runtime::limiter::Limits;
use crate::sim::api_server::{Cursor, Cut, Fault as Answer, RequestInfo, Verb};
use crate::sim::bare::process::later;
use crate::sim::bare::strike::Strike;
use crate::sim::bare::view::Trouble;
use crate::sim::checker::check::CONTROLLER;
use crate::sim::checker::rest;
use crate::sim::object;
use crate::telemetry::metrics::Metrics;

/// The cluster is ticked at least so often: delayed requests wait for it.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// Events of watches are told apart by time here: one number is so long.
const EVENT: Duration = Duration::from_millis(250);
/// How long a request hangs that nobody answers: longer than any client waits.
const HANGS: Duration = Duration::from_mins(2);
const LONGEST_DELAY: Duration = Duration::from_secs(4);
/// From the last action to the end, at the latest.
const REST: Duration = Duration::from_mins(10);
/// At rest there is no write for so long: longer than every delay, deadline and back-off of a case.
const QUIET: Duration = Duration::from_mins(3);
/// How often that is asked.
const GLANCE: Duration = Duration::from_secs(15);
/// Turns of one run, before that counts as never ending.
const MAX_TURNS: usize = 50_000;

/// Neighbours that nobody would wish for: one does not decode, requests about the other are never answered.
const ODD: &str = "odd";
const LOST: &str = "lost";
/// I39: by how much they may delay a release.
const SLOWER: f64 = 1.2;
/// What the order of two tasks may cost by itself.
const JITTER: Duration = Duration::from_secs(1);

/// Who else is in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Neighbours {
    /// Nobody.
    None,
    /// Nobody, and no schema either.
    Away,
    /// Hostile Rollouts, which no schema keeps out.
    Hostile,
}

/// What becomes of requests; shared with the server.
#[derive(Default)]
struct Struck {
    ordered: BTreeMap<u64, Strike>,
    requests: u64,
    /// The process has died: nobody answers it any more.
    dead: bool,
}

impl Struck {
    fn meet(&mut self, request: &RequestInfo) -> Option<Answer> {
        if self.dead {
            return Some(Answer::Delay(HANGS));
        }
        if request.actor == CONTROLLER && request.name == LOST {
            return Some(Answer::Delay(HANGS));
        }
        let is_call = !matches!(request.kind.as_str(), "Lease" | "Event" | "CustomResourceDefinition");
        let lists = matches!(request.verb, Verb::List | Verb::Watch);
        if request.actor != CONTROLLER || !is_call || lists {
            return None;
        }
        let strike = self.ordered.get(&self.requests).copied();
        self.requests += 1;
        let status = |code, retry_after| Some(Answer::Status { code, retry_after });
        match strike? {
            Strike::CrashBefore => {
                self.dead = true;
                Some(Answer::Delay(HANGS))
            }
            Strike::CrashAfter => {
                self.dead = true;
                Some(Answer::LoseResponse)
            }
            Strike::LoseResponse => Some(Answer::LoseResponse),
            Strike::Conflict if request.verb.is_read() => None,
            Strike::Conflict => status(409, None),
            Strike::TooMany(seconds) => status(429, Some(seconds)),
            Strike::Internal => status(500, None),
            Strike::Timeout => Some(Answer::Delay(HANGS)),
            // The answer takes long; a request that is carried out long after it was sent is left out of the model.
            Strike::Freeze(millis) => Some(Answer::Late(Duration::from_millis(millis).min(LONGEST_DELAY))),
        }
    }
}

/// A controller that runs.
struct Leader {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.stop.cancel();
        self.task.abort();
    }
}

struct Shell {
    rig: Rig,
    clock: Clock,
    news: Cursor,
    struck: Arc<Mutex<Struck>>,
    /// Of the jitter of its controllers.
    seed: u64,
    /// By how many milliseconds the clock of every other controller is ahead; behind, where that is negative.
    ahead: i64,
    /// Controllers that were started.
    begun: u64,
    leaders: BTreeMap<&'static str, Leader>,
    /// What happens to watches: when, which kind, what, and whether that is over.
    troubles: Vec<(Time, String, Trouble)>,
    /// Watches that are to be on time again.
    mended: Vec<(Time, String)>,
}

/// Plays a case to its end and checks all of it. Call it in a runtime of its own, with paused time. Every fifth world has
/// hostile neighbours; where nothing else goes wrong in one, it is played without them as well.
///
/// # Errors
/// The story of the first broken promise.
pub async fn play(case: &Case) -> Result<(), String> {
    if !case.scenario.seed.is_multiple_of(5) {
        return play_beside(case, Neighbours::None).await.map(drop);
    }
    let beside = play_beside(case, Neighbours::Hostile).await;
    if !case.faults.is_empty() {
        return beside.map(drop);
    }
    let alone = play_beside(case, Neighbours::Away).await?;
    isolated(beside, alone)
}

/// I39 Isolation: beside hostile Rollouts a release takes no more than 1.2 times as long as alone.
fn isolated(beside: Result<Duration, String>, alone: Duration) -> Result<(), String> {
    match beside {
        Err(story) => Err(format!("{story}\nI39: only beside hostile neighbours")),
        Ok(took) if took > alone.mul_f64(SLOWER) + JITTER => {
            Err(format!("I39: the last write comes after {took:?} beside hostile neighbours, after {alone:?} alone"))
        }
        Ok(_) => Ok(()),
    }
}

/// Plays a case among some neighbours; returns how long after its start the last write about its Rollout was.
async fn play_beside(case: &Case, neighbours: Neighbours) -> Result<Duration, String> {
    play_out(&mut Shell::set(case, neighbours)?, case).await
}

/// Plays a case and keeps every write. Call it as [`play`]; neighbours are away.
///
/// # Errors
/// Where the case cannot begin.
pub async fn trace(case: &Case) -> Result<Trace, String> {
    let mut shell = Shell::set(case, Neighbours::None)?;
    let failure = play_out(&mut shell, case).await.err();
    let failure = failure.and_then(|story| story.lines().last().map(str::to_owned));
    Ok(Trace { lines: shell.rig.lines(), in_mind: shell.rig.in_mind(), failure })
}

async fn play_out(shell: &mut Shell, case: &Case) -> Result<Duration, String> {
    let start = shell.clock.now();
    for (at, action) in timeline(case, start) {
        shell.run_until(at).await?;
        match action {
            Action::Restart => shell.restart(),
            action => act(&mut shell.rig, &case.scenario, action),
        }
    }
    act(&mut shell.rig, &case.scenario, Action::Heal);
    shell.rest().await?;
    let last = shell.rig.decisions().rfind(|entry| ![ODD, LOST].contains(&entry.name.as_str()));
    Ok(last.map_or(Duration::ZERO, |entry| entry.time.since(start)))
}

/// When people do what: the script, and what somebody does besides. A turn is as long as an event here.
fn timeline(case: &Case, start: Time) -> Vec<(Time, Action)> {
    let mut at = start;
    let script = case.scenario.script.iter().map(|(wait, action)| {
        at = at + Duration::from_millis(*wait);
        (at, *action)
    });
    let mut all: Vec<(Time, Action)> = script.collect();
    all.extend(case.faults.iter().filter_map(|fault| match fault {
        Fault::Act { turn, action } => Some((start + EVENT * u32::try_from(*turn).unwrap_or(u32::MAX), *action)),
        _ => None,
    }));
    all.sort_by_key(|(at, _)| *at);
    all
}

impl Shell {
    fn set(case: &Case, neighbours: Neighbours) -> Result<Self, String> {
        let start: Time = "2026-11-21T12:00:00Z".parse().unwrap_or_default();
        let clock = Clock::scaled(start, 1.0);
        let told = clock.clone();
        let mut rig = Rig::told(case.scenario.seed, start, Arc::new(move || told.now()));
        let server = rig.core.cluster.server.clone();
        match neighbours {
            Neighbours::None => rig.did(server.define(definition().clone())),
            Neighbours::Away => {}
            Neighbours::Hostile => hostile(&rig),
        }
        furnish(&mut rig, case);
        let never = json!({"spec": {"metrics": [{
            "name": "errors", "initialDelay": "240h", "successCondition": "result[0] > 0",
            "provider": {"prometheus": {"address": "http://prometheus.invalid", "query": "1"}},
        }]}});
        rig.did(rig.core.user().merge("AnalysisTemplate", (KEY.0, "errors"), &never));
        create(&rig, &case.scenario);
        rig.troubled = true;
        // Watches are never quite up to date here.
        rig.checker.state.late_views = true;
        rig.checker.state.late_slices = true;
        let struck = Arc::new(Mutex::new(Struck::default()));
        let (mut troubles, mut mended, mut ahead) = (Vec::new(), Vec::new(), 0);
        for fault in &case.faults {
            match fault {
                Fault::Write { number, strike } => drop(struck.lock().ordered.insert(*number, *strike)),
                Fault::Older { number, .. } | Fault::Away { number, .. } => {
                    struck.lock().ordered.insert(*number, Strike::CrashAfter);
                }
                Fault::Clock { number, ahead: millis } => {
                    struck.lock().ordered.insert(*number, Strike::CrashAfter);
                    ahead = *millis;
                    rig.checker.state.clocks_apart = Duration::from_millis(millis.unsigned_abs());
                }
                Fault::Watch { kind, number, trouble } => {
                    let at = start + EVENT * u32::try_from(*number).unwrap_or(u32::MAX);
                    troubles.push((at, kind.clone(), *trouble));
                }
                Fault::Lag { kind, millis } => {
                    rig.did(server.delay_watch(kind, Duration::from_millis(*millis)));
                    mended.push((start + Duration::from_mins(5), kind.clone()));
                }
                // In the timeline.
                Fault::Act { .. } => {}
            }
        }
        let meet = Arc::clone(&struck);
        server.set_faults(move |request: &RequestInfo| meet.lock().meet(request));
        let news = server.subscribe();
        let seed = case.scenario.seed;
        let mut shell =
            Self { rig, clock, news, struck, seed, ahead, begun: 0, leaders: BTreeMap::new(), troubles, mended };
        let names: &[&'static str] = if case.scenario.seed.is_multiple_of(2) { &["a"] } else { &["a", "b"] };
        for name in names {
            shell.start(name, names.len() > 1)?;
        }
        Ok(shell)
    }

    /// Starts a controller; one of several contends for the lease.
    fn start(&mut self, name: &'static str, contends: bool) -> Result<(), String> {
        let leadership = Leadership {
            namespace: KEY.0.to_owned(),
            name: LEASE.to_owned(),
            identity: name.to_owned(),
            terms: Terms::default(),
        };
        let controller = Controller::start(Parts {
            clients: Clients::shared(self.rig.core.cluster.server.client(CONTROLLER)),
            clock: self.clock_of_next(),
            metrics: Metrics::new().map_err(|error| error.to_string())?,
            settings: Settings::default(),
            scope: Scope::default(),
            limits: Limits { qps: 0.0, ..Limits::default() },
            workers: Threads { rollouts: 2, runs: 1, services: 1 },
            prometheus_address: String::new(),
            leadership: contends.then_some(leadership),
            // The two do not act in step.
            seed: self.seed ^ u64::from(name.as_bytes().first().copied().unwrap_or_default()),
        });
        let stop = CancellationToken::new();
        let run = controller.run(stop.clone());
        #[allow(clippy::disallowed_methods, reason = "ended where the leader is dropped")]
        let task = tokio::spawn(async move {
            // A process that loses its lease ends: whoever runs it starts it again.
            let _ = run.await;
        });
        self.leaders.insert(name, Leader { stop, task });
        Ok(())
    }

    /// Two clocks, in turns.
    fn clock_of_next(&mut self) -> Clock {
        let ahead = if self.begun.is_multiple_of(2) { 0 } else { self.ahead };
        self.begun += 1;
        if ahead == 0 { self.clock.clone() } else { Clock::scaled(later(self.clock.now(), ahead), 1.0) }
    }

    /// The process that leads dies, and another takes its place.
    fn restart(&mut self) {
        let lease = self.rig.core.user().get("Lease", KEY.0, LEASE);
        let holder = lease.map(|lease| object::text(&lease, "/spec/holderIdentity").to_owned()).unwrap_or_default();
        let name = self.leaders.keys().find(|name| **name == holder).or_else(|| self.leaders.keys().next()).copied();
        let contends = self.leaders.len() > 1;
        if let Some(name) = name {
            self.leaders.remove(name);
            let started = self.start(name, contends);
            debug_assert!(started.is_ok(), "metrics do not depend on what has happened");
        }
    }

    /// Lets things happen until an instant.
    async fn run_until(&mut self, end: Time) -> Result<(), String> {
        for _ in 0..MAX_TURNS {
            let now = self.clock.now();
            self.rig.catch_up(now)?;
            let due = self.rig.models()?;
            self.mind(now);
            if now >= end {
                return Ok(());
            }
            let next = [due, Some(now + HEARTBEAT), Some(end)].into_iter().flatten().min().unwrap_or(end);
            let wait = now.until(next).max(Duration::from_millis(1));
            tokio::select! {
                biased;
                _ = self.news.next() => {}
                () = self.clock.sleep(wait) => {}
            }
        }
        Err(self.rig.story("I34: never comes to an end"))
    }

    /// What goes wrong by itself: dead processes have successors, finished ones too, and watches are hurt.
    fn mind(&mut self, now: Time) {
        if std::mem::take(&mut self.struck.lock().dead) {
            self.restart();
        }
        let contends = self.leaders.len() > 1;
        let ended: Vec<&'static str> =
            self.leaders.iter().filter(|(_, leader)| leader.task.is_finished()).map(|(name, _)| *name).collect();
        for name in ended {
            let started = self.start(name, contends);
            debug_assert!(started.is_ok(), "metrics do not depend on what has happened");
        }
        let server = self.rig.core.cluster.server.clone();
        for (at, kind, trouble) in std::mem::take(&mut self.troubles) {
            if at > now {
                self.troubles.push((at, kind, trouble));
                continue;
            }
            match trouble {
                Trouble::Late(millis) => {
                    let span = Duration::from_millis(millis);
                    self.rig.did(server.delay_watch(&kind, span));
                    self.mended.push((now + span, kind));
                }
                Trouble::Behind(events) => {
                    let span = EVENT * u32::try_from(events).unwrap_or(1);
                    self.rig.did(server.delay_watch(&kind, span));
                    self.mended.push((now + span, kind));
                }
                Trouble::Lost(_) => {
                    server.compact();
                    self.rig.did(server.cut_watches(&kind, Cut::Broken));
                }
            }
        }
        for (at, kind) in std::mem::take(&mut self.mended) {
            if at > now {
                self.mended.push((at, kind));
            } else {
                self.rig.did(server.delay_watch(&kind, Duration::ZERO));
            }
        }
    }

    /// Whether something may still come of what has gone wrong, or of the last write.
    fn is_awaited(&self, last_write: Time) -> bool {
        let troubled = !self.mended.is_empty() || !self.troubles.is_empty();
        troubled || last_write + QUIET > self.clock.now()
    }

    /// Runs on to the end of everything, and judges what is left there.
    async fn rest(&mut self) -> Result<(), String> {
        let end = self.clock.now() + REST;
        let (mut written, mut since) = (self.rig.written(), self.clock.now());
        while self.clock.now() < end && self.is_awaited(since) {
            self.run_until(self.clock.now() + GLANCE).await?;
            if self.rig.written() > written {
                (written, since) = (self.rig.written(), self.clock.now());
            }
        }
        rest::judge(&self.rig.checker.state, KEY.0, KEY.1).map_err(|message| self.rig.story(&message))?;
        if !self.rig.restarts() && since + QUIET > self.clock.now() {
            return Err(self.rig.story("I40: writes at rest"));
        }
        Ok(())
    }
}

/// The definition of Rollouts, built once.
fn definition() -> &'static Value {
    static ROLLOUTS: OnceLock<Value> = OnceLock::new();
    ROLLOUTS.get_or_init(|| {
        let named = |definition: &Value| object::text(definition, "/spec/names/kind") == "Rollout";
        crate::api::crd::crds().into_iter().find(named).unwrap_or_default()
    })
}

/// A Rollout that does not decode, and one that names what is not there and that no request gets through for.
fn hostile(rig: &Rig) {
    let of = |name: &str, spec: Value| {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
            "metadata": {"name": name, "namespace": KEY.0}, "spec": spec,
        })
    };
    let user = rig.core.user();
    rig.did(user.create("Rollout", of(ODD, json!({"strategy": {"canary": {"steps": "none"}}, "replicas": -1}))));
    let lost = json!({"canary": {
        "canaryService": "nowhere", "stableService": "nowhere-else", "trafficRouting": {"gatewayAPI": {"httpRoute": "x"}},
    }});
    let labels = json!({"matchLabels": {"app": "lost"}});
    let template =
        json!({"metadata": {"labels": {"app": "lost"}}, "spec": {"containers": [{"name": "c", "image": "c"}]}});
    rig.did(user.create("Rollout", of(LOST, json!({"selector": labels, "template": template, "strategy": lost}))));
}
