//! Plays a case on the rig, to its end.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, MAX_EVENTS, REST, Rig, Snapshot};
use super::scenario::{Action, Case, Fault, Scenario, Side};
use super::world::{SERVICES, template};
use crate::api::Time;
use crate::sim::bare::strike::Strike;
use crate::sim::checker::facts::{HASH, hash, wanted};
use crate::sim::models::gateway::{GATEWAY, REFUSES};
use crate::sim::models::kubelet::{BEHAVIOUR, LOST};
use crate::sim::object;

/// What a run has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Writes that the controller has sent.
    pub writes: u64,
    /// Writes of everybody: the server's last version.
    pub version: u64,
    /// Turns until the script was over and everything had come to rest.
    pub turns: u64,
    /// Events of each kind.
    pub events: BTreeMap<String, u64>,
    /// Phase, sizes by image and the canary's weight at rest.
    pub end: String,
}

/// Plays a case to its end and checks all of it.
///
/// # Errors
/// The story of the first broken promise.
pub fn play(case: &Case) -> Result<Ended, String> {
    Player::begin(set_up(case), &case.scenario).play_on()
}

/// A rig and how far it has come in a script.
pub struct Player<'s> {
    /// The rig.
    pub rig: Rig,
    scenario: &'s Scenario,
    /// The action that comes next, by its number; after the last of them everything comes to rest.
    next: usize,
    /// When.
    until: Time,
    /// Turns since the last action.
    turns: usize,
    /// Turns in all.
    pub(super) turned: u64,
}

/// A player at some moment: [`Player::save`].
pub(super) struct Moment<'s> {
    rig: Snapshot,
    scenario: &'s Scenario,
    next: usize,
    until: Time,
    turns: usize,
    turned: u64,
}

impl<'s> Player<'s> {
    /// At the beginning of a script.
    pub fn begin(rig: Rig, scenario: &'s Scenario) -> Self {
        let until = rig.core.now();
        let mut player = Self { rig, scenario, next: 0, until, turns: 0, turned: 0 };
        player.await_next();
        player
    }

    /// Plays on to the end, and checks all of it.
    ///
    /// # Errors
    /// The story of the first broken promise.
    pub fn play_on(mut self) -> Result<Ended, String> {
        self.act_out()?;
        Ok(ended(&self.rig, self.turned))
    }

    /// Does what is left of the script, and lets everything come to rest.
    ///
    /// # Errors
    /// The story of the first broken promise.
    pub fn act_out(&mut self) -> Result<(), String> {
        while !self.turn()? {}
        self.rig.judge_rest()
    }

    /// One turn. Returns whether everything has been done and has come to rest.
    pub(super) fn turn(&mut self) -> Result<bool, String> {
        self.turns += 1;
        if self.turns > MAX_EVENTS {
            // A budget that refuses a restart is asked again and again.
            let over = self.next == self.scenario.script.len() && self.rig.restarts();
            return if over { Ok(true) } else { Err(self.rig.endless()) };
        }
        for action in self.rig.hands.remove(&self.turned).unwrap_or_default() {
            act(&mut self.rig, self.scenario, action);
        }
        self.turned += 1;
        if !self.rig.turn(self.until)? {
            return Ok(false);
        }
        let Some((_, action)) = self.scenario.script.get(self.next) else { return Ok(true) };
        act(&mut self.rig, self.scenario, *action);
        self.next += 1;
        self.await_next();
        Ok(false)
    }

    fn await_next(&mut self) {
        let wait = match self.scenario.script.get(self.next) {
            Some((wait, _)) => Duration::from_millis(*wait),
            None => {
                act(&mut self.rig, self.scenario, Action::Heal);
                Duration::from_secs(REST)
            }
        };
        (self.until, self.turns) = (self.rig.core.now() + wait, 0);
    }

    /// Everything as it is now, to be played on from more than once.
    pub(super) fn save(&self) -> Moment<'s> {
        let rig = self.rig.save();
        let Self { scenario, next, until, turns, turned, .. } = *self;
        Moment { rig, scenario, next, until, turns, turned }
    }

    /// The player as it was. As [`Rig::load`]: only the one that was loaded last may be played on.
    pub(super) fn load(moment: &Moment<'s>) -> Self {
        let Moment { rig, scenario, next, until, turns, turned } = moment;
        Self { rig: Rig::load(rig), scenario, next: *next, until: *until, turns: *turns, turned: *turned }
    }
}

/// The world of a case, before anything happens in it.
pub fn set_up(case: &Case) -> Rig {
    let mut rig = Rig::empty(case.scenario.seed, "2026-11-21T12:00:00Z".parse().unwrap_or_default());
    furnish(&mut rig, case);
    rig.troubled = case.faults.iter().any(Fault::hurts);
    rig.checker.state.late_views = case.faults.iter().any(Fault::delays);
    for fault in &case.faults {
        order(&mut rig, fault);
    }
    create(&rig, &case.scenario);
    rig
}

