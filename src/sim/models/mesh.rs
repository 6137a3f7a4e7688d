//! A mesh like Istio's: a proxy beside every user, each of which hears of routes (`VirtualService`) and of clusters
//! (`DestinationRule` and endpoints) in its own time. For a while no two of them need agree, and one that hears of a
//! route to a subset before it hears of the subset has nobody to send to: that is what a release in a mesh has to bear.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::endpoints::service_of;
use super::feed::{Event, Feed, earliest};
use super::gateway::{Backend, DataPlane, Key, endpoints};
use super::model::Model;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand, Reject};
use crate::sim::object;
use crate::sim::random::SplitMix;

pub use proxy::{Destination, Host, Proxy};

mod proxy;

const ROUTES: &str = "VirtualService";
const RULES: &str = "DestinationRule";
const GROUP: &str = "networking.istio.io";

/// How long something takes, each time anew: from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// At least this.
    pub least: Duration,
    /// At most this.
    pub most: Duration,
}

/// How the mesh behaves.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How many proxies there are; users are spread over them evenly.
    pub proxies: usize,
    /// From a route's change to a proxy.
    pub routes: Lag,
    /// From the change of a subset, or of endpoints, to a proxy.
    pub clusters: Lag,
    /// Of all chance in it.
    pub seed: u64,
}

/// What a proxy is told. Words of one kind never overtake each other on the way to a proxy; the kinds do.
#[derive(Clone, Debug)]
enum Word {
    Route(Key, Option<Arc<Value>>),
    Host(Key, Option<Arc<Host>>),
}

#[derive(Clone, Debug, Default)]
struct Mail {
    routes: VecDeque<(Time, Word)>,
    clusters: VecDeque<(Time, Word)>,
}

/// The model. Its actor name is `mesh`.
#[derive(Clone)]
pub struct Mesh {
    hand: Hand,
    feed: Feed,
    plane: DataPlane,
    manner: Manner,
    random: SplitMix,
    /// What has been said last.
    routes: BTreeMap<Key, Arc<Value>>,
    hosts: BTreeMap<Key, Arc<Host>>,
    mail: Vec<Mail>,
}

impl Mesh {
    /// A mesh that users meet through `plane`; installs the definitions of its kinds.
    ///
    /// # Errors
    /// Where the server refuses these.
    pub fn new(server: &ApiServer, plane: DataPlane, manner: Manner) -> Result<Self, Reject> {
        for (kind, plural) in [(ROUTES, "virtualservices"), (RULES, "destinationrules")] {
            server.define(definition(kind, plural))?;
        }
        let hand = server.hand("mesh");
        plane.lock().proxies = vec![Proxy::default(); manner.proxies];
        Ok(Self {
            feed: Feed::new(&hand, &[ROUTES, RULES, "EndpointSlice"]),
            hand,
            plane,
            manner,
            random: SplitMix::new(manner.seed),
            routes: BTreeMap::new(),
            hosts: BTreeMap::new(),
            mail: vec![Mail::default(); manner.proxies],
        })
    }

    fn look_at_route(&mut self, key: &Key, now: Time) {
        let found = named(&self.hand, ROUTES, key).and_then(|route| route.get("spec").cloned()).map(Arc::new);
        if self.routes.get(key) == found.as_ref() {
            return;
        }
        keep(&mut self.routes, key, found.as_ref());
        for mail in &mut self.mail {
            post(
                &mut mail.routes,
                Word::Route(key.clone(), found.clone()),
                due(&mut self.random, self.manner.routes, now),
            );
        }
    }

    fn look_at_host(&mut self, key: &Key, now: Time) {
        let found = self.host(key).map(Arc::new);
        if self.hosts.get(key) == found.as_ref() {
            return;
        }
        keep(&mut self.hosts, key, found.as_ref());
        for mail in &mut self.mail {
            let at = due(&mut self.random, self.manner.clusters, now);
            post(&mut mail.clusters, Word::Host(key.clone(), found.clone()), at);
        }
    }

