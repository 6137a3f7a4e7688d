//! What every metric source is to its caller.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::analysis::Phase;
use crate::api::analysis::{Measurement, Metric};
use crate::api::time::Time;

/// Tells the time; given from outside so that tests and simulations have their own.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// A measurement that is being taken.
pub type MeasureFuture<'a> = Pin<Box<dyn Future<Output = Measurement> + Send + 'a>>;

/// What is to be measured.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The metric with its arguments, secrets included: not to be printed.
    pub metric: &'a Metric,
    /// Name of the `AnalysisRun`.
    pub run: &'a str,
    /// Namespace of the `AnalysisRun`.
    pub namespace: &'a str,
    /// Identity of the `AnalysisRun`.
    pub uid: &'a str,
}

/// A source of measurements. Whatever goes wrong is a measurement in phase Error.
pub trait MetricSource: Send + Sync {
    /// The name of the source's kind, as the controller's own metrics label it.
    fn kind(&self) -> &'static str;

    /// What the status says of the metric beside its measurements.
    fn metadata(&self, metric: &Metric) -> BTreeMap<String, String>;

    /// Takes a measurement, or begins one.
    fn measure<'a>(&'a self, request: Request<'a>) -> MeasureFuture<'a>;

    /// Looks again at a measurement that is not finished. A source that finishes at once has nothing to add.
    fn resume<'a>(&'a self, _request: Request<'a>, open: Measurement) -> MeasureFuture<'a> {
        Box::pin(async move { open })
    }

    /// Ends a measurement that is not finished.
    fn terminate<'a>(&'a self, _request: Request<'a>, open: Measurement) -> MeasureFuture<'a> {
        Box::pin(async move { open })
    }
}

/// `begun`, ended by an error at `now`.
pub(super) fn in_error(begun: Measurement, message: String, now: Time) -> Measurement {
    Measurement { phase: Phase::Error.to_string(), message, finished_at: Some(now), ..begun }
}
