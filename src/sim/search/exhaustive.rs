//! Small worlds, every interleaving: at each turn the controller looks, or the cluster moves first, or the process dies
//! after its first write, or the next person acts. A state that was met before is not gone on with.
//!
//! A way goes on from the state where it leaves another one; what is bounded is how often the controller is held up and
//! how often it dies on one way ([`Bounds`]). States are told apart by what is stored, what the controller
//! remembers and what is left to happen, with times as ages and pods by their order.

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;

use regex::Regex;
use serde_json::{Value, json};

use super::play::{act, create, furnish};
use super::rig::{Rig, Snapshot};
use super::scenario::{Action, Case, Scenario};
use crate::api::Time;
use crate::sim::bare::strike::Strike;
use crate::sim::object;

/// Turns of one way, before that counts as never ending.
const MAX_TURNS: usize = 2_000;
/// Ages above this are alike: longer than any delay, pause or deadline here.
const OLDEST_MILLIS: i64 = 100_000;
/// Kinds whose objects make a state.
const KINDS: &[&str] = &["Rollout", "ReplicaSet", "Pod", "Service", "EndpointSlice", "HTTPRoute", "AnalysisRun"];

/// How far the search goes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Times that the controller is held up on one way.
    pub delays: usize,
    /// Times that it dies on one way.
    pub crashes: usize,
    /// Ways; the search ends incomplete after so many.
    pub ways: usize,
}

/// What was explored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explored {
    /// Ways walked.
    pub ways: usize,
    /// States that differ.
    pub states: usize,
    /// Whether every way within the bounds was walked.
    pub complete: bool,
}

/// One turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The controller looks.
    Look,
    /// It looks, and dies after its first write.
    Die,
    /// The cluster moves first.
    Wait,
    /// The next person acts.
    Act,
}

struct Way<'s> {
    scenario: &'s Scenario,
    rig: Rig,
    /// Actions that are left.
    left: Vec<Action>,
    bounds: Bounds,
    /// Turns so far.
    path: Vec<Turn>,
}

/// A way that has not been gone yet: from where, and which turn comes first.
struct Fork {
    rig: Rc<Snapshot>,
    left: Vec<Action>,
    bounds: Bounds,
    path: Vec<Turn>,
    turn: Turn,
}

/// Worlds of so many replicas (1 to 4), at most three revisions and two steps: by name.
pub fn worlds(replicas: i32) -> Vec<(String, Scenario)> {
    use Action::{Abort, Apply, Kill, PromoteFull, Retry};
    let services = json!({
        "canaryService": "shop-canary", "stableService": "shop-stable", "scaleDownDelaySeconds": 1,
        "abortScaleDownDelaySeconds": 1, "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
        "steps": [{"setWeight": 50}, {"pause": {"duration": 1}}],
    });
    let strategies = [
        ("basic", json!({"canary": {"steps": [{"setWeight": 50}, {"pause": {"duration": 1}}], "maxUnavailable": 0}})),
        ("routed", json!({"canary": services})),
        ("blue-green", json!({"blueGreen": {"activeService": "shop-active", "scaleDownDelaySeconds": 1}})),
    ];
    let scripts: [(&str, &[Action]); 5] = [
        ("an update", &[Apply(1)]),
        ("an abort", &[Apply(1), Abort]),
        ("a third revision", &[Apply(1), Apply(2)]),
        ("an abort of a full promotion", &[Apply(1), PromoteFull, Abort]),
        ("a lost canary, an abort and a retry", &[Apply(1), Kill(super::scenario::Side::New, 1), Abort, Retry]),
    ];
    let mut all = Vec::new();
    for (name, strategy) in &strategies {
        for (script, actions) in &scripts {
            let scenario = Scenario {
                strategy: strategy.clone(),
                replicas,
                min_ready: 0,
                deadline_abort: false,
                gateway: true,
                seed: 1,
                pace: 20,
                start: ["0.5".to_owned(), "0.5".to_owned(), "0.5".to_owned()],
                outcomes: vec![super::analyst::Outcome::Successful],
                script: actions.iter().map(|action| (0, *action)).collect(),
                more: Value::Null,
                workload: None,
                beside: Vec::new(),
            };
            all.push((format!("{name}: {script}"), scenario));
        }
    }
    all
}

/// Walks every way through a world within the bounds. Its first action comes when the first deploy rests; the others,
/// in their order, at every turn after it. The times of the script do not count.
///
/// # Errors
/// The story of the first broken promise, with the turns that lead there.
pub fn explore(scenario: &Scenario, bounds: Bounds) -> Result<Explored, String> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<Fork> = Vec::new();
    let mut explored = Explored { ways: 1, ..Explored::default() };
    Way::start(scenario, bounds)?.walk(None, &mut seen, &mut open)?;
    while let Some(fork) = open.pop() {
        if explored.ways >= bounds.ways {
            return Ok(Explored { states: seen.len(), ..explored });
        }
        explored.ways += 1;
        let Fork { rig, left, bounds, path, turn } = fork;
        let way = Way { scenario, rig: Rig::load(&rig), left, bounds, path };
        way.walk(Some(turn), &mut seen, &mut open)?;
    }
    Ok(Explored { states: seen.len(), complete: true, ..explored })
}

