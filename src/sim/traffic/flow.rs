//! What becomes of one request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::loads::{CAPACITY, LATENCY, Loads, positive};
use crate::api::Time;
use crate::sim::api_server::Hand;
use crate::sim::models::gateway::{Key, View};
use crate::sim::object;
use crate::sim::random::SplitMix;

/// The share of requests, from 0 to 1, that a pod answers with an error.
pub const ERROR_RATE: &str = "sim.siskin.dev/error-rate";
pub use crate::api::names::POD_HASH as HASH_LABEL;

/// Where users send their requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Through the rules of an `HTTPRoute`: namespace and name.
    Route(Key),
    /// To a Service: namespace and name.
    Service(Key),
    /// Through the cloud's load balancer of a Service: namespace and name.
    Balancer(Key),
}

/// Why a request got no answer from a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No route, no rule, no weight, or no such Service.
    NoBackend,
    /// The Service has no ready endpoint.
    NoEndpoint,
    /// The endpoint's pod is gone or not running.
    DeadPod,
    /// The endpoint's pod is on its way out, and takes no more requests ([`REFUSES`]).
    Draining,
    /// The pod has more to do than it is able to (`loads::CAPACITY`).
    Overload,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A pod answered well.
    Ok {
        /// The pod that answered.
        pod: PodFacts,
        /// The Service that it was reached through.
        service: String,
    },
    /// A pod answered with an error of its own.
    VersionError {
        /// The pod that answered.
        pod: PodFacts,
        /// The Service that it was reached through.
        service: String,
    },
    /// Nobody answered.
    Lost {
        /// Why.
        reason: Reason,
        /// The Service that was chosen; empty where none was.
        service: String,
    },
}

/// What traffic wants to know of a pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodFacts {
    /// The first container's variable `VERSION`, else the label `version`, else the image's tag.
    pub version: String,
    /// The revision's label; empty where there is none.
    pub hash: String,
    /// From 0 to 1.
    pub error_rate: f64,
    /// Requests per second that it can serve; none: any number.
    pub capacity: Option<f64>,
    /// Seconds that it takes for an answer when it is idle.
    pub latency: Option<f64>,
    /// Where it runs.
    pub namespace: String,
    pub(crate) uid: String,
    pub(crate) is_running: bool,
    pub(crate) is_stopping: bool,
    node: String,
    refuses: bool,
}

/// On the pod, seconds: from so long after its deletion it refuses requests. Without the annotation a terminating pod
/// answers until it is gone.
pub const REFUSES: &str = "sim.siskin.dev/refuse-after";

// Rates come from a parsed annotation and are clamped: never NaN.
impl Eq for PodFacts {}

impl PodFacts {
    /// Reads a pod as it behaves at an instant.
    pub fn of(pod: &Value, now: Time) -> Self {
        let rate =
            object::annotation(pod, ERROR_RATE).and_then(|text| text.parse::<f64>().ok()).filter(|rate| !rate.is_nan());
        let states = object::list(pod, "/status/containerStatuses");
        Self {
            version: version(pod),
            hash: object::label(pod, HASH_LABEL).unwrap_or_default().to_owned(),
            error_rate: rate.unwrap_or(0.0).clamp(0.0, 1.0),
            capacity: positive(pod, CAPACITY),
            latency: positive(pod, LATENCY),
            namespace: object::namespace(pod).to_owned(),
            node: object::text(pod, "/spec/nodeName").to_owned(),
            is_stopping: object::is_terminating(pod),
            refuses: refuses(pod, now),
            uid: object::uid(pod).to_owned(),
            is_running: !states.is_empty() && states.iter().all(|state| state.pointer("/state/running").is_some()),
        }
    }
}

impl PodFacts {
    /// Whether a request to the pod that an endpoint of this uid stands for arrives.
    pub(crate) fn is_reachable(&self, uid: &str, view: &View) -> bool {
        self.uid == uid && self.is_running && !view.lost_nodes.contains(&self.node)
    }

    /// Whether it is on its way out and takes no more requests.
    pub(crate) const fn refuses_now(&self) -> bool {
        self.refuses
    }
}

fn refuses(pod: &Value, now: Time) -> bool {
    let after = object::annotation(pod, REFUSES).and_then(|text| text.parse::<f64>().ok());
    let Some(after) = after.filter(|after| after.is_finite() && *after >= 0.0) else { return false };
    let end = object::time(pod, "/metadata/deletionTimestamp");
    let grace = object::integer(pod, "/metadata/deletionGracePeriodSeconds").unwrap_or(0);
    // The timestamp says when the grace ends, so it began that much earlier.
    end.is_some_and(|end| {
        end + Duration::from_secs_f64(after.min(86_400.0)) <= now + Duration::from_secs(grace.unsigned_abs())
    })
}

fn version(pod: &Value) -> String {
    let container = pod.pointer("/spec/containers/0").unwrap_or(&Value::Null);
    let variable = object::list(container, "/env").iter().find(|variable| object::text(variable, "/name") == "VERSION");
    let named = variable.map(|variable| object::text(variable, "/value")).filter(|value| !value.is_empty());
    if let Some(named) = named.or_else(|| object::label(pod, "version")) {
        return named.to_owned();
    }
    let image = object::text(container, "/image").rsplit('/').next().unwrap_or_default();
    image.split_once(':').map_or("latest", |(_, tag)| tag).to_owned()
}

/// Looks pods up once a tick, however many requests there are.
pub(crate) struct Pods<'a> {
    pub hand: &'a Hand,
    pub now: Time,
    pub known: BTreeMap<Key, Option<Arc<PodFacts>>>,
}

