//! Direct access to the store in somebody's name: synchronous, without faults and counters, but through the same
//! rules and into the same journal as requests.

use std::sync::Arc;

use serde_json::Value;

use super::patch::PatchKind;
use super::reject::Reject;
use super::remove::{Deletion, Propagation};
use super::request::{Options, Verb};
use super::scale::ScaleWrite;
use super::server::ApiServer;
use super::store::{Act, Store};
use crate::sim::object;

/// An actor with direct access. Kinds are named `Rollout` or, where two groups share a name,
/// `Gateway.networking.istio.io`.
#[derive(Clone)]
pub struct Hand {
    server: ApiServer,
    actor: String,
}

impl Hand {
    pub(crate) fn new(server: ApiServer, actor: &str) -> Self {
        Self { server, actor: actor.to_owned() }
    }

    /// The server that this hand reaches into.
    pub fn server(&self) -> &ApiServer {
        &self.server
    }

    fn act(&self, verb: Verb) -> Act<'_> {
        Act::of(&self.actor, verb, self.server.now())
    }

    /// The object, if it is there.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.server.with_store(|store| store.find(&store.address(kind, namespace, name).ok()?).cloned())
    }

    /// All objects of a kind in a namespace (empty: in all), ordered by namespace and name.
    pub fn list(&self, kind: &str, namespace: &str) -> Vec<Arc<Value>> {
        let options = Options::default();
        let page = self.server.with_store(|store| store.list(&store.resource_of(kind)?, namespace, &options));
        page.map(|page| page.items).unwrap_or_default()
    }

    /// Creates an object; the namespace is the one that it names, else `default`.
    pub fn create(&self, kind: &str, object: Value) -> Result<Arc<Value>, Reject> {
        let act = self.act(Verb::Create);
        let named = object::namespace(&object).to_owned();
        let namespace = if named.is_empty() { "default".to_owned() } else { named };
        self.server.change(|store| {
            let resource = store.resource_of(kind)?;
            store.create(&act, (&resource, &namespace), object)
        })
    }

    /// Puts an object there as it was recorded elsewhere: with its uid, its times, its generation and its status.
    pub fn restore(&self, kind: &str, object: Value) -> Result<Arc<Value>, Reject> {
        let act = self.act(Verb::Create);
        self.server.change(|store| {
            let at = store.address(kind, object::namespace(&object), object::name(&object))?;
            store.commit(&act, &at, Some(object))
        })
    }

    /// Merge-patches the main resource. A `metadata.resourceVersion` or `uid` in the patch is a precondition.
    pub fn merge(&self, kind: &str, (namespace, name): (&str, &str), patch: &Value) -> Result<Arc<Value>, Reject> {
        let act = self.act(Verb::Patch);
        self.server.change(|store| store.patch(&act, &store.address(kind, namespace, name)?, (PatchKind::Merge, patch)))
    }

    /// Applies a JSON patch to the main resource.
    pub fn json(&self, kind: &str, (namespace, name): (&str, &str), patch: &Value) -> Result<Arc<Value>, Reject> {
        let act = self.act(Verb::Patch);
        self.server.change(|store| store.patch(&act, &store.address(kind, namespace, name)?, (PatchKind::Json, patch)))
    }

    /// Merge-patches through the `status` subresource.
    pub fn merge_status(
        &self,
        kind: &str,
        (namespace, name): (&str, &str),
        patch: &Value,
    ) -> Result<Arc<Value>, Reject> {
        let act = Act { subresource: Some("status"), ..self.act(Verb::Patch) };
        self.server.change(|store| store.patch(&act, &store.address(kind, namespace, name)?, (PatchKind::Merge, patch)))
    }

    /// Replaces the object; what it does not carry is lost.
    pub fn replace(&self, kind: &str, object: Value) -> Result<Arc<Value>, Reject> {
        let act = self.act(Verb::Update);
        self.server.change(|store| {
            let at = store.address(kind, object::namespace(&object), object::name(&object))?;
            store.update(&act, &at, object)
        })
    }

    /// Replaces the status; a stale `metadata.resourceVersion` is a conflict.
    pub fn replace_status(&self, kind: &str, object: Value) -> Result<Arc<Value>, Reject> {
        let act = Act { subresource: Some("status"), ..self.act(Verb::Update) };
        self.server.change(|store| {
            let at = store.address(kind, object::namespace(&object), object::name(&object))?;
            store.update(&act, &at, object)
        })
    }

    /// The `scale` subresource.
    pub fn scale_of(&self, kind: &str, (namespace, name): (&str, &str)) -> Result<Value, Reject> {
        self.server.with_store(|store| store.scale(&store.address(kind, namespace, name)?))
    }

    /// Writes `spec.replicas` through the `scale` subresource.
    pub fn scale(&self, kind: &str, (namespace, name): (&str, &str), replicas: i64) -> Result<Value, Reject> {
        let act = Act { subresource: Some("scale"), ..self.act(Verb::Update) };
        let wanted = serde_json::json!({ "spec": { "replicas": replicas } });
        let address = |store: &Store| store.address(kind, namespace, name);
        self.server.change(|store| store.write_scale(&act, &address(store)?, ScaleWrite::Put(wanted)))
    }

    /// Evicts a pod, as far as its budget allows; `eviction` is what would be posted.
    pub fn evict(&self, (namespace, name): (&str, &str), eviction: &Value) -> Result<(), Reject> {
        let act = self.act(Verb::Create);
        let how = Deletion::of(eviction.get("deleteOptions").unwrap_or(&Value::Null), &Options::default())?;
        self.server.change(|store| store.evict(&act, &store.address("Pod", namespace, name)?, &how))
    }

    /// Deletes with background propagation and the object's own grace.
    pub fn delete(&self, kind: &str, namespace: &str, name: &str) -> Result<Arc<Value>, Reject> {
        self.remove(kind, (namespace, name), &Deletion::default())
    }

    /// Deletes at once: what the kubelet does when a pod has stopped.
    pub fn delete_now(&self, kind: &str, namespace: &str, name: &str) -> Result<Arc<Value>, Reject> {
        self.remove(kind, (namespace, name), &Deletion { grace: Some(0), ..Deletion::default() })
    }

    /// Deletes and leaves the dependents without their owner reference.
    pub fn orphan(&self, kind: &str, namespace: &str, name: &str) -> Result<Arc<Value>, Reject> {
        self.remove(kind, (namespace, name), &Deletion { propagation: Propagation::Orphan, ..Deletion::default() })
    }

    fn remove(&self, kind: &str, (namespace, name): (&str, &str), how: &Deletion) -> Result<Arc<Value>, Reject> {
        let act = self.act(Verb::Delete);
        self.server.change(|store| store.delete(&act, &store.address(kind, namespace, name)?, how))
    }
}
