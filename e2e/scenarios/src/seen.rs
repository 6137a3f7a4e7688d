//! A Rollout as its watch showed it.

use serde_json::Value;

/// One state of a Rollout.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The whole object.
    pub object: Value,
}

impl Seen {
    fn text(&self, pointer: &str) -> &str {
        self.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, pointer: &str) -> i64 {
        self.object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
    }

    /// `status.phase`.
    pub fn phase(&self) -> &str {
        self.text("/status/phase")
    }

    /// `status.message`.
    pub fn message(&self) -> &str {
        self.text("/status/message")
    }

    /// Index of the current step; −1 without one.
    pub fn index(&self) -> i64 {
        self.object.pointer("/status/currentStepIndex").and_then(Value::as_i64).unwrap_or(-1)
    }

    /// Weight of the canary that was written last.
    pub fn weight(&self) -> i64 {
        self.number("/status/canary/weights/canary/weight")
    }

    /// Hash of the stable revision.
    pub fn stable(&self) -> &str {
        self.text("/status/stableRS")
    }

    /// Hash of the newest revision.
    pub fn current(&self) -> &str {
        self.text("/status/currentPodHash")
    }

    /// Whether the newest revision is the stable one.
    pub fn promoted(&self) -> bool {
        !self.stable().is_empty() && self.stable() == self.current()
    }

    /// Whether the update is aborted.
    pub fn aborted(&self) -> bool {
        self.object.pointer("/status/abort") == Some(&Value::Bool(true))
    }

    /// Revision number.
    pub fn revision(&self) -> &str {
        self.text("/metadata/annotations/rollout.argoproj.io~1revision")
    }

    /// Whether the status is about the specification that is stored.
    pub fn observed(&self) -> bool {
        let observed = self.object.pointer("/status/observedGeneration").map(ToString::to_string).unwrap_or_default();
        observed.trim_matches('"') == self.number("/metadata/generation").to_string()
    }

    /// Healthy, and about the specification that is stored.
    pub fn healthy(&self) -> bool {
        self.observed() && self.phase() == "Healthy"
    }

    /// Pods of all revisions, and of the newest.
    pub fn pods(&self) -> (i64, i64) {
        (self.number("/status/replicas"), self.number("/status/updatedReplicas"))
    }

    /// Revisions behind the active and the preview Service.
    pub fn selectors(&self) -> (&str, &str) {
        (self.text("/status/blueGreen/activeSelector"), self.text("/status/blueGreen/previewSelector"))
    }

    /// Whether it pauses at a step.
    pub fn paused_at(&self, index: i64) -> bool {
        self.observed() && self.phase() == "Paused" && self.index() == index
    }

    /// What the update waits for: code and message of each blocker.
    pub fn blockers(&self) -> Vec<(String, String)> {
        let list = self.object.pointer("/status/siskin/blockers").and_then(Value::as_array);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        list.into_iter().flatten().map(|blocker| (text(&blocker["code"]), text(&blocker["message"]))).collect()
    }

    /// One line for people; equal lines are one state.
    pub fn line(&self) -> String {
        let (pods, updated) = self.pods();
        let mut line = format!(
            "{} gen {} step {} weight {} stable {} new {} pods {pods}/{updated}",
            self.phase(),
            if self.observed() { "seen" } else { "unseen" },
            self.index(),
            self.weight(),
            self.stable(),
            self.current(),
        );
        for part in [self.message().to_owned(), format!("{:?}", self.blockers())] {
            if !part.is_empty() && part != "[]" {
                line.push_str("; ");
                line.push_str(&part);
            }
        }
        line
    }
}

/// Whether a pod is ready and stays.
pub fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    pod["metadata"]["deletionTimestamp"].is_null() && conditions.is_some_and(|list| list.iter().any(ready))
}
