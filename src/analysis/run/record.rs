//! Enters a finished task into a run's status: counts, and the measurement itself. Argo: `runMeasurements`.

use std::collections::BTreeMap;

use crate::analysis::phase::Phase;
use crate::api::analysis::{AnalysisRunStatus, Measurement, MetricResult};
use crate::api::time::Time;

use super::check::Checked;
use super::tasks::{Action, Task};

/// What came of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The task.
    pub task: Task,
    /// The measurement, whole; it may be unfinished.
    pub measurement: Measurement,
    /// What the provider says of the metric; kept from the first measurement.
    pub metadata: BTreeMap<String, String>,
}

/// Enters `finished` at `now`. A completed metric takes no more measurements, nor does one that the run does not have:
/// a late measurement is dropped.
pub fn record(status: &mut AnalysisRunStatus, checked: &Checked, finished: Finished, now: Time) {
    let name = &finished.task.metric;
    if !checked.metrics.iter().any(|metric| metric.name == *name) {
        return;
    }
    let position = status.metric_results.iter().position(|result| result.name == *name).unwrap_or_else(|| {
        status.metric_results.push(MetricResult {
            name: name.clone(),
            phase: Phase::Running.as_str().to_owned(),
            dry_run: checked.dry_run.contains(name),
            metadata: finished.metadata.clone(),
            ..MetricResult::default()
        });
        status.metric_results.len() - 1
    });
    let Some(result) = status.metric_results.get_mut(position) else { return };
    if Phase::text_completed(&result.phase) {
        return;
    }
    let mut measurement = finished.measurement;
    let phase = Phase::parse(&measurement.phase);
    if matches!(finished.task.action, Action::Terminate(_))
        && matches!(phase, Some(Phase::Successful | Phase::Inconclusive))
    {
        "Metric Terminated".clone_into(&mut measurement.message);
    }
    if let Some(phase) = phase.filter(|phase| phase.completed()) {
        measurement.finished_at = measurement.finished_at.or(Some(now));
        tally(result, phase);
    }
    let open = result.measurements.last_mut().filter(|last| last.finished_at.is_none());
    match (&finished.task.action, open) {
        (Action::Resume(_) | Action::Terminate(_), Some(open)) => *open = measurement,
        _ => result.measurements.push(measurement),
    }
}

/// An erroneous measurement is no measurement: it does not count towards the metric's count.
fn tally(result: &mut MetricResult, phase: Phase) {
    let add = |counter: &mut i32| *counter = counter.saturating_add(1);
    if phase == Phase::Error {
        add(&mut result.error);
        add(&mut result.consecutive_error);
        result.consecutive_success = 0;
        return;
    }
    add(&mut result.count);
    result.consecutive_error = 0;
    match phase {
        Phase::Successful => {
            add(&mut result.successful);
            add(&mut result.consecutive_success);
            return;
        }
        Phase::Failed => add(&mut result.failed),
        _ => add(&mut result.inconclusive),
    }
    result.consecutive_success = 0;
}