impl Pods<'_> {
    pub fn get(&mut self, key: &Key) -> Option<Arc<PodFacts>> {
        if let Some(known) = self.known.get(key) {
            return known.clone();
        }
        let found = self.hand.get("Pod", &key.0, &key.1).map(|pod| Arc::new(PodFacts::of(&pod, self.now)));
        self.known.insert(key.clone(), found.clone());
        found
    }
}

/// A pod that a request has been led to, and the Service that led there.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub service: Key,
    pub pod: Arc<PodFacts>,
}

/// A request that was led nowhere.
#[derive(Clone, Debug)]
pub(crate) struct Astray {
    pub reason: Reason,
    pub service: String,
}

impl From<Astray> for Outcome {
    fn from(Astray { reason, service }: Astray) -> Self {
        Self::Lost { reason, service }
    }
}

/// Leads one request with `headers` to a pod, and says the pod's name.
pub(crate) fn lead(
    (target, headers): (&Target, &BTreeMap<String, String>),
    view: &View,
    pods: &mut Pods<'_>,
    random: &mut SplitMix,
) -> Result<(Choice, String), Astray> {
    let service = match target {
        Target::Service(key) | Target::Balancer(key) => Some(key.clone()),
        Target::Route(key) => {
            view.routes.get(key).and_then(|(_, spec)| backend(spec, headers, random)).map(|name| (key.0.clone(), name))
        }
    };
    let Some(service) = service else {
        return Err(Astray { reason: Reason::NoBackend, service: String::new() });
    };
    let lost = |reason| Astray { reason, service: service.1.clone() };
    let places = if matches!(target, Target::Balancer(_)) { &view.balancers } else { &view.services };
    let Some(endpoints) = places.get(&service) else { return Err(lost(Reason::NoBackend)) };
    let pick = usize::try_from(random.below(endpoints.len() as u64)).unwrap_or(0);
    let Some(endpoint) = endpoints.get(pick) else { return Err(lost(Reason::NoEndpoint)) };
    let pod = pods.get(&(service.0.clone(), endpoint.pod.clone()));
    // A terminating pod answers until it is gone.
    let pod = pod.filter(|pod| pod.is_reachable(&endpoint.uid, view));
    let Some(pod) = pod else { return Err(lost(Reason::DeadPod)) };
    Ok((Choice { service, pod }, endpoint.pod.clone()))
}

/// What the pod makes of a request, and the seconds that its answer takes where it says so.
pub(crate) fn answer(choice: Choice, loads: &mut Loads, random: &mut SplitMix, now: Time) -> (Outcome, Option<f64>) {
    let Choice { service, pod } = choice;
    let lost = |reason| (Outcome::Lost { reason, service: service.1.clone() }, None);
    if pod.refuses {
        return lost(Reason::Draining);
    }
    if !loads.admit(&pod, now) {
        return lost(Reason::Overload);
    }
    let fails = random.unit() < pod.error_rate;
    let took = if pod.latency.is_some() { loads.latency(&pod, now, random.unit()) } else { None };
    let (pod, service) = ((*pod).clone(), service.1);
    (if fails { Outcome::VersionError { pod, service } } else { Outcome::Ok { pod, service } }, took)
}

/// The Service that the route's rules choose.
fn backend(spec: &Value, headers: &BTreeMap<String, String>, random: &mut SplitMix) -> Option<String> {
    let backends = splits(spec, headers);
    let total: u64 = backends.iter().map(|(_, weight)| weight).sum();
    let mut point = random.below(total);
    for (name, weight) in backends {
        if point < weight {
            return Some(name);
        }
        point -= weight;
    }
    None
}

/// The Services of the rule that fits best, with their weights; none where no rule fits.
pub(crate) fn splits(spec: &Value, headers: &BTreeMap<String, String>) -> Vec<(String, u64)> {
    let rules = object::list(spec, "/rules").iter().filter_map(|rule| Some((specificity(rule, headers)?, rule)));
    // The rule with the most header matches wins; among equals the first. Gateway API: HTTPRouteRule.matches.
    let best = rules.fold(None, |best: Option<(usize, &Value)>, next| match best {
        Some(best) if best.0 >= next.0 => Some(best),
        _ => Some(next),
    });
    let backends = best.map_or(&[][..], |(_, rule)| object::list(rule, "/backendRefs"));
    let weight = |backend: &Value| object::integer(backend, "/weight").unwrap_or(1).max(0).unsigned_abs();
    backends.iter().map(|backend| (object::text(backend, "/name").to_owned(), weight(backend))).collect()
}

/// How many headers the rule's best match asks for; none where no match fits. Paths and methods are taken to fit.
fn specificity(rule: &Value, headers: &BTreeMap<String, String>) -> Option<usize> {
    let matches = object::list(rule, "/matches");
    if matches.is_empty() {
        return Some(0);
    }
    let fits = |entry: &Value| {
        let value = headers.get(&object::text(entry, "/name").to_ascii_lowercase());
        let wanted = object::text(entry, "/value");
        value.is_some_and(|value| match object::text(entry, "/type") {
            "RegularExpression" => {
                regex::Regex::new(&format!("^(?:{wanted})$")).is_ok_and(|pattern| pattern.is_match(value))
            }
            _ => value == wanted,
        })
    };
    let count = |entry: &Value| {
        let wanted = object::list(entry, "/headers");
        wanted.iter().all(fits).then_some(wanted.len())
    };
    matches.iter().filter_map(count).max()
}
