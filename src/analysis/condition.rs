//! From a provider's result to a verdict: the two conditions of a metric (Argo: `utils/evaluate/evaluate.go`).
//!
//! It never asks the provider, and never stores anything; callers that judge often compile the conditions once.

use super::expr::{self, Environment, EvalError, Program, Shape, Value};
use crate::api::Time;

/// What a measurement means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The success condition holds, or there is none and the failure condition does not hold.
    Successful,
    /// The failure condition holds, or there is none and the success condition does not hold.
    Failed,
    /// Neither of two conditions holds.
    Inconclusive,
    /// A condition could not be evaluated.
    Error,
}

impl Verdict {
    /// The phase of the measurement in the API.
    pub const fn phase(self) -> &'static str {
        match self {
            Self::Successful => "Successful",
            Self::Failed => "Failed",
            Self::Inconclusive => "Inconclusive",
            Self::Error => "Error",
        }
    }
}

/// Both conditions of a metric, compiled for results of one shape. A condition that does not compile keeps its error:
/// it is the success condition's trouble that counts first, whatever it is.
#[derive(Clone, Debug)]
pub struct Conditions {
    success: Option<Condition>,
    failure: Option<Condition>,
}

#[derive(Clone, Debug)]
struct Condition {
    field: &'static str,
    source: String,
    program: Result<Program, EvalError>,
}

impl Condition {
    fn new(field: &'static str, source: Option<&str>, shape: Shape) -> Option<Self> {
        // An empty condition is none.
        let source = source.filter(|source| !source.is_empty())?.to_owned();
        let program = expr::compile(&source, shape).map_err(EvalError::from);
        Some(Self { field, source, program })
    }

    /// Whether it holds; or the message of the measurement that cannot be judged.
    fn holds(&self, result: &Value, now: Time) -> Result<bool, String> {
        let program = self.program.as_ref().map_err(Clone::clone);
        program.and_then(|program| program.evaluate_bool(Environment { result, now })).map_err(|error| {
            let cause = if result.is_nil_or_empty() {
                "metric result is nil or empty: no data returned from the metric provider".to_owned()
            } else {
                error.to_string()
            };
            format!("could not evaluate {} \"{}\": {cause}", self.field, self.source)
        })
    }
}

impl Conditions {
    /// Compiles the conditions for results of `shape`; unset and empty ones do not count.
    pub fn compile(success: Option<&str>, failure: Option<&str>, shape: Shape) -> Self {
        Self {
            success: Condition::new("successCondition", success, shape),
            failure: Condition::new("failureCondition", failure, shape),
        }
    }

    /// Judges one result. The message is empty unless the verdict is [`Verdict::Error`].
    pub fn judge(&self, result: &Value, now: Time) -> (Verdict, String) {
        match self.outcome(result, now) {
            Ok(verdict) => (verdict, String::new()),
            Err(message) => (Verdict::Error, message),
        }
    }

    fn outcome(&self, result: &Value, now: Time) -> Result<Verdict, String> {
        let holds = |condition: &Option<Condition>| {
            condition.as_ref().map(|condition| condition.holds(result, now)).transpose()
        };
        let success = holds(&self.success)?;
        let failure = holds(&self.failure)?;
        Ok(match (success, failure) {
            (_, Some(true)) | (Some(false), None) => Verdict::Failed,
            (Some(false), Some(false)) => Verdict::Inconclusive,
            (Some(true) | None, _) => Verdict::Successful,
        })
    }
}

/// Judges `result` by the conditions of its metric, at the time `now`.
pub fn judge(success: Option<&str>, failure: Option<&str>, result: &Value, now: Time) -> (Verdict, String) {
    Conditions::compile(success, failure, Shape::of(result)).judge(result, now)
}