impl<'s> Way<'s> {
    fn start(scenario: &'s Scenario, bounds: Bounds) -> Result<Self, String> {
        let case = Case { scenario: scenario.clone(), faults: Vec::new() };
        let mut rig = Rig::empty(scenario.seed, "2026-11-21T12:00:00Z".parse().unwrap_or_default());
        furnish(&mut rig, &case);
        rig.troubled = true;
        create(&rig, scenario);
        rig.run(8)?;
        let mut left: Vec<Action> = scenario.script.iter().rev().map(|(_, action)| *action).collect();
        if let Some(first) = left.pop() {
            act(&mut rig, scenario, first);
        }
        Ok(Self { scenario, rig, left, bounds, path: Vec::new() })
    }

    /// Takes the turn that is given, then goes on with the first that is possible, until everything rests or is known.
    /// Leaves the other turns of each new state in `open`.
    fn walk(mut self, mut given: Option<Turn>, seen: &mut BTreeSet<u64>, open: &mut Vec<Fork>) -> Result<(), String> {
        for _ in 0..MAX_TURNS {
            let due = self.rig.models().map_err(|story| self.told(&story))?;
            let turns = self.turns(due);
            let Some(default) = turns.first().copied() else {
                return self.rig.rest().map_err(|story| self.told(&story));
            };
            let turn = match given.take() {
                Some(turn) => turn,
                None => {
                    if turns.len() > 1 {
                        if !seen.insert(self.fingerprint()) {
                            return Ok(());
                        }
                        let rig = Rc::new(self.rig.save());
                        open.extend(turns.iter().skip(1).map(|turn| Fork {
                            rig: Rc::clone(&rig),
                            left: self.left.clone(),
                            bounds: self.bounds,
                            path: self.path.clone(),
                            turn: *turn,
                        }));
                    }
                    default
                }
            };
            self.path.push(turn);
            self.take(turn, due).map_err(|story| self.told(&story))?;
        }
        Err(self.told(&self.rig.endless()))
    }

    fn told(&self, story: &str) -> String {
        format!("turns {:?}\n{story}", self.path)
    }

    /// What can happen now; nothing where everything rests and everybody has acted.
    fn turns(&mut self, due: Option<Time>) -> Vec<Turn> {
        let now = self.rig.core.now();
        let awake = self.rig.awake(now);
        let moves = [due, self.rig.core.process.next()].into_iter().flatten().any(|at| at > now);
        let mut turns = Vec::new();
        if awake {
            turns.push(Turn::Look);
            if self.bounds.crashes > 0 {
                turns.push(Turn::Die);
            }
        }
        if moves && (!awake || self.bounds.delays > 0) {
            turns.push(Turn::Wait);
        }
        if !self.left.is_empty() {
            turns.push(Turn::Act);
        }
        turns
    }

    fn take(&mut self, turn: Turn, due: Option<Time>) -> Result<(), String> {
        let now = self.rig.core.now();
        match turn {
            Turn::Look | Turn::Die => {
                if turn == Turn::Die {
                    self.bounds.crashes = self.bounds.crashes.saturating_sub(1);
                    let strikes = &mut self.rig.core.process.strikes;
                    strikes.ordered.insert(strikes.writes, Strike::CrashAfter);
                }
                if self.rig.look()? {
                    self.rig.core.clock.advance(self.rig.pace);
                }
            }
            Turn::Wait => {
                if self.rig.awake(now) {
                    self.bounds.delays = self.bounds.delays.saturating_sub(1);
                }
                let next = [due, self.rig.core.process.next()].into_iter().flatten().filter(|at| *at > now).min();
                self.rig.core.clock.advance(next.map_or(Duration::from_millis(1), |next| now.until(next)));
            }
            Turn::Act => {
                if let Some(action) = self.left.pop() {
                    act(&mut self.rig, self.scenario, action);
                }
            }
        }
        Ok(())
    }

    /// What tells this state from others.
    fn fingerprint(&self) -> u64 {
        let (now, user) = (self.rig.core.now(), self.rig.core.user());
        let objects: Vec<_> = KINDS.iter().flat_map(|kind| user.list(kind, super::rig::KEY.0)).collect();
        let mut pods: Vec<_> = objects.iter().filter(|object| object::text(object, "/kind") == "Pod").collect();
        pods.sort_by_key(|pod| (object::time(pod, "/metadata/creationTimestamp"), object::version(pod)));
        let bare: Vec<Value> = objects.iter().map(|object| bare(object)).collect();
        let known = self.rig.core.process.known();
        let mut text = format!("{bare:?} {known} {:?} {} {}", self.left, self.bounds.delays, self.bounds.crashes);
        for (number, pod) in pods.iter().enumerate() {
            text = text.replace(object::name(pod), &format!("pod-{number}"));
            text = text.replace(object::uid(pod), &format!("uid-{number}"));
        }
        let mut hasher = DefaultHasher::new();
        aged(&text, now).hash(&mut hasher);
        hasher.finish()
    }
}

/// An object without what only counts.
fn bare(object: &Value) -> Value {
    let mut bare = object.clone();
    for field in ["resourceVersion", "managedFields", "generateName"] {
        object::take(&mut bare, &["metadata", field]);
    }
    object::take(&mut bare, &["status", "podIP"]);
    object::take(&mut bare, &["status", "podIPs"]);
    bare
}

/// A text with times as ages.
fn aged(text: &str, now: Time) -> String {
    static TIMES: OnceLock<Option<Regex>> = OnceLock::new();
    let times = TIMES.get_or_init(|| Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").ok());
    let Some(times) = times else { return text.to_owned() };
    let age = |found: &regex::Captures<'_>| {
        let time: Time = found.get(0).and_then(|found| found.as_str().parse().ok()).unwrap_or_default();
        let millis = (now.nanos() - time.nanos()) / 1_000_000;
        millis.min(OLDEST_MILLIS).to_string()
    };
    times.replace_all(text, age).into_owned()
}
