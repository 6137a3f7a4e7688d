//! The caches as a look asks them.

use std::sync::Arc;

use serde_json::Value;

use super::{BY_OWNER, BY_SERVICE, Caches, ORPHANS, routes, within};
use crate::api::lite::Pod;
use crate::api::{
    AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, EndpointSlice, LabelSelector, Meta, ReplicaSet, Service,
    Workload,
};
use crate::controller::cached::CachedRollout;
use crate::controller::observe::{Lookup, Objects};
use crate::plan::ObjectRef;
use crate::runtime::cache::{Cached, Entry, Invalid, Store};
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

    fn unreadable_runs_of(&self, owner_uid: &str) -> Vec<(ObjectRef, String)> {
        if self.runs.invalid_len() == 0 {
            return Vec::new();
        }
        let owned = |invalid: &Arc<Invalid>| invalid.meta.controller().is_some_and(|owner| owner.uid == owner_uid);
        let invalid = self.runs.invalid().into_iter().filter(owned);
        let named = |meta: &Meta| ObjectRef::named::<AnalysisRun>(&meta.namespace, &meta.name);
        invalid.map(|invalid| (named(&invalid.meta), invalid.error.clone())).collect()
    }

    fn template(&self, namespace: &str, name: &str) -> Lookup<AnalysisTemplate> {
        known(&self.templates, &ObjectKey::new(namespace, name))
    }

    fn cluster_template(&self, name: &str) -> Lookup<ClusterAnalysisTemplate> {
        known(&self.cluster_templates, &ObjectKey::new("", name))
    }

    fn workload(&self, object: &ObjectRef) -> Lookup<Workload> {
        self.workloads.lookup(object)
    }

    fn rollouts_with_service(&self, namespace: &str, service: &str) -> Vec<Arc<CachedRollout>> {
        self.rollouts.by(BY_SERVICE, &within(namespace, service))
    }
}

/// What a cache that has been filled knows of an object.
fn known<K: Cached>(store: &Store<K>, key: &ObjectKey) -> Lookup<K> {
    match store.entry(key) {
        Some(Entry::Valid(object)) => Lookup::Found(object),
        Some(Entry::Invalid(invalid)) => Lookup::Invalid(invalid.error.clone()),
        None => Lookup::Absent,
    }
}
