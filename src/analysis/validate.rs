//! Which metric lists a run can carry out. Checked after substitution, at each look at a run; the texts are the contract's.

use std::collections::BTreeSet;

use crate::api::analysis::Metric;
use crate::api::duration::{GoDuration, ParseDurationError};
use crate::api::metric_provider::MetricProvider;

use super::limits;

/// Why a list of metrics cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetricsError {
    /// The list is empty.
    #[error("no metrics specified")]
    Empty,
    /// Two metrics share a name.
    #[error("metrics[{index}]: duplicate name '{name}'")]
    Duplicate {
        /// Position of the second one.
        index: usize,
        /// The name.
        name: String,
    },
    /// One metric is wrong in itself.
    #[error("metrics[{index}]: {error}")]
    Metric {
        /// Its position.
        index: usize,
        /// What is wrong.
        error: MetricError,
    },
}

/// What is wrong with one metric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum MetricError {
    #[error("consecutiveSuccessLimit must be >= 0")]
    ConsecutiveSuccessLimit,
    #[error("failureLimit must be >= 0, or -1 to be disabled")]
    FailureLimit,
    #[error("failureLimit and consecutiveSuccessLimit cannot both be disabled")]
    BothDisabled,
    #[error("inconclusiveLimit must be >= 0")]
    InconclusiveLimit,
    #[error("consecutiveErrorLimit must be >= 0")]
    ConsecutiveErrorLimit,
    #[error("count ({count}) must be >= failureLimit + consecutiveSuccessLimit ({failure} + {success}) if both >= 0")]
    CountBelowBoth { count: i32, failure: i32, success: i32 },
    #[error("count must be >= consecutiveSuccessLimit")]
    CountBelowSuccess,
    #[error("count must be >= inconclusiveLimit")]
    CountBelowInconclusive,
    #[error("interval must be specified when count > 1")]
    NoInterval,
    #[error("invalid interval string: {0}")]
    Interval(ParseDurationError),
    #[error("invalid startDelay string: {0}")]
    InitialDelay(ParseDurationError),
    #[error("no provider specified")]
    NoProvider,
    #[error("multiple providers specified")]
    SeveralProviders,
}

/// Checks a run's metrics, substituted.
///
/// # Errors
/// The first thing that is wrong, in the order of the list.
pub fn metrics(metrics: &[Metric]) -> Result<(), MetricsError> {
    if metrics.is_empty() {
        return Err(MetricsError::Empty);
    }
    let mut names = BTreeSet::new();
    for (index, metric) in metrics.iter().enumerate() {
        if !names.insert(metric.name.as_str()) {
            return Err(MetricsError::Duplicate { index, name: metric.name.clone() });
        }
        one(metric).map_err(|error| MetricsError::Metric { index, error })?;
    }
    Ok(())
}

fn one(metric: &Metric) -> Result<(), MetricError> {
    numbers(metric)?;
    durations(metric)?;
    match providers(&metric.provider) {
        0 => Err(MetricError::NoProvider),
        1 => Ok(()),
        _ => Err(MetricError::SeveralProviders),
    }
}

fn numbers(metric: &Metric) -> Result<(), MetricError> {
    let count = limits::count(metric);
    let failure = limits::failure_limit(metric);
    let success = limits::consecutive_success_limit(metric);
    let inconclusive = limits::inconclusive_limit(metric);
    let checks = [
        (success < 0, MetricError::ConsecutiveSuccessLimit),
        (failure < -1, MetricError::FailureLimit),
        (failure == -1 && success == 0, MetricError::BothDisabled),
        (inconclusive < 0, MetricError::InconclusiveLimit),
        (limits::consecutive_error_limit(metric) < 0, MetricError::ConsecutiveErrorLimit),
        (
            count > 0 && failure >= 0 && i64::from(count) < i64::from(failure) + i64::from(success),
            MetricError::CountBelowBoth { count, failure, success },
        ),
        (count > 0 && count < success, MetricError::CountBelowSuccess),
        (count > 0 && count < inconclusive, MetricError::CountBelowInconclusive),
        (count > 1 && metric.interval.is_empty(), MetricError::NoInterval),
    ];
    checks.into_iter().find(|(wrong, _)| *wrong).map_or(Ok(()), |(_, error)| Err(error))
}

fn durations(metric: &Metric) -> Result<(), MetricError> {
    let check = |text: &str| if text.is_empty() { Ok(()) } else { GoDuration::parse(text).map(|_| ()) };
    check(&metric.interval).map_err(MetricError::Interval)?;
    check(&metric.initial_delay).map_err(MetricError::InitialDelay)
}

/// How many providers are set; each plugin counts.
fn providers(provider: &MetricProvider) -> usize {
    let built_in = [
        provider.prometheus.is_some(),
        provider.kayenta.is_some(),
        provider.web.is_some(),
        provider.datadog.is_some(),
        provider.wavefront.is_some(),
        provider.new_relic.is_some(),
        provider.job.is_some(),
        provider.cloud_watch.is_some(),
        provider.graphite.is_some(),
        provider.influxdb.is_some(),
        provider.skywalking.is_some(),
    ];
    let plugins = provider.plugin.as_ref().map_or(0, std::collections::BTreeMap::len);
    built_in.into_iter().filter(|set| *set).count() + plugins
}

#[cfg(test)]
mod tests;
