//! Istio virtual services have the routes that the Rollout names, with its two destinations in them.
//!
//! Argo: `validation_references.go ValidateVirtualService`, `rollout/trafficrouting/istio/istio.go Validate*Routes`.

use super::super::error::{Path, Report, quote};
use super::super::read::{get, integer, list, object, text, texts};
use super::super::traffic_routing::TrafficRouting;
use super::super::types;
use super::check::{name_of, strategy, strategy_path};
use crate::rollout::revision::table::{Field, Kind, Presence, Struct};
use serde_json::Value;
use std::collections::BTreeSet;

const fn field(key: &'static str, kind: Kind) -> Field {
    Field { key, kind, presence: Presence::WhenFilled }
}

static DESTINATION: Struct =
    Struct { name: "VirtualServiceDestination", fields: &[field("host", Kind::Text), field("subset", Kind::Text)] };

static WEIGHTED: Struct = Struct {
    name: "VirtualServiceRouteDestination",
    fields: &[field("destination", Kind::Struct(&DESTINATION)), field("weight", Kind::Int64)],
};

static PORT_MATCH: Struct = Struct {
    name: "L4MatchAttributes",
    fields: &[field("sniHosts", Kind::List(&Kind::Text)), field("port", Kind::Int64)],
};

static HTTP_ROUTE: Struct = Struct {
    name: "VirtualServiceHTTPRoute",
    fields: &[field("name", Kind::Text), field("route", Kind::List(&Kind::Struct(&WEIGHTED)))],
};

static PORT_ROUTE: Struct = Struct {
    name: "VirtualServiceTLSRoute",
    fields: &[
        field("match", Kind::List(&Kind::Struct(&PORT_MATCH))),
        field("route", Kind::List(&Kind::Struct(&WEIGHTED))),
    ],
};

/// What the routes have to lead to.
struct Destinations<'a> {
    canary: &'a str,
    stable: &'a str,
    /// The destination rule, whose subsets count instead of the services.
    subsets: Option<&'a Value>,
    /// Names of the routes that steps manage beside the Rollout's own.
    managed: BTreeSet<&'a str>,
}

pub fn check(rollout: &Value, virtual_service: &Value, report: &mut Report) {
    let canary = strategy(rollout, "canary");
    let routing = TrafficRouting::of(canary);
    let Some(istio) = routing.router("istio") else {
        let path = strategy_path(&["canary", "trafficRouting", "istio"]);
        let detail = "Rollout object is not configured with Istio traffic routing";
        report.invalid(&path, quote(name_of(rollout)), detail);
        return;
    };
    let plural = istio.get("virtualServices").is_some_and(Value::is_array);
    let element = if plural { "virtualServices" } else { "virtualService" };
    let path = strategy_path(&["canary", "trafficRouting", "istio", element, "name"]);
    let named: Vec<_> =
        if plural { list(istio, element).iter().collect() } else { object(istio, element).into_iter().collect() };
    let own_name = |named: &&Value| bare_name(text(named, "name")) == name_of(virtual_service);
    if let Some(config) = named.into_iter().find(own_name) {
        let wanted = destinations(rollout, canary, istio);
        check_routes(virtual_service, config, &wanted, &path, report);
    }
}

/// `name`, `name.namespace` or the full host of either.
fn bare_name(name: &str) -> &str {
    let name = name.strip_suffix(".cluster.local").unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(name, _)| name)
}

/// With ping-pong and no services of its own, a canary's two services change places at each promotion.
fn destinations<'a>(rollout: &'a Value, canary: &'a Value, istio: &'a Value) -> Destinations<'a> {
    let (mut stable_service, mut canary_service) = (text(canary, "stableService"), text(canary, "canaryService"));
    if let Some(pair) = object(canary, "pingPong").filter(|_| stable_service.is_empty() && canary_service.is_empty()) {
        let (ping, pong) = (text(pair, "pingService"), text(pair, "pongService"));
        let status = get(rollout, "status").and_then(|status| get(status, "canary")).unwrap_or(&Value::Null);
        (stable_service, canary_service) =
            if text(status, "stablePingPong") == "ping" { (ping, pong) } else { (pong, ping) };
    }
    let routes = TrafficRouting::of(canary).managed_routes().unwrap_or_default();
    Destinations {
        canary: canary_service,
        stable: stable_service,
        subsets: object(istio, "destinationRule"),
        managed: routes.iter().map(|route| text(route, "name")).collect(),
    }
}

