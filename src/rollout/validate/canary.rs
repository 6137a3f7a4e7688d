//! The rules of a canary strategy, apart from its steps.
//!
//! Argo: `validation.go ValidateRolloutStrategyCanary`. Paths lack the element `canary`, as they do there.

use super::blue_green::check_anti_affinity;
use super::error::{Path, Report, quote};
use super::read::{flag, get, integer, object, text};
use super::steps;
use super::traffic_routing::TrafficRouting;
use crate::rollout::revision::go_json::{self, kind_to_text};
use crate::rollout::revision::table::Kind;
use serde_json::Value;

#[cfg(test)]
mod tests;

/// `maxSurge` and `maxUnavailable` when they are absent.
const DEFAULT_SHARE: i64 = 25;

pub fn check(canary: &Value, path: &Path, report: &mut Report) {
    let routing = TrafficRouting::of(canary);
    check_surge(canary, &path.child("maxSurge"), report);
    check_services(canary, routing, path, report);
    check_scale_options(canary, routing, path, report);
    steps::check(canary, path, report);
    check_anti_affinity(canary, &path.child("antiAffinity"), report);
}

fn check_surge(canary: &Value, path: &Path, report: &mut Report) {
    if share(get(canary, "maxSurge")) == 0 && share(get(canary, "maxUnavailable")) == 0 {
        let printed = kind_to_text(Kind::IntOrString, get(canary, "maxSurge"));
        report.invalid(path, printed, "MaxSurge and MaxUnavailable both can not be zero");
    }
}

/// A percentage by its number, any other text by its integer value, and 0 where it has none.
///
/// This check alone reads the fields so; the replica arithmetic takes every text for a percentage.
fn share(value: Option<&Value>) -> i64 {
    let Some(value) = value else { return DEFAULT_SHARE };
    let Some(text) = value.as_str() else { return go_json::integer(value).unwrap_or(0) };
    let digits = text.strip_suffix('%').filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()));
    let number = digits.unwrap_or(text);
    match number.parse() {
        Ok(number) => number,
        // Go's Atoi keeps the nearest bound when a number is out of range.
        Err(_) if is_long_number(number) => i64::MAX,
        Err(_) => 0,
    }
}

fn is_long_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.bytes().any(|b| b != b'0') && digits.bytes().all(|b| b.is_ascii_digit())
}

fn check_services(canary: &Value, routing: TrafficRouting<'_>, path: &Path, report: &mut Report) {
    let (canary_service, stable_service) = (text(canary, "canaryService"), text(canary, "stableService"));
    if !canary_service.is_empty() && canary_service == stable_service {
        let detail = "This rollout uses the same service for the stable and canary services, but two different \
                      services are required.";
        report.invalid(&path.child("stableService"), quote(stable_service), detail);
    }
    let ping_pong = object(canary, "pingPong");
    if let Some(ping_pong) = ping_pong {
        check_ping_pong(ping_pong, routing, path, report);
    }
    if needs_services(routing, ping_pong.is_some()) {
        for (key, service) in [("stableService", stable_service), ("canaryService", canary_service)] {
            if service.is_empty() {
                let detail = "Canary service and Stable service must to be set to use Traffic Routing";
                report.invalid(&path.child(key), quote(service), detail);
            }
        }
    }
}

/// Routers that cannot do without the two services. Ping-pong, and Istio's subsets, replace them.
fn needs_services(routing: TrafficRouting<'_>, ping_pong: bool) -> bool {
    let always = ["smi", "apisix", "ambassador", "nginx", "appMesh", "traefik"];
    let istio = routing.router("istio").is_some_and(|istio| object(istio, "destinationRule").is_none());
    always.iter().any(|key| routing.has(key)) || (!ping_pong && (routing.has("alb") || istio))
}

fn check_ping_pong(ping_pong: &Value, routing: TrafficRouting<'_>, path: &Path, report: &mut Report) {
    if routing.is_set() && !routing.has_any(&["alb", "istio"]) {
        let detail = "Ping-pong feature works with the ALB, Istio, and plugin-based traffic routers only";
        report.invalid(&path.child("trafficRouting").child("alb"), "null", detail);
    }
    let (ping, pong) = (text(ping_pong, "pingService"), text(ping_pong, "pongService"));
    let services = path.child("pingPong");
    for (key, service) in [("pingService", ping), ("pongService", pong)] {
        if service.is_empty() {
            let detail = "Ping service and Pong service must to be set to use Ping-Pong feature";
            report.invalid(&services.child(key), quote(service), detail);
        }
    }
    if ping == pong {
        let detail = "This rollout uses the same service for the ping and pong services, but two different services \
                      are required.";
        report.invalid(&services.child("pingService"), quote(ping), detail);
    }
    if routing.router("alb").is_some_and(|alb| text(alb, "rootService").is_empty()) {
        let detail = "Root service field is required for the configuration with ALB and ping-pong feature enabled";
        report.invalid(&path.child("trafficRouting").child("alb").child("rootService"), quote(""), detail);
    }
}

fn check_scale_options(canary: &Value, routing: TrafficRouting<'_>, path: &Path, report: &mut Report) {
    let delay = integer(canary, "scaleDownDelaySeconds");
    let dynamic = flag(canary, "dynamicStableScale");
    let dynamic_path = path.child("dynamicStableScale");
    if !routing.is_set() {
        if let Some(delay) = delay {
            let detail = "Canary scaleDownDelaySeconds can only be used with traffic routing";
            report.invalid(&path.child("scaleDownDelaySeconds"), delay, detail);
        }
        if dynamic {
            let detail = "Canary dynamicStableScale can only be used with traffic routing";
            report.invalid(&dynamic_path, true, detail);
        }
        return;
    }
    if dynamic && delay.is_some() {
        let detail = "Canary dynamicStableScale cannot be used with scaleDownDelaySeconds";
        report.invalid(&dynamic_path, true, detail);
    }
    if let Some(weight) = routing.max_weight_given().filter(|_| !routing.has_any(&["nginx"])) {
        let detail = "Canary maxTrafficWeight in traffic routing only supported in Nginx and Plugins";
        report.invalid(&path.child("trafficRouting").child("maxTrafficWeight"), weight, detail);
    }
}
