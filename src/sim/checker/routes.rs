//! Which generations of a route may be in force: from the last that every parent acknowledged to the newest.

use serde_json::Value;

use crate::api::Time;
use crate::sim::bare::view::LATEST;
use crate::sim::object;

/// One rule's backends and weights.
pub type Rule = Vec<(String, i64)>;

/// The weights of one generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// `metadata.generation`.
    pub number: i64,
    /// Rules with backends.
    pub rules: Vec<Rule>,
    /// Rules that lead requests to a Service whatever its weight.
    pub led: Vec<Led>,
}

/// A rule of a managed route, and the Service that it leads to or copies requests to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Led {
    /// The rule's name.
    pub rule: String,
    /// The Service.
    pub service: String,
}

/// A route's weights in flight.
#[derive(Clone, Debug, Default)]
pub struct RouteHistory {
    /// From the last acknowledged generation to the newest.
    pub in_flight: Vec<Generation>,
    /// Whether some data plane reports about this route.
    pub claimed: bool,
    /// Generations that were acknowledged once, and until when they were the last such.
    pub replaced: Vec<(Time, Generation)>,
}

impl RouteHistory {
    /// Takes a new state of the route in.
    pub fn observe(&mut self, route: &Value, now: Time) {
        let newest = Generation { number: object::generation(route), rules: rules(route), led: led(route) };
        match self.in_flight.last_mut() {
            Some(last) if last.number == newest.number => *last = newest,
            _ => self.in_flight.push(newest),
        }
        self.claimed = !object::list(route, "/status/parents").is_empty();
        let acknowledged = if self.claimed { acknowledged(route) } else { object::generation(route) };
        let keep = self.in_flight.iter().rposition(|generation| generation.number <= acknowledged).unwrap_or(0);
        self.replaced.extend(self.in_flight.drain(..keep).map(|generation| (now, generation)));
        self.replaced.retain(|(until, _)| now.since(*until) <= LATEST);
    }

    /// Whether the newest generation is acknowledged, as far as anybody can.
    pub fn settled_on(&self, number: i64) -> bool {
        self.in_flight.len() == 1 && self.in_flight.iter().all(|generation| generation.number == number)
    }
}

/// A rule with one backend behind a header: requests with the header are no share of the traffic.
fn is_header_rule(rule: &Value) -> bool {
    let by_header = |entry: &Value| !object::list(entry, "/headers").is_empty();
    object::list(rule, "/backendRefs").len() == 1 && object::list(rule, "/matches").iter().any(by_header)
}

/// The rules that lead requests to a Service whatever its weight: header rules, and mirrors.
pub fn led(route: &Value) -> Vec<Led> {
    let of = |rule: &Value| {
        let header = is_header_rule(rule).then(|| object::text(rule, "/backendRefs/0/name").to_owned());
        let filters = object::list(rule, "/filters").iter();
        let mirrored = filters.map(|filter| object::text(filter, "/requestMirror/backendRef/name").to_owned());
        let services = header.into_iter().chain(mirrored.filter(|service| !service.is_empty()));
        services.map(|service| Led { rule: object::text(rule, "/name").to_owned(), service }).collect::<Vec<_>>()
    };
    object::list(route, "/spec/rules").iter().flat_map(of).collect()
}

/// Rules with at least one backend, without those of header routes.
pub fn rules(route: &Value) -> Vec<Rule> {
    let rules = object::list(route, "/spec/rules").iter().filter(|rule| !is_header_rule(rule)).map(|rule| {
        object::list(rule, "/backendRefs")
            .iter()
            .map(|backend| {
                (object::text(backend, "/name").to_owned(), object::integer(backend, "/weight").unwrap_or(1))
            })
            .collect::<Rule>()
    });
    rules.filter(|rule| !rule.is_empty()).collect()
}

/// The newest generation that every parent has accepted with its references resolved; 0 for none.
pub fn acknowledged(route: &Value) -> i64 {
    let parents = object::list(route, "/status/parents").iter().map(|parent| {
        let of = |kind: &str| {
            object::list(parent, "/conditions")
                .iter()
                .find(|condition| {
                    object::text(condition, "/type") == kind && object::text(condition, "/status") == "True"
                })
                .and_then(|condition| object::integer(condition, "/observedGeneration"))
                .unwrap_or(0)
        };
        of("Accepted").min(of("ResolvedRefs"))
    });
    parents.min().unwrap_or(0)
}
