//! A gateway: it applies routes some time after they are written, says so in their status, and keeps a view of its own
//! of routes and endpoints. Users meet this view, never the API objects.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::balancer::Rule;
use super::endpoints::SERVICE_NAME;
use super::feed::{Agenda, Event, Feed, earliest, key_of};
use super::mesh::Proxy;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;

const CONTROLLER: &str = "sim.siskin.dev/gateway";
/// Istio has a Gateway too.
const GATEWAY: &str = "Gateway.gateway.networking.k8s.io";
const GROUP: &str = "gateway.networking.k8s.io";

/// Namespace and name.
pub type Key = (String, String);

/// A pod as the data plane knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The pod's name.
    pub pod: String,
    /// Its uid: a namesake is somebody else.
    pub uid: String,
}

/// What the data plane acts on.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The generation and `spec` of each route as applied.
    pub routes: BTreeMap<Key, (i64, Value)>,
    /// The ready endpoints of each Service that has slices.
    pub services: BTreeMap<Key, Vec<Backend>>,
    /// The healthy targets of load balancers, by their Service.
    pub balancers: BTreeMap<Key, Vec<Backend>>,
    /// The rules of the load balancer of each Ingress.
    pub listeners: BTreeMap<Key, Vec<Rule>>,
    /// The proxies of a mesh.
    pub proxies: Vec<Proxy>,
    /// Nodes whose pods nobody reaches.
    pub lost_nodes: BTreeSet<String>,
}

/// The data plane's view, shared between the gateway that moves it and the traffic that meets it.
pub type DataPlane = Arc<Mutex<View>>;

#[derive(Clone)]
struct Pending {
    due: Time,
    generation: i64,
    spec: Value,
}

/// The model. Its actor name is `gateway`.
#[derive(Clone)]
pub struct GatewayModel {
    hand: Hand,
    plane: DataPlane,
    feed: Feed,
    routes: Agenda<Key>,
    /// Services whose endpoints have changed.
    endpoints: Agenda<Key>,
    slices: BTreeMap<Key, BTreeMap<String, Arc<Value>>>,
    endpoint_lag: Duration,
    /// How long a route's new generation takes to be in force.
    lag: Duration,
    pending: BTreeMap<Key, VecDeque<Pending>>,
}

impl GatewayModel {
    /// A gateway that applies routes after `route_lag` and endpoints after `endpoint_lag`.
    pub fn new(server: &ApiServer, route_lag: Duration, endpoint_lag: Duration) -> Self {
        let hand = server.hand("gateway");
        Self {
            feed: Feed::new(&hand, &["HTTPRoute", GATEWAY, "Service", "EndpointSlice"]),
            hand,
            plane: DataPlane::default(),
            routes: Agenda::new(),
            endpoints: Agenda::new(),
            slices: BTreeMap::new(),
            endpoint_lag,
            lag: route_lag,
            pending: BTreeMap::new(),
        }
    }

    /// The view that users meet.
    pub fn plane(&self) -> DataPlane {
        self.plane.clone()
    }

    /// Changes how long generations take that are not yet seen. A long lag is a gateway that hangs.
    pub fn set_route_lag(&mut self, lag: Duration) {
        self.lag = lag;
    }

    /// Changes how long endpoints take.
    pub fn set_endpoint_lag(&mut self, lag: Duration) {
        self.endpoint_lag = lag;
    }

    /// Does what is due; returns when there is more to do if nothing changes.
    pub fn tick(&mut self, now: Time) -> Option<Time> {
        let news = self.feed.pull();
        if news.is_reset {
            self.slices.clear();
            // What is in force stays in force; what has gone meanwhile is found by looking at each.
            let plane = self.plane.lock();
            plane.routes.keys().for_each(|key| self.routes.add(key.clone(), now));
            plane.services.keys().for_each(|key| self.endpoints.add(key.clone(), now + self.endpoint_lag));
        }
        for event in &news.events {
            self.hear(event, now);
        }
        for key in self.routes.take(now) {
            self.apply_route(&key, now);
        }
        for key in self.endpoints.take(now) {
            self.apply_endpoints(key);
        }
        earliest([self.routes.next(), self.endpoints.next()])
    }

    fn hear(&mut self, event: &Event, now: Time) {
        let Some(object) = event.object() else { return };
        match event.kind {
            "HTTPRoute" => self.routes.add(key_of(object), now),
            "EndpointSlice" => {
                let Some(service) = object::label(object, SERVICE_NAME) else { return };
                let key = (object::namespace(object).to_owned(), service.to_owned());
                let slices = self.slices.entry(key.clone()).or_default();
                match &event.after {
                    Some(slice) => slices.insert(object::name(slice).to_owned(), slice.clone()),
                    None => slices.remove(object::name(object)),
                };
                self.endpoints.add(key, now + self.endpoint_lag);
            }
            // Only whether a Gateway or a Service is there matters to routes.
            _ if event.before.is_some() && event.after.is_some() => {}
            _ => {
                for route in self.hand.list("HTTPRoute", "") {
                    self.routes.add(key_of(&route), now);
                }
            }
        }
    }

