//! Counters of requests end with what they were about, also where the last request came after the end.

use std::collections::BTreeSet;

use crate::api::meta::Kind as _;
use crate::api::{AnalysisRun, Service};
use crate::controller::caches::Caches;
use crate::rollout::workload::DEPLOYMENT;
use crate::runtime::client::UNNAMED;
use crate::runtime::object::ObjectKey;
use crate::telemetry::metrics::Metrics;

/// Drops the counters of requests about objects that are gone, and about namespaces that hold nothing of ours any more.
pub fn sweep(caches: &Caches, metrics: &Metrics) {
    let used: BTreeSet<String> =
        caches.rollouts.keys().into_iter().chain(caches.runs.keys()).map(|key| key.namespace).collect();
    metrics.forget_requests(|plural, namespace, name| {
        // Those of the cluster are few, and the lease is in a namespace of its own.
        if namespace.is_empty() || plural == "leases" {
            return false;
        }
        if name == UNNAMED {
            return !used.contains(namespace);
        }
        let exists = exists(caches, plural, &ObjectKey::new(namespace, name));
        !exists.unwrap_or_else(|| used.contains(namespace))
    });
}

/// Whether an object exists; `None` where its kind is not watched.
fn exists(caches: &Caches, plural: &str, key: &ObjectKey) -> Option<bool> {
    let routes = || caches.routes.iter().find(|(kind, _)| kind.resource().plural == plural);
    if plural == "rollouts" {
        Some(caches.rollouts.entry(key).is_some())
    } else if plural == AnalysisRun::PLURAL {
        Some(caches.runs.entry(key).is_some())
    } else if plural == Service::PLURAL {
        Some(caches.services.entry(key).is_some())
    } else if plural == DEPLOYMENT.plural {
        let object =
            crate::plan::ObjectRef { resource: DEPLOYMENT, namespace: key.namespace.clone(), name: key.name.clone() };
        Some(caches.workloads.meta(&object).is_some())
    } else {
        routes().map(|(_, store)| store.entry(key).is_some())
    }
}
