//! Prometheus metrics under Argo's and client-go's names (dashboards and alerts depend on them).
//!
//! Counters and histograms live here. Gauges that can be read from a cache (`rollout_info` and its kin) are
//! computed at scrape time by collectors that their owners add with [`Metrics::register`]: an object that is
//! gone is then gone from the output without bookkeeping.

use std::collections::HashMap;
use std::time::Duration;

use prometheus::core::{Collector, MetricVec, MetricVecBuilder};
use prometheus::{
    Encoder, Error, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

mod workqueue;
pub use workqueue::{QueueMetrics, WorkqueueMetrics};

// Argo: controller/metrics/prommetrics.go.
const RECONCILE_BUCKETS: [f64; 5] = [0.01, 0.15, 0.25, 0.5, 1.0];
const ROLLOUT_BUCKETS: [f64; 11] = [30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0];
const PROGRESSION_BUCKETS: [f64; 8] = [30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0];
const PAUSE_BUCKETS: [f64; 9] = [0.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0];

/// Reconciles of one kind.
#[derive(Clone, Debug)]
pub struct ReconcileMetrics {
    duration: HistogramVec,
    errors: IntCounterVec,
}

impl ReconcileMetrics {
    /// One reconcile of `namespace/name` has taken `duration`.
    pub fn took(&self, namespace: &str, name: &str, duration: Duration) {
        self.duration.with_label_values(&[namespace, name]).observe(duration.as_secs_f64());
    }

    /// One reconcile of `namespace/name` has failed.
    pub fn failed(&self, namespace: &str, name: &str) {
        self.errors.with_label_values(&[namespace, name]).inc();
    }
}

/// What the watches report. Not Argo's: names of our own.
#[derive(Clone, Debug)]
pub struct WatchMetrics {
    /// Failures of lists and watches, by kind.
    pub errors: IntCounterVec,
    /// Complete lists, by kind.
    pub relists: IntCounterVec,
    /// Objects that did not decode, by kind: what is in the cache now.
    pub invalid: IntGaugeVec,
    /// 1 where the cache of a kind has been filled, 0 where it has not, by kind.
    pub synced: IntGaugeVec,
}

/// All metrics of the process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// `rollout_reconcile`, `rollout_reconcile_error`.
    pub rollouts: ReconcileMetrics,
    /// `analysis_run_reconcile`, `analysis_run_reconcile_error`.
    pub analysis_runs: ReconcileMetrics,
    /// `experiment_reconcile`, `experiment_reconcile_error`.
    pub experiments: ReconcileMetrics,
    /// `rollout_events_total{namespace,name,type,reason}`.
    pub rollout_events: IntCounterVec,
    /// `rollout_duration_seconds{status}`.
    pub rollout_duration: HistogramVec,
    /// `rollout_progression_duration_seconds{status}`.
    pub rollout_progression: HistogramVec,
    /// `rollout_manual_pause_duration_seconds{status}`.
    pub rollout_manual_pause: HistogramVec,
    /// `notification_send_success{namespace,name,type,reason}`.
    pub notification_success: IntCounterVec,
    /// `notification_send_error{namespace,name,type,reason}`.
    pub notification_error: IntCounterVec,
    /// `notification_send{namespace,name}`.
    pub notification_duration: HistogramVec,
    /// `controller_clientset_k8s_request_total{kind,namespace,name,verb,status_code}`.
    pub requests: IntCounterVec,
    /// Event objects that were given up, by reason (`full`, `refused`).
    pub events_dropped: IntCounterVec,
    /// Reads because a cache stayed behind our own writes for too long.
    pub cache_lag: IntCounter,
    /// 1 while this process leads.
    pub leader: IntGauge,
    /// The watches.
    pub watches: WatchMetrics,
    workqueue: WorkqueueMetrics,
}

impl Metrics {
    /// A registry of its own with every metric in it. Fails only where two metrics have one name.
    pub fn new() -> Result<Self, Error> {
        let registry = Registry::new();
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let r = &registry;
        let each = ["namespace", "name", "type", "reason"];
        Ok(Self {
            rollouts: reconcile(r, "rollout", "Rollout")?,
            analysis_runs: reconcile(r, "analysis_run", "AnalysisRun")?,
            experiments: reconcile(r, "experiment", "Experiment")?,
            rollout_events: counters(r, "rollout_events_total", "Events of Rollouts.", &each)?,
            rollout_duration: durations(r, "rollout_duration_seconds", "Length of rollouts.", &ROLLOUT_BUCKETS)?,
            rollout_progression: durations(
                r,
                "rollout_progression_duration_seconds",
                "Length of rollouts without their pauses.",
                &PROGRESSION_BUCKETS,
            )?,
            rollout_manual_pause: durations(
                r,
                "rollout_manual_pause_duration_seconds",
                "Time that rollouts waited for people.",
                &PAUSE_BUCKETS,
            )?,
            notification_success: counters(r, "notification_send_success", "Notifications sent.", &each)?,
            notification_error: counters(r, "notification_send_error", "Notifications not sent.", &each)?,
            notification_duration: histograms(
                r,
                HistogramOpts::new("notification_send", "Time to send notifications.")
                    .buckets(RECONCILE_BUCKETS.to_vec()),
                &["namespace", "name"],
            )?,
            requests: counters(
                r,
                "controller_clientset_k8s_request_total",
                "Requests to the API server.",
                &["kind", "namespace", "name", "verb", "status_code"],
            )?,
            events_dropped: counters(r, "siskin_events_dropped_total", "Events given up.", &["reason"])?,
            cache_lag: registered(
                r,
                IntCounter::new("cache_lag_total", "Reads because a cache stayed behind our own writes.")?,
            )?,
            leader: registered(r, IntGauge::new("siskin_leader", "1 while this process leads.")?)?,
            watches: watches(r)?,
            workqueue: WorkqueueMetrics::new(r)?,
            registry,
        })
    }

