//! An ingress must send something to the stable service.

use super::super::error::{Report, quote};
use super::super::read::{list, object, text, texts};
use super::super::traffic_routing::TrafficRouting;
use super::check::{name_of, strategy, strategy_path};
use serde_json::Value;

/// The first router that names the ingress judges it; one that no router names is not judged.
pub fn check(rollout: &Value, ingress: &Value, report: &mut Report) {
    let canary = strategy(rollout, "canary");
    let routing = TrafficRouting::of(canary);
    let name = name_of(ingress);
    let routers = [("nginx", "stableIngress", "stableIngresses"), ("alb", "ingress", "ingresses")];
    let found = routers.into_iter().find_map(|(router, one, many)| {
        let config = routing.router(router)?;
        let listed = texts(config, many).any(|listed| listed == name);
        (listed || text(config, one) == name).then_some((router, config, if listed { many } else { one }))
    });
    let Some((router, config, key)) = found else { return };
    let root = text(config, "rootService");
    let service = if router == "alb" && !root.is_empty() { root } else { text(canary, "stableService") };
    if !has_rule(ingress, service) {
        let path = strategy_path(&["canary", "trafficRouting", router, key]);
        let detail = format!("ingress `{name}` has no rules using service {service} backend");
        report.invalid(&path, quote(name), &detail);
    }
}

/// Whether a path of a rule leads to the service. The default backend does not count.
fn has_rule(ingress: &Value, service: &str) -> bool {
    let rules = object(ingress, "spec").map_or(&[][..], |spec| list(spec, "rules"));
    let paths = rules.iter().filter_map(|rule| object(rule, "http")).flat_map(|http| list(http, "paths"));
    paths.filter_map(|path| object(object(path, "backend")?, "service")).any(|backend| text(backend, "name") == service)
}
