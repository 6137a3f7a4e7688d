//! The server as its clients see it: kube's client in the process, and kubectl over loopback.

mod crud;
mod deletion;
mod faults;
mod history;
pub(crate) mod kubectl;
mod patches;
mod watches;

use std::time::Duration;

use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::{Value, json};

use super::{ApiServer, Hand};
use crate::api::Time;
use crate::sim::clock::ManualClock;

pub(super) struct Bench {
    pub clock: ManualClock,
    pub server: ApiServer,
    pub hand: Hand,
}

pub(super) fn bench() -> Bench {
    let clock = ManualClock::at(Time::from_seconds(1_700_000_000));
    let server = ApiServer::new(clock.now());
    let hand = server.hand("tester");
    Bench { clock, server, hand }
}

impl Bench {
    pub fn api(&self, group: &str, version: &str, kind: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        Api::namespaced_with(self.server.client("client"), "default", &resource)
    }

    pub fn rollouts(&self) -> Api<DynamicObject> {
        self.api("argoproj.io", "v1alpha1", "Rollout")
    }

    pub fn typed<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.server.client("client"), "default")
    }

    pub fn advance(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
        self.server.tick();
    }
}

pub(super) fn dynamic(value: Value) -> DynamicObject {
    serde_json::from_value(value).unwrap()
}

pub(super) fn rollout(name: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": { "name": name, "labels": { "app": name } },
        "spec": { "replicas": 3, "template": { "spec": { "containers": [{ "name": "c", "image": "x:1" }] } } },
    })
}

pub(super) fn replica_set(name: &str, owner: Option<&Value>) -> Value {
    let owners: Vec<Value> = owner
        .map(|owner| {
            json!({ "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true })
        })
        .into_iter()
        .collect();
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": { "name": name, "namespace": "default", "ownerReferences": owners },
        "spec": { "replicas": 2, "selector": { "matchLabels": { "app": name } },
            "template": { "metadata": { "labels": { "app": name } }, "spec": { "containers": [{ "name": "c", "image": "x:1" }] } } },
    })
}

/// The code and reason of a refusal by the server.
pub(super) fn refusal<T: std::fmt::Debug>(result: Result<T, kube::Error>) -> (u16, String) {
    match result.unwrap_err() {
        kube::Error::Api(status) => (status.code, status.reason.clone()),
        other => panic!("no answer of the API server: {other}"),
    }
}
