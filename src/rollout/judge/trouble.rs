//! What keeps the pods of a revision from starting, in the cluster's own words, and how long that may pass by itself.

use std::time::Duration;

use crate::api::{Kind as _, Pod, ReplicaSet};
use crate::plan::Blocker;
use crate::rollout::case::Case;
use crate::rollout::cast::Revision;
use crate::rollout::memory::{Cause, Failure};

/// Reasons of a waiting container that no waiting cures.
const INCURABLE: &[&str] =
    &["InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", "CreateContainerError"];
/// Reasons of a waiting container that show trouble, but may pass.
const TROUBLE: &[&str] = &[
    "ImagePullBackOff",
    "ErrImagePull",
    "CrashLoopBackOff",
    "RunContainerError",
    "ImageInspectError",
    "RegistryUnavailable",
];
/// Objects of one revision that are named; one tells the story of a hundred.
const NAMED: usize = 3;

/// What it takes for pods to start after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cure {
    /// Another template: no waiting cures it.
    Never,
    /// A later attempt, such as that of a registry that answers again.
    Attempt,
    /// Room: nodes, or a quota.
    Room,
}

impl Cure {
    /// How long it is worth waiting for, since the last progress, where `failFast` is set. kubelet tries again after 10,
    /// 20 and 40 s, so the fourth attempt has failed after a bit more than a minute; an autoscaler of nodes needs minutes.
    pub const fn patience(self) -> Duration {
        match self {
            Self::Never => Duration::ZERO,
            Self::Attempt => Duration::from_secs(75),
            Self::Room => Duration::from_mins(5),
        }
    }
}

/// Pods that cannot start, in the words of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The code of its blocker.
    pub code: &'static str,
    /// What has the trouble, `Kind/name`.
    pub object: String,
    /// The whole story.
    pub message: String,
    /// What cures it.
    pub cure: Cure,
}

/// What keeps pods of a revision from starting, or from being created at all.
pub fn of(revision: &Revision) -> Vec<Trouble> {
    revision.pods.iter().filter_map(|pod| of_pod(pod)).chain(of_set(revision)).collect()
}

fn of_pod(pod: &Pod) -> Option<Trouble> {
    if pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let name = &pod.metadata.name;
    let cannot_start =
        |cure, message| Some(Trouble { code: "PodCannotStart", object: format!("Pod/{name}"), message, cure });
    let statuses = pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses);
    for status in statuses {
        let Some(waiting) = &status.state.waiting else { continue };
        let incurable = INCURABLE.contains(&waiting.reason.as_str());
        if incurable || TROUBLE.contains(&waiting.reason.as_str()) {
            let message = format!("Pod {name}, container {}: {}: {}", status.name, waiting.reason, waiting.message);
            return cannot_start(if incurable { Cure::Never } else { Cure::Attempt }, message);
        }
    }
    let unscheduled = pod.status.conditions.iter().find(|c| c.kind == "PodScheduled" && c.status == "False")?;
    cannot_start(Cure::Room, format!("Pod {name}: {}: {}", unscheduled.reason, unscheduled.message))
}

/// A ReplicaSet whose pods are refused: by a quota, or by a webhook.
fn of_set(revision: &Revision) -> Option<Trouble> {
    let refused = |condition: &&crate::api::lite::Condition| {
        condition.kind == "ReplicaFailure" && condition.status == "True" && condition.reason == "FailedCreate"
    };
    let refused = revision.rs.status.conditions.iter().find(refused)?;
    let name = revision.name();
    let message = format!("ReplicaSet {name}: {}: {}", refused.reason, refused.message);
    Some(Trouble { code: "PodCannotBeCreated", object: format!("ReplicaSet/{name}"), message, cure: Cure::Room })
}

/// What pods that cannot start mean for people: those of the new revision, and those that an abort or a promotion waits for.
pub fn blockers(case: &Case<'_>) -> Vec<Blocker> {
    let new = case.cast.new.as_ref();
    let stable = case.cast.stable.as_ref().filter(|stable| new.is_none_or(|new| new.name() != stable.name()));
    let named = |revision| of(revision).into_iter().take(NAMED);
    let of_new =
        new.into_iter().flat_map(named).map(|trouble| blocker(trouble, "fix the template and apply it, or abort"));
    let of_stable =
        stable.into_iter().flat_map(named).map(|trouble| blocker(trouble, "find out why: this version has run before"));
    of_new.chain(of_stable).collect()
}

/// Writes of the last look that the API server does not take, and will not until somebody does something.
pub fn denials(case: &Case<'_>) -> Vec<Blocker> {
    let denied = case.world.memory.failures.iter().filter(|failure| failure.cause == Cause::Denied).take(NAMED);
    let told = denied.map(|failure| {
        Blocker::wait("WriteDenied", failure.object.to_string(), &failure.message)
            .remedy("change what refuses it: an admission webhook, a policy, a schema, or Siskin's permissions")
    });
    told.collect()
}

/// Why the new revision's ReplicaSet could not be created, where that was denied.
pub fn creation_denied<'c>(case: &'c Case<'_>) -> Option<&'c Failure> {
    let wanted =
        |failure: &&Failure| failure.cause == Cause::Denied && failure.object.resource.kind == ReplicaSet::KIND;
    case.world.memory.failures.iter().find(wanted).filter(|_| case.cast.new.is_none())
}

fn blocker(trouble: Trouble, otherwise: &str) -> Blocker {
    let remedy = match trouble.cure {
        Cure::Room => "make room: nodes, or a larger quota",
        _ => otherwise,
    };
    Blocker::wait(trouble.code, trouble.object, trouble.message).remedy(remedy)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What is said of a pod with this status.
    fn told(status: &Value) -> Option<(Cure, String)> {
        let pod = serde_json::from_value(json!({"metadata": {"name": "web-1"}, "status": status})).unwrap();
        of_pod(&pod).map(|trouble| (trouble.cure, trouble.message))
    }

    #[test]
    fn pods_tell_what_they_wait_for() {
        let waiting = |list: &str, reason: &str| json!({list: [{"name": "web", "state": {"waiting": {"reason": reason, "message": "so it is"}}}]});
        let unscheduled = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]});
        let scheduled = json!({"conditions": [{"type": "PodScheduled", "status": "True"}]});
        let cases = [
            (
                waiting("containerStatuses", "ErrImageNeverPull"),
                Some(Cure::Never),
                "container web: ErrImageNeverPull: so it is",
            ),
            (waiting("initContainerStatuses", "CrashLoopBackOff"), Some(Cure::Attempt), "CrashLoopBackOff"),
            (waiting("containerStatuses", "ImagePullBackOff"), Some(Cure::Attempt), "ImagePullBackOff"),
            (waiting("containerStatuses", "ContainerCreating"), None, ""),
            (unscheduled, Some(Cure::Room), "Pod web-1: Unschedulable: 0/3 nodes"),
            (scheduled, None, ""),
        ];
        for (status, cure, said) in cases {
            let told = told(&status);
            assert_eq!(told.as_ref().map(|(cure, _)| *cure), cure, "{status}");
            assert!(told.is_none_or(|(_, message)| message.contains(said)), "{status}");
        }
    }
}
