//! A gateway: it applies routes some time after they are written, or refuses them, says so in their status, and keeps a
//! view of its own of routes and endpoints. Users meet this view, never the API objects.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::balancer::Rule;
use super::endpoints::service_of;
use super::feed::{Agenda, Event, Feed, earliest, key_of};
use super::mesh::Proxy;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;

const CONTROLLER: &str = "sim.siskin.dev/gateway";
/// On a Gateway: from now on it refuses new generations of routes, and what was in force before stays so. The value is the
/// message that it gives.
pub const REFUSES: &str = "sim.siskin.dev/refuse";
/// The kind with its group: Istio has a Gateway too.
pub const GATEWAY: &str = "Gateway.gateway.networking.k8s.io";
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

impl Backend {
    /// The pod of an endpoint that is ready.
    pub(crate) fn ready(endpoint: &Value) -> Option<Self> {
        let text = |pointer: &str| object::text(endpoint, pointer).to_owned();
        let is_ready = object::at(endpoint, "/conditions/ready").and_then(Value::as_bool) == Some(true);
        is_ready.then(|| Self { pod: text("/targetRef/name"), uid: text("/targetRef/uid") })
    }
}

/// The ready endpoints of a Service, by its slices; none where it has none.
pub(crate) fn endpoints(hand: &Hand, service: &Key) -> Option<Vec<Backend>> {
    let slices = hand.list("EndpointSlice", &service.0);
    let mut ours = slices.iter().filter(|slice| service_of(slice).as_ref() == Some(service)).peekable();
    ours.peek()?;
    Some(ours.flat_map(|slice| object::list(slice, "/endpoints")).filter_map(Backend::ready).collect())
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

/// A Gateway that a route names, and that is there.
struct Parent {
    reference: Value,
    /// Reason and message of a refusal, as the Gateway API names them.
    refusal: Option<(&'static str, String)>,
}

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
    /// The generation of each route that was refused last, where nothing was applied since.
    refused: BTreeMap<Key, i64>,
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
            refused: BTreeMap::new(),
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
                let Some(key) = service_of(object) else { return };
                let slices = self.slices.entry(key.clone()).or_default();
                match &event.after {
                    Some(slice) => slices.insert(object::name(slice).to_owned(), slice.clone()),
                    None => slices.remove(object::name(object)),
                };
                self.endpoints.add(key, now + self.endpoint_lag);
            }
            // Of a Service, only whether it is there matters to routes.
            "Service" if event.before.is_some() && event.after.is_some() => {}
            kind => {
                if kind == GATEWAY {
                    self.program(event.after.as_deref(), now);
                    if !is_another(event) {
                        return;
                    }
                }
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
            self.refused.remove(key);
            return;
        };
        let parents = self.parents(&route);
        let is_taken = parents.iter().any(|parent| parent.refusal.is_none());
        let applied = self.plane.lock().routes.get(key).map(|(generation, _)| *generation);
        let refused = self.refused.get(key).copied().filter(|_| !is_taken);
        let waiting = self.pending.get(key).and_then(VecDeque::back).map(|pending| pending.generation);
        if waiting.or(refused).or(applied) != Some(object::generation(&route)) && !parents.is_empty() {
            let spec = route.get("spec").cloned().unwrap_or_default();
            let pending = Pending { due: now + self.lag, generation: object::generation(&route), spec };
            self.pending.entry(key.clone()).or_default().push_back(pending);
        }
        self.take_due(key, is_taken, now);
        self.report((&route, &parents), key, now);
        if let Some(next) = self.pending.get(key).and_then(VecDeque::front) {
            self.routes.add(key.clone(), next.due);
        }
    }

    fn take_due(&mut self, key: &Key, is_taken: bool, now: Time) {
        let Some(queue) = self.pending.get_mut(key) else { return };
        while let Some(pending) = queue.pop_front_if(|pending| pending.due <= now) {
            if is_taken {
                self.plane.lock().routes.insert(key.clone(), (pending.generation, pending.spec));
                self.refused.remove(key);
            } else {
                self.refused.insert(key.clone(), pending.generation);
            }
        }
    }

    /// The Gateways that a route names, as far as they are there.
    fn parents(&self, route: &Value) -> Vec<Parent> {
        let found = |reference: &Value| {
            let is_gateway = matches!(object::text(reference, "/kind"), "" | "Gateway")
                && matches!(object::text(reference, "/group"), "" | GROUP);
            let named = object::text(reference, "/namespace");
            let namespace = if named.is_empty() { object::namespace(route) } else { named };
            let gateway = self.hand.get(GATEWAY, namespace, object::text(reference, "/name")).filter(|_| is_gateway)?;
            Some(Parent { refusal: refusal(&gateway, reference), reference: reference.clone() })
        };
        object::list(route, "/spec/parentRefs").iter().filter_map(found).collect()
    }

    /// Says of a Gateway that it serves.
    fn program(&self, gateway: Option<&Value>, now: Time) {
        let Some(gateway) = gateway.filter(|gateway| gateway.pointer("/status/conditions").is_none()) else { return };
        let told = ["Accepted", "Programmed"]
            .map(|kind| condition(None, &(kind, "True", kind, String::new()), (object::generation(gateway), now)));
        let addresses = json!([{ "type": "Hostname", "value": format!("{}.sim.siskin.dev", object::name(gateway)) }]);
        let status = json!({ "status": { "conditions": told, "addresses": addresses } });
        // A Gateway that is gone needs no status.
        let _ = self.hand.merge_status(GATEWAY, (object::namespace(gateway), object::name(gateway)), &status);
    }

    fn report(&self, (route, parents): (&Value, &[Parent]), key: &Key, now: Time) {
        let applied = self.plane.lock().routes.get(key).cloned();
        let refused = self.refused.get(key).map(|at| (*at, route.get("spec").cloned().unwrap_or_default()));
        let is_refused = refused.is_some();
        let Some((generation, spec)) = refused.or(applied) else { return };
        let resolved = match self.missing_backend(route, &spec) {
            None => ("ResolvedRefs", "True", "ResolvedRefs", String::new()),
            Some(name) => ("ResolvedRefs", "False", "BackendNotFound", format!("Service {name:?} not found")),
        };
        let somebody_takes = parents.iter().any(|parent| parent.refusal.is_none());
        let entry = |Parent { reference, refusal }: &Parent| {
            let accepted = match refusal {
                Some((reason, message)) if is_refused || somebody_takes => {
                    ("Accepted", "False", *reason, message.clone())
                }
                None if is_refused => {
                    ("Accepted", "False", "Pending", "it was refused, and is looked at again".to_owned())
                }
                // Refused is what comes; this was applied before.
                _ => ("Accepted", "True", "Accepted", String::new()),
            };
            let mut old = object::list(route, "/status/parents").iter();
            let old = old.find(|old| old.get("parentRef") == Some(reference));
            let told = [&accepted, &resolved].map(|told| condition(old, told, (generation, now)));
            json!({ "parentRef": reference, "controllerName": CONTROLLER, "conditions": told })
        };
        // What other gateways say of the route stays.
        let others = object::list(route, "/status/parents")
            .iter()
            .filter(|old| object::text(old, "/controllerName") != CONTROLLER);
        let told: Vec<Value> = others.cloned().chain(parents.iter().map(entry)).collect();
        if json!(object::list(route, "/status/parents")) == json!(told) {
            return;
        }
        // A route that is gone needs no status.
        let _ = self.hand.merge_status("HTTPRoute", (&key.0, &key.1), &json!({ "status": { "parents": told } }));
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
        let backends = endpoints.filter_map(Backend::ready).collect();
        self.plane.lock().services.insert(key, backends);
    }
}