fn check_routes(virtual_service: &Value, config: &Value, wanted: &Destinations<'_>, path: &Path, report: &mut Report) {
    let name = quote(bare_name(text(config, "name")));
    let spec = object(virtual_service, "spec").unwrap_or(&Value::Null);
    let routes_of = |key: &str| spec.get(key).and_then(Value::as_array);
    if ["http", "tls", "tcp"].iter().all(|key| routes_of(key).is_none()) {
        let detail = "Unable to get any of the HTTP, TCP or TLS routes for the Istio VirtualService";
        report.invalid(path, &name, detail);
    }
    for (key, shape) in [("http", &HTTP_ROUTE), ("tls", &PORT_ROUTE), ("tcp", &PORT_ROUTE)] {
        let Some(routes) = routes_of(key) else { continue };
        let protocol = key.to_uppercase();
        if !are_readable(routes, shape) {
            report.invalid(path, &name, &format!("Unable to get {protocol} routes for Istio VirtualService"));
            continue;
        }
        let outcome =
            if key == "http" { check_http(routes, config, wanted) } else { check_ports(routes, config, wanted, key) };
        if let Err(cause) = outcome {
            let detail = format!("Istio VirtualService has invalid {protocol} routes. Error: {cause}");
            report.invalid(path, &name, &detail);
        }
    }
}

fn are_readable(routes: &[Value], shape: &Struct) -> bool {
    let mut report = Report::default();
    for route in routes.iter().filter(|route| !route.is_null()) {
        types::check(shape, route, &Path::new(""), &mut report);
    }
    report.0.is_empty()
}

fn check_http(routes: &[Value], config: &Value, wanted: &Destinations<'_>) -> Result<(), String> {
    let names: Vec<_> = texts(config, "routes").collect();
    let mut chosen = Vec::new();
    if names.is_empty() {
        // A single route needs no name; of several the first without one is taken.
        let unnamed = |route: &&Value| routes.len() == 1 || text(route, "name").is_empty();
        chosen.extend(routes.iter().find(unnamed));
    }
    for name in &names {
        let found = routes.iter().find(|route| text(route, "name") == *name);
        chosen.push(found.ok_or_else(|| format!("HTTP Route '{name}' is not found in the defined Virtual Service."))?);
    }
    for route in chosen {
        check_destinations(route, wanted)?;
    }
    let own = routes.iter().filter(|route| !wanted.managed.contains(text(route, "name"))).count();
    if names.is_empty() && own > 1 { Err(exactly_one("http", "routes")) } else { Ok(()) }
}

fn exactly_one(key: &str, field: &str) -> String {
    format!(
        "spec.{key}[] should be set in VirtualService and it must have exactly one route when omitting \
         spec.strategy.canary.trafficRouting.istio.virtualService.{field}"
    )
}

/// TLS and TCP routes are named by port, TLS ones by their SNI hosts too.
fn check_ports(routes: &[Value], config: &Value, wanted: &Destinations<'_>, key: &str) -> Result<(), String> {
    let field = format!("{key}Routes");
    let named = list(config, &field);
    if named.is_empty() {
        check_destinations(routes.first().unwrap_or(&Value::Null), wanted)?;
    }
    for name in named {
        let found: Vec<_> = routes.iter().filter(|route| is_named(route, name, key)).collect();
        if found.is_empty() {
            let protocol = key.to_uppercase();
            return Err(format!("No matching {protocol} routes found in the defined Virtual Service."));
        }
        found.into_iter().try_for_each(|route| check_destinations(route, wanted))?;
    }
    if named.is_empty() && routes.len() > 1 { Err(exactly_one(key, &field)) } else { Ok(()) }
}

/// Whether the route's one port, and for TLS all of its hosts, are those that the Rollout names.
fn is_named(route: &Value, name: &Value, key: &str) -> bool {
    let matches = list(route, "match");
    let ports: BTreeSet<_> = matches.iter().map(|m| integer(m, "port").unwrap_or(0)).collect();
    let hosts: BTreeSet<_> = matches.iter().flat_map(|m| texts(m, "sniHosts")).collect();
    let wanted: Vec<_> = texts(name, "sniHosts").collect();
    let same_hosts = wanted.len() == hosts.len() && hosts.iter().all(|host| wanted.contains(host));
    ports.len() <= 1
        && ports.first().copied().unwrap_or(0) == integer(name, "port").unwrap_or(0)
        && (key == "tcp" || same_hosts)
}

/// Both subsets when there is a destination rule, else both services.
fn check_destinations(route: &Value, wanted: &Destinations<'_>) -> Result<(), String> {
    let targets: Vec<_> = list(route, "route").iter().filter_map(|target| object(target, "destination")).collect();
    let checks = match wanted.subsets {
        Some(rule) => [
            ("Canary DestinationRule subset", text(rule, "canarySubsetName"), "subset"),
            ("Stable DestinationRule subset", text(rule, "stableSubsetName"), "subset"),
        ],
        None => [("Canary Service", wanted.canary, "host"), ("Stable Service", wanted.stable, "host")],
    };
    for (what, name, key) in checks {
        let shown = |target: &&Value| {
            let value = text(target, key);
            // A host may be written with its namespace.
            if key == "host" { value.split('.').next().unwrap_or_default() == name } else { value == name }
        };
        if name.is_empty() || !targets.iter().copied().any(|target| shown(&target)) {
            return Err(format!("{what} '{name}' not found in route"));
        }
    }
    Ok(())
}
