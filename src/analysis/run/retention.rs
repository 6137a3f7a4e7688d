//! How long measurements and finished runs are kept.

use std::time::Duration;

use crate::analysis::phase::Phase;
use crate::api::analysis::{AnalysisRun, AnalysisRunStatus};
use crate::api::time::Time;

use super::check::Checked;

/// Measurements that a metric keeps where no rule says otherwise.
pub const DEFAULT_MEASUREMENTS: usize = 10;

/// Drops the oldest measurements beyond what each metric keeps. A rule of 0 or less does not count.
pub fn trim(status: &mut AnalysisRunStatus, checked: &Checked) {
    for result in &mut status.metric_results {
        let rule = checked.retention.get(&result.name).copied().filter(|limit| *limit > 0);
        let kept = rule.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(DEFAULT_MEASUREMENTS);
        let surplus = result.measurements.len().saturating_sub(kept);
        result.measurements.drain(..surplus);
    }
}

/// From when on a finished run is deleted; `None`: it is kept.
///
/// The elapsed *whole* seconds must exceed the wanted ones, as in Argo, hence one second more.
pub fn expires_at(run: &AnalysisRun) -> Option<Time> {
    let ttl = run.spec.ttl_strategy.as_ref()?;
    let completed = run.status.completed_at?;
    let seconds = match Phase::parse(&run.status.phase)? {
        Phase::Successful => ttl.seconds_after_success.or(ttl.seconds_after_completion),
        Phase::Failed => ttl.seconds_after_failure.or(ttl.seconds_after_completion),
        Phase::Error | Phase::Inconclusive => ttl.seconds_after_completion,
        Phase::Running | Phase::Pending => None,
    }?;
    Some(completed + Duration::from_secs(u64::try_from(seconds).unwrap_or(0).saturating_add(1)))
}
