//! `AnalysisTemplate`, `ClusterAnalysisTemplate` and `AnalysisRun`, `argoproj.io/v1alpha1`.

use std::collections::BTreeMap;

use super::intstr::IntOrString;
use super::meta::{Meta, kind};
use super::metric_provider::MetricProvider;
use super::rollout::{DryRun, FieldRef, MeasurementRetention, TemplateRef};
use super::time::Time;
use super::wire::{Omit, wire};

wire! {
    /// Metrics that several Rollouts of a namespace may use.
    pub struct AnalysisTemplate {
        /// `argoproj.io/v1alpha1`.
        pub api_version: String,
        /// `AnalysisTemplate`.
        pub kind: String,
        /// Metadata.
        pub metadata: Meta,
        /// The metrics.
        pub spec: AnalysisTemplateSpec,
    }

    /// Metrics that Rollouts of every namespace may use.
    pub struct ClusterAnalysisTemplate {
        /// `argoproj.io/v1alpha1`.
        pub api_version: String,
        /// `ClusterAnalysisTemplate`.
        pub kind: String,
        /// Metadata.
        pub metadata: Meta,
        /// The metrics.
        pub spec: AnalysisTemplateSpec,
    }

    /// Metrics with their arguments.
    pub struct AnalysisTemplateSpec {
        /// What is measured.
        pub metrics: Vec<Metric>,
        /// Arguments that the metrics use.
        pub args: Vec<Argument>,
        /// Metrics that do not count.
        pub dry_run: Vec<DryRun>,
        /// How many measurements are kept.
        pub measurement_retention: Vec<MeasurementRetention>,
        /// Further templates whose metrics are added.
        pub templates: Vec<TemplateRef>,
    }

    /// One execution of metrics.
    pub struct AnalysisRun {
        /// `argoproj.io/v1alpha1`.
        pub api_version: String,
        /// `AnalysisRun`.
        pub kind: String,
        /// Metadata.
        pub metadata: Meta,
        /// What is measured.
        pub spec: AnalysisRunSpec,
        /// What was measured.
        pub status: AnalysisRunStatus,
    }

    /// What a run measures.
    pub struct AnalysisRunSpec {
        /// Metrics, not substituted.
        pub metrics: Vec<Metric>,
        /// Arguments with their values.
        pub args: Vec<Argument>,
        /// Metrics that do not count.
        pub dry_run: Vec<DryRun>,
        /// How many measurements are kept.
        pub measurement_retention: Vec<MeasurementRetention>,
        /// A request to stop.
        pub terminate: bool,
        /// When the finished run is deleted.
        pub ttl_strategy: Option<TtlStrategy>,
    }

    /// Seconds after which a finished run is deleted.
    pub struct TtlStrategy {
        /// Whatever the end.
        pub seconds_after_completion: Option<i32>,
        /// After Failed.
        pub seconds_after_failure: Option<i32>,
        /// After Successful.
        pub seconds_after_success: Option<i32>,
    }

    /// An argument of a template or run.
    pub struct Argument {
        /// Its name.
        pub name: String,
        /// Its value.
        pub value: Option<String>,
        /// Where its value comes from.
        pub value_from: Option<ValueFrom>,
    }

    /// Where an argument's value comes from.
    pub struct ValueFrom {
        /// A key of a Secret of the run's namespace.
        pub secret_key_ref: Option<SecretKeyRef>,
        /// A field of the Rollout.
        pub field_ref: Option<FieldRef>,
    }

    /// A key of a Secret.
    pub struct SecretKeyRef {
        /// The Secret.
        pub name: String,
        /// The key.
        pub key: String,
    }

    /// One metric.
    pub struct Metric {
        /// Its name, unique in the run.
        pub name: String,
        /// Time between measurements (Go duration).
        pub interval: String,
        /// Time before the first measurement (Go duration).
        pub initial_delay: String,
        /// Measurements wanted.
        pub count: Option<IntOrString>,
        /// When a measurement is a success.
        pub success_condition: String,
        /// When a measurement is a failure.
        pub failure_condition: String,
        /// Failures tolerated; -1: any number.
        pub failure_limit: Option<IntOrString>,
        /// Inconclusive measurements tolerated.
        pub inconclusive_limit: Option<IntOrString>,
        /// Errors in a row tolerated; absent counts as 4.
        pub consecutive_error_limit: Option<IntOrString>,
        /// Successes in a row that complete the metric; 0: off.
        pub consecutive_success_limit: Option<IntOrString>,
        /// Where the numbers come from: exactly one.
        pub provider: MetricProvider,
    }

    /// State of a run.
    pub struct AnalysisRunStatus {
        /// Its phase; empty before the first look.
        pub phase: String,
        /// Why.
        pub message: String,
        /// When it was first assessed.
        pub started_at: Option<Time>,
        /// When it was complete.
        pub completed_at: Option<Time>,
        /// Sums over the metrics that count.
        pub run_summary: RunSummary,
        /// Sums over the metrics that do not count.
        pub dry_run_summary: Option<RunSummary>,
        /// By metric.
        pub metric_results: Vec<MetricResult>,
    }

    /// Metrics by outcome.
    pub struct RunSummary {
        /// Metrics.
        pub count: i32,
        /// Successful ones.
        pub successful: i32,
        /// Failed ones.
        pub failed: i32,
        /// Inconclusive ones.
        pub inconclusive: i32,
        /// Ones in error.
        pub error: i32,
    }

    /// State of one metric.
    pub struct MetricResult {
        /// Name of the metric.
        pub name: String,
        /// Its phase.
        pub phase: String,
        /// Its measurements that are kept, oldest first.
        pub measurements: Vec<Measurement>,
        /// Message of the last measurement, or of the assessment in dry run.
        pub message: String,
        /// Measurements other than errors.
        pub count: i32,
        /// Successful ones.
        pub successful: i32,
        /// Failed ones.
        pub failed: i32,
        /// Inconclusive ones.
        pub inconclusive: i32,
        /// Ones in error.
        pub error: i32,
        /// Errors in a row.
        pub consecutive_error: i32,
        /// Successes in a row.
        pub consecutive_success: i32,
        /// Whether the metric does not count.
        pub dry_run: bool,
        /// What the provider says of itself.
        pub metadata: BTreeMap<String, String>,
    }

    /// One measurement.
    pub struct Measurement {
        /// Its phase.
        pub phase: String,
        /// Why.
        pub message: String,
        /// When it began.
        pub started_at: Option<Time>,
        /// When it ended.
        pub finished_at: Option<Time>,
        /// What was measured, as text.
        pub value: String,
        /// What the provider says of it.
        pub metadata: BTreeMap<String, String>,
        /// When to look again.
        pub resume_at: Option<Time>,
    }
}

kind!(AnalysisTemplate, "argoproj.io", "v1alpha1", "AnalysisTemplate", "analysistemplates");
kind!(ClusterAnalysisTemplate, "argoproj.io", "v1alpha1", "ClusterAnalysisTemplate", "clusteranalysistemplates", false);
kind!(AnalysisRun, "argoproj.io", "v1alpha1", "AnalysisRun", "analysisruns");

macro_rules! always_written {
    ($($type:ty),*) => {$(impl Omit for $type {
        fn omit(&self) -> bool {
            false
        }
    })*};
}
always_written!(AnalysisTemplateSpec, AnalysisRunSpec, MetricProvider);

impl Omit for AnalysisRunStatus {
    fn omit(&self) -> bool {
        *self == Self::default()
    }
}
impl Omit for RunSummary {
    fn omit(&self) -> bool {
        *self == Self::default()
    }
}
