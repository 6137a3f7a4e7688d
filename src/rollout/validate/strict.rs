//! Rules that Siskin adds, because breaking them would move traffic where nobody asked for it.
//!
//! They stand apart from [`super::spec`], whose list is Argo's: a caller that wants both joins the two.

use super::error::{FieldError, Path, Report};
use super::read::object;
use super::traffic_routing::TrafficRouting;
use serde_json::Value;

#[cfg(test)]
mod tests;

/// The routers that a canary can name; all of `trafficRouting` besides is settings.
const ROUTERS: [&str; 9] = ["istio", "nginx", "alb", "smi", "ambassador", "appMesh", "traefik", "apisix", "gatewayAPI"];

/// The plugin that the native key `gatewayAPI` replaces.
const GATEWAY_PLUGIN: &str = "argoproj-labs/gatewayAPI";

/// What is wrong beyond Argo's rules.
///
/// A `trafficRouting` without any router is what an API server leaves of a misspelt one; a canary without
/// a router would then be split by replica counts. The native Gateway API router and the plugin of that name
/// on one Rollout would write the same routes.
pub fn validate_strict(rollout: &Value) -> Vec<FieldError> {
    let mut report = Report::default();
    let canary = object(rollout, "spec").and_then(|spec| object(spec, "strategy")?.get("canary"));
    let routing = canary.map(TrafficRouting::of).filter(|routing| routing.is_set());
    if let Some(routing) = routing {
        let path = Path::new("spec").child("strategy").child("canary").child("trafficRouting");
        if !routing.has_any(&ROUTERS) {
            report.required(&path, "no router is configured: name one, or remove trafficRouting");
        }
        let plugin = routing.router("plugins").is_some_and(|plugins| plugins.get(GATEWAY_PLUGIN).is_some());
        if plugin && routing.has("gatewayAPI") {
            let detail = format!("may not be used together with the plugin {GATEWAY_PLUGIN}");
            report.forbidden(&path.child("gatewayAPI"), &detail);
        }
    }
    report.0
}
