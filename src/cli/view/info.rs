//! What is known of a Rollout or an Experiment, gathered for people and dashboards.
//!
//! The JSON form is that of the dashboard's API (cli §4): camelCase, empty values left out.

use std::collections::BTreeMap;

use crate::api::meta::Meta;
use crate::api::steps::CanaryStep;
use crate::api::time::Time;
use crate::api::wire::{Omit, wire};

wire! {
    /// A Rollout with all that belongs to it.
    pub struct RolloutInfo {
        /// Metadata.
        pub object_meta: InfoMeta,
        /// Phase as clients compute it.
        pub status: String,
        /// Why.
        pub message: String,
        /// Icon of the phase.
        pub icon: String,
        /// `Canary`, `BlueGreen` or empty.
        pub strategy: String,
        /// `2/5`; empty where there is no current step.
        pub step: String,
        /// Weight that the steps ask for.
        pub set_weight: String,
        /// Weight that the canary has.
        pub actual_weight: String,
        /// Ready pods.
        pub ready: i32,
        /// Pods.
        pub current: i32,
        /// Wanted pods.
        pub desired: i32,
        /// Pods of the new revision.
        pub updated: i32,
        /// Available pods.
        pub available: i32,
        /// Time of the last restart, or `Never`.
        pub restarted_at: String,
        /// Generation that the status is about.
        pub generation: String,
        /// ReplicaSets, newest revision first.
        pub replica_sets: Vec<ReplicaSetInfo>,
        /// Experiments, newest revision first.
        pub experiments: Vec<ExperimentInfo>,
        /// AnalysisRuns, newest revision first.
        pub analysis_runs: Vec<AnalysisRunInfo>,
        /// Containers of the template.
        pub containers: Vec<ContainerInfo>,
        /// Init containers of the template.
        pub init_containers: Vec<ContainerInfo>,
        /// Steps, where one is current.
        pub steps: Vec<CanaryStep>,
    }

    /// The part of an object's metadata that is shown.
    pub struct InfoMeta {
        /// Name.
        pub name: String,
        /// Namespace.
        pub namespace: String,
        /// Labels.
        pub labels: BTreeMap<String, String>,
        /// Annotations.
        pub annotations: BTreeMap<String, String>,
        /// Identity.
        pub uid: String,
        /// Version of the stored object.
        pub resource_version: String,
        /// Counts changes of `spec`.
        pub generation: i64,
        /// When it was created.
        pub creation_timestamp: Option<Time>,
    }

    /// A ReplicaSet and its part in the Rollout.
    pub struct ReplicaSetInfo {
        /// Metadata.
        pub object_meta: InfoMeta,
        /// `Healthy`, `Progressing`, `ScaledDown` or `ReplicaFailure`.
        pub status: String,
        /// Icon of the status.
        pub icon: String,
        /// Its revision.
        pub revision: i64,
        /// Whether it was promoted last.
        pub stable: bool,
        /// Whether it is the new one of a canary.
        pub canary: bool,
        /// Whether users reach it.
        pub active: bool,
        /// Whether it is behind the preview Service.
        pub preview: bool,
        /// Whether it is behind the ping Service.
        pub ping: bool,
        /// Whether it is behind the pong Service.
        pub pong: bool,
        /// Pods.
        pub replicas: i32,
        /// Available pods.
        pub available: i32,
        /// Template of the Experiment that it runs.
        pub template: String,
        /// When it is scaled down.
        pub scale_down_deadline: String,
        /// Images of its containers.
        pub images: Vec<String>,
        /// Images of its init containers.
        pub init_container_images: Vec<String>,
        /// Its pods, oldest first.
        pub pods: Vec<PodInfo>,
    }

    /// A pod.
    pub struct PodInfo {
        /// Metadata.
        pub object_meta: InfoMeta,
        /// Kubectl's word for it.
        pub status: String,
        /// Icon of the status.
        pub icon: String,
        /// `1/2`: ready containers of all.
        pub ready: String,
        /// Restarts.
        pub restarts: i32,
    }

    /// An Experiment with all that belongs to it.
    pub struct ExperimentInfo {
        /// Metadata.
        pub object_meta: InfoMeta,
        /// Icon of the phase.
        pub icon: String,
        /// Its revision.
        pub revision: i64,
        /// Phase.
        pub status: String,
        /// Why.
        pub message: String,
        /// Its ReplicaSets.
        pub replica_sets: Vec<ReplicaSetInfo>,
        /// Its AnalysisRuns.
        pub analysis_runs: Vec<AnalysisRunInfo>,
    }

    /// An AnalysisRun.
    pub struct AnalysisRunInfo {
        /// Metadata.
        pub object_meta: InfoMeta,
        /// Icon of the phase.
        pub icon: String,
        /// Its revision.
        pub revision: i64,
        /// Phase.
        pub status: String,
        /// Successful measurements.
        pub successful: i32,
        /// Failed ones.
        pub failed: i32,
        /// Inconclusive ones.
        pub inconclusive: i32,
        /// Ones in error.
        pub error: i32,
        /// Measurements taken by Jobs.
        pub jobs: Vec<JobInfo>,
        /// Measurements taken without a Job.
        pub non_job_info: Vec<NonJobInfo>,
    }

    /// A measurement taken by a Job.
    pub struct JobInfo {
        /// Metadata of the Job.
        pub object_meta: InfoMeta,
        /// Phase of the measurement.
        pub status: String,
        /// Icon of the phase.
        pub icon: String,
        /// Metric that is measured.
        pub metric_name: String,
        /// When it began.
        pub started_at: Option<Time>,
    }

    /// A measurement taken without a Job.
    pub struct NonJobInfo {
        /// What was measured.
        pub value: String,
        /// Phase of the measurement.
        pub status: String,
        /// Metric that is measured.
        pub metric_name: String,
        /// When it began.
        pub started_at: Option<Time>,
    }

    /// A container of the template.
    pub struct ContainerInfo {
        /// Its name.
        pub name: String,
        /// Its image.
        pub image: String,
    }
}

impl Omit for InfoMeta {
    fn omit(&self) -> bool {
        false
    }
}

impl InfoMeta {
    /// Identity alone, as for children of a Rollout.
    pub fn brief(meta: &Meta) -> Self {
        Self {
            name: meta.name.clone(),
            namespace: meta.namespace.clone(),
            uid: meta.uid.clone(),
            creation_timestamp: meta.creation_timestamp,
            ..Self::default()
        }
    }

    /// All that dashboards show of the Rollout itself.
    pub fn full(meta: &Meta) -> Self {
        Self {
            labels: (&meta.labels).into(),
            annotations: (&meta.annotations).into(),
            resource_version: meta.resource_version.clone(),
            generation: meta.generation,
            ..Self::brief(meta)
        }
    }
}
