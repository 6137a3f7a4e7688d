//! Rules that choose metrics by a regular expression on their names: dry run, and how many measurements are kept.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::analysis::Metric;
use crate::api::rollout::{DryRun, MeasurementRetention};

use super::re2;

/// A rule that chooses nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{list}[{index}]: Rule didn't match any metric name(s)")]
pub struct RuleError {
    list: &'static str,
    index: usize,
}

/// Names of the metrics that do not count.
///
/// # Errors
/// The first rule that matches no metric; an expression that is none matches nothing.
pub fn dry_run<'m>(rules: &[DryRun], metrics: &'m [Metric]) -> Result<BTreeSet<&'m str>, RuleError> {
    let mut out = BTreeSet::new();
    for (index, rule) in rules.iter().enumerate() {
        let names = matching(&rule.metric_name, metrics);
        if names.is_empty() {
            return Err(RuleError { list: "dryRun", index });
        }
        out.extend(names);
    }
    Ok(out)
}

/// Measurements kept by name of metric; of several rules for one metric the last counts.
///
/// # Errors
/// The first rule that matches no metric; an expression that is none matches nothing.
pub fn retention<'m>(
    rules: &[MeasurementRetention],
    metrics: &'m [Metric],
) -> Result<BTreeMap<&'m str, i32>, RuleError> {
    let mut out = BTreeMap::new();
    for (index, rule) in rules.iter().enumerate() {
        let names = matching(&rule.metric_name, metrics);
        if names.is_empty() {
            return Err(RuleError { list: "measurementRetention", index });
        }
        out.extend(names.into_iter().map(|name| (name, rule.limit)));
    }
    Ok(out)
}

/// Names that the expression matches anywhere.
fn matching<'m>(expression: &str, metrics: &'m [Metric]) -> Vec<&'m str> {
    let Ok(pattern) = re2::compile(expression) else { return Vec::new() };
    metrics.iter().map(|metric| metric.name.as_str()).filter(|name| pattern.is_match(name)).collect()
}
