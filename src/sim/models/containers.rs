//! What a pod's status says, as a function of how it behaves and how far it has come.

use serde_json::{Value, json};

use crate::api::Time;
use crate::sim::object;

/// How far a pod has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Creating,
    Running,
    Ready,
}

/// What the annotation `sim.siskin.dev/behaviour` orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Healthy,
    NeverPulls,
    CrashLoop,
    NeverReady,
}

impl Behaviour {
    pub fn of(pod: &Value) -> Self {
        match object::annotation(pod, super::kubelet::BEHAVIOUR) {
            Some("never-pulls") => Self::NeverPulls,
            Some("crash-loop") => Self::CrashLoop,
            Some("never-ready") => Self::NeverReady,
            _ => Self::Healthy,
        }
    }
}

/// The status of a pod at a stage; conditions that keep their value keep their transition time.
pub(crate) fn status(pod: &Value, (stage, behaviour): (Stage, Behaviour), now: Time) -> Value {
    let is_ready = stage == Stage::Ready && behaviour == Behaviour::Healthy;
    let has_started = stage != Stage::Creating && behaviour != Behaviour::NeverPulls;
    let phase = if has_started { "Running" } else { "Pending" };
    let containers: Vec<Value> = object::list(pod, "/spec/containers")
        .iter()
        .map(|container| container_status(container, (stage, behaviour), now))
        .collect();
    let containers: Vec<Value> = containers.into_iter().map(|status| keep_start(pod, status)).collect();
    let truth = |value: bool| if value { "True" } else { "False" };
    let mut conditions = Vec::new();
    for (kind, value) in
        [("PodScheduled", true), ("Initialized", true), ("ContainersReady", is_ready), ("Ready", is_ready)]
    {
        let mut condition = json!({ "type": kind, "status": truth(value), "lastTransitionTime": since(pod, (kind, truth(value)), now) });
        if !value {
            let names: Vec<&str> =
                object::list(pod, "/spec/containers").iter().map(|c| object::text(c, "/name")).collect();
            object::put(&mut condition, &["reason"], json!("ContainersNotReady"));
            let message = format!("containers with unready status: [{}]", names.join(" "));
            object::put(&mut condition, &["message"], json!(message));
        }
        conditions.push(condition);
    }
    json!({ "phase": phase, "conditions": conditions, "containerStatuses": containers })
}

fn since(pod: &Value, (kind, value): (&str, &str), now: Time) -> Value {
    let same =
        |condition: &&Value| object::text(condition, "/type") == kind && object::text(condition, "/status") == value;
    let old = object::list(pod, "/status/conditions").iter().find(same);
    old.and_then(|condition| condition.get("lastTransitionTime").cloned()).unwrap_or_else(|| json!(now))
}

/// A container that runs on has not started again.
fn keep_start(pod: &Value, mut status: Value) -> Value {
    let same = |old: &&Value| old.get("name") == status.get("name");
    let old = object::list(pod, "/status/containerStatuses").iter().find(same);
    let started = old.and_then(|old| old.pointer("/state/running/startedAt").cloned());
    if let (Some(started), Some(_)) = (started, status.pointer("/state/running")) {
        object::put(&mut status, &["state", "running", "startedAt"], started);
    }
    status
}

fn container_status(container: &Value, (stage, behaviour): (Stage, Behaviour), now: Time) -> Value {
    let (name, image) = (object::text(container, "/name"), object::text(container, "/image"));
    let waiting = |reason: &str, message: String| json!({ "waiting": { "reason": reason, "message": message } });
    let mut restarts = 0;
    let state = match (stage, behaviour) {
        (Stage::Creating, _) => json!({ "waiting": { "reason": "ContainerCreating" } }),
        (_, Behaviour::NeverPulls) => {
            let message = format!(
                "Back-off pulling image \"{image}\": ErrImagePull: failed to resolve reference \"{image}\": not found"
            );
            waiting("ImagePullBackOff", message)
        }
        (_, Behaviour::CrashLoop) => {
            restarts = 1;
            waiting("CrashLoopBackOff", format!("back-off 10s restarting failed container={name}"))
        }
        (_, Behaviour::NeverReady | Behaviour::Healthy) => json!({ "running": { "startedAt": now } }),
    };
    let is_running = state.get("running").is_some();
    let last = if restarts > 0 { json!({ "terminated": { "exitCode": 1, "reason": "Error" } }) } else { json!({}) };
    json!({
        "name": name, "image": image, "imageID": "", "ready": is_running && stage == Stage::Ready && behaviour == Behaviour::Healthy,
        "started": is_running, "restartCount": restarts, "state": state, "lastState": last,
    })
}
