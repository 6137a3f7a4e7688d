//! What becomes of one request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::loads::{CAPACITY, LATENCY, Loads, positive};
use super::ways::{Way, deciders, ways};
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
    /// Through the cloud's load balancer of an Ingress: namespace and name.
    Ingress(Key),
    /// To a Service, through the proxies of the mesh: namespace and name.
    Mesh(Key),
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
    let decider = match deciders(target, view) {
        1 => 0,
        several => pick(several, random),
    };
    let ways = ways((target, headers), view, decider);
    let Some(way) = choose(ways, random) else {
        return Err(Astray { reason: Reason::NoBackend, service: String::new() });
    };
    let Way { service, endpoints, .. } = way;
    let lost = |reason| Astray { reason, service: service.1.clone() };
    let Some(endpoints) = endpoints else { return Err(lost(Reason::NoBackend)) };
    let Some(endpoint) = endpoints.get(pick(endpoints.len(), random)) else { return Err(lost(Reason::NoEndpoint)) };
    let pod = pods.get(&(service.0.clone(), endpoint.pod.clone()));
    // A terminating pod answers until it is gone.
    let pod = pod.filter(|pod| pod.is_reachable(&endpoint.uid, view));
    let Some(pod) = pod else { return Err(lost(Reason::DeadPod)) };
    Ok((Choice { service, pod }, endpoint.pod.clone()))
}

/// One of several ways, by weight; none where none has any.
fn choose<'v>(ways: Vec<Way<'v>>, random: &mut SplitMix) -> Option<Way<'v>> {
    let total = ways.iter().map(|way| way.weight).sum();
    let mut point = if ways.len() > 1 { random.below(total) } else { 0 };
    ways.into_iter().find(|way| {
        let hit = point < way.weight;
        point = point.saturating_sub(way.weight);
        hit
    })
}

fn pick(places: usize, random: &mut SplitMix) -> usize {
    usize::try_from(random.below(places as u64)).unwrap_or(0)
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
