//! What a request of an effect says: its address, its body, how urgent it is.

use serde_json::{Value, json};

use crate::plan::{Effect, ObjectRef, Phase, Precondition};
use crate::runtime::client::{Resource, Target};
use crate::runtime::expectations;
use crate::runtime::limiter::Class;
use crate::runtime::object::ObjectKey;

/// How urgent a write is for the limiter.
pub(super) const fn class(effect: &Effect) -> Class {
    match effect.phase {
        Phase::Route => Class::Route,
        Phase::Create | Phase::ScaleUp | Phase::ScaleDown => Class::Decision,
        Phase::Delete | Phase::Upkeep => Class::Upkeep,
    }
}

/// What is posted to a pod's `eviction`.
pub fn eviction(pod: &ObjectRef, precondition: &Precondition) -> Value {
    let mut preconditions = json!({"uid": precondition.uid});
    if !precondition.resource_version.is_empty() {
        preconditions["resourceVersion"] = json!(precondition.resource_version);
    }
    json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod.name, "namespace": pod.namespace},
        "deleteOptions": {"preconditions": preconditions},
    })
}

/// The address of an object.
pub fn target(object: &ObjectRef) -> Target {
    let resource = &object.resource;
    let resource = Resource::new(resource.group.clone(), resource.version.clone(), resource.plural.clone());
    Target::new(resource, ObjectKey::new(&object.namespace, &object.name))
}

/// Kinds that expectations are kept of, by the names that caches know.
pub fn expected_ref(object: &ObjectRef) -> expectations::ObjectRef {
    let kind = match object.resource.kind.as_ref() {
        "Rollout" => "Rollout",
        "ReplicaSet" => "ReplicaSet",
        "Service" => "Service",
        "HTTPRoute" => "HTTPRoute",
        "GRPCRoute" => "GRPCRoute",
        "TCPRoute" => "TCPRoute",
        "TLSRoute" => "TLSRoute",
        "AnalysisRun" => "AnalysisRun",
        "Pod" => "Pod",
        "Deployment" => "Deployment",
        "EndpointSlice" => "EndpointSlice",
        _ => "other",
    };
    expectations::ObjectRef { kind, key: ObjectKey::new(&object.namespace, &object.name) }
}

/// The patch with its preconditions in it.
pub(super) fn guarded(patch: &Value, uid: &str, version: &str) -> Value {
    let mut patch = patch.clone();
    let fields = [("uid", uid), ("resourceVersion", version)].into_iter().filter(|(_, text)| !text.is_empty());
    for (field, text) in fields {
        patch["metadata"][field] = json!(text);
    }
    patch
}
