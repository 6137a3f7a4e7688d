//! `Experiment`, `argoproj.io/v1alpha1`.

use super::analysis::Argument;
use super::meta::{Meta, kind};
use super::raw::RawJson;
use super::rollout::{DryRun, MeasurementRetention, PodMetadata};
use super::rollout_status::RolloutCondition;
use super::selector::LabelSelector;
use super::steps::ExperimentService;
use super::time::Time;
use super::wire::{Omit, Written, wire};

wire! {
    /// Pods run beside each other for a comparison.
    pub struct Experiment {
        /// `argoproj.io/v1alpha1`.
        pub api_version: String,
        /// `Experiment`.
        pub kind: String,
        /// Metadata.
        pub metadata: Meta,
        /// What is run.
        pub spec: ExperimentSpec,
        /// What came of it.
        pub status: ExperimentStatus,
    }

    /// What an Experiment runs.
    pub struct ExperimentSpec {
        /// Pods.
        pub templates: Vec<ExperimentTemplate>,
        /// How long (Go duration); empty: until the analyses end.
        pub duration: String,
        /// Seconds for pods to become available; absent counts as 600.
        pub progress_deadline_seconds: Option<i32>,
        /// A request to stop.
        pub terminate: bool,
        /// Analyses.
        pub analyses: Vec<ExperimentAnalysis>,
        /// Seconds before pods are removed; absent counts as 30.
        pub scale_down_delay_seconds: Option<i32>,
        /// Metrics that do not count.
        pub dry_run: Vec<DryRun>,
        /// How many measurements are kept.
        pub measurement_retention: Vec<MeasurementRetention>,
        /// Metadata of the AnalysisRuns.
        pub analysis_run_metadata: Option<PodMetadata>,
    }

    /// One set of pods.
    pub struct ExperimentTemplate {
        /// Name within the Experiment.
        pub name: String,
        /// Pods; absent counts as 1.
        pub replicas: Option<i32>,
        /// Seconds that a pod must be ready.
        pub min_ready_seconds: i32,
        /// Which pods belong to it.
        pub selector: Option<LabelSelector>,
        /// The pod template.
        pub template: RawJson,
        /// A Service in front of the pods.
        pub service: Option<ExperimentService>,
    }

    /// One analysis.
    pub struct ExperimentAnalysis {
        /// Name within the Experiment.
        pub name: String,
        /// The template.
        pub template_name: String,
        /// Whether it is a ClusterAnalysisTemplate.
        pub cluster_scope: bool,
        /// Arguments.
        pub args: Vec<Argument>,
        /// Whether its success completes the Experiment.
        pub required_for_completion: bool,
    }

    /// State of an Experiment.
    pub struct ExperimentStatus {
        /// Its phase.
        pub phase: String,
        /// Why.
        pub message: String,
        /// When all pods were available.
        pub available_at: Option<Time>,
        /// By template.
        pub template_statuses: Vec<TemplateStatus>,
        /// By analysis.
        pub analysis_runs: Vec<ExperimentRunStatus>,
        /// Conditions.
        pub conditions: Vec<RolloutCondition>,
    }

    /// State of one set of pods.
    pub struct TemplateStatus {
        /// Name within the Experiment.
        pub name: String,
        /// Pods.
        pub replicas: Written<i32>,
        /// Pods of the template.
        pub updated_replicas: Written<i32>,
        /// Ready pods.
        pub ready_replicas: Written<i32>,
        /// Available pods.
        pub available_replicas: Written<i32>,
        /// Collisions of ReplicaSet names so far.
        pub collision_count: Option<i32>,
        /// `Progressing`, `Running`, `Successful`, `Failed` or `Error`.
        pub status: String,
        /// Why.
        pub message: String,
        /// When the status last changed.
        pub last_transition_time: Option<Time>,
        /// Its Service.
        pub service_name: String,
        /// Its pod hash.
        pub pod_template_hash: String,
    }

    /// State of one analysis.
    pub struct ExperimentRunStatus {
        /// Name within the Experiment.
        pub name: String,
        /// The AnalysisRun.
        pub analysis_run: String,
        /// Its phase.
        pub phase: String,
        /// Why.
        pub message: String,
    }
}

kind!(Experiment, "argoproj.io", "v1alpha1", "Experiment", "experiments");

impl Omit for ExperimentSpec {
    fn omit(&self) -> bool {
        false
    }
}
impl Omit for ExperimentStatus {
    fn omit(&self) -> bool {
        *self == Self::default()
    }
}