    /// Adds a collector, which is asked at each scrape. Fails where one of its metrics is there already.
    pub fn register(&self, collector: impl Collector + 'static) -> Result<(), Error> {
        self.registry.register(Box::new(collector))
    }

    /// The `workqueue_*` metrics of the queue called `name`.
    pub fn queue(&self, name: &str) -> QueueMetrics {
        self.workqueue.of(name)
    }

    /// Everything, in Prometheus' text format.
    pub fn render(&self) -> Result<String, Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        String::from_utf8(text).map_err(|error| Error::Msg(error.to_string()))
    }

    /// Drops every series of a Rollout that is gone (Argo: 65 s after the deletion, so that a last scrape sees it).
    pub fn forget_rollout(&self, namespace: &str, name: &str) {
        let ours = [("namespace", namespace), ("name", name)];
        for counters in [&self.rollout_events, &self.notification_success, &self.notification_error] {
            forget(counters, &ours);
        }
        forget(&self.notification_duration, &ours);
        self.forget_kind(&self.rollouts, ("rollouts", &ours));
    }

    /// Drops every series of an AnalysisRun that is gone.
    pub fn forget_run(&self, namespace: &str, name: &str) {
        self.forget_kind(&self.analysis_runs, ("analysisruns", &[("namespace", namespace), ("name", name)]));
    }

    /// Drops the counters of requests about everything of which `is_gone(plural, namespace, name)`.
    pub fn forget_requests(&self, is_gone: impl Fn(&str, &str, &str) -> bool) {
        for family in self.requests.collect() {
            for metric in family.get_metric() {
                let series: HashMap<&str, &str> = metric.get_label().iter().map(|l| (l.name(), l.value())).collect();
                let label = |name: &str| series.get(name).copied().unwrap_or_default();
                if is_gone(label("kind"), label("namespace"), label("name")) {
                    let _ = self.requests.remove(&series);
                }
            }
        }
    }

    fn forget_kind(&self, of: &ReconcileMetrics, (plural, ours): (&str, &[(&str, &str)])) {
        forget(&of.duration, ours);
        forget(&of.errors, ours);
        let requests: Vec<(&str, &str)> = ours.iter().copied().chain([("kind", plural)]).collect();
        forget(&self.requests, &requests);
    }
}

/// Removes the series of `vec` that carry all of `labels`.
fn forget<B: MetricVecBuilder>(vec: &MetricVec<B>, labels: &[(&str, &str)])
where
    MetricVec<B>: Collector,
{
    for family in vec.collect() {
        for metric in family.get_metric() {
            let series: HashMap<&str, &str> = metric.get_label().iter().map(|l| (l.name(), l.value())).collect();
            if labels.iter().all(|(name, value)| series.get(name) == Some(value)) {
                // Another thread may have removed it first, which is as good.
                let _ = vec.remove(&series);
            }
        }
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> Result<C, Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, Error> {
    registered(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, Error> {
    registered(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

fn histograms(registry: &Registry, options: HistogramOpts, labels: &[&str]) -> Result<HistogramVec, Error> {
    registered(registry, HistogramVec::new(options, labels)?)
}

fn durations(registry: &Registry, name: &str, help: &str, buckets: &[f64]) -> Result<HistogramVec, Error> {
    histograms(registry, HistogramOpts::new(name, help).buckets(buckets.to_vec()), &["status"])
}

fn reconcile(registry: &Registry, prefix: &str, kind: &str) -> Result<ReconcileMetrics, Error> {
    let labels = ["namespace", "name"];
    let duration = HistogramOpts::new(format!("{prefix}_reconcile"), format!("{kind} reconciliation performance."))
        .buckets(RECONCILE_BUCKETS.to_vec());
    let errors = format!("{prefix}_reconcile_error");
    Ok(ReconcileMetrics {
        duration: histograms(registry, duration, &labels)?,
        errors: counters(registry, &errors, &format!("Errors during the {kind} reconciliation."), &labels)?,
    })
}

fn watches(registry: &Registry) -> Result<WatchMetrics, Error> {
    Ok(WatchMetrics {
        errors: counters(registry, "siskin_watch_errors_total", "Failed lists and watches.", &["kind"])?,
        relists: counters(registry, "siskin_watch_relists_total", "Complete lists.", &["kind"])?,
        invalid: gauges(registry, "siskin_watch_invalid_objects", "Objects that do not decode.", &["kind"])?,
        synced: gauges(registry, "siskin_watch_synced", "1 where a kind's cache is filled.", &["kind"])?,
    })
}

/// A histogram of seconds in client-go's buckets: powers of ten from 10 ns to 10 s.
fn decades(registry: &Registry, name: &str, help: &str) -> Result<HistogramVec, Error> {
    let buckets = prometheus::exponential_buckets(1e-8, 10.0, 10)?;
    histograms(registry, HistogramOpts::new(name, help).buckets(buckets), &["name"])
}

fn seconds(histogram: &Histogram, duration: Duration) {
    histogram.observe(duration.as_secs_f64());
}

#[cfg(test)]
mod tests;
