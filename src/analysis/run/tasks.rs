//! Which metrics are measured now, and when to look again. Argo: `generateMetricTasks`, `calculateNextReconcileTime`.

use crate::analysis::args::after;
use crate::analysis::limits;
use crate::analysis::phase::Phase;
use crate::api::analysis::{AnalysisRunStatus, Measurement, Metric, MetricResult};
use crate::api::duration::GoDuration;
use crate::api::time::Time;

/// Seconds between an erroneous measurement and the next, and between others where no interval is given.
pub const RETRY_SECONDS: i64 = 10;
const RETRY: GoDuration = GoDuration(RETRY_SECONDS * 1_000_000_000);

/// Whether a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Measurements are taken as they become due.
    Open,
    /// No new measurements: a stop was asked for, or a metric that counts has ended badly.
    Ending,
}

/// The course of a run; `terminate` is its specification's field. Argo: `IsTerminating`.
pub fn course(spec: &super::Checked, status: &AnalysisRunStatus) -> Course {
    let bad = |result: &MetricResult| {
        let phase = Phase::parse(&result.phase);
        !result.dry_run && matches!(phase, Some(Phase::Failed | Phase::Error | Phase::Inconclusive))
    };
    if spec.terminate || status.metric_results.iter().any(bad) { Course::Ending } else { Course::Open }
}

/// What is done for a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A new measurement.
    Measure,
    /// Look again at an unfinished one.
    Resume(Measurement),
    /// End an unfinished one.
    Terminate(Measurement),
}

/// One thing to do with a metric's provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Name of the metric.
    pub metric: String,
    /// Position of the metric in the run's specification.
    pub index: usize,
    /// What to do.
    pub action: Action,
}

pub(crate) fn result_of<'s>(status: &'s AnalysisRunStatus, name: &str) -> Option<&'s MetricResult> {
    status.metric_results.iter().find(|result| result.name == name)
}

/// What is due at `now`, in the order of `metrics` (substituted).
pub fn tasks(metrics: &[Metric], status: &AnalysisRunStatus, course: Course, now: Time) -> Vec<Task> {
    let task = |(index, metric): (usize, &Metric)| {
        let action = due_action(metric, status, course, now)?;
        Some(Task { metric: metric.name.clone(), index, action })
    };
    metrics.iter().enumerate().filter_map(task).collect()
}

fn due_action(metric: &Metric, status: &AnalysisRunStatus, course: Course, now: Time) -> Option<Action> {
    let result = result_of(status, &metric.name);
    if result.is_some_and(|result| Phase::text_completed(&result.phase)) {
        return None;
    }
    let last = result.and_then(|result| result.measurements.last());
    if let Some(open) = last.filter(|last| last.finished_at.is_none()) {
        let later = open.resume_at.is_some_and(|resume| resume > now);
        return match course {
            Course::Ending => Some(Action::Terminate(open.clone())),
            Course::Open => (!later).then(|| Action::Resume(open.clone())),
        };
    }
    if course == Course::Ending {
        return None;
    }
    let due = match (result, last) {
        (Some(result), Some(last)) => repeat_due(metric, result, last, now),
        _ => first_due(metric, status, now),
    };
    due.then_some(Action::Measure)
}

/// Whether the delay before the first measurement is over; before the first look at a run it has not begun.
fn first_due(metric: &Metric, status: &AnalysisRunStatus, now: Time) -> bool {
    if metric.initial_delay.is_empty() {
        return true;
    }
    let (Some(started), Ok(delay)) = (status.started_at, GoDuration::parse(&metric.initial_delay)) else {
        return false;
    };
    after(started, delay) <= now
}

fn repeat_due(metric: &Metric, result: &MetricResult, last: &Measurement, now: Time) -> bool {
    if reached(metric, result) {
        return false;
    }
    let interval = match Phase::parse(&last.phase) {
        Some(Phase::Error) => RETRY,
        _ if metric.interval.is_empty() => RETRY,
        _ => match GoDuration::parse(&metric.interval) {
            Ok(interval) => interval,
            Err(_) => return false,
        },
    };
    last.finished_at.is_some_and(|finished| now > after(finished, interval))
}

fn reached(metric: &Metric, result: &MetricResult) -> bool {
    limits::effective_count(metric).is_some_and(|count| result.count >= count)
}

/// When the next task becomes due, be it past; `None` where none will by the passing of time alone.
///
/// A repeated measurement is due strictly *after* this instant.
pub fn next_due(metrics: &[Metric], status: &AnalysisRunStatus, now: Time) -> Option<Time> {
    metrics.iter().filter_map(|metric| metric_due(metric, status, now)).min()
}

pub(crate) fn metric_due(metric: &Metric, status: &AnalysisRunStatus, now: Time) -> Option<Time> {
    let result = result_of(status, &metric.name);
    if result.is_some_and(|result| Phase::text_completed(&result.phase)) {
        return None;
    }
    let Some((result, last)) = result.and_then(|result| Some((result, result.measurements.last()?))) else {
        if metric.initial_delay.is_empty() {
            return None;
        }
        let delay = GoDuration::parse(&metric.initial_delay).ok()?;
        return Some(after(status.started_at.unwrap_or(now), delay));
    };
    let Some(finished) = last.finished_at else { return last.resume_at };
    if reached(metric, result) {
        return None;
    }
    let interval = match Phase::parse(&last.phase) {
        Some(Phase::Error) => RETRY,
        // Without an interval no repetition is wanted.
        _ if metric.interval.is_empty() => return None,
        _ => GoDuration::parse(&metric.interval).ok()?,
    };
    Some(after(finished, interval))
}
