//! A cloud load balancer in front of Services of type `LoadBalancer`, and of Ingresses whose rules forward by weight: pods
//! are its targets, each call of its API takes its turn, and a target serves only some time after it was registered.
//! Targets and weights follow the API late, and in an order of its own: that is what a release behind one has to bear.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::endpoints::service_of;
use super::feed::{Feed, key_of};
use super::gateway::{Backend, DataPlane, Key, endpoints};
use super::model::Model;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;
use crate::sim::random::SplitMix;

pub use listener::Rule;

pub(crate) mod listener;

/// In which order waiting calls are made.
#[derive(Clone, Debug)]
pub enum Order {
    /// Targets leave, and weights move, before others come.
    DeregisterFirst,
    /// Targets come before weights move, and before others leave.
    RegisterFirst,
    /// Any, by this seed.
    Shuffled(u64),
}

/// How the balancer behaves.
#[derive(Clone, Debug)]
pub struct Manner {
    /// From registration to the first request: health checks.
    pub registration: Duration,
    /// The least time between two calls of its API; zero: all at once.
    pub throttle: Duration,
    /// The order of calls.
    pub order: Order,
}

#[derive(Clone, Debug)]
struct Target {
    backend: Backend,
    healthy_at: Time,
}

#[derive(Clone, Debug, Default)]
struct Group {
    wanted: BTreeMap<String, Backend>,
    registered: BTreeMap<String, Target>,
}

/// The rules of an Ingress.
#[derive(Clone, Debug, Default)]
struct Listener {
    wanted: Vec<Rule>,
    applied: Vec<Rule>,
}

impl Listener {
    /// Services that it forwards to, or is going to.
    fn services(&self) -> impl Iterator<Item = &str> {
        self.wanted.iter().chain(&self.applied).flat_map(|rule| &rule.forward).map(|(name, _)| name.as_str())
    }
}

/// One call that is due.
#[derive(Clone, Debug)]
enum Call {
    Register(Key, Backend),
    Deregister(Key, String),
    /// All rules of an Ingress at once.
    Listen(Key),
}

/// The model. Its actor name is `load-balancer`.
#[derive(Clone)]
pub struct LoadBalancer {
    hand: Hand,
    feed: Feed,
    plane: DataPlane,
    manner: Manner,
    random: SplitMix,
    groups: BTreeMap<Key, Group>,
    listeners: BTreeMap<Key, Listener>,
    next_call: Time,
}

impl LoadBalancer {
    /// A balancer that users reach through `plane`.
    pub fn new(server: &ApiServer, plane: DataPlane, manner: Manner) -> Self {
        let hand = server.hand("load-balancer");
        let feed = Feed::new(&hand, &["Service", "Ingress", "EndpointSlice"]);
        let random = SplitMix::new(if let Order::Shuffled(seed) = manner.order { seed } else { 0 });
        let (groups, listeners) = (BTreeMap::new(), BTreeMap::new());
        Self { hand, feed, plane, manner, random, groups, listeners, next_call: Time::default() }
    }

    /// Looks at one Ingress anew; its Services have to be looked at after it.
    fn look_at_ingress(&mut self, key: &Key) -> Vec<Key> {
        let ingress = self.hand.get("Ingress", &key.0, &key.1);
        let Some((ingress, wanted)) =
            ingress.and_then(|ingress| listener::rules(&ingress).map(|rules| (ingress, rules)))
        else {
            self.plane.lock().listeners.remove(key);
            return self.listeners.remove(key).map(|gone| backends(key, &gone)).unwrap_or_default();
        };
        self.address("Ingress", &ingress);
        let listener = self.listeners.entry(key.clone()).or_default();
        listener.wanted = wanted;
        backends(key, listener)
    }

    /// Whether an Ingress forwards to a Service.
    fn is_listened(&self, key: &Key) -> bool {
        let mut ours = self.listeners.iter().filter(|(ingress, _)| ingress.0 == key.0);
        ours.any(|(_, listener)| listener.services().any(|name| name == key.1))
    }

    /// Says where users find the balancer.
    fn address(&self, kind: &str, object: &Value) {
        if object::list(object, "/status/loadBalancer/ingress").is_empty() {
            let key = key_of(object);
            let ingress = json!([{ "hostname": format!("{}.{}.lb.sim.siskin.dev", key.1, key.0) }]);
            let status = json!({ "status": { "loadBalancer": { "ingress": ingress } } });
            // What is gone needs no address.
            let _ = self.hand.merge_status(kind, (&key.0, &key.1), &status);
        }
    }

