//! The one word that kubectl prints for a pod, its ready containers and restarts.
//!
//! Source: kubectl's `STATUS` column (`pkg/printers/internalversion printPod`) in the form of Argo's CLI.

use crate::api::Pod;
use crate::api::lite::{ContainerState, ContainerStatus};

/// Reason of a pod whose node does not answer.
const NODE_LOST: &str = "NodeLost";

/// A pod in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodSummary {
    /// `Running`, `Init:0/1`, `CrashLoopBackOff`, `Terminating` …
    pub status: String,
    /// Ready containers.
    pub ready: usize,
    /// Containers.
    pub total: usize,
    /// Restarts of the containers that count.
    pub restarts: i32,
}

/// Reads the line off a pod's status.
pub fn summary(pod: &Pod) -> PodSummary {
    let status = &pod.status;
    let phase = if status.reason.is_empty() { &status.phase } else { &status.reason };
    let mut line = PodSummary { status: phase.clone(), ready: 0, total: pod.spec.containers.len(), restarts: 0 };
    match initialising(pod) {
        Some((reason, restarts)) => (line.status, line.restarts) = (reason, restarts),
        None => containers(&status.container_statuses, &mut line),
    }
    if pod.metadata.deletion_timestamp.is_some() {
        let word = if status.reason == NODE_LOST { "Unknown" } else { "Terminating" };
        word.clone_into(&mut line.status);
    }
    line
}

/// Why the pod is not yet past its init containers, and their restarts so far; `None` once it is past them.
fn initialising(pod: &Pod) -> Option<(String, i32)> {
    let mut restarts: i32 = 0;
    for (index, status) in pod.status.init_container_statuses.iter().enumerate() {
        restarts = restarts.saturating_add(status.restart_count);
        let waiting = status.state.waiting.as_ref().map(|waiting| waiting.reason.as_str()).unwrap_or_default();
        if status.state.terminated.as_ref().is_some_and(|terminated| terminated.exit_code == 0) {
            continue;
        }
        if let Some(reason) = ended(&status.state) {
            return Some((format!("Init:{reason}"), restarts));
        }
        if is_sidecar(pod, &status.name) && status.started == Some(true) {
            if status.ready {
                continue;
            }
            return None;
        }
        if !waiting.is_empty() && waiting != "PodInitializing" {
            return Some((format!("Init:{waiting}"), restarts));
        }
        return Some((format!("Init:{index}/{}", pod.spec.init_containers.len()), restarts));
    }
    None
}

/// An init container that goes on beside the others.
fn is_sidecar(pod: &Pod, name: &str) -> bool {
    let mut named = pod.spec.init_containers.iter().filter(|container| container.name == name);
    named.any(|container| container.restart_policy == "Always")
}

/// How a container ended: its reason, else its signal, else its exit code.
fn ended(state: &ContainerState) -> Option<String> {
    let terminated = state.terminated.as_ref()?;
    Some(if !terminated.reason.is_empty() {
        terminated.reason.clone()
    } else if terminated.signal != 0 {
        format!("Signal:{}", terminated.signal)
    } else {
        format!("ExitCode:{}", terminated.exit_code)
    })
}

/// The first container that waits or has ended gives the word, since they are read from the last to the first.
fn containers(statuses: &[ContainerStatus], line: &mut PodSummary) {
    line.restarts = statuses.iter().map(|status| status.restart_count).fold(0, i32::saturating_add);
    let mut running = false;
    for status in statuses.iter().rev() {
        let waiting = status.state.waiting.as_ref().map(|waiting| &waiting.reason).filter(|reason| !reason.is_empty());
        if let Some(reason) = waiting {
            line.status.clone_from(reason);
        } else if let Some(reason) = ended(&status.state) {
            line.status = reason;
        } else if status.ready && status.state.running.is_some() {
            running = true;
            line.ready += 1;
        }
    }
    if line.status == "Completed" && running {
        "Running".clone_into(&mut line.status);
    }
}
