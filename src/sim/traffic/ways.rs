//! Where a request may go: what the data plane's view leaves to chance.

use std::collections::BTreeMap;

use serde_json::Value;

use super::flow::Target;
use crate::sim::models::balancer::listener;
use crate::sim::models::gateway::{Backend, Key, View};
use crate::sim::models::mesh;
use crate::sim::object;

/// A Service, or a part of it, that a request may be led to.
#[derive(Clone, Debug)]
pub(crate) struct Way<'v> {
    pub service: Key,
    /// Its share, beside those of the other ways.
    pub weight: u64,
    /// Where the Service's requests go; none: whoever decides has not heard of it.
    pub endpoints: Option<&'v [Backend]>,
}

/// How many there are who decide on their own: in a mesh each proxy, else one. A request meets any of them.
pub(crate) fn deciders(target: &Target, view: &View) -> usize {
    if matches!(target, Target::Mesh(_)) { view.proxies.len().max(1) } else { 1 }
}

/// The ways that the `decider`th leaves open to a request with `headers`; none where it knows of none.
pub(crate) fn ways<'v>(
    (target, headers): (&Target, &BTreeMap<String, String>),
    view: &'v View,
    decider: usize,
) -> Vec<Way<'v>> {
    let through = |places: &'v BTreeMap<Key, Vec<Backend>>, service: Key, weight| {
        let endpoints = places.get(&service).map(Vec::as_slice);
        Way { service, weight, endpoints }
    };
    match target {
        Target::Service(key) => vec![through(&view.services, key.clone(), 1)],
        Target::Balancer(key) => vec![through(&view.balancers, key.clone(), 1)],
        Target::Route(key) => {
            let split = view.routes.get(key).map(|(_, spec)| splits(spec, headers)).unwrap_or_default();
            let way = |(name, weight)| through(&view.services, (key.0.clone(), name), weight);
            split.into_iter().map(way).collect()
        }
        Target::Ingress(key) => {
            let rules = view.listeners.get(key).map(Vec::as_slice).unwrap_or_default();
            let way = |(name, weight): &(String, u64)| through(&view.balancers, (key.0.clone(), name.clone()), *weight);
            listener::forward(rules, headers).iter().map(way).collect()
        }
        Target::Mesh(key) => {
            let Some(proxy) = view.proxies.get(decider) else { return Vec::new() };
            let way =
                |to: mesh::Destination| Way { endpoints: proxy.endpoints(&to), service: to.host, weight: to.weight };
            proxy.destinations(key, headers).into_iter().map(way).collect()
        }
    }
}

/// Whether a request without headers would find somebody to answer it, whoever decides on its way.
pub(crate) fn is_open(target: &Target, view: &View) -> bool {
    let headers = BTreeMap::new();
    (0..deciders(target, view)).all(|decider| {
        let mut open = ways((target, &headers), view, decider).into_iter().filter(|way| way.weight > 0).peekable();
        open.peek().is_some() && open.all(|way| way.endpoints.is_some_and(|endpoints| !endpoints.is_empty()))
    })
}

/// The Services of the rule that fits best, with their weights; none where no rule fits.
fn splits(spec: &Value, headers: &BTreeMap<String, String>) -> Vec<(String, u64)> {
    let rules = object::list(spec, "/rules").iter().filter_map(|rule| Some((specificity(rule, headers)?, rule)));
    // The rule with the most header matches wins; among equals the first. Gateway API: HTTPRouteRule.matches.
    let best = rules.fold(None, |best: Option<(usize, &Value)>, next| match best {
        Some(best) if best.0 >= next.0 => Some(best),
        _ => Some(next),
    });
    let backends = best.map_or(&[][..], |(_, rule)| object::list(rule, "/backendRefs"));
    backends.iter().map(|backend| (object::text(backend, "/name").to_owned(), weight(backend, 1))).collect()
}

/// The `weight` of a backend, at least 0; `unsaid` where it names none.
pub(crate) fn weight(backend: &Value, unsaid: u64) -> u64 {
    object::integer(backend, "/weight").map_or(unsaid, |weight| weight.max(0).unsigned_abs())
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
            "RegularExpression" => is_like(value, wanted),
            _ => value == wanted,
        })
    };
    let count = |entry: &Value| {
        let wanted = object::list(entry, "/headers");
        wanted.iter().all(fits).then_some(wanted.len())
    };
    matches.iter().filter_map(count).max()
}

/// Whether the whole of a header's value fits a regular expression; nothing fits one that is none.
pub(crate) fn is_like(value: &str, pattern: &str) -> bool {
    regex::Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|pattern| pattern.is_match(value))
}
