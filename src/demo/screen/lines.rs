//! Plain lines, for pipes and logs: one for each thing that happens, and the traffic every second.

use std::time::Duration;

use super::closing;
use super::words::{command, percent, seconds, state, value};
use crate::cli::session::Console;
use crate::cli::view::number::grouped;
use crate::cli::view::paint::{Paint, analysis_icon};
use crate::demo::facts::{Facts, Happening};
use crate::demo::scenes::{Beat, Scene, USERS};
use crate::demo::score::Score;

/// Time between lines of traffic, by the cluster's clock.
const PACE: Duration = Duration::from_secs(1);

/// The screen.
pub struct Lines {
    console: Console,
    paint: Paint,
    elapsed: Duration,
    next_traffic: Duration,
    state: String,
    measured: Vec<String>,
}

impl Lines {
    /// Nothing shown yet.
    pub fn new(console: Console, paint: Paint) -> Self {
        let zero = Duration::ZERO;
        Self { console, paint, elapsed: zero, next_traffic: zero, state: String::new(), measured: Vec::new() }
    }

    fn line(&self, kind: &str, text: &str) {
        self.console.print(&format!("{:>7}  {kind:<9} {text}\n", seconds(self.elapsed)));
    }

    pub(super) fn open(&mut self, scene: &Scene) {
        self.elapsed = Duration::ZERO;
        self.next_traffic = Duration::ZERO;
        self.state.clear();
        self.console.print(&format!(
            "\nScene {}: {}\n         {} serves {USERS} requests a second.\n",
            scene.letter.text(),
            scene.title,
            scene.first
        ));
    }

    pub(super) fn say(&mut self, beat: &Beat) {
        self.console.print(&format!("\n         {}\n         $ {}\n", beat.say, command(beat)));
    }

    pub(super) fn tell(&mut self, happening: &Happening) {
        self.line("done", &happening.message);
    }

    pub(super) fn show(&mut self, facts: &Facts) {
        self.elapsed = facts.elapsed;
        for event in &facts.news {
            let icon = if event.is_warning { self.paint.word("⚠") + " " } else { String::new() };
            self.line("event", &format!("{icon}{}: {}", event.reason, event.message));
        }
        for measured in &facts.measured {
            let key = format!("{} {} {}", measured.run, measured.metric, measured.number);
            if measured.phase.is_empty() || measured.phase == "Running" || self.measured.contains(&key) {
                continue;
            }
            let icon = self.paint.word(analysis_icon(&measured.phase));
            self.line("analysis", &format!("{icon} {} {} of the canary's requests", measured.metric, value(measured)));
            self.measured.push(key);
        }
        let state = state(facts);
        if state != self.state {
            self.line("rollout", &state);
            self.state = state;
        }
        if facts.elapsed >= self.next_traffic && !facts.shares.is_empty() {
            self.line("traffic", &traffic(facts));
            self.next_traffic = facts.elapsed + PACE;
        }
    }

    pub(super) fn score(&mut self, score: &Score) {
        self.console.print(&format!("\n{}", closing::verdict(score, self.paint)));
    }

    pub(super) fn remark(&self, text: &str) {
        self.console.print(text);
    }

    pub(super) fn close(&mut self, scores: &[Score]) {
        self.console.print(&format!("\n{}", closing::table(scores, self.paint)));
    }
}

/// `v1 90 %, v2 10 % (3 errors); 1 234 requests, 3 failed by the version, 0 lost`.
fn traffic(facts: &Facts) -> String {
    let total: u64 = facts.shares.iter().map(|share| share.requests).sum();
    let shares: Vec<String> = facts
        .shares
        .iter()
        .map(|share| {
            let name = if share.version.is_empty() { "lost" } else { &share.version };
            format!("{name} {} %", percent(share.requests, total))
        })
        .collect();
    let sums = facts.sums;
    format!(
        "{:<18} {} requests so far, {} failed by the version, {} lost",
        shares.join(", "),
        grouped(sums.requests),
        grouped(sums.version_errors),
        grouped(sums.lost)
    )
}
