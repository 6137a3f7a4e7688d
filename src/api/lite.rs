//! Built-in kinds, cut down to the fields that the controller and the CLI read.

use super::meta::{Meta, kind};
use super::packed::PackedJson;
use super::text_map::TextMap;
use super::time::Time;
use super::wire::{Omit, wire};

wire! {
    /// A set of equal pods: one revision.
    pub struct ReplicaSet {
        /// Metadata.
        pub metadata: Meta,
        /// What is wanted.
        pub spec: ReplicaSetSpec,
        /// What is.
        pub status: ReplicaSetStatus,
    }

    /// What is wanted of a ReplicaSet.
    pub struct ReplicaSetSpec {
        /// Wanted pods; absent counts as 1.
        pub replicas: Option<i32>,
        /// Seconds that a pod must be ready.
        pub min_ready_seconds: i32,
        /// The pod template, whole.
        pub template: PackedJson,
    }

    /// State of a ReplicaSet.
    pub struct ReplicaSetStatus {
        /// Pods.
        pub replicas: i32,
        /// Ready pods.
        pub ready_replicas: i32,
        /// Pods ready for long enough.
        pub available_replicas: i32,
        /// Generation that this status is about.
        pub observed_generation: i64,
        /// Conditions.
        pub conditions: Vec<Condition>,
    }

    /// A condition of a built-in kind.
    pub struct Condition {
        /// Type.
        #[serde(rename = "type")]
        pub kind: String,
        /// `True`, `False` or `Unknown`.
        pub status: String,
        /// Reason.
        pub reason: String,
        /// Message.
        pub message: String,
        /// When the status last changed.
        pub last_transition_time: Option<Time>,
        /// Generation that the condition is about.
        pub observed_generation: i64,
    }

    /// A pod.
    pub struct Pod {
        /// Metadata.
        pub metadata: Meta,
        /// What is wanted.
        pub spec: PodSpec,
        /// What is.
        pub status: PodStatus,
    }

    /// What is read of a pod's specification.
    pub struct PodSpec {
        /// Node that the pod was given to.
        pub node_name: String,
        /// Init containers.
        pub init_containers: Vec<Container>,
        /// Containers.
        pub containers: Vec<Container>,
        /// Conditions beyond its containers that make the pod ready.
        pub readiness_gates: Vec<ReadinessGate>,
    }

    /// A container by name.
    pub struct Container {
        /// Its name.
        pub name: String,
        /// Its image.
        pub image: String,
        /// `Always` marks an init container as a sidecar.
        pub restart_policy: String,
    }

    /// A condition that must hold before the pod is ready.
    pub struct ReadinessGate {
        /// Type of the condition.
        pub condition_type: String,
    }

    /// State of a pod.
    pub struct PodStatus {
        /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
        pub phase: String,
        /// Why, in one word.
        pub reason: String,
        /// Why.
        pub message: String,
        /// Address.
        #[serde(rename = "podIP")]
        pub pod_ip: String,
        /// Conditions.
        pub conditions: Vec<Condition>,
        /// State of the init containers.
        pub init_container_statuses: Vec<ContainerStatus>,
        /// State of the containers.
        pub container_statuses: Vec<ContainerStatus>,
    }

    /// State of a container.
    pub struct ContainerStatus {
        /// Name of the container.
        pub name: String,
        /// Whether it is ready.
        pub ready: bool,
        /// Whether it has started.
        pub started: Option<bool>,
        /// How often it was restarted.
        pub restart_count: i32,
        /// What it does.
        pub state: ContainerState,
        /// What it did before.
        pub last_state: ContainerState,
    }

    /// One of the three.
    pub struct ContainerState {
        /// It waits to run.
        pub waiting: Option<Box<ContainerWaiting>>,
        /// It runs.
        pub running: Option<ContainerRunning>,
        /// It has ended.
        pub terminated: Option<Box<ContainerTerminated>>,
    }

    /// Why a container waits.
    pub struct ContainerWaiting {
        /// In one word, such as `ImagePullBackOff`.
        pub reason: String,
        /// In a sentence.
        pub message: String,
    }

    /// A running container.
    pub struct ContainerRunning {
        /// Since when.
        pub started_at: Option<Time>,
    }

    /// How a container ended.
    pub struct ContainerTerminated {
        /// Exit code.
        pub exit_code: i32,
        /// Signal that ended it.
        pub signal: i32,
        /// In one word.
        pub reason: String,
        /// In a sentence.
        pub message: String,
        /// When.
        pub finished_at: Option<Time>,
    }

    /// A Service.
    pub struct Service {
        /// Metadata.
        pub metadata: Meta,
        /// What is wanted.
        pub spec: ServiceSpec,
    }

    /// What is read of a Service.
    pub struct ServiceSpec {
        /// Labels of its pods.
        pub selector: TextMap,
        /// Ports.
        pub ports: Vec<ServicePort>,
    }

    /// A port of a Service.
    pub struct ServicePort {
        /// Name.
        pub name: String,
        /// Number.
        pub port: i32,
    }

    /// Endpoints of a Service.
    pub struct EndpointSlice {
        /// Metadata.
        pub metadata: Meta,
        /// Its endpoints.
        pub endpoints: Vec<Endpoint>,
    }

    /// One endpoint.
    pub struct Endpoint {
        /// What is known of it.
        pub conditions: EndpointConditions,
        /// The pod behind it.
        pub target_ref: Option<TargetRef>,
    }

    /// What is known of an endpoint; an absent `ready` counts as true.
    pub struct EndpointConditions {
        /// Takes new requests.
        pub ready: Option<bool>,
        /// Answers requests.
        pub serving: Option<bool>,
        /// Is going away.
        pub terminating: Option<bool>,
    }

    /// The object behind an endpoint.
    pub struct TargetRef {
        /// Its kind.
        pub kind: String,
        /// Its name.
        pub name: String,
        /// Its identity.
        pub uid: String,
    }
}

kind!(ReplicaSet, "apps", "v1", "ReplicaSet", "replicasets");
kind!(Pod, "", "v1", "Pod", "pods");
kind!(Service, "", "v1", "Service", "services");
kind!(EndpointSlice, "discovery.k8s.io", "v1", "EndpointSlice", "endpointslices");

macro_rules! omitted_when_empty {
    ($($type:ty),*) => {$(impl Omit for $type {
        fn omit(&self) -> bool {
            *self == Self::default()
        }
    })*};
}
omitted_when_empty!(
    ReplicaSetSpec,
    ReplicaSetStatus,
    PodSpec,
    PodStatus,
    ContainerState,
    ServiceSpec,
    EndpointConditions
);

impl ReplicaSet {
    /// Wanted pods.
    pub fn wanted(&self) -> i32 {
        self.spec.replicas.unwrap_or(1)
    }

    /// Value of the pod-hash label; empty where it is absent.
    pub fn pod_hash(&self) -> &str {
        self.metadata.label(super::names::POD_HASH).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_null_as_absent() {
        // The EndpointSlice controller writes it for a Service without pods.
        let slice: EndpointSlice =
            serde_json::from_str(r#"{"metadata": {"name": "a", "labels": null}, "endpoints": null}"#).unwrap();
        assert!(slice.endpoints.is_empty());
    }
}