/// Everything of a case but its Rollout.
pub fn furnish(rig: &mut Rig, case: &Case) {
    let scenario = &case.scenario;
    // What nobody names is left out: its slices would cost as much as those that matter.
    let strategy = scenario.strategy.to_string();
    let services: Vec<&str> = SERVICES.into_iter().filter(|name| strategy.contains(name)).collect();
    rig.furnish(scenario.gateway.then_some(()), &services);
    rig.pace = Duration::from_millis(scenario.pace);
    rig.analyst.outcomes.clone_from(&scenario.outcomes);
    for beside in &scenario.beside {
        beside.join(rig);
    }
    if scenario.workload.is_some() {
        let spec = json!({
            "replicas": scenario.replicas, "selector": {"matchLabels": {"app": "shop"}},
            "template": image(scenario, 0), "minReadySeconds": scenario.min_ready,
        });
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": KEY.1, "namespace": KEY.0}, "spec": spec,
        });
        rig.did(rig.core.user().create("Deployment", deployment));
    }
}

/// The Rollout of a scenario.
pub fn create(rig: &Rig, scenario: &Scenario) {
    let mut spec = json!({
        "replicas": scenario.replicas, "minReadySeconds": scenario.min_ready, "progressDeadlineSeconds": 60,
        "revisionHistoryLimit": 2, "strategy": scenario.strategy,
    });
    match &scenario.workload {
        Some(scale_down) => {
            let reference =
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": KEY.1, "scaleDown": scale_down});
            object::put(&mut spec, &["workloadRef"], reference);
        }
        None => {
            object::put(&mut spec, &["selector"], json!({"matchLabels": {"app": "shop"}}));
            object::put(&mut spec, &["template"], image(scenario, 0));
        }
    }
    if scenario.deadline_abort {
        object::put(&mut spec, &["progressDeadlineAbort"], json!(true));
    }
    if scenario.more.is_object() {
        json_patch::merge(&mut spec, &scenario.more);
    }
    rig.create(&spec);
}

/// Orders a fault. What has passed already does not come again.
pub(super) fn order(rig: &mut Rig, fault: &Fault) {
    let process = &mut rig.core.process;
    match fault {
        Fault::Write { number, strike } => drop(process.strikes.ordered.insert(*number, *strike)),
        Fault::Watch { kind, number, trouble } => process.view.trouble(kind, *number, *trouble),
        Fault::Lag { kind, millis } => process.view.delay(kind, Duration::from_millis(*millis)),
        Fault::Older { number, versions } => {
            process.strikes.ordered.insert(*number, Strike::CrashAfter);
            rig.behind_after_crash = *versions;
        }
        Fault::Away { number, millis } => {
            process.strikes.ordered.insert(*number, Strike::CrashAfter);
            rig.absence = Duration::from_millis(*millis);
        }
        Fault::Clock { number, ahead } => {
            process.strikes.ordered.insert(*number, Strike::FROZEN);
            rig.core.ahead_next = *ahead;
            rig.checker.state.clocks_apart = Duration::from_millis(ahead.unsigned_abs());
        }
        Fault::Act { turn, action } => rig.hands.entry(*turn).or_default().push(*action),
    }
}

fn ended(rig: &Rig, turns: u64) -> Ended {
    let user = rig.core.user();
    let sizes: BTreeMap<String, i64> = user
        .list("ReplicaSet", KEY.0)
        .iter()
        .filter(|rs| wanted(rs) > 0)
        .map(|rs| (object::text(rs, "/spec/template/spec/containers/0/image").to_owned(), wanted(rs)))
        .collect();
    Ended {
        writes: rig.core.process.strikes.writes,
        version: rig.core.cluster.server.version(),
        events: rig.events.clone(),
        turns,
        end: format!("{} {sizes:?} weight {}", rig.shown(), rig.weight()),
    }
}

fn image(scenario: &Scenario, number: u8) -> Value {
    let behaviour = match number {
        3 => "never-pulls",
        4 => "crash-loop",
        5 => "never-ready",
        _ => "",
    };
    let start = scenario.start.get(usize::from(number % 3)).map_or("0.5", String::as_str);
    template(&format!("shop:{number}"), behaviour, start)
}

fn hash_of(rig: &Rig, side: Side) -> String {
    let status = rig.rollout().map(|rollout| rollout.status).unwrap_or_default();
    match side {
        Side::New => status.current_pod_hash,
        Side::Stable => status.stable_rs,
    }
}

