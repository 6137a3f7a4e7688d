//! The `EndpointSlice` controller: one slice for each Service with a selector.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::gate::Gate;
use super::replica_sets::ready_since;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;

/// The label that ties a slice to its Service.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// One slice holds at most this many endpoints, as the real API allows; the model does not spill into a second.
const MAX_ENDPOINTS: usize = 1000;

/// The model. Its actor name is `endpointslice-controller`.
pub struct EndpointSlices {
    hand: Hand,
    gate: Gate,
}

impl EndpointSlices {
    /// A controller that reacts `lag` after each change.
    pub fn new(server: &ApiServer, lag: Duration) -> Self {
        Self { hand: server.hand("endpointslice-controller"), gate: Gate::new(lag) }
    }

    /// Changes how long after a change it reacts.
    pub fn set_lag(&mut self, lag: Duration) {
        self.gate.lag = lag;
    }

    /// Does what is due; returns when there is more to do if nothing changes.
    pub fn tick(&mut self, now: Time) -> Option<Time> {
        if self.gate.opens(now, self.hand.server().version_of(&["Service", "Pod"])) {
            let pods = self.hand.list("Pod", "");
            for service in self.hand.list("Service", "") {
                self.settle(&service, &pods);
            }
        }
        self.gate.next()
    }

    fn settle(&self, service: &Value, pods: &[Arc<Value>]) {
        let Some(selector) = service.pointer("/spec/selector").filter(|selector| selector.is_object()) else { return };
        let namespace = object::namespace(service);
        let chosen = pods.iter().filter(|pod| object::namespace(pod) == namespace && object::has_labels(pod, selector));
        let with_address = chosen.filter(|pod| !object::text(pod, "/status/podIP").is_empty());
        let endpoints: Vec<Value> = with_address.take(MAX_ENDPOINTS).map(|pod| endpoint(pod)).collect();
        let name = format!("{}-slice", object::name(service));
        let ports = ports(service);
        let slice = json!({
            "metadata": {
                "name": name, "namespace": namespace,
                "labels": { SERVICE_NAME: object::name(service), "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io" },
                "ownerReferences": [{
                    "apiVersion": "v1", "kind": "Service", "name": object::name(service), "uid": object::uid(service),
                    "controller": true, "blockOwnerDeletion": true,
                }],
            },
            "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
        });
        // Refusals mean that the Service or its namespace is going away; the next change brings another pass.
        let _ = match self.hand.get("EndpointSlice", namespace, &name) {
            None => self.hand.create("EndpointSlice", slice),
            Some(old) if object::already_says(Some(&old), &slice) => Ok(old),
            Some(_) => self.hand.merge("EndpointSlice", (namespace, &name), &slice),
        };
    }
}

/// Kubernetes: `staging/src/k8s.io/endpointslice/utils.go`, `podToEndpoint`: a terminating
/// pod is never ready in a slice, and serves as long as its condition is true.
fn endpoint(pod: &Value) -> Value {
    let (serving, terminating) = (ready_since(pod).is_some(), object::is_terminating(pod));
    json!({
        "addresses": [object::text(pod, "/status/podIP")],
        "conditions": { "ready": serving && !terminating, "serving": serving, "terminating": terminating },
        "nodeName": object::text(pod, "/spec/nodeName"),
        "targetRef": {
            "kind": "Pod", "namespace": object::namespace(pod), "name": object::name(pod), "uid": object::uid(pod),
        },
    })
}

fn ports(service: &Value) -> Vec<Value> {
    let port = |port: &Value| {
        json!({
            "name": object::text(port, "/name"), "protocol": object::text(port, "/protocol"),
            "port": object::integer(port, "/targetPort").or_else(|| object::integer(port, "/port")),
        })
    };
    object::list(service, "/spec/ports").iter().map(port).collect()
}
