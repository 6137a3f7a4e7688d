//! Gauges that are read from the caches at each scrape: what is gone from the cluster is gone from the output.

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntGaugeVec, Opts};

use super::caches::Caches;
use crate::api::analysis::AnalysisTemplateSpec;
use crate::api::metric_provider::MetricProvider;
use crate::api::{AnalysisRun, Meta, Rollout};
use crate::telemetry::metrics::Metrics;

pub(super) mod requests;

/// Phases of the deprecated `rollout_phase`, by the words of `rollout_info`.
const PHASES: [&str; 6] = ["Completed", "Progressing", "Paused", "Timeout", "Error", "Abort"];
/// Phases of the deprecated `analysis_run_phase`.
const RUN_PHASES: [&str; 6] = ["Pending", "Running", "Successful", "Failed", "Error", "Inconclusive"];

/// One family: name, help, labels.
const FAMILIES: &[(&str, &str, &[&str])] = &[
    ("rollout_info", "Rollouts.", &["namespace", "name", "strategy", "traffic_router", "phase"]),
    ("rollout_info_replicas_available", "Available pods.", &["namespace", "name"]),
    ("rollout_info_replicas_unavailable", "Pods that are not available.", &["namespace", "name"]),
    ("rollout_info_replicas_desired", "Wanted pods.", &["namespace", "name"]),
    ("rollout_info_replicas_updated", "Pods of the new revision.", &["namespace", "name"]),
    ("rollout_phase", "Deprecated: use rollout_info.", &["namespace", "name", "strategy", "phase"]),
    ("analysis_run_info", "AnalysisRuns.", &["namespace", "name", "phase"]),
    ("analysis_run_phase", "Deprecated: use analysis_run_info.", &["namespace", "name", "phase"]),
    ("analysis_run_metric_type", "What measures a metric.", &["namespace", "name", "metric", "type"]),
    ("analysis_run_metric_phase", "Phases of metrics.", &["namespace", "name", "metric", "type", "dry_run", "phase"]),
    ("analysis_template_info", "AnalysisTemplates; cluster ones without a namespace.", &["namespace", "name"]),
    ("analysis_template_metric_info", "Metrics of AnalysisTemplates.", &["namespace", "name", "type", "metric"]),
    (
        "go_memstats_heap_alloc_bytes",
        "Memory of the process that is no file's, under the name that dashboards know.",
        &[],
    ),
    ("argo_rollouts_controller_info", "The controller.", &["version"]),
    ("build_info", "The build.", &["version", "goversion", "goarch", "commit"]),
];

/// Computes the gauges.
pub struct Gauges {
    caches: Caches,
    metrics: Metrics,
    descriptions: Vec<IntGaugeVec>,
}

fn families() -> Result<Vec<IntGaugeVec>, prometheus::Error> {
    FAMILIES.iter().map(|(name, help, labels)| IntGaugeVec::new(Opts::new(*name, *help), labels)).collect()
}

impl Gauges {
    /// Gauges over these caches, and the counters whose series end with what they are about.
    ///
    /// # Errors
    /// Where a name or label is none that Prometheus knows.
    pub fn new(caches: Caches, metrics: Metrics) -> Result<Self, prometheus::Error> {
        Ok(Self { caches, metrics, descriptions: families()? })
    }
}

/// A scrape in the making.
struct Scrape(Vec<IntGaugeVec>);

impl Scrape {
    fn set(&self, family: &str, labels: &[&str], value: i64) {
        let position = FAMILIES.iter().position(|(name, ..)| *name == family);
        if let Some(gauge) = position.and_then(|position| self.0.get(position)) {
            gauge.with_label_values(labels).set(value);
        }
    }

    fn rollout(&self, rollout: &Rollout) {
        let (namespace, name) = (rollout.metadata.namespace.as_str(), rollout.metadata.name.as_str());
        let strategy = &rollout.spec.strategy;
        let kind = match (&strategy.blue_green, &strategy.canary) {
            (Some(_), _) => "blueGreen",
            (None, Some(_)) => "canary",
            (None, None) => "none",
        };
        let phase = info_phase(rollout);
        self.set("rollout_info", &[namespace, name, kind, router(rollout), phase], 1);
        for known in PHASES {
            self.set("rollout_phase", &[namespace, name, kind, known], i64::from(known == phase));
        }
        let status = &rollout.status;
        let counts = [
            ("rollout_info_replicas_available", status.available_replicas),
            ("rollout_info_replicas_unavailable", status.replicas - status.available_replicas),
            ("rollout_info_replicas_desired", rollout.spec.replicas.unwrap_or(1)),
            ("rollout_info_replicas_updated", status.updated_replicas),
        ];
        for (family, count) in counts {
            self.set(family, &[namespace, name], i64::from(count));
        }
    }

