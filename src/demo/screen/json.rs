//! JSON for programs: one object a line. Every object names its `scene` and its `kind`; times are seconds since the
//! scene began, by the cluster's clock. The last line of a scene, of kind `result`, holds what it came to.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::words::command;
use crate::cli::session::Console;
use crate::demo::facts::{Facts, Happening};
use crate::demo::scenes::{Beat, Scene};
use crate::demo::score::{Outcome, Score};

/// Time between lines of traffic, by the cluster's clock.
const PACE: Duration = Duration::from_secs(1);

/// The screen.
pub struct Json {
    console: Console,
    scene: &'static str,
    elapsed: Duration,
    next_traffic: Duration,
    state: (String, String),
    measured: Vec<Value>,
}

fn rounded(span: Duration) -> f64 {
    (span.as_secs_f64() * 1000.0).round() / 1000.0
}

impl Json {
    /// Nothing shown yet.
    pub fn new(console: Console) -> Self {
        let zero = Duration::ZERO;
        let state = (String::new(), String::new());
        Self { console, scene: "", elapsed: zero, next_traffic: zero, state, measured: Vec::new() }
    }

    fn line(&self, kind: &str, body: Value) {
        let mut object = Map::new();
        object.insert("scene".to_owned(), json!(self.scene));
        object.insert("kind".to_owned(), json!(kind));
        object.insert("at".to_owned(), json!(rounded(self.elapsed)));
        if let Value::Object(body) = body {
            object.extend(body);
        }
        self.console.print(&format!("{}\n", Value::Object(object)));
    }

    pub(super) fn open(&mut self, scene: &Scene) {
        self.scene = scene.letter.text();
        self.elapsed = Duration::ZERO;
        self.next_traffic = Duration::ZERO;
        self.state = (String::new(), String::new());
        self.line("scene", json!({"title": scene.title, "rollout": scene.rollout, "version": scene.first}));
    }

    pub(super) fn invite(&self, kubeconfig: &Path) {
        self.line("api", json!({"kubeconfig": kubeconfig}));
    }

    pub(super) fn say(&mut self, beat: &Beat) {
        self.line("order", json!({"command": command(beat), "message": beat.say}));
    }

    pub(super) fn tell(&mut self, happening: &Happening) {
        self.line("done", json!({"message": happening.message}));
    }

    pub(super) fn show(&mut self, facts: &Facts) {
        self.elapsed = facts.elapsed;
        for event in &facts.news {
            let kind = if event.is_warning { "Warning" } else { "Normal" };
            self.line("event", json!({"type": kind, "reason": event.reason, "message": event.message}));
        }
        for measured in &facts.measured {
            let body = json!({
                "run": measured.run, "metric": measured.metric, "number": measured.number, "value": measured.value, "phase": measured.phase,
            });
            if !self.measured.contains(&body) {
                self.line("measurement", body.clone());
                self.measured.push(body);
            }
        }
        let state = (facts.phase.phase.to_owned(), facts.phase.message.clone());
        if state != self.state {
            let step = facts.rollout().and_then(|rollout| rollout.status.current_step_index);
            self.line("rollout", json!({"phase": state.0, "message": state.1, "step": step}));
            self.state = state;
        }
        if facts.elapsed >= self.next_traffic && !facts.shares.is_empty() {
            let shares: BTreeMap<&str, u64> =
                facts.shares.iter().map(|share| (share.version.as_str(), share.requests)).collect();
            let weights: BTreeMap<&str, i64> =
                facts.weights.iter().map(|(service, weight)| (service.as_str(), *weight)).collect();
            self.line("traffic", json!({"versions": shares, "weights": weights}));
            self.next_traffic = facts.elapsed + PACE;
        }
    }

    pub(super) fn score(&mut self, score: &Score) {
        let mut body = json!({
            "outcome": score.outcome.text(),
            "requests": score.sums.requests,
            "version_errors": score.sums.version_errors,
            "lost": score.sums.lost,
            "seconds": rounded(score.took),
            "blocker": score.wait.as_ref().map(|wait| json!({
                "code": wait.code, "object": wait.object, "message": wait.message, "seconds": rounded(wait.lasted),
            })),
        });
        if let (Outcome::Otherwise(why), Some(body)) = (&score.outcome, body.as_object_mut()) {
            body.insert("why".to_owned(), json!(why));
        }
        self.line("result", body);
    }
}
