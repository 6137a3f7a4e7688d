//! The `EndpointSlice` controller: one slice for each Service with a selector.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::feed::{Agenda, Event, Feed, key_of};
use super::gateway::Key;
use super::replica_sets::ready_since;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;

/// The label that ties a slice to its Service.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// The Service of a slice; none where it says none.
pub(crate) fn service_of(slice: &Value) -> Option<Key> {
    object::label(slice, SERVICE_NAME).map(|name| (object::namespace(slice).to_owned(), name.to_owned()))
}

/// One slice holds at most this many endpoints, as the real API allows; the model does not spill into a second.
const MAX_ENDPOINTS: usize = 1000;

/// A label of an object or a term of a selector: namespace, key, value.
type Pair = (String, String, String);

/// The model. Its actor name is `endpointslice-controller`.
#[derive(Clone)]
pub struct EndpointSlices {
    hand: Hand,
    feed: Feed,
    lag: Duration,
    agenda: Agenda<Key>,
    /// Pods with an address, by each of their labels.
    pods: BTreeMap<Pair, BTreeMap<String, Arc<Value>>>,
    /// Services by each term of their selector.
    services: BTreeMap<Pair, BTreeSet<String>>,
}

impl EndpointSlices {
    /// A controller that reacts `lag` after each change.
    pub fn new(server: &ApiServer, lag: Duration) -> Self {
        let hand = server.hand("endpointslice-controller");
        let feed = Feed::new(&hand, &["Service", "Pod"]);
        Self { hand, feed, lag, agenda: Agenda::new(), pods: BTreeMap::new(), services: BTreeMap::new() }
    }

    /// Changes how long after a change it reacts.
    pub fn set_lag(&mut self, lag: Duration) {
        self.lag = lag;
    }

    /// Does what is due; returns when there is more to do if nothing changes.
    pub fn tick(&mut self, now: Time) -> Option<Time> {
        let news = self.feed.pull();
        if news.is_reset {
            self.pods.clear();
            self.services.clear();
        }
        for event in &news.events {
            if event.kind == "Service" { self.hear_service(event, now) } else { self.hear_pod(event, now) }
        }
        for key in self.agenda.take(now) {
            if let Some(service) = self.hand.get("Service", &key.0, &key.1) {
                self.settle(&service);
            }
        }
        self.agenda.next()
    }

    fn hear_service(&mut self, event: &Event, now: Time) {
        for pair in event.before.iter().flat_map(|service| pairs(service, "/spec/selector")) {
            let Some(names) = self.services.get_mut(&pair) else { continue };
            event.object().map(|service| names.remove(object::name(service)));
            if names.is_empty() {
                self.services.remove(&pair);
            }
        }
        let Some(service) = &event.after else { return };
        for pair in pairs(service, "/spec/selector") {
            self.services.entry(pair).or_default().insert(object::name(service).to_owned());
        }
        self.agenda.add(key_of(service), now + self.lag);
    }

    fn hear_pod(&mut self, event: &Event, now: Time) {
        if let (Some(before), Some(after)) = (&event.before, &event.after)
            && shows_the_same(before, after)
        {
            return;
        }
        for pod in event.before.iter().chain(&event.after) {
            for pair in pairs(pod, "/metadata/labels") {
                for name in self.services.get(&pair).into_iter().flatten() {
                    self.agenda.add((pair.0.clone(), name.clone()), now + self.lag);
                }
                let Some(pods) = self.pods.get_mut(&pair) else { continue };
                pods.remove(object::name(pod));
                if pods.is_empty() {
                    self.pods.remove(&pair);
                }
            }
        }
        let Some(pod) = event.after.as_ref().filter(|pod| !object::text(pod, "/status/podIP").is_empty()) else {
            return;
        };
        for pair in pairs(pod, "/metadata/labels") {
            self.pods.entry(pair).or_default().insert(object::name(pod).to_owned(), pod.clone());
        }
    }

    fn settle(&self, service: &Value) {
        let Some(selector) = object::at(service, "/spec/selector").filter(|selector| selector.is_object()) else {
            return;
        };
        let namespace = object::namespace(service);
        let terms = pairs(service, "/spec/selector");
        // The rarest term leaves the fewest pods to look at; a term that no pod has leaves none.
        let rarest = terms.iter().min_by_key(|pair| self.pods.get(*pair).map_or(0, BTreeMap::len));
        let chosen = rarest.and_then(|pair| self.pods.get(pair)).into_iter().flat_map(BTreeMap::values);
        let chosen = chosen.filter(|pod| object::has_labels(pod, selector));
        let endpoints: Vec<Value> = chosen.take(MAX_ENDPOINTS).map(|pod| endpoint(pod)).collect();
        let name = format!("{}-slice", object::name(service));
        let ports = Value::from(ports(service));
        let endpoints = Value::from(endpoints);
        let old = self.hand.get("EndpointSlice", namespace, &name);
        let same = |old: &Arc<Value>| old.get("endpoints") == Some(&endpoints) && old.get("ports") == Some(&ports);
        if old.as_ref().is_some_and(same) {
            return;
        }
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
        let _ = match old {
            None => self.hand.create("EndpointSlice", slice),
            Some(_) => self.hand.merge("EndpointSlice", (namespace, &name), &slice),
        };
    }
}

/// Whether all that slices show of a pod is as it was: labels, address, node, readiness.
fn shows_the_same(before: &Value, after: &Value) -> bool {
    let same = |pointer: &str| object::at(before, pointer) == object::at(after, pointer);
    same("/metadata/labels")
        && same("/metadata/uid")
        && same("/status/podIP")
        && same("/spec/nodeName")
        && object::is_terminating(before) == object::is_terminating(after)
        && ready_since(before).is_some() == ready_since(after).is_some()
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

fn pairs(object: &Value, pointer: &str) -> Vec<Pair> {
    let map = object.pointer(pointer).and_then(Value::as_object);
    let pair = |(key, value): (&String, &Value)| {
        (object::namespace(object).to_owned(), key.clone(), value.as_str().unwrap_or_default().to_owned())
    };
    map.into_iter().flatten().map(pair).collect()
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