    fn apply_route(&mut self, key: &Key, now: Time) {
        let Some(route) = self.hand.get("HTTPRoute", &key.0, &key.1) else {
            self.plane.lock().routes.remove(key);
            self.pending.remove(key);
            return;
        };
        let applied = self.plane.lock().routes.get(key).map(|(generation, _)| *generation);
        let known = self.pending.get(key).and_then(VecDeque::back).map(|pending| pending.generation).or(applied);
        if known != Some(object::generation(&route)) && !self.parents(&route).is_empty() {
            let spec = route.get("spec").cloned().unwrap_or_default();
            let pending = Pending { due: now + self.lag, generation: object::generation(&route), spec };
            self.pending.entry(key.clone()).or_default().push_back(pending);
        }
        self.take_due(key, now);
        self.report(&route, key, now);
        if let Some(next) = self.pending.get(key).and_then(VecDeque::front) {
            self.routes.add(key.clone(), next.due);
        }
    }

    fn take_due(&mut self, key: &Key, now: Time) {
        let Some(queue) = self.pending.get_mut(key) else { return };
        while queue.front().is_some_and(|pending| pending.due <= now) {
            let Some(pending) = queue.pop_front() else { break };
            self.plane.lock().routes.insert(key.clone(), (pending.generation, pending.spec));
        }
    }

    /// The parent references that name a Gateway that is there.
    fn parents(&self, route: &Value) -> Vec<Value> {
        let exists = |parent: &&Value| {
            let is_gateway = matches!(object::text(parent, "/kind"), "" | "Gateway")
                && matches!(object::text(parent, "/group"), "" | GROUP);
            let named = object::text(parent, "/namespace");
            let namespace = if named.is_empty() { object::namespace(route) } else { named };
            is_gateway && self.hand.get(GATEWAY, namespace, object::text(parent, "/name")).is_some()
        };
        object::list(route, "/spec/parentRefs").iter().filter(exists).cloned().collect()
    }

    fn report(&self, route: &Value, key: &Key, now: Time) {
        let Some((generation, spec)) = self.plane.lock().routes.get(key).cloned() else { return };
        let missing = self.missing_backend(route, &spec);
        let accepted = ("Accepted", "True", "Accepted", String::new());
        let resolved = match missing {
            None => ("ResolvedRefs", "True", "ResolvedRefs", String::new()),
            Some(name) => ("ResolvedRefs", "False", "BackendNotFound", format!("Service {name:?} not found")),
        };
        // What other gateways say of the route stays.
        let others = object::list(route, "/status/parents")
            .iter()
            .filter(|old| object::text(old, "/controllerName") != CONTROLLER);
        let parents: Vec<Value> = others
            .cloned()
            .chain(self.parents(route).into_iter().map(|parent| {
                let old =
                    object::list(route, "/status/parents").iter().find(|old| old.get("parentRef") == Some(&parent));
                let told = [&accepted, &resolved].map(|told| condition(old, told, (generation, now)));
                json!({ "parentRef": parent, "controllerName": CONTROLLER, "conditions": told })
            }))
            .collect();
        if json!(object::list(route, "/status/parents")) == json!(parents) {
            return;
        }
        // A route that is gone needs no status.
        let _ = self.hand.merge_status("HTTPRoute", (&key.0, &key.1), &json!({ "status": { "parents": parents } }));
    }

    fn missing_backend(&self, route: &Value, spec: &Value) -> Option<String> {
        let backends = object::list(spec, "/rules").iter().flat_map(|rule| object::list(rule, "/backendRefs"));
        let mut names = backends.map(|backend| object::text(backend, "/name"));
        names.find(|name| self.hand.get("Service", object::namespace(route), name).is_none()).map(str::to_owned)
    }

    fn apply_endpoints(&mut self, key: Key) {
        let slices = self.slices.get(&key).filter(|slices| !slices.is_empty());
        let Some(slices) = slices else {
            self.slices.remove(&key);
            self.plane.lock().services.remove(&key);
            return;
        };
        let endpoints = slices.values().flat_map(|slice| object::list(slice, "/endpoints"));
        let ready = endpoints
            .filter(|endpoint| object::at(endpoint, "/conditions/ready").and_then(Value::as_bool) == Some(true));
        let backends = ready.map(|endpoint| Backend {
            pod: object::text(endpoint, "/targetRef/name").to_owned(),
            uid: object::text(endpoint, "/targetRef/uid").to_owned(),
        });
        let backends = backends.collect();
        self.plane.lock().services.insert(key, backends);
    }
}

fn condition(old: Option<&Value>, told: &(&str, &str, &str, String), (generation, now): (i64, Time)) -> Value {
    let (kind, status, reason, message) = told;
    let same =
        |condition: &&Value| object::text(condition, "/type") == *kind && object::text(condition, "/status") == *status;
    let before = old.and_then(|old| object::list(old, "/conditions").iter().find(same));
    let since = before.and_then(|condition| condition.get("lastTransitionTime").cloned()).unwrap_or_else(|| json!(now));
    json!({ "type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": generation, "lastTransitionTime": since })
}