    /// Looks at one Service and its endpoints anew.
    fn look(&mut self, key: &Key) {
        let service = self.hand.get("Service", &key.0, &key.1);
        let own = service.filter(|service| object::text(service, "/spec/type") == "LoadBalancer");
        if own.is_none() && !self.is_listened(key) {
            self.groups.remove(key);
            self.plane.lock().balancers.remove(key);
            return;
        }
        if let Some(service) = own {
            self.address("Service", &service);
        }
        let wanted = endpoints(&self.hand, key).unwrap_or_default().into_iter();
        let wanted = wanted.map(|backend| (backend.uid.clone(), backend));
        self.groups.entry(key.clone()).or_default().wanted = wanted.collect();
    }

    fn calls(&self) -> Vec<Call> {
        let (mut leaving, mut coming) = (Vec::new(), Vec::new());
        for (key, group) in &self.groups {
            let gone = group.registered.keys().filter(|uid| !group.wanted.contains_key(*uid));
            leaving.extend(gone.map(|uid| Call::Deregister(key.clone(), uid.clone())));
            let new = group.wanted.values().filter(|backend| !group.registered.contains_key(&backend.uid));
            coming.extend(new.map(|backend| Call::Register(key.clone(), backend.clone())));
        }
        let moved = self.listeners.iter().filter(|(_, listener)| listener.wanted != listener.applied);
        let moving = moved.map(|(key, _)| Call::Listen(key.clone()));
        match self.manner.order {
            Order::RegisterFirst => coming.into_iter().chain(moving).chain(leaving).collect(),
            _ => leaving.into_iter().chain(moving).chain(coming).collect(),
        }
    }

    fn make(&mut self, call: Call, now: Time) {
        match call {
            Call::Register(key, backend) => {
                let target = Target { backend: backend.clone(), healthy_at: now + self.manner.registration };
                self.groups.entry(key).or_default().registered.insert(backend.uid, target);
            }
            Call::Deregister(key, uid) => {
                self.groups.entry(key).or_default().registered.remove(&uid);
            }
            Call::Listen(key) => {
                let Some(listener) = self.listeners.get_mut(&key) else { return };
                let before = backends(&key, listener);
                listener.applied.clone_from(&listener.wanted);
                self.plane.lock().listeners.insert(key, listener.applied.clone());
                // One that nobody forwards to any more has no targets.
                for service in &before {
                    self.look(service);
                }
            }
        }
    }
}

impl Model for LoadBalancer {
    fn tick(&mut self, now: Time) -> Option<Time> {
        let (mut services, mut ingresses) = (BTreeSet::new(), BTreeSet::new());
        for event in self.feed.pull().events {
            let Some(object) = event.object() else { continue };
            match event.kind {
                "Ingress" => ingresses.insert(key_of(object)),
                "Service" => services.insert(key_of(object)),
                _ => service_of(object).is_some_and(|service| services.insert(service)),
            };
        }
        for key in &ingresses {
            services.extend(self.look_at_ingress(key));
        }
        for key in &services {
            self.look(key);
        }
        let mut calls = self.calls();
        while !calls.is_empty() && self.next_call <= now {
            let pick = match self.manner.order {
                Order::Shuffled(_) => usize::try_from(self.random.below(calls.len() as u64)).unwrap_or(0),
                _ => 0,
            };
            let call = calls.remove(pick);
            self.make(call, now);
            self.next_call = now + self.manner.throttle;
        }
        let targets = |group: &Group| -> Vec<Backend> {
            group
                .registered
                .values()
                .filter(|target| target.healthy_at <= now)
                .map(|target| target.backend.clone())
                .collect()
        };
        let mut plane = self.plane.lock();
        for (key, group) in &self.groups {
            plane.balancers.insert(key.clone(), targets(group));
        }
        let registered = self.groups.values().flat_map(|group| group.registered.values());
        let healthy = registered.map(|target| target.healthy_at).filter(|at| *at > now).min();
        let turn = (!calls.is_empty()).then_some(self.next_call);
        [healthy, turn].into_iter().flatten().min()
    }
}

fn backends((namespace, _): &Key, listener: &Listener) -> Vec<Key> {
    listener.services().map(|name| (namespace.clone(), name.to_owned())).collect()
}

#[cfg(test)]
mod tests;
