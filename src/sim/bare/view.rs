//! The simulated store as a place to look objects up. It is always up to date; lagging views are built on top of it.

use std::sync::Arc;

use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::{
    AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, EndpointSlice, Kind, LabelSelector, Pod, ReplicaSet,
    Service, TextMap, Workload, names,
};
use crate::controller::cached::CachedRollout;
use crate::controller::observe::{Lookup, Objects};
use crate::plan::ObjectRef;
use crate::rollout::invalid::service_fields;
use crate::sim::api_server::Hand;
use crate::traffic::gateway_api::RouteKind;

/// Reads through a hand.
pub struct View(pub Hand);

impl View {
    fn one<K: Kind + DeserializeOwned>(&self, namespace: &str, name: &str) -> Option<Arc<K>> {
        decode(&*self.0.get(K::KIND, namespace, name)?)
    }

    fn all<K: Kind + DeserializeOwned>(&self, namespace: &str, keep: impl Fn(&K) -> bool) -> Vec<Arc<K>> {
        let objects = self.0.list(K::KIND, namespace);
        objects.iter().filter_map(|object| decode(object)).filter(|object: &Arc<K>| keep(object)).collect()
    }

    fn owned<K: Kind + DeserializeOwned>(&self, uid: &str) -> Vec<Arc<K>> {
        self.all("", |object: &K| object.meta().controller().is_some_and(|owner| owner.uid == uid))
    }
}

fn decode<K: DeserializeOwned>(value: &Value) -> Option<Arc<K>> {
    K::deserialize(value).ok().map(Arc::new)
}

impl Objects for View {
    fn rollout(&self, namespace: &str, name: &str) -> Option<Arc<CachedRollout>> {
        CachedRollout::of(&*self.0.get("Rollout", namespace, name)?).ok().map(Arc::new)
    }

    fn replica_sets_of(&self, owner_uid: &str) -> Vec<Arc<ReplicaSet>> {
        self.owned(owner_uid)
    }

    fn orphan_replica_sets(&self, namespace: &str) -> Vec<Arc<ReplicaSet>> {
        // As in the controller's cache, which holds only those that carry a pod hash.
        self.all(namespace, |rs: &ReplicaSet| rs.metadata.controller().is_none() && !rs.pod_hash().is_empty())
    }

    fn pods_of(&self, replica_set_uid: &str) -> Vec<Arc<Pod>> {
        self.owned(replica_set_uid)
    }

    fn service(&self, namespace: &str, name: &str) -> Option<Arc<Service>> {
        self.one(namespace, name)
    }

    fn endpoints_of(&self, namespace: &str, service: &str) -> Vec<Arc<EndpointSlice>> {
        self.all(namespace, |slice: &EndpointSlice| slice.metadata.label(names::SERVICE_NAME) == Some(service))
    }

    fn route(&self, route: &ObjectRef) -> Option<Arc<Value>> {
        self.0.get(&route.resource.kind, &route.namespace, &route.name)
    }

    fn routes_in(&self, kind: RouteKind, namespace: &str, labels: &LabelSelector) -> Vec<Arc<Value>> {
        let all: Vec<Arc<Value>> = self.0.list(&kind.resource().kind, namespace);
        let labels_of = |route: &Value| route.pointer("/metadata/labels").map(TextMap::deserialize);
        let taken = |route: &Arc<Value>| labels.matches(&labels_of(route).and_then(Result::ok).unwrap_or_default());
        all.into_iter().filter(taken).collect()
    }

    fn runs_of(&self, owner_uid: &str) -> Vec<Arc<AnalysisRun>> {
        self.owned(owner_uid)
    }

    fn template(&self, namespace: &str, name: &str) -> Option<Arc<AnalysisTemplate>> {
        self.one(namespace, name)
    }

    fn cluster_template(&self, name: &str) -> Option<Arc<ClusterAnalysisTemplate>> {
        self.one("", name)
    }

    fn workload(&self, object: &ObjectRef) -> Lookup<Workload> {
        let found = self.0.get(&object.resource.kind, &object.namespace, &object.name);
        match found.map(|value| Workload::deserialize(&*value)) {
            Some(Ok(workload)) => Lookup::Found(Arc::new(workload)),
            Some(Err(error)) => Lookup::Invalid(error.to_string()),
            None => Lookup::Absent,
        }
    }

    fn rollouts_with_service(&self, namespace: &str, service: &str) -> Vec<Arc<CachedRollout>> {
        let objects = self.0.list("Rollout", namespace);
        let rollouts = objects.iter().filter_map(|object| CachedRollout::of(object).ok());
        let naming = rollouts
            .filter(|cached| service_fields(&cached.rollout.spec.strategy).iter().any(|(_, name)| *name == service));
        naming.map(Arc::new).collect()
    }
}