    /// The endpoints of a Service and which of them each subset has; none where the Service has no slices. Which labels
    /// a pod has is asked when its Service's endpoints or subsets change.
    fn host(&self, key: &Key) -> Option<Host> {
        let endpoints = endpoints(&self.hand, key)?;
        let rule = named(&self.hand, RULES, key);
        let subsets = rule.iter().flat_map(|rule| object::list(rule, "/spec/subsets")).map(|subset| {
            // A subset without labels is all of the Service.
            let labels = subset.get("labels").filter(|labels| labels.as_object().is_some_and(|map| !map.is_empty()));
            let has = |backend: &&Backend| {
                let pod = self.hand.get("Pod", &key.0, &backend.pod);
                pod.is_some_and(|pod| labels.is_none_or(|labels| object::has_labels(&pod, labels)))
            };
            (object::text(subset, "/name").to_owned(), endpoints.iter().filter(has).cloned().collect())
        });
        let subsets = subsets.collect();
        Some(Host { endpoints, subsets })
    }

    /// Delivers what is due; when the next is.
    fn deliver(&mut self, now: Time) -> Option<Time> {
        let mut plane = self.plane.lock();
        let mut next = Vec::new();
        for (proxy, mail) in plane.proxies.iter_mut().zip(&mut self.mail) {
            for queue in [&mut mail.routes, &mut mail.clusters] {
                while let Some((_, word)) = queue.pop_front_if(|(due, _)| *due <= now) {
                    match word {
                        Word::Route(key, route) => keep(&mut proxy.routes, &key, route.as_ref()),
                        Word::Host(key, host) => keep(&mut proxy.hosts, &key, host.as_ref()),
                    }
                }
                next.push(queue.front().map(|(due, _)| *due));
            }
        }
        earliest(next)
    }
}

impl Model for Mesh {
    fn tick(&mut self, now: Time) -> Option<Time> {
        let news = self.feed.pull();
        let (mut routes, mut hosts) = (BTreeSet::new(), BTreeSet::new());
        if news.is_reset {
            routes.extend(self.routes.keys().cloned());
            hosts.extend(self.hosts.keys().cloned());
        }
        for Event { kind, before, after } in &news.events {
            for object in before.iter().chain(after) {
                match *kind {
                    ROUTES => routes.extend(self::hosts(object)),
                    RULES => hosts.extend(self::hosts(object)),
                    _ => hosts.extend(service_of(object)),
                }
            }
        }
        for key in &hosts {
            self.look_at_host(key, now);
        }
        for key in &routes {
            self.look_at_route(key, now);
        }
        self.deliver(now)
    }
}

/// The Services that a `VirtualService` or a `DestinationRule` is for.
pub(crate) fn hosts(object: &Value) -> impl Iterator<Item = Key> {
    let named = object::list(object, "/spec/hosts").iter().chain(object.pointer("/spec/host"));
    named.filter_map(Value::as_str).map(|host| proxy::host_key(object::namespace(object), host))
}

/// The oldest object of a kind that is for a Service, as Istio chooses between several.
fn named(hand: &Hand, kind: &str, wanted: &Key) -> Option<Arc<Value>> {
    let objects = hand.list(kind, &wanted.0);
    let ours = objects.iter().filter(|object| hosts(object).any(|host| host == *wanted));
    ours.min_by_key(|object| object::time(object, "/metadata/creationTimestamp")).cloned()
}

fn keep<T: Clone>(map: &mut BTreeMap<Key, T>, key: &Key, value: Option<&T>) {
    match value {
        Some(value) => map.insert(key.clone(), value.clone()),
        None => map.remove(key),
    };
}

fn due(random: &mut SplitMix, lag: Lag, now: Time) -> Time {
    let width = lag.most.saturating_sub(lag.least);
    now + lag.least + width.mul_f64(random.unit())
}

/// Nothing is delivered before what was sent earlier.
fn post(queue: &mut VecDeque<(Time, Word)>, word: Word, at: Time) {
    let at = queue.back().map_or(at, |(last, _)| at.max(*last));
    queue.push_back((at, word));
}

fn definition(kind: &str, plural: &str) -> Value {
    let schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.{GROUP}") },
        "spec": {
            "group": GROUP, "scope": "Namespaced",
            "names": { "kind": kind, "plural": plural, "singular": kind.to_ascii_lowercase(), "listKind": format!("{kind}List") },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } }],
        },
    })
}

#[cfg(test)]
mod tests;
