//! Whether a finished run may open a gate. The phase alone does not say: a run that was stopped before it measured
//! anything ends Successful, because that is what existing clients expect to read.

use crate::analysis::limits;
use crate::analysis::phase::Phase;
use crate::analysis::run::check;
use crate::api::analysis::{AnalysisRun, Metric, MetricResult};

/// What a run says about the revision that it measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not finished.
    Open,
    /// Every metric that counts was measured as often as asked for, with success.
    Passed,
    /// Measured, and bad.
    Failed,
    /// It could not be measured.
    Error,
    /// Neither good nor bad.
    Inconclusive,
    /// The phase is Successful, and the measurements do not bear that out. The text says which metric lacks what.
    Unproven(String),
}

/// The verdict of a run. Invariant: `Passed` needs positive evidence from each metric that counts.
pub fn verdict(run: &AnalysisRun) -> Verdict {
    match Phase::parse(&run.status.phase) {
        None | Some(Phase::Running | Phase::Pending) => Verdict::Open,
        Some(Phase::Failed) => Verdict::Failed,
        Some(Phase::Error) => Verdict::Error,
        Some(Phase::Inconclusive) => Verdict::Inconclusive,
        Some(Phase::Successful) => match missing(run) {
            None => Verdict::Passed,
            Some(reason) => Verdict::Unproven(reason),
        },
    }
}

fn missing(run: &AnalysisRun) -> Option<String> {
    let checked = match check(&run.spec, |_| None) {
        Ok(checked) => checked,
        Err(message) => return Some(message),
    };
    let mut counting = checked.metrics.iter().filter(|metric| !checked.dry_run.contains(&metric.name));
    counting.find_map(|metric| {
        let result = run.status.metric_results.iter().find(|result| result.name == metric.name);
        let lack = result.map_or_else(|| Some("it was never measured".to_owned()), |result| lack(metric, result))?;
        Some(format!("metric '{}' proves nothing: {lack}", metric.name))
    })
}

/// What a metric's measurements lack to be a success.
fn lack(metric: &Metric, result: &MetricResult) -> Option<String> {
    if result.phase != Phase::Successful.as_str() {
        return Some(format!("its phase is {}", result.phase));
    }
    let in_a_row = limits::consecutive_success_limit(metric);
    if in_a_row > 0 {
        let got = result.consecutive_success;
        return (got < in_a_row).then(|| format!("{got} of {in_a_row} successes in a row"));
    }
    let Some(count) = limits::effective_count(metric) else {
        return Some("it has no end of its own and was stopped".to_owned());
    };
    if result.count < count {
        return Some(format!("it was stopped after {} of {count} measurements", result.count));
    }
    (result.successful < 1).then(|| format!("none of its {} measurements was a success", result.count))
}

#[cfg(test)]
mod tests;
