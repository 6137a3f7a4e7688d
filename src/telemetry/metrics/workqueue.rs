//! client-go's `workqueue_*` metrics, by queue name.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{
    Error, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

use super::{counters, decades, gauges, registered, seconds};

/// Reads the work under way of a queue: the sum of its ages, and the oldest.
type Probe = Box<dyn Fn() -> (Duration, Duration) + Send + Sync>;

/// The metrics of all queues.
#[derive(Clone, Debug)]
pub struct WorkqueueMetrics {
    depth: IntGaugeVec,
    adds: IntCounterVec,
    retries: IntCounterVec,
    waited: HistogramVec,
    worked: HistogramVec,
    under_way: UnderWay,
}

/// The metrics of one queue.
#[derive(Clone, Debug)]
pub struct QueueMetrics {
    name: String,
    /// Keys that wait for a worker now.
    pub depth: IntGauge,
    /// Keys that began to wait.
    pub adds: IntCounter,
    /// Failures that were scheduled again.
    pub retries: IntCounter,
    waited: Histogram,
    worked: Histogram,
    under_way: UnderWay,
}

impl WorkqueueMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, Error> {
        let name = ["name"];
        let under_way = UnderWay::new()?;
        Ok(Self {
            depth: gauges(registry, "workqueue_depth", "Current depth of workqueue", &name)?,
            adds: counters(registry, "workqueue_adds_total", "Total number of adds handled by workqueue", &name)?,
            retries: counters(
                registry,
                "workqueue_retries_total",
                "Total number of retries handled by workqueue",
                &name,
            )?,
            waited: decades(
                registry,
                "workqueue_queue_duration_seconds",
                "How long in seconds an item stays in workqueue before being requested.",
            )?,
            worked: decades(
                registry,
                "workqueue_work_duration_seconds",
                "How long in seconds processing an item from workqueue takes.",
            )?,
            under_way: registered(registry, under_way)?,
        })
    }

    pub(super) fn of(&self, name: &str) -> QueueMetrics {
        let label = [name];
        QueueMetrics {
            name: name.to_owned(),
            depth: self.depth.with_label_values(&label),
            adds: self.adds.with_label_values(&label),
            retries: self.retries.with_label_values(&label),
            waited: self.waited.with_label_values(&label),
            worked: self.worked.with_label_values(&label),
            under_way: self.under_way.clone(),
        }
    }
}

impl QueueMetrics {
    /// A key has waited for `duration` before a worker took it.
    pub fn waited(&self, duration: Duration) {
        seconds(&self.waited, duration);
    }

    /// A worker has had a key for `duration`.
    pub fn worked(&self, duration: Duration) {
        seconds(&self.worked, duration);
    }

    /// Asks `probe` at each scrape how old the work under way is: (sum, oldest). A later probe replaces it.
    pub fn probe(&self, probe: impl Fn() -> (Duration, Duration) + Send + Sync + 'static) {
        let mut probes = self.under_way.probes.lock();
        probes.retain(|(name, _)| *name != self.name);
        probes.push((self.name.clone(), Box::new(probe)));
    }
}

/// Collector of the two gauges that only make sense at the moment of a scrape.
#[derive(Clone)]
struct UnderWay {
    unfinished: GaugeVec,
    longest: GaugeVec,
    probes: Arc<Mutex<Vec<(String, Probe)>>>,
}

impl std::fmt::Debug for UnderWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnderWay").field("queues", &self.probes.lock().len()).finish_non_exhaustive()
    }
}

impl UnderWay {
    fn new() -> Result<Self, Error> {
        let gauge = |name: &str, help: &str| GaugeVec::new(Opts::new(name, help), &["name"]);
        Ok(Self {
            unfinished: gauge(
                "workqueue_unfinished_work_seconds",
                "How many seconds of work has been done that is in progress and hasn't been observed by work_duration.",
            )?,
            longest: gauge(
                "workqueue_longest_running_processor_seconds",
                "How many seconds has the longest running processor for workqueue been running.",
            )?,
            probes: Arc::default(),
        })
    }
}

impl Collector for UnderWay {
    fn desc(&self) -> Vec<&prometheus::core::Desc> {
        [self.unfinished.desc(), self.longest.desc()].concat()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        for (name, probe) in self.probes.lock().iter() {
            let (sum, oldest) = probe();
            self.unfinished.with_label_values(&[name]).set(sum.as_secs_f64());
            self.longest.with_label_values(&[name]).set(oldest.as_secs_f64());
        }
        [self.unfinished.collect(), self.longest.collect()].concat()
    }
}
