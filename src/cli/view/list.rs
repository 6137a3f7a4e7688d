//! One line for each Rollout or Experiment.

use std::fmt::Write as _;

use serde::Serialize;

use super::age::{age, human_duration};
use super::table::Table;
use super::weight;
use crate::api::duration::GoDuration;
use crate::api::time::Time;
use crate::api::{Experiment, Rollout};
use crate::rollout::status::phase::{self, TemplateSource};

const NONE: &str = "-";
const NAMESPACE_WIDTH: usize = 9;
const NAME_WIDTH: usize = 10;

/// What a list shows of a Rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutLine {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// `Canary`, `BlueGreen` or `unknown`.
    pub strategy: String,
    /// Phase as clients compute it.
    pub status: String,
    /// Why.
    pub message: String,
    /// `1/4`, or `-`.
    pub step: String,
    /// Weight that the steps ask for, or `-`.
    pub set_weight: String,
    /// Ready pods.
    pub ready: i32,
    /// Pods.
    pub current: i32,
    /// Wanted pods.
    pub desired: i32,
    /// Pods of the new revision.
    pub updated: i32,
    /// Available pods.
    pub available: i32,
}

/// Which columns a list has before the others, and how wide the names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Columns {
    /// The instant to print before each line, if any.
    pub timestamp: Option<Time>,
    /// Width of the namespace; `None` without that column.
    pub namespace: Option<usize>,
    /// Width of the name.
    pub name: usize,
}

impl Columns {
    /// Widths that fit `lines`; never narrower than the least.
    pub fn fitting(lines: &[RolloutLine], timestamp: Option<Time>, namespaces: Namespaces) -> Self {
        let widest = |least: usize, of: fn(&RolloutLine) -> &str| {
            lines.iter().map(|line| of(line).chars().count()).fold(least, usize::max)
        };
        let namespace = (namespaces == Namespaces::All).then(|| widest(NAMESPACE_WIDTH, |line| &line.namespace));
        Self { timestamp, namespace, name: widest(NAME_WIDTH, |line| &line.name) }
    }

    fn before(&self, timestamp: &str, namespace: &str, name: &str) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        if self.timestamp.is_some() {
            let _ = write!(text, "{timestamp:<20}  ");
        }
        if let Some(width) = self.namespace {
            let _ = write!(text, "{namespace:<width$}  ");
        }
        let _ = write!(text, "{name:<width$}  ", width = self.name);
        text
    }

    /// The headings, with end of line.
    pub fn headings(&self) -> String {
        let before = self.before("TIMESTAMP", "NAMESPACE", "NAME");
        format!(
            "{before}{:<9}  {:<12}  {:<4}  {:<10}  {:<5}  {:<7}  {:<10}  {:<9}\n",
            "STRATEGY", "STATUS", "STEP", "SET-WEIGHT", "READY", "DESIRED", "UP-TO-DATE", "AVAILABLE"
        )
    }

    /// One Rollout, with end of line.
    pub fn line(&self, line: &RolloutLine) -> String {
        let timestamp = self.timestamp.map(|time| time.to_string()).unwrap_or_default();
        let before = self.before(&timestamp, &line.namespace, &line.name);
        let ready = format!("{}/{}", line.ready, line.current);
        format!(
            "{before}{:<9}  {:<12}  {:<4}  {:<10}  {ready:<5}  {:<7}  {:<10}  {:<9}\n",
            line.strategy, line.status, line.step, line.set_weight, line.desired, line.updated, line.available
        )
    }
}

/// One namespace, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespaces {
    /// The current one: no column.
    One,
    /// All: a column.
    All,
}

/// What a list shows of a Rollout.
pub fn rollout_line(rollout: &Rollout) -> RolloutLine {
    let shown = phase::client(rollout, TemplateSource::Own);
    let strategy = &rollout.spec.strategy;
    let is_canary = strategy.canary.is_some();
    let name = if is_canary {
        "Canary"
    } else if strategy.blue_green.is_some() {
        "BlueGreen"
    } else {
        "unknown"
    };
    let status = &rollout.status;
    RolloutLine {
        namespace: rollout.metadata.namespace.clone(),
        name: rollout.metadata.name.clone(),
        strategy: name.to_owned(),
        status: shown.phase.to_owned(),
        message: shown.message,
        step: weight::step(rollout).unwrap_or_else(|| NONE.to_owned()),
        set_weight: if is_canary { weight::set_weight(rollout).to_string() } else { NONE.to_owned() },
        ready: status.ready_replicas,
        current: status.replicas,
        desired: rollout.spec.replicas.unwrap_or(1),
        updated: status.updated_replicas,
        available: status.available_replicas,
    }
}

/// Lines of all Rollouts, by namespace and name.
pub fn rollout_lines<'a>(rollouts: impl IntoIterator<Item = &'a Rollout>) -> Vec<RolloutLine> {
    let mut lines: Vec<RolloutLine> = rollouts.into_iter().map(rollout_line).collect();
    lines.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    lines
}

/// A table of Rollouts with its headings.
pub fn rollouts(lines: &[RolloutLine], columns: &Columns) -> String {
    lines.iter().fold(columns.headings(), |text, line| text + &columns.line(line))
}

/// A table of Experiments with its headings.
pub fn experiments(experiments: &[Experiment], namespaces: Namespaces, now: Time) -> String {
    let all = namespaces == Namespaces::All;
    let namespace: &[&str] = if all { &["NAMESPACE"] } else { &[] };
    let mut table = Table::new(&[namespace, &["NAME", "STATUS", "DURATION", "REMAINING", "AGE"]].concat());
    let mut sorted: Vec<&Experiment> = experiments.iter().collect();
    sorted.sort_by_key(|experiment| experiment.metadata.path());
    for experiment in sorted {
        let meta = &experiment.metadata;
        let (duration, remaining) = durations(experiment, now);
        let mut row = vec![
            format!("{:<10}", meta.name),
            format!("{:<6}", experiment.status.phase),
            format!("{duration:<8}"),
            format!("{remaining:<9}"),
            format!("{:<3}", age(meta.creation_timestamp, now)),
        ];
        if all {
            row.insert(0, format!("{:<9}", meta.namespace));
        }
        table.row(row);
    }
    table.render()
}

/// How long an Experiment runs, and how long it will still; `-` where that is unknown.
fn durations(experiment: &Experiment, now: Time) -> (String, String) {
    let none = || NONE.to_owned();
    let Ok(duration) = GoDuration::parse(&experiment.spec.duration) else { return (none(), none()) };
    let duration = duration.to_std();
    let status = &experiment.status;
    let completed = matches!(status.phase.as_str(), "Successful" | "Failed" | "Error" | "Inconclusive");
    let left = status.available_at.filter(|_| !completed).map(|since| now.until(since + duration));
    let remaining = left.filter(|left| !left.is_zero()).map_or_else(none, human_duration);
    (human_duration(duration), remaining)
}