/// Does one thing in the name of people or chance.
pub fn act(rig: &mut Rig, scenario: &Scenario, action: Action) {
    let user = rig.core.user();
    match action {
        Action::Apply(number) => {
            let mut template = image(scenario, number);
            // A merge patch keeps what it does not name.
            if template.pointer("/metadata/annotations").is_some_and(|notes| notes.get(BEHAVIOUR).is_none()) {
                object::put(&mut template, &["metadata", "annotations", BEHAVIOUR], Value::Null);
            }
            let patch = json!({"spec": {"template": template}});
            match &scenario.workload {
                Some(_) => rig.did(user.merge("Deployment", KEY, &patch)),
                None => rig.edit(&patch),
            }
        }
        Action::Abort => rig.command(&json!({"abort": true})),
        Action::Retry => rig.command(&json!({"abort": false})),
        Action::Promote => rig.command(&json!({"pauseConditions": null})),
        Action::PromoteFull => rig.command(&json!({"promoteFull": true})),
        Action::Pause(paused) => rig.edit(&json!({"spec": {"paused": paused}})),
        Action::Scale(replicas) => rig.edit(&json!({"spec": {"replicas": replicas}})),
        Action::Unscale => rig.edit(&json!({"spec": {"replicas": null}})),
        Action::Kill(side, count) => {
            for name in pods(rig, side).into_iter().take(count) {
                // A pod that is gone already is as good.
                let _ = user.delete_now("Pod", KEY.0, &name);
            }
        }
        Action::Hurt(side, count) => {
            for name in pods(rig, side).into_iter().take(count) {
                let hurt = json!({"metadata": {"annotations": {BEHAVIOUR: "never-ready"}}});
                let _ = user.merge("Pod", (KEY.0, &name), &hurt);
            }
        }
        Action::Heal => heal(rig),
        Action::Weigh(weight) => {
            let backends = json!([
                {"name": "shop-stable", "port": 80, "weight": 100 - weight},
                {"name": "shop-canary", "port": 80, "weight": weight},
            ]);
            let patch = json!({"spec": {"rules": [{"backendRefs": backends}]}});
            rig.did(user.merge("HTTPRoute", (KEY.0, "shop"), &patch));
        }
        Action::Select(at, side) => {
            let hash = hash_of(rig, side);
            if !hash.is_empty() {
                select(rig, at, &json!(hash));
            }
        }
        Action::Unselect(at) => select(rig, at, &Value::Null),
        Action::Delete(side) => {
            let hash = hash_of(rig, side);
            for rs in user.list("ReplicaSet", KEY.0).iter().filter(|rs| self::hash(rs) == hash) {
                rig.did(user.delete("ReplicaSet", KEY.0, object::name(rs)));
            }
        }
        Action::Restart => rig.restart(),
        other => act_rarely(rig, scenario, other),
    }
}

/// Does what happens less often.
fn act_rarely(rig: &mut Rig, scenario: &Scenario, action: Action) {
    let user = rig.core.user();
    match action {
        Action::Evict(side, count) => {
            for name in pods(rig, side).into_iter().take(count) {
                // A budget may refuse, and the pod may be gone.
                let _ = user.evict((KEY.0, &name), &json!({"metadata": {"name": name, "namespace": KEY.0}}));
            }
        }
        Action::Renew => rig.edit(&json!({"spec": {"restartAt": rig.core.now().truncated()}})),
        Action::Skip => {
            let index = rig.rollout().and_then(|rollout| rollout.status.current_step_index);
            if let Some(index) = index.filter(|index| *index < steps(rig)) {
                rig.command(&json!({"currentStepIndex": index + 1, "pauseConditions": null, "controllerPause": false}));
            }
        }
        Action::Steps(number) => rig.edit(&json!({"spec": {"strategy": {"canary": {"steps": other_steps(number)}}}})),
        Action::Wear(number) => {
            let note = |value: u8| json!({"annotations": {"note": format!("n{value}")}, "labels": {"wears": "it"}});
            let wear = json!({"canaryMetadata": note(number), "stableMetadata": note(number + 1)});
            rig.edit(&json!({"spec": {"strategy": {"canary": wear}}}));
        }
        Action::Grow(replicas) => rig.did(user.merge("Deployment", KEY, &json!({"spec": {"replicas": replicas}}))),
        Action::Plane(millis) => rig.core.cluster.gateway.set_route_lag(Duration::from_millis(millis)),
        Action::Refuse => refuse(rig, &json!("told to")),
        Action::Lose(number) => lose(rig, number, Some(())),
        Action::Tamper(number) => tamper(rig, scenario, number),
        // Everything else is `act`'s own.
        _ => {}
    }
}

/// Steps that the Rollout has.
fn steps(rig: &Rig) -> i32 {
    let strategy = rig.rollout().and_then(|rollout| rollout.spec.strategy.canary);
    i32::try_from(strategy.and_then(|canary| canary.steps).map_or(0, |steps| steps.len())).unwrap_or(i32::MAX)
}

