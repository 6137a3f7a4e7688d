//! What a pod's status says, as a function of how it behaves and how far it has come.

use std::time::Duration;

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
    /// Its containers die and are started again.
    Dies(Death),
}

/// How containers die, and what of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// The program ends a second after each start.
    Crash,
    /// It is killed for its memory after ten seconds.
    Memory,
    /// It stops answering, and the third failed liveness probe ends it.
    Liveness,
}

impl Death {
    const fn run(self) -> Duration {
        Duration::from_secs(match self {
            Self::Crash => 1,
            Self::Memory => 10,
            Self::Liveness => 30,
        })
    }

    /// Whether the pod serves while it runs.
    const fn serves(self) -> bool {
        !matches!(self, Self::Crash)
    }

    const fn last(self) -> (&'static str, i64) {
        match self {
            Self::Crash => ("Error", 1),
            Self::Memory => ("OOMKilled", 137),
            Self::Liveness => ("Error", 137),
        }
    }

    /// Where a container stands so long after its first start: how often it has been restarted, the seconds of the
    /// back-off that it waits in (none: it runs), and the time to the next change. The waits are 10 s, 20 s, 40 s … 300 s.
    /// Source: Kubernetes' documentation of the pod's life cycle, "Container restarts".
    fn place(self, since: Duration) -> (i64, Option<u64>, Duration) {
        let mut rest = since;
        let mut restarts = 0_i64;
        let mut wait = 10_u64;
        // The longest simulated life is far below this many restarts.
        while restarts < 100_000 {
            if rest < self.run() {
                return (restarts, None, self.run().saturating_sub(rest));
            }
            rest = rest.saturating_sub(self.run());
            if rest < Duration::from_secs(wait) {
                return (restarts, Some(wait), Duration::from_secs(wait).saturating_sub(rest));
            }
            rest = rest.saturating_sub(Duration::from_secs(wait));
            wait = (wait * 2).min(300);
            restarts += 1;
        }
        (restarts, Some(wait), Duration::from_secs(wait))
    }
}

/// A pod's place in its life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub stage: Stage,
    pub behaviour: Behaviour,
    /// Since its containers were first started.
    pub running_for: Duration,
    pub now: Time,
}

impl Moment {
    fn dying(&self) -> Option<(Death, i64, Option<u64>, Duration)> {
        let Behaviour::Dies(death) = self.behaviour else { return None };
        if self.stage == Stage::Creating {
            return None;
        }
        let (restarts, wait, left) = death.place(self.running_for);
        Some((death, restarts, wait, left))
    }

    /// When its containers change by themselves.
    pub fn next(&self) -> Option<Time> {
        self.dying().map(|(.., left)| self.now + left)
    }

    fn is_ready(&self) -> bool {
        let serves = self.dying().is_some_and(|(death, _, wait, _)| death.serves() && wait.is_none());
        self.stage == Stage::Ready && (self.behaviour == Behaviour::Healthy || serves)
    }
}

impl Behaviour {
    pub fn of(pod: &Value) -> Self {
        match object::annotation(pod, super::kubelet::BEHAVIOUR) {
            Some("never-pulls") => Self::NeverPulls,
            Some("crash-loop") => Self::CrashLoop,
            Some("never-ready") => Self::NeverReady,
            Some("crash-back-off") => Self::Dies(Death::Crash),
            Some("out-of-memory") => Self::Dies(Death::Memory),
            Some("unhealthy") => Self::Dies(Death::Liveness),
            _ => Self::Healthy,
        }
    }
}

/// The status of a pod whose program has ended for good, with its exit code.
pub(crate) fn ended(pod: &Value, code: i64, now: Time) -> Value {
    let (phase, reason) = if code == 0 { ("Succeeded", "Completed") } else { ("Failed", "Error") };
    let container = |container: &Value| {
        let state = json!({ "terminated": { "exitCode": code, "reason": reason, "finishedAt": now } });
        json!({ "name": object::text(container, "/name"), "image": object::text(container, "/image"), "imageID": "",
            "ready": false, "started": false, "restartCount": 0, "state": state, "lastState": {} })
    };
    let containers: Vec<Value> = object::list(pod, "/spec/containers").iter().map(container).collect();
    let conditions: Vec<Value> = ["ContainersReady", "Ready"]
        .into_iter()
        .map(|kind| {
            let reason = if code == 0 { "PodCompleted" } else { "PodFailed" };
            json!({ "type": kind, "status": "False", "reason": reason, "lastTransitionTime": since(pod, (kind, "False"), now) })
        })
        .collect();
    json!({ "phase": phase, "containerStatuses": containers, "conditions": conditions })
}

/// The status of a pod at a stage; conditions that keep their value keep their transition time.
pub(crate) fn status(pod: &Value, moment: &Moment) -> Value {
    let Moment { stage, behaviour, now, .. } = *moment;
    let is_ready = moment.is_ready();
    let has_started = stage != Stage::Creating && behaviour != Behaviour::NeverPulls;
    let phase = if has_started { "Running" } else { "Pending" };
    let containers: Vec<Value> =
        object::list(pod, "/spec/containers").iter().map(|container| container_status(container, moment)).collect();
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

fn container_status(container: &Value, moment: &Moment) -> Value {
    let Moment { stage, behaviour, now, .. } = *moment;
    let (name, image) = (object::text(container, "/name"), object::text(container, "/image"));
    let waiting = |reason: &str, message: String| json!({ "waiting": { "reason": reason, "message": message } });
    let mut restarts = 0;
    let state = match (stage, behaviour) {
        (Stage::Creating, _) => json!({ "waiting": { "reason": "ContainerCreating" } }),
        (_, Behaviour::NeverPulls) if object::text(container, "/imagePullPolicy") == "Never" => waiting(
            "ErrImageNeverPull",
            format!("Container image \"{image}\" is not present with pull policy of Never"),
        ),
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
        (_, Behaviour::NeverReady | Behaviour::Healthy | Behaviour::Dies(_)) => {
            json!({ "running": { "startedAt": now } })
        }
    };
    let mut death = ("Error", 1);
    let dying = moment.dying();
    let has_died = restarts > 0 || dying.is_some_and(|(_, count, wait, _)| count > 0 || wait.is_some());
    let state = match dying {
        Some((how, count, wait, _)) => {
            (restarts, death) = (count, how.last());
            let told =
                |wait| waiting("CrashLoopBackOff", format!("back-off {wait}s restarting failed container={name}"));
            wait.map_or(state, told)
        }
        None => state,
    };
    let is_running = state.get("running").is_some();
    let last = if has_died { json!({ "terminated": { "exitCode": death.1, "reason": death.0 } }) } else { json!({}) };
    json!({
        "name": name, "image": image, "imageID": "", "ready": is_running && moment.is_ready(),
        "started": is_running, "restartCount": restarts, "state": state, "lastState": last,
    })
}
