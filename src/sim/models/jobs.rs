//! The `Job` controller: pods until enough have succeeded, or too many have failed.
//! Source: Kubernetes' documentation of Jobs. Indexed completion, pod failure policies and suspension are not modelled;
//! a Job that asks for one is failed with a reason that says so.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::feed::{Agenda, Feed, key_of};
use super::gateway::Key;
use super::model::Model;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;

const LABEL: &str = "batch.kubernetes.io/job-name";

/// The model. Its actor name is `job-controller`. How long a pod runs, and how it ends, is annotated on the template:
/// `sim.siskin.dev/exit-after`, `sim.siskin.dev/exit-code`.
#[derive(Clone)]
pub struct Jobs {
    hand: Hand,
    feed: Feed,
    lag: Duration,
    agenda: Agenda<Key>,
}

impl Jobs {
    /// A controller that reacts `lag` after each change.
    pub fn new(server: &ApiServer, lag: Duration) -> Self {
        let hand = server.hand("job-controller");
        let feed = Feed::new(&hand, &["Job", "Pod"]);
        Self { hand, feed, lag, agenda: Agenda::new() }
    }

    fn pods(&self, job: &Value) -> Vec<Arc<Value>> {
        let mut pods = self.hand.list("Pod", object::namespace(job));
        pods.retain(|pod| object::controller_uid(pod) == Some(object::uid(job)));
        pods
    }

    fn settle(&self, job: &Value, now: Time) -> Option<Time> {
        if object::is_terminating(job) || ended(job) {
            return None;
        }
        let pods = self.pods(job);
        let counted = |phase: &str| pods.iter().filter(|pod| object::text(pod, "/status/phase") == phase).count();
        let (succeeded, failed) = (counted("Succeeded"), counted("Failed"));
        let is_active = |pod: &&Arc<Value>| {
            !object::is_terminating(pod) && !matches!(object::text(pod, "/status/phase"), "Succeeded" | "Failed")
        };
        let active: Vec<&Arc<Value>> = pods.iter().filter(is_active).collect();
        let number = |pointer: &str, default: i64| {
            usize::try_from(object::integer(job, pointer).unwrap_or(default)).unwrap_or(0)
        };
        let (wanted, at_once) = (number("/spec/completions", 1), number("/spec/parallelism", 1));
        let started = object::time(job, "/status/startTime").unwrap_or(now);
        let deadline = object::integer(job, "/spec/activeDeadlineSeconds");
        let deadline = deadline.map(|seconds| started + Duration::from_secs(seconds.unsigned_abs()));
        let verdict = if let Some(what) = unsupported(job) {
            Some(("Failed", "Unsupported", what))
        } else if succeeded >= wanted {
            Some(("Complete", "CompletionsReached", "Reached expected number of succeeded pods"))
        } else if failed > number("/spec/backoffLimit", 6) {
            Some(("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"))
        } else if deadline.is_some_and(|deadline| deadline <= now) {
            Some(("Failed", "DeadlineExceeded", "Job was active longer than specified deadline"))
        } else {
            None
        };
        let mut running = active.len();
        if verdict.is_some() {
            for pod in &active {
                let _ = self.hand.delete("Pod", object::namespace(pod), object::name(pod));
            }
            running = 0;
        } else {
            for _ in active.len()..at_once.min(wanted.saturating_sub(succeeded)) {
                // A namespace that is going away takes no pods.
                running += usize::from(self.hand.create("Pod", pod_of(job)).is_ok());
            }
        }
        self.report(job, ((running, succeeded, failed), verdict), (started, now));
        deadline.filter(|due| verdict.is_none() && *due > now)
    }

    fn report(
        &self,
        job: &Value,
        ((active, succeeded, failed), verdict): ((usize, usize, usize), Option<Verdict>),
        (started, now): (Time, Time),
    ) {
        let counted = |count: usize| if count == 0 { Value::Null } else { json!(count) };
        let mut status = json!({
            "active": counted(active), "succeeded": counted(succeeded), "failed": counted(failed), "startTime": started,
        });
        if let Some((kind, reason, message)) = verdict {
            let condition = json!({
                "type": kind, "status": "True", "reason": reason, "message": message,
                "lastProbeTime": now, "lastTransitionTime": now,
            });
            object::put(&mut status, &["conditions"], json!([condition]));
            if kind == "Complete" {
                object::put(&mut status, &["completionTime"], json!(now));
            }
        }
        if !object::already_says(job.get("status"), &status) {
            // A Job that is gone needs no status.
            let key = (object::namespace(job), object::name(job));
            let _ = self.hand.merge_status("Job", key, &json!({ "status": status }));
        }
    }
}

impl Model for Jobs {
    fn tick(&mut self, now: Time) -> Option<Time> {
        for event in self.feed.pull().events {
            let Some(object) = event.object() else { continue };
            if event.kind == "Job" {
                self.agenda.add(key_of(object), now + self.lag);
            } else if let Some(job) = object::label(object, LABEL) {
                self.agenda.add((object::namespace(object).to_owned(), job.to_owned()), now + self.lag);
            }
        }
        for key in self.agenda.take(now) {
            let Some(job) = self.hand.get("Job", &key.0, &key.1) else { continue };
            if let Some(timer) = self.settle(&job, now) {
                self.agenda.add(key, timer);
            }
        }
        self.agenda.next()
    }
}

/// The condition's type, reason and message.
type Verdict = (&'static str, &'static str, &'static str);

fn ended(job: &Value) -> bool {
    let is_true = |condition: &Value| object::text(condition, "/status") == "True";
    object::list(job, "/status/conditions").iter().any(is_true)
}

fn unsupported(job: &Value) -> Option<&'static str> {
    if object::text(job, "/spec/completionMode") == "Indexed" {
        return Some("this model has no indexed completion: leave spec.completionMode out");
    }
    if job.pointer("/spec/suspend") == Some(&json!(true)) {
        return Some("this model has no suspension: leave spec.suspend out");
    }
    job.pointer("/spec/podFailurePolicy")
        .map(|_| "this model has no pod failure policy: leave spec.podFailurePolicy out")
}

fn pod_of(job: &Value) -> Value {
    let at = |pointer: &str| job.pointer(pointer).cloned().unwrap_or_else(|| json!({}));
    let mut pod = json!({
        "metadata": {
            "generateName": format!("{}-", object::name(job)),
            "namespace": object::namespace(job),
            "labels": at("/spec/template/metadata/labels"),
            "annotations": at("/spec/template/metadata/annotations"),
            "ownerReferences": [{
                "apiVersion": "batch/v1", "kind": "Job", "name": object::name(job), "uid": object::uid(job),
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": at("/spec/template/spec"),
    });
    object::put(&mut pod, &["metadata", "labels", LABEL], json!(object::name(job)));
    object::put(&mut pod, &["metadata", "labels", "job-name"], json!(object::name(job)));
    pod
}

#[cfg(test)]
mod tests;
