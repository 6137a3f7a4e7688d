//! A small model of the AnalysisRun controller: each run takes some time and ends as the script says.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;

/// How runs end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// With one good measurement.
    Successful,
    /// With one bad measurement.
    Failed,
    /// Without a measurement.
    Error,
    /// With one measurement that says nothing.
    Inconclusive,
    /// Successful by its phase, without any measurement.
    Empty,
    /// Never.
    Running,
}

impl Outcome {
    const fn phase(self) -> &'static str {
        match self {
            Self::Successful | Self::Empty => "Successful",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Inconclusive => "Inconclusive",
            Self::Running => "Running",
        }
    }

    /// The status of a run that has ended like this.
    pub fn status(self, now: Time) -> Value {
        let phase = self.phase();
        let count = |mine: Self| i32::from(self == mine);
        let measurement = json!({"phase": phase, "value": "[1]", "startedAt": now, "finishedAt": now});
        let measurements = if matches!(self, Self::Empty) { json!([]) } else { json!([measurement]) };
        json!({
            "phase": phase, "message": "", "startedAt": now, "completedAt": now,
            "metricResults": [{
                "name": "errors", "phase": phase, "count": 1 - count(Self::Empty) - count(Self::Error), "successful": count(Self::Successful),
                "failed": count(Self::Failed), "inconclusive": count(Self::Inconclusive), "error": count(Self::Error),
                "measurements": measurements,
            }],
        })
    }
}

/// The model. Its actor name is `analyst`.
#[derive(Clone)]
pub struct Analyst {
    hand: Hand,
    /// How runs end, in the order of their creation; the last goes for all that follow.
    pub outcomes: Vec<Outcome>,
    /// How long a run takes.
    pub length: Duration,
    seen: BTreeMap<String, (Time, Outcome)>,
}

impl Analyst {
    /// An analyst whose runs all succeed after a second.
    pub fn new(server: &ApiServer) -> Self {
        let length = Duration::from_secs(1);
        Self { hand: server.hand("analyst"), outcomes: vec![Outcome::Successful], length, seen: BTreeMap::new() }
    }

    /// Does what is due; returns when there is more to do.
    pub fn tick(&mut self, now: Time) -> Option<Time> {
        let mut next: Option<Time> = None;
        for run in self.hand.list("AnalysisRun", "") {
            let key = (object::namespace(&run), object::name(&run));
            let position = self.seen.len().min(self.outcomes.len().saturating_sub(1));
            let fresh = (now, self.outcomes.get(position).copied().unwrap_or(Outcome::Successful));
            let (since, outcome) = *self.seen.entry(object::uid(&run).to_owned()).or_insert(fresh);
            if matches!(object::text(&run, "/status/phase"), "Successful" | "Failed" | "Error" | "Inconclusive") {
                continue;
            }
            let stopped = run.pointer("/spec/terminate").and_then(Value::as_bool) == Some(true);
            let due = since + self.length;
            if stopped {
                self.end(key, Outcome::Empty, now);
            } else if outcome == Outcome::Running || due > now {
                let status = json!({"status": {"phase": "Running", "startedAt": since}});
                if object::text(&run, "/status/phase").is_empty() {
                    // A run that somebody has deleted meanwhile needs no status.
                    let _ = self.hand.merge_status("AnalysisRun", key, &status);
                }
                if outcome != Outcome::Running {
                    next = Some(next.map_or(due, |earlier| earlier.min(due)));
                }
            } else {
                self.end(key, outcome, now);
            }
        }
        next
    }

    fn end(&self, key: (&str, &str), outcome: Outcome, now: Time) {
        // A run that somebody has deleted meanwhile needs no status.
        let _ = self.hand.merge_status("AnalysisRun", key, &json!({"status": outcome.status(now)}));
    }
}