/// Steps that somebody writes in the place of those that are there.
fn other_steps(number: u8) -> Value {
    match number {
        0 => json!([{"setWeight": 50}, {"pause": {"duration": 1}}]),
        1 => json!([{"setWeight": 10}, {"setWeight": 90}, {"pause": {}}]),
        _ => json!([]),
    }
}

/// The gateway refuses what comes, or with null takes it again. Without a data plane there is nobody to do so.
fn refuse(rig: &Rig, why: &Value) {
    let note = json!({"metadata": {"annotations": {REFUSES: why}}});
    let _ = rig.core.user().merge(GATEWAY, (KEY.0, "web"), &note);
}

/// A node's kubelet falls silent, or is heard of again.
fn lose(rig: &Rig, number: usize, lost: Option<()>) {
    let user = rig.core.user();
    if let Some(node) = user.list("Node", "").get(number) {
        let note = json!({"metadata": {"annotations": {LOST: lost.map(|()| "yes")}}});
        rig.did(user.merge("Node", ("", object::name(node)), &note));
    }
}

/// Somebody writes objects that look like ours, or into those that are.
fn tamper(rig: &Rig, scenario: &Scenario, number: u8) {
    let user = rig.core.user();
    let meta = |name: &str, labels: Value| json!({"name": name, "namespace": KEY.0, "labels": labels});
    let current = hash_of(rig, Side::New);
    // What is there already, or has gone, is left as it is.
    let _ = match number {
        // A ReplicaSet with our selector and nobody's hash.
        0 => user.create(
            "ReplicaSet",
            json!({"metadata": meta("stray", json!({"app": "shop", HASH: "stray"})), "spec": {
                "replicas": 1, "selector": {"matchLabels": {"app": "shop", HASH: "stray"}},
                "template": {"metadata": {"labels": {"app": "shop", HASH: "stray"}}, "spec": {"containers": [{"name": "shop", "image": "shop:0"}]}},
            }}),
        ),
        // A pod of nobody with the labels of the current revision.
        1 if !current.is_empty() => user.create(
            "Pod",
            json!({"metadata": meta("stray-pod", json!({"app": "shop", HASH: current})), "spec": {"containers": [{"name": "shop", "image": "shop:0"}]}}),
        ),
        // A younger Rollout that names our Services and our route.
        2 => {
            let strategy = rig.rollout().map(|rollout| json!(rollout.spec.strategy)).unwrap_or_default();
            let spec = json!({
                "replicas": 1, "selector": {"matchLabels": {"app": "other"}}, "strategy": strategy,
                "template": {"metadata": {"labels": {"app": "other"}}, "spec": {"containers": [{"name": "shop", "image": "shop:0"}]}},
            });
            let other = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": meta("other", json!({})), "spec": spec});
            user.create("Rollout", other)
        }
        // Somebody scales a ReplicaSet of ours, or edits its template to what is applied later.
        _ => match user.list("ReplicaSet", KEY.0).iter().find(|rs| hash(rs) == current) {
            Some(rs) => {
                let edit = match number {
                    7 => json!({"template": image(scenario, 1)}),
                    _ => json!({"replicas": number}),
                };
                user.merge("ReplicaSet", (KEY.0, object::name(rs)), &json!({"spec": edit}))
            }
            None => return,
        },
    };
}

fn select(rig: &Rig, at: usize, hash: &Value) {
    let user = rig.core.user();
    let Some(name) = SERVICES.get(at).filter(|name| user.get("Service", KEY.0, name).is_some()) else { return };
    rig.did(user.merge("Service", (KEY.0, name), &json!({"spec": {"selector": {HASH: hash}}})));
}

fn pods(rig: &Rig, side: Side) -> Vec<String> {
    let hash = hash_of(rig, side);
    let pods = rig.core.user().list("Pod", KEY.0);
    pods.iter()
        .filter(|pod| object::label(pod, HASH) == Some(hash.as_str()))
        .map(|pod| object::name(pod).to_owned())
        .collect()
}

/// Pods that were hurt while they ran are well again; what a template orders stays.
fn heal(rig: &mut Rig) {
    rig.core.cluster.gateway.set_route_lag(Duration::from_millis(50));
    refuse(rig, &Value::Null);
    let user = rig.core.user();
    for (number, node) in user.list("Node", "").iter().enumerate() {
        if object::annotation(node, LOST).is_some() {
            lose(rig, number, None);
        }
    }
    for pod in user.list("Pod", KEY.0) {
        let image = object::text(&pod, "/spec/containers/0/image");
        if object::annotation(&pod, BEHAVIOUR) == Some("never-ready") && image != "shop:5" {
            let well = json!({"metadata": {"annotations": {BEHAVIOUR: null}}});
            let _ = user.merge("Pod", (KEY.0, object::name(&pod)), &well);
        }
    }
}
