//! The caches as a look asks them.

use std::sync::Arc;

use serde_json::Value;

use super::{BY_OWNER, BY_SERVICE, Caches, ORPHANS, routes, within};
use crate::api::lite::Pod;
use crate::api::{
    AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, EndpointSlice, LabelSelector, ReplicaSet, Service, Workload,
};
use crate::controller::cached::CachedRollout;
use crate::controller::observe::{Lookup, Objects};
use crate::plan::ObjectRef;
use crate::runtime::cache::Cached as _;
use crate::runtime::object::ObjectKey;
use crate::traffic::gateway_api::RouteKind;

impl Objects for Caches {
    fn rollout(&self, namespace: &str, name: &str) -> Option<Arc<CachedRollout>> {
        self.rollouts.get(&ObjectKey::new(namespace, name))
    }

    fn replica_sets_of(&self, owner_uid: &str) -> Vec<Arc<ReplicaSet>> {
        self.replica_sets.by(BY_OWNER, owner_uid)
    }

    fn orphan_replica_sets(&self, namespace: &str) -> Vec<Arc<ReplicaSet>> {
        self.replica_sets.by(ORPHANS, namespace)
    }

    fn pods_of(&self, replica_set_uid: &str) -> Vec<Arc<Pod>> {
        self.pods.by(BY_OWNER, replica_set_uid)
    }

    fn service(&self, namespace: &str, name: &str) -> Option<Arc<Service>> {
        self.services.get(&ObjectKey::new(namespace, name))
    }

    fn endpoints_of(&self, namespace: &str, service: &str) -> Vec<Arc<EndpointSlice>> {
        self.slices.by(BY_SERVICE, &within(namespace, service))
    }

    fn route(&self, route: &ObjectRef) -> Option<Arc<Value>> {
        let routes = self.routes.get(&RouteKind::named(&route.resource.kind)?)?;
        routes.get(&ObjectKey::new(&route.namespace, &route.name)).map(|route| Arc::new(route.value()))
    }

    fn routes_in(&self, kind: RouteKind, namespace: &str, labels: &LabelSelector) -> Vec<Arc<Value>> {
        let found = self.routes.get(&kind).map(|store| store.by(routes::BY_NAMESPACE, namespace));
        let found = found.into_iter().flatten().filter(|route| labels.matches(&route.object_meta().labels));
        found.map(|route| Arc::new(route.value())).collect()
    }

    fn runs_of(&self, owner_uid: &str) -> Vec<Arc<AnalysisRun>> {
        self.runs.by(BY_OWNER, owner_uid)
    }

    fn template(&self, namespace: &str, name: &str) -> Option<Arc<AnalysisTemplate>> {
        self.templates.get(&ObjectKey::new(namespace, name))
    }

    fn cluster_template(&self, name: &str) -> Option<Arc<ClusterAnalysisTemplate>> {
        self.cluster_templates.get(&ObjectKey::new("", name))
    }

    fn workload(&self, object: &ObjectRef) -> Lookup<Workload> {
        self.workloads.lookup(object)
    }

    fn rollouts_with_service(&self, namespace: &str, service: &str) -> Vec<Arc<CachedRollout>> {
        self.rollouts.by(BY_SERVICE, &within(namespace, service))
    }
}
