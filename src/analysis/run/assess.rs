//! What measurements mean: the phase of each metric, and of the run. Argo: `assessMetricStatus`, `assessRunStatus`.

use std::fmt::Write as _;

use crate::analysis::limits;
use crate::analysis::phase::Phase;
use crate::api::analysis::{AnalysisRunStatus, Metric, MetricResult, RunSummary};
use crate::api::time::Time;

use super::check::Checked;
use super::event::Event;
use super::tasks::{Course, course};

/// A limit of a metric that its measurements went beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What the metric ends as.
    pub phase: Phase,
    /// Which limit, with the numbers.
    pub message: String,
}

/// The limit that a metric's measurements went beyond; of several error counts before inconclusive before failed.
pub fn limit_reached(metric: &Metric, result: &MetricResult) -> Option<Limit> {
    let failures = limits::failure_limit(metric);
    let inconclusives = limits::inconclusive_limit(metric);
    let errors = limits::consecutive_error_limit(metric);
    if result.consecutive_error > errors {
        let message = format!("consecutiveErrors ({}) > consecutiveErrorLimit ({errors})", result.consecutive_error);
        return Some(Limit { phase: Phase::Error, message });
    }
    if result.inconclusive > inconclusives {
        let message = format!("inconclusive ({}) > inconclusiveLimit ({inconclusives})", result.inconclusive);
        return Some(Limit { phase: Phase::Inconclusive, message });
    }
    if failures >= 0 && result.failed > failures {
        let message = format!("failed ({}) > failureLimit ({failures})", result.failed);
        return Some(Limit { phase: Phase::Failed, message });
    }
    None
}

/// The phase of a metric.
pub fn assess_metric(metric: &Metric, result: &MetricResult, course: Course) -> Phase {
    if let Some(done) = Phase::parse(&result.phase).filter(|phase| phase.completed()) {
        return done;
    }
    let Some(last) = result.measurements.last() else {
        return if course == Course::Ending { Phase::Successful } else { Phase::Pending };
    };
    if !Phase::text_completed(&last.phase) {
        return Phase::Running;
    }
    if let Some(limit) = limit_reached(metric, result) {
        return limit.phase;
    }
    let wanted = limits::consecutive_success_limit(metric);
    if wanted > 0 && result.consecutive_success >= wanted {
        return Phase::Successful;
    }
    if limits::effective_count(metric).is_some_and(|count| result.count >= count) {
        return match wanted > 0 {
            true if limits::failure_limit(metric) < 0 => Phase::Failed,
            true => Phase::Inconclusive,
            false => Phase::Successful,
        };
    }
    if course == Course::Ending { Phase::Successful } else { Phase::Running }
}

/// What a run's measurements mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// The status with metrics, summaries and start; its phase and message are still the old ones.
    pub status: AnalysisRunStatus,
    /// The phase of the run.
    pub phase: Phase,
    /// Its message.
    pub message: String,
    /// Metrics that this assessment completed.
    pub events: Vec<Event>,
}

impl Assessment {
    /// The status with the assessed phase, if that is new, and all events.
    pub fn conclude(self, now: Time) -> (AnalysisRunStatus, Vec<Event>) {
        let Self { mut status, phase, message, mut events } = self;
        if status.phase != phase.as_str() {
            phase.as_str().clone_into(&mut status.phase);
            status.message = message;
            if phase.completed() {
                status.completed_at = Some(now);
                events.push(Event::run(phase));
            }
        }
        (status, events)
    }
}

/// The worst metric so far.
#[derive(Default)]
struct Worst {
    phase: Option<Phase>,
    message: String,
}

impl Worst {
    fn consider(&mut self, result: &MetricResult, phase: Phase, limit: Option<&Limit>) {
        if self.phase.is_some_and(|worst| phase <= worst) {
            return;
        }
        self.phase = Some(phase);
        let Some(limit) = limit else { return };
        self.message = format!("Metric \"{}\" assessed {phase} due to {}", result.name, limit.message);
        if !result.message.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(self.message, ": \"Error Message: {}\"", result.message);
        }
    }
}

fn count_in(summary: &mut RunSummary, limit: Option<&Limit>) {
    let counter = match limit.map(|limit| limit.phase) {
        Some(Phase::Error) => &mut summary.error,
        Some(Phase::Failed) => &mut summary.failed,
        Some(Phase::Inconclusive) => &mut summary.inconclusive,
        _ => &mut summary.successful,
    };
    *counter = counter.saturating_add(1);
}

/// Assesses every metric, and the run.
pub fn assess_run(checked: &Checked, mut status: AnalysisRunStatus, now: Time) -> Assessment {
    let course = course(checked, &status);
    let mut worst = Worst::default();
    if checked.terminate {
        "Run Terminated".clone_into(&mut worst.message);
    }
    let (mut counted, mut dry) = (RunSummary::default(), RunSummary::default());
    let mut events = Vec::new();
    let mut all_complete = true;
    status.started_at = status.started_at.or(Some(now));
    for metric in &checked.metrics {
        let is_dry = checked.dry_run.contains(&metric.name);
        let summary = if is_dry { &mut dry } else { &mut counted };
        summary.count = summary.count.saturating_add(1);
        let found = status.metric_results.iter_mut().find(|result| result.name == metric.name);
        let Some(result) = found else {
            all_complete = false;
            continue;
        };
        let phase = update(metric, result, course, &mut events);
        if !phase.completed() {
            all_complete = false;
            continue;
        }
        let limit = limit_reached(metric, result);
        count_in(summary, limit.as_ref());
        match limit {
            Some(limit) if is_dry => result.message = format!("Metric assessed {phase} due to {}", limit.message),
            _ if is_dry => {}
            limit => worst.consider(result, phase, limit.as_ref()),
        }
    }
    status.run_summary = counted;
    status.dry_run_summary = Some(dry);
    let (phase, message) = match (course, all_complete) {
        (Course::Open, false) => (Phase::Running, String::new()),
        _ => (worst.phase.unwrap_or(Phase::Successful), worst.message),
    };
    Assessment { status, phase, message, events }
}

/// Gives a metric's result its phase; where that is new, also the message of the last measurement.
fn update(metric: &Metric, result: &mut MetricResult, course: Course, events: &mut Vec<Event>) -> Phase {
    let phase = assess_metric(metric, result, course);
    if result.phase != phase.as_str() {
        if let Some(last) = result.measurements.last() {
            result.message.clone_from(&last.message);
        }
        phase.as_str().clone_into(&mut result.phase);
        if phase.completed() {
            events.push(Event::metric(&metric.name, phase));
        }
    }
    phase
}