    fn run(&self, run: &AnalysisRun) {
        let (namespace, name) = (run.metadata.namespace.as_str(), run.metadata.name.as_str());
        let phase = if run.status.phase.is_empty() { "Pending" } else { run.status.phase.as_str() };
        self.set("analysis_run_info", &[namespace, name, phase], 1);
        for known in RUN_PHASES {
            self.set("analysis_run_phase", &[namespace, name, known], i64::from(known == phase));
        }
        for metric in &run.spec.metrics {
            let of = provider_type(&metric.provider);
            self.set("analysis_run_metric_type", &[namespace, name, &metric.name, of], 1);
            let Some(result) = run.status.metric_results.iter().find(|result| result.name == metric.name) else {
                continue;
            };
            let dry_run = if result.dry_run { "true" } else { "false" };
            for known in RUN_PHASES {
                let labels = [namespace, name, &metric.name, of, dry_run, known];
                self.set("analysis_run_metric_phase", &labels, i64::from(known == result.phase));
            }
        }
    }

    /// A Rollout that does not decode has no strategy that could be read.
    fn undecoded(&self, meta: &Meta) {
        self.set("rollout_info", &[&meta.namespace, &meta.name, "none", "", "InvalidSpec"], 1);
    }

    fn template(&self, (namespace, name): (&str, &str), spec: &AnalysisTemplateSpec) {
        self.set("analysis_template_info", &[namespace, name], 1);
        for metric in &spec.metrics {
            let labels = [namespace, name, provider_type(&metric.provider), &metric.name];
            self.set("analysis_template_metric_info", &labels, 1);
        }
    }
}

/// The router as `rollout_info` names it: the last of these that is set; others have no name there.
fn router(rollout: &Rollout) -> &'static str {
    let canary = rollout.spec.strategy.canary.as_ref();
    let Some(routing) = canary.and_then(|canary| canary.traffic_routing.as_ref()) else { return "" };
    let named = [
        (routing.alb.is_some(), "ALB"),
        (routing.ambassador.is_some(), "Ambassador"),
        (routing.istio.is_some(), "Istio"),
        (routing.nginx.is_some(), "Nginx"),
        (routing.smi.is_some(), "SMI"),
        (routing.app_mesh.is_some(), "AppMesh"),
    ];
    named.into_iter().rev().find(|(set, _)| *set).map_or("", |(_, name)| name)
}

/// What measures a metric, in the words of the label `type`. Source: contract, wire §4.
fn provider_type(provider: &MetricProvider) -> &'static str {
    let known = [
        (provider.prometheus.is_some(), "Prometheus"),
        (provider.job.is_some(), "Job"),
        (provider.kayenta.is_some(), "Kayenta"),
        (provider.web.is_some(), "Web"),
        (provider.datadog.is_some(), "Datadog"),
        (provider.wavefront.is_some(), "Wavefront"),
        (provider.new_relic.is_some(), "NewRelic"),
        (provider.cloud_watch.is_some(), "CloudWatch"),
        (provider.graphite.is_some(), "Graphite"),
        (provider.influxdb.is_some(), "Influxdb"),
        (provider.skywalking.is_some(), "skywalking"),
        (provider.plugin.is_some(), "RPCPlugin"),
    ];
    known.into_iter().find(|(set, _)| *set).map_or("Unknown Provider", |(_, name)| name)
}

/// Bytes of the process that no file backs: heap and stacks. `None` where the system does not tell.
fn anonymous_memory() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The phase as `rollout_info` words it: from the reason of the condition `Progressing`. Argo: `controller/metrics/rollouts.go`.
fn info_phase(rollout: &Rollout) -> &'static str {
    if rollout.status.condition("InvalidSpec").is_some() {
        return "InvalidSpec";
    }
    match rollout.status.condition("Progressing").map_or("", |condition| condition.reason.as_str()) {
        "NewReplicaSetAvailable" => "Completed",
        "RolloutPaused" => "Paused",
        "ReplicaSetCreateError" => "Error",
        "ProgressDeadlineExceeded" => "Timeout",
        "RolloutAborted" => "Abort",
        _ => "Progressing",
    }
}

impl Collector for Gauges {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        requests::sweep(&self.caches, &self.metrics);
        // The same names and labels were accepted when this was made.
        let Ok(families) = families() else { return Vec::new() };
        let scrape = Scrape(families);
        for cached in self.caches.rollouts.all() {
            scrape.rollout(&cached.rollout);
        }
        for run in self.caches.runs.all() {
            scrape.run(&run);
        }
        for invalid in self.caches.rollouts.invalid() {
            scrape.undecoded(&invalid.meta);
        }
        for template in self.caches.templates.all() {
            scrape.template((&template.metadata.namespace, &template.metadata.name), &template.spec);
        }
        for template in self.caches.cluster_templates.all() {
            scrape.template(("", &template.metadata.name), &template.spec);
        }
        if let Some(bytes) = anonymous_memory() {
            scrape.set("go_memstats_heap_alloc_bytes", &[], bytes);
        }
        let version = env!("CARGO_PKG_VERSION");
        scrape.set("argo_rollouts_controller_info", &[version], 1);
        let commit = option_env!("SISKIN_GIT_COMMIT").unwrap_or("unknown");
        scrape.set("build_info", &[version, "none", std::env::consts::ARCH, commit], 1);
        scrape.0.iter().flat_map(Collector::collect).filter(|family| !family.get_metric().is_empty()).collect()
    }
}

#[cfg(test)]
mod tests;
