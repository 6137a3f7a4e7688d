//! One proxy: what it has been told, and how it chooses by that.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::super::gateway::{Backend, Key};
use crate::sim::object;
use crate::sim::traffic::ways::{is_like, weight};

/// A Service as the mesh knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Its ready endpoints.
    pub endpoints: Vec<Backend>,
    /// Those of each subset.
    pub subsets: BTreeMap<String, Vec<Backend>>,
}

/// What one proxy has been told.
#[derive(Clone, Debug, Default)]
pub struct Proxy {
    /// The `spec` of the `VirtualService` of each host, by the host's Service.
    pub routes: BTreeMap<Key, Arc<Value>>,
    /// What it knows of each Service.
    pub hosts: BTreeMap<Key, Arc<Host>>,
}

/// Where a route may lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The Service.
    pub host: Key,
    /// A part of it; empty: all of it.
    pub subset: String,
    /// Its share, beside those of the route's other destinations.
    pub weight: u64,
}

impl Proxy {
    /// Where requests for a Service go: by the first rule of its route that fits, straight to it where it has no route,
    /// and nowhere where no rule fits.
    pub fn destinations(&self, service: &Key, headers: &BTreeMap<String, String>) -> Vec<Destination> {
        let Some(spec) = self.routes.get(service) else {
            return vec![Destination { host: service.clone(), subset: String::new(), weight: 1 }];
        };
        let rule = object::list(spec, "/http").iter().find(|rule| fits(rule, headers));
        let routes = rule.map_or(&[][..], |rule| object::list(rule, "/route"));
        // A single destination needs no weight. Istio: HTTPRouteDestination.weight.
        let unsaid = u64::from(routes.len() == 1);
        let read = |route: &Value| Destination {
            host: host_key(&service.0, object::text(route, "/destination/host")),
            subset: object::text(route, "/destination/subset").to_owned(),
            weight: weight(route, unsaid),
        };
        routes.iter().map(read).collect()
    }

    /// The endpoints of a destination; none where the proxy has not heard of it.
    pub fn endpoints(&self, to: &Destination) -> Option<&[Backend]> {
        let host = self.hosts.get(&to.host)?;
        if to.subset.is_empty() {
            return Some(&host.endpoints);
        }
        host.subsets.get(&to.subset).map(Vec::as_slice)
    }
}

/// The Service that a host means: `web`, `web.shop` or `web.shop.svc.cluster.local`.
pub(super) fn host_key(namespace: &str, host: &str) -> Key {
    let mut parts = host.split('.');
    let name = parts.next().unwrap_or_default().to_owned();
    (parts.next().unwrap_or(namespace).to_owned(), name)
}

/// Whether a rule takes a request: any of its matches does, or it has none. Of a match only headers are looked at.
fn fits(rule: &Value, headers: &BTreeMap<String, String>) -> bool {
    let matches = object::list(rule, "/match");
    let has = |(name, wanted): (&String, &Value)| {
        let text = |how: &str| wanted.get(how).and_then(Value::as_str);
        headers.get(&name.to_ascii_lowercase()).is_some_and(|value| {
            match (text("exact"), text("prefix"), text("regex")) {
                (Some(exact), _, _) => value == exact,
                (_, Some(prefix), _) => value.starts_with(prefix),
                (_, _, Some(pattern)) => is_like(value, pattern),
                // An empty condition asks only that the header is there.
                _ => true,
            }
        })
    };
    let all = |one: &Value| one.get("headers").and_then(Value::as_object).is_none_or(|wanted| wanted.iter().all(has));
    matches.is_empty() || matches.iter().any(all)
}
