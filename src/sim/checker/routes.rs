//! Which generations of a route may be in force: from the last that every parent acknowledged to the newest.

use serde_json::Value;

use crate::api::Time;
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
}

/// A route's weights in flight.
#[derive(Clone, Debug, Default)]
pub struct RouteHistory {
    /// From the last acknowledged generation to the newest.
    pub in_flight: Vec<Generation>,
    /// Whether some data plane reports about this route.
    pub claimed: bool,
}

impl RouteHistory {
    /// Takes a new state of the route in.
    pub fn observe(&mut self, route: &Value, _now: Time) {
        let newest = Generation { number: object::generation(route), rules: rules(route) };
        match self.in_flight.last_mut() {
            Some(last) if last.number == newest.number => *last = newest,
            _ => self.in_flight.push(newest),
        }
        self.claimed = !object::list(route, "/status/parents").is_empty();
        let acknowledged = if self.claimed { acknowledged(route) } else { object::generation(route) };
        let keep = self.in_flight.iter().rposition(|generation| generation.number <= acknowledged).unwrap_or(0);
        self.in_flight.drain(..keep);
    }

    /// Whether the newest generation is acknowledged, as far as anybody can.
    pub fn settled_on(&self, number: i64) -> bool {
        self.in_flight.len() == 1 && self.in_flight.iter().all(|generation| generation.number == number)
    }
}

/// Rules with at least one backend.
pub fn rules(route: &Value) -> Vec<Rule> {
    let rules = object::list(route, "/spec/rules").iter().map(|rule| {
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
