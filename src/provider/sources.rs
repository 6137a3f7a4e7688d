//! Chooses the source of a metric, carries out a task with it, and hides secrets in what comes back.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::http::Clients;
use super::prometheus::Prometheus;
use super::source::{Clock, MetricSource, Request, in_error};
use crate::analysis::run::{Action, Finished, Task};
use crate::analysis::substitute::Redactor;
use crate::analysis::support::unsupported;
use crate::api::analysis::{Measurement, Metric};
use crate::api::text::{shortened, within};

/// Bytes of a value, or of an entry of the metadata, that a measurement may put into a status: ten measurements of
/// twenty metrics have to fit into one object, and a run whose status cannot be written never ends.
pub const MAX_VALUE_BYTES: usize = 4 << 10;

/// What the sources take from the process.
#[derive(Clone)]
pub struct Settings {
    /// Address of the Prometheus for metrics that name none (`ARGO_ROLLOUTS_PROMETHEUS_ADDRESS`); empty for none.
    pub prometheus_address: String,
    /// The time.
    pub clock: Clock,
}

/// All metric sources.
pub struct Sources {
    prometheus: Prometheus,
    clock: Clock,
}

impl Sources {
    /// The sources. Opens no connection.
    pub fn new(settings: Settings) -> Self {
        let clients = Arc::new(Clients::default());
        let clock = settings.clock.clone();
        Self { prometheus: Prometheus::new(clients, settings.prometheus_address, settings.clock), clock }
    }

    /// The source of a metric.
    ///
    /// # Errors
    /// The metric's provider is not supported.
    pub fn of(&self, metric: &Metric) -> Result<&dyn MetricSource, String> {
        if let Some(refusal) = unsupported(metric) {
            return Err(refusal);
        }
        match metric.provider.prometheus {
            Some(_) => Ok(&self.prometheus),
            None => Err(format!("metric '{}': no provider specified", metric.name)),
        }
    }

    /// Carries out a task. `request` holds the metric with its secrets, `redactor` knows them.
    pub async fn carry_out(&self, task: Task, request: Request<'_>, redactor: &Redactor) -> Finished {
        let (measurement, metadata) = match self.of(request.metric) {
            Ok(source) => {
                let measurement = match &task.action {
                    Action::Measure => source.measure(request).await,
                    Action::Resume(open) => source.resume(request, open.clone()).await,
                    Action::Terminate(open) => source.terminate(request, open.clone()).await,
                };
                (measurement, source.metadata(request.metric))
            }
            Err(refusal) => (self.refused(&task, refusal), BTreeMap::new()),
        };
        let hide = |text: &str| redactor.redact(text);
        let metadata = metadata.iter().map(|(key, value)| (key.clone(), bounded(hide(value)))).collect();
        Finished { task, measurement: public(measurement, &hide), metadata }
    }

    fn refused(&self, task: &Task, refusal: String) -> Measurement {
        let now = (self.clock)();
        let begun = match &task.action {
            Action::Measure => Measurement { started_at: Some(now), ..Measurement::default() },
            Action::Resume(open) | Action::Terminate(open) => open.clone(),
        };
        in_error(begun, refusal, now)
    }
}

/// The measurement as people may read it.
fn public(mut measurement: Measurement, hide: &dyn Fn(&str) -> String) -> Measurement {
    measurement.message = shortened(hide(&measurement.message));
    measurement.value = bounded(measurement.value);
    for value in measurement.metadata.values_mut() {
        *value = bounded(hide(value));
    }
    measurement
}

/// The beginning of a value that is too long.
fn bounded(text: String) -> String {
    within(text, MAX_VALUE_BYTES)
}
