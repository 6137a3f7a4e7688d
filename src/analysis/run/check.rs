//! Whether a run can be carried out as it is written, and its metrics with their arguments.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::{rules, substitute, validate};
use crate::api::analysis::{AnalysisRunSpec, Metric};

/// Says which field of a metric cannot be carried out; `None`: all can.
pub type Support = fn(&Metric) -> Option<String>;

/// A run that can be carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The metrics with their arguments; a placeholder stands for each secret.
    pub metrics: Vec<Metric>,
    /// Names of the metrics that do not count.
    pub dry_run: BTreeSet<String>,
    /// Measurements kept, by name of metric.
    pub retention: BTreeMap<String, i32>,
    /// Whether a stop was asked for.
    pub terminate: bool,
}

/// Checks a run's specification.
///
/// # Errors
/// The message that the run ends with, in phase Error.
pub fn check(spec: &AnalysisRunSpec, unsupported: Support) -> Result<Checked, String> {
    let args = substitute::without_secrets(&spec.args);
    let metrics: Vec<Metric> = spec
        .metrics
        .iter()
        .map(|metric| substitute::metric(metric, &args))
        .collect::<Result<_, _>>()
        .map_err(|error| unresolved(&error))?;
    validate::metrics(&metrics).map_err(|error| invalid(&error))?;
    let dry_run = rules::dry_run(&spec.dry_run, &metrics).map_err(|error| invalid(&error))?;
    let retention = rules::retention(&spec.measurement_retention, &metrics).map_err(|error| invalid(&error))?;
    if let Some(refusal) = metrics.iter().find_map(unsupported) {
        return Err(invalid(&refusal));
    }
    let dry_run = dry_run.into_iter().map(str::to_owned).collect();
    let retention = retention.into_iter().map(|(name, limit)| (name.to_owned(), limit)).collect();
    Ok(Checked { metrics, dry_run, retention, terminate: spec.terminate })
}

fn invalid(error: &dyn std::fmt::Display) -> String {
    format!("Analysis spec invalid: {error}")
}

/// The message of a run whose arguments have no value.
pub(crate) fn unresolved(error: &dyn std::fmt::Display) -> String {
    format!("Unable to resolve metric arguments: {error}")
}
