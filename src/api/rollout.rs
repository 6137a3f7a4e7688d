//! `Rollout`, `argoproj.io/v1alpha1`: its specification.

use super::intstr::IntOrString;
use super::meta::{Meta, kind};
use super::raw::RawJson;
use super::rollout_status::RolloutStatus;
use super::selector::LabelSelector;
use super::steps::CanaryStep;
use super::time::Time;
use super::traffic_routing::TrafficRouting;
use super::wire::{Omit, wire};
use std::collections::BTreeMap;

wire! {
    /// A Rollout: a workload whose updates are delivered progressively.
    pub struct Rollout {
        /// `argoproj.io/v1alpha1`.
        pub api_version: String,
        /// `Rollout`.
        pub kind: String,
        /// Metadata.
        pub metadata: Meta,
        /// What is wanted.
        pub spec: RolloutSpec,
        /// What is.
        pub status: RolloutStatus,
    }

    /// What a team declares.
    pub struct RolloutSpec {
        /// Wanted pods; absent counts as 1.
        pub replicas: Option<i32>,
        /// Which pods belong to the Rollout; immutable.
        pub selector: Option<LabelSelector>,
        /// The pod template, raw, so that no field of the user's is lost.
        pub template: RawJson,
        /// Take the template from another workload.
        pub workload_ref: Option<WorkloadRef>,
        /// Seconds that a pod must be ready before it counts as available.
        pub min_ready_seconds: i32,
        /// Roll back without steps within so many revisions.
        pub rollback_window: Option<RollbackWindow>,
        /// How updates are delivered.
        pub strategy: Strategy,
        /// Old ReplicaSets that are kept; absent counts as 10.
        pub revision_history_limit: Option<i32>,
        /// A user's pause.
        pub paused: bool,
        /// Seconds without progress after which the update has failed; absent counts as 600.
        pub progress_deadline_seconds: Option<i32>,
        /// Abort when the progress deadline has passed.
        pub progress_deadline_abort: bool,
        /// Abort before the deadline where pods cannot start and waiting is without hope. Siskin's own field.
        pub fail_fast: bool,
        /// Restart pods created before this instant.
        pub restart_at: Option<Time>,
        /// How many finished AnalysisRuns are kept.
        pub analysis: Option<AnalysisHistory>,
    }

    /// Reference to the workload whose template is used.
    pub struct WorkloadRef {
        /// API group and version.
        pub api_version: String,
        /// `Deployment`, `ReplicaSet` or `PodTemplate`.
        pub kind: String,
        /// Name, in the Rollout's namespace.
        pub name: String,
        /// `never`, `onsuccess` or `progressively`.
        pub scale_down: String,
    }

    /// How far back a rollback skips the steps.
    pub struct RollbackWindow {
        /// Revisions; 0 or less: feature off.
        pub revisions: i32,
    }

    /// How many finished AnalysisRuns and Experiments are kept.
    pub struct AnalysisHistory {
        /// Successful ones; absent counts as 5.
        pub successful_run_history_limit: Option<i32>,
        /// All other finished ones; absent counts as 5.
        pub unsuccessful_run_history_limit: Option<i32>,
    }

    /// Exactly one of the two strategies.
    pub struct Strategy {
        /// Switch all traffic at once between two full revisions.
        pub blue_green: Option<Box<BlueGreen>>,
        /// Shift traffic or replicas step by step.
        pub canary: Option<Box<Canary>>,
    }

    /// The blue-green strategy.
    pub struct BlueGreen {
        /// Service that users reach.
        pub active_service: String,
        /// Service in front of the new revision before promotion.
        pub preview_service: String,
        /// Size of the new revision before promotion; absent: full.
        pub preview_replica_count: Option<i32>,
        /// Promote without a person; absent counts as true.
        pub auto_promotion_enabled: Option<bool>,
        /// Seconds between ready and promotion.
        pub auto_promotion_seconds: i32,
        /// For the restart of pods and availability; absent counts as 25 %.
        pub max_unavailable: Option<IntOrString>,
        /// Seconds before the former active revision is scaled down; absent counts as 30.
        pub scale_down_delay_seconds: Option<i32>,
        /// Former revisions that may wait at once.
        pub scale_down_delay_revision_limit: Option<i32>,
        /// Seconds before an aborted revision is scaled down; absent counts as 30, 0: never.
        pub abort_scale_down_delay_seconds: Option<i32>,
        /// Analysis before promotion.
        pub pre_promotion_analysis: Option<RolloutAnalysis>,
        /// Analysis after the switch.
        pub post_promotion_analysis: Option<RolloutAnalysis>,
        /// Keep revisions on different nodes.
        pub anti_affinity: Option<AntiAffinity>,
        /// Labels and annotations of pods while they are the preview.
        pub preview_metadata: Option<PodMetadata>,
        /// Labels and annotations of pods while they are active.
        pub active_metadata: Option<PodMetadata>,
    }

    /// The canary strategy.
    pub struct Canary {
        /// Service in front of the canary pods.
        pub canary_service: String,
        /// Service in front of the stable pods.
        pub stable_service: String,
        /// The way of an update; empty: a rolling update.
        pub steps: Option<Vec<CanaryStep>>,
        /// Shift traffic by weights; absent: by replica counts.
        pub traffic_routing: Option<Box<TrafficRouting>>,
        /// Pods that may be missing; absent counts as 25 %.
        pub max_unavailable: Option<IntOrString>,
        /// Pods that may be too many; absent counts as 25 %.
        pub max_surge: Option<IntOrString>,
        /// Background analysis.
        pub analysis: Option<RolloutAnalysis>,
        /// Keep revisions on different nodes.
        pub anti_affinity: Option<AntiAffinity>,
        /// Labels and annotations of pods while they are the canary.
        pub canary_metadata: Option<PodMetadata>,
        /// Labels and annotations of pods while they are stable.
        pub stable_metadata: Option<PodMetadata>,
        /// Seconds before the former stable revision is scaled down.
        pub scale_down_delay_seconds: Option<i32>,
        /// Former revisions that may wait at once.
        pub scale_down_delay_revision_limit: Option<i32>,
        /// Seconds before an aborted canary is scaled down; absent counts as 30, 0: never.
        pub abort_scale_down_delay_seconds: Option<i32>,
        /// Shrink the stable revision as traffic leaves it.
        pub dynamic_stable_scale: bool,
        /// Two Services that change roles at each promotion.
        pub ping_pong: Option<PingPong>,
        /// Smallest size other than zero of a revision behind a router.
        pub min_pods_per_replica_set: Option<i32>,
        /// How many new pods are enough for a step.
        pub replica_progress_threshold: Option<ReplicaProgressThreshold>,
    }

    /// Two Services that change roles.
    pub struct PingPong {
        /// The one.
        pub ping_service: String,
        /// The other.
        pub pong_service: String,
    }

    /// How many available new pods are enough.
    pub struct ReplicaProgressThreshold {
        /// `Percent` or `Pods`.
        #[serde(rename = "type")]
        pub kind: String,
        /// The amount; negative counts as no threshold.
        pub value: i32,
    }

    /// Reference to analysis templates with their arguments.
    pub struct RolloutAnalysis {
        /// Templates, combined into one run.
        pub templates: Vec<TemplateRef>,
        /// Arguments.
        pub args: Vec<AnalysisRunArgument>,
        /// Metrics that are measured and do not count.
        pub dry_run: Vec<DryRun>,
        /// How many measurements are kept.
        pub measurement_retention: Vec<MeasurementRetention>,
        /// Metadata of the AnalysisRun.
        pub analysis_run_metadata: Option<PodMetadata>,
        /// First step with background analysis; only there.
        pub starting_step: Option<i32>,
    }

    /// A template by name.
    pub struct TemplateRef {
        /// Name of the AnalysisTemplate or ClusterAnalysisTemplate.
        pub template_name: String,
        /// Whether it is a ClusterAnalysisTemplate.
        pub cluster_scope: bool,
    }

    /// An argument given by a Rollout.
    pub struct AnalysisRunArgument {
        /// Name as the templates declare it.
        pub name: String,
        /// A literal.
        pub value: String,
        /// A value taken from elsewhere.
        pub value_from: Option<ArgumentValueFrom>,
    }

    /// Where an argument's value comes from.
    pub struct ArgumentValueFrom {
        /// `Stable` or `Latest`: a revision's pod hash.
        pub pod_template_hash_value: Option<String>,
        /// A field of the Rollout.
        pub field_ref: Option<FieldRef>,
    }

    /// A field of the Rollout.
    pub struct FieldRef {
        /// Its path.
        pub field_path: String,
    }

    /// Metrics by regular expression that do not count.
    pub struct DryRun {
        /// Regular expression on metric names.
        pub metric_name: String,
    }

    /// Measurements kept for metrics by regular expression.
    pub struct MeasurementRetention {
        /// Regular expression on metric names.
        pub metric_name: String,
        /// Measurements kept; above 0.
        pub limit: i32,
    }

    /// Labels and annotations that Siskin puts on pods or runs.
    pub struct PodMetadata {
        /// Labels.
        pub labels: BTreeMap<String, String>,
        /// Annotations.
        pub annotations: BTreeMap<String, String>,
    }

    /// Keep pods of different revisions on different nodes: exactly one of the two.
    pub struct AntiAffinity {
        /// Prefer it.
        pub preferred_during_scheduling_ignored_during_execution: Option<PreferredAntiAffinity>,
        /// Require it.
        pub required_during_scheduling_ignored_during_execution: Option<RequiredAntiAffinity>,
    }

    /// A preference with a weight.
    pub struct PreferredAntiAffinity {
        /// 1 to 100.
        pub weight: i32,
    }

    /// A requirement; it has no settings.
    pub struct RequiredAntiAffinity {}
}

kind!(Rollout, "argoproj.io", "v1alpha1", "Rollout", "rollouts");

impl Omit for Meta {
    fn omit(&self) -> bool {
        false
    }
}
impl Omit for RolloutSpec {
    fn omit(&self) -> bool {
        false
    }
}
impl Omit for Strategy {
    fn omit(&self) -> bool {
        false
    }
}
