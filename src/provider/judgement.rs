//! From a number, or numbers, to a phase: the seam between the sources and the condition language.

use crate::analysis::Phase;
use crate::analysis::condition::{self, Verdict};
use crate::analysis::expr::{Value, compile_time};
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

/// The phase that the metric's conditions give to `sample` at `now`.
///
/// # Errors
/// The message of a measurement that could not be judged.
pub(super) fn judge(metric: &Metric, sample: &Sample, now: Time) -> Result<Phase, String> {
    let value = match sample {
        Sample::Number(number) => Value::Float(*number),
        Sample::List(numbers) => Value::floats(numbers.iter().copied()),
    };
    let (success, failure) = (metric.success_condition.as_str(), metric.failure_condition.as_str());
    match condition::judge(Some(success), Some(failure), &value, now) {
        (Verdict::Successful, _) => Ok(Phase::Successful),
        (Verdict::Failed, _) => Ok(Phase::Failed),
        (Verdict::Inconclusive, _) => Ok(Phase::Inconclusive),
        (Verdict::Error, message) => Err(message),
    }
}

/// The instant that an expression such as `now() - duration("5m")` names.
///
/// # Errors
/// What is wrong with the expression, or that it names no instant.
pub(super) fn instant(expression: &str, now: Time) -> Result<Time, String> {
    let program = compile_time(expression).map_err(|error| error.to_string())?;
    program.evaluate_time(now).map_err(|error| error.to_string())
}
