//! Plays a scenario on the rig.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, template};
use super::scenario::{Action, Scenario, Side};
use crate::sim::checker::facts::{HASH, hash};
use crate::sim::models::kubelet::BEHAVIOUR;
use crate::sim::object;

const SERVICES: [&str; 4] = ["shop-stable", "shop-canary", "shop-active", "shop-preview"];

/// Plays a scenario to its end and checks all of it.
///
/// # Errors
/// The story of the first broken promise.
pub fn play(scenario: &Scenario) -> Result<(), String> {
    let mut rig = Rig::bare(scenario.seed, scenario.gateway);
    rig.pace = Duration::from_millis(scenario.pace);
    rig.analyst.outcomes.clone_from(&scenario.outcomes);
    let mut spec = json!({
        "replicas": scenario.replicas, "minReadySeconds": scenario.min_ready, "progressDeadlineSeconds": 60, "revisionHistoryLimit": 2,
        "selector": {"matchLabels": {"app": "shop"}}, "template": image(scenario, 0), "strategy": scenario.strategy,
    });
    if scenario.deadline_abort.is_some() {
        spec["progressDeadlineAbort"] = json!(true);
    }
    rig.create(&spec);
    for (wait, action) in &scenario.script {
        let at = rig.core.now() + Duration::from_millis(*wait);
        rig.run_until(at)?;
        act(&mut rig, scenario, *action);
    }
    act(&mut rig, scenario, Action::Heal);
    rig.rest()
}

fn image(scenario: &Scenario, number: u8) -> Value {
    let behaviour = match number {
        3 => "never-pulls",
        4 => "crash-loop",
        5 => "never-ready",
        _ => "",
    };
    template(
        &format!("shop:{number}"),
        behaviour,
        scenario.start.get(usize::from(number % 3)).copied().unwrap_or("0.5"),
    )
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
            rig.edit(&json!({"spec": {"template": template}}));
        }
        Action::Abort => rig.command(&json!({"abort": true})),
        Action::Retry => rig.command(&json!({"abort": false})),
        Action::Promote => promote(rig),
        Action::PromoteFull => rig.command(&json!({"promoteFull": true})),
        Action::Pause(paused) => rig.edit(&json!({"spec": {"paused": paused}})),
        Action::Scale(replicas) => rig.edit(&json!({"spec": {"replicas": replicas}})),
        Action::Kill(side, count) => {
            for name in pods(rig, side).into_iter().take(count) {
                let _ = user.delete_now("Pod", KEY.0, &name);
            }
        }
        Action::Hurt(side, count) => {
            for name in pods(rig, side).into_iter().take(count) {
                let _ = user.merge(
                    "Pod",
                    (KEY.0, &name),
                    &json!({"metadata": {"annotations": {BEHAVIOUR: "never-ready"}}}),
                );
            }
        }
        Action::Heal => heal(rig),
        Action::Weigh(weight) => {
            let backends = json!([{"name": "shop-stable", "port": 80, "weight": 100 - weight}, {"name": "shop-canary", "port": 80, "weight": weight}]);
            rig.did(user.merge("HTTPRoute", (KEY.0, "shop"), &json!({"spec": {"rules": [{"backendRefs": backends}]}})));
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
    }
}

fn select(rig: &Rig, at: usize, hash: &Value) {
    let Some(name) = SERVICES.get(at) else { return };
    rig.did(rig.core.user().merge("Service", (KEY.0, name), &json!({"spec": {"selector": {HASH: hash}}})));
}

fn promote(rig: &Rig) {
    rig.command(&json!({"pauseConditions": null}));
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
fn heal(rig: &Rig) {
    let user = rig.core.user();
    for pod in user.list("Pod", KEY.0) {
        let image = object::text(&pod, "/spec/containers/0/image");
        if object::annotation(&pod, BEHAVIOUR) == Some("never-ready") && image != "shop:5" {
            let _ = user.merge(
                "Pod",
                (KEY.0, object::name(&pod)),
                &json!({"metadata": {"annotations": {BEHAVIOUR: null}}}),
            );
        }
    }
}