/// Why a Gateway does not take a route by this reference to it.
fn refusal(gateway: &Value, reference: &Value) -> Option<(&'static str, String)> {
    if let Some(message) = object::annotation(gateway, REFUSES) {
        return Some(("UnsupportedValue", message.to_owned()));
    }
    let (section, listeners) = (object::text(reference, "/sectionName"), object::list(gateway, "/spec/listeners"));
    let is_there = section.is_empty() || listeners.iter().any(|listener| object::text(listener, "/name") == section);
    (!is_there)
        .then(|| ("NoMatchingParent", format!("Gateway {:?} has no listener {section:?}", object::name(gateway))))
}

/// Whether a Gateway has come or gone, or treats routes otherwise than before.
fn is_another(event: &Event) -> bool {
    let (Some(before), Some(after)) = (&event.before, &event.after) else { return true };
    let listeners = |gateway: &Value| gateway.pointer("/spec/listeners").cloned();
    object::annotation(before, REFUSES) != object::annotation(after, REFUSES) || listeners(before) != listeners(after)
}

fn condition(old: Option<&Value>, told: &(&str, &str, &str, String), (generation, now): (i64, Time)) -> Value {
    let (kind, status, reason, message) = told;
    let same =
        |condition: &&Value| object::text(condition, "/type") == *kind && object::text(condition, "/status") == *status;
    let before = old.and_then(|old| object::list(old, "/conditions").iter().find(same));
    let since = before.and_then(|condition| condition.get("lastTransitionTime").cloned()).unwrap_or_else(|| json!(now));
    json!({ "type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": generation, "lastTransitionTime": since })
}
