//! What a Rollout may take its pod template from: a Deployment, a ReplicaSet or a `PodTemplate`, cut down to what is read.

use super::meta::Meta;
use super::raw::RawJson;
use super::selector::LabelSelector;
use super::wire::{Omit, wire};

wire! {
    /// A workload of any of the three kinds; which one, its watch knows.
    pub struct Workload {
        /// Metadata.
        pub metadata: Meta,
        /// What is wanted, of a Deployment or a ReplicaSet.
        pub spec: WorkloadSpec,
        /// The pod template of a `PodTemplate`, raw.
        pub template: RawJson,
        /// What is, of a Deployment or a ReplicaSet.
        pub status: WorkloadStatus,
    }

    /// What is wanted.
    pub struct WorkloadSpec {
        /// Wanted pods; absent counts as 1.
        pub replicas: Option<i32>,
        /// Which pods belong to the workload.
        pub selector: Option<LabelSelector>,
        /// The pod template, raw.
        pub template: RawJson,
    }

    /// State of a Deployment or a ReplicaSet.
    pub struct WorkloadStatus {
        /// Generation that this status is about.
        pub observed_generation: i64,
        /// Pods.
        pub replicas: i32,
        /// Pods of the current template; Deployments only.
        pub updated_replicas: i32,
        /// Pods that have been ready for long enough.
        pub available_replicas: i32,
    }
}

impl Omit for WorkloadSpec {
    fn omit(&self) -> bool {
        *self == Self::default()
    }
}

impl Omit for WorkloadStatus {
    fn omit(&self) -> bool {
        *self == Self::default()
    }
}

impl Workload {
    /// The pod template, wherever the kind has it.
    pub const fn pod_template(&self) -> &RawJson {
        if self.template.is_absent() { &self.spec.template } else { &self.template }
    }

    /// Wanted pods.
    pub fn wanted(&self) -> i32 {
        self.spec.replicas.unwrap_or(1)
    }
}
