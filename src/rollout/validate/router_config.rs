//! Fields of routers that come in a singular and a plural form, of which exactly one must be given.
//!
//! Argo: `validation_references.go ValidateRollout{Nginx,Alb}IngressesConfig, ValidateRolloutVirtualServicesConfig`.

use super::error::{FieldError, Path, Report};
use super::read::{object, text};
use super::traffic_routing::TrafficRouting;
use serde_json::Value;

/// What is wrong with the configuration of each router that has such fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouterConfigErrors {
    /// Of NGINX's ingresses.
    pub nginx: Option<FieldError>,
    /// Of ALB's ingresses.
    pub alb: Option<FieldError>,
    /// Of Istio's VirtualServices.
    pub istio: Option<FieldError>,
}

/// Checks `stableIngress` against `stableIngresses`, `ingress` against `ingresses`, `virtualService` against
/// `virtualServices`. A plural counts as given even when it is empty.
pub fn validate_router_config(rollout: &Value) -> RouterConfigErrors {
    let canary = object(rollout, "spec").and_then(|spec| object(object(spec, "strategy")?, "canary"));
    let Some(routing) = canary.map(TrafficRouting::of) else { return RouterConfigErrors::default() };
    RouterConfigErrors {
        nginx: ingress_error(routing, "nginx", "stableIngress", "stableIngresses"),
        alb: ingress_error(routing, "alb", "ingress", "ingresses"),
        istio: istio_error(routing),
    }
}

fn error(router: &str, detail: &str) -> Option<FieldError> {
    let mut report = Report::default();
    let path = Path::new("spec").child("strategy").child("canary").child("trafficRouting").child(router);
    report.internal(&path, detail);
    report.0.pop()
}

fn ingress_error(routing: TrafficRouting<'_>, router: &str, one: &str, many: &str) -> Option<FieldError> {
    let config = routing.router(router)?;
    let given = [!text(config, one).is_empty(), config.get(many).is_some_and(Value::is_array)];
    let outcome = match given {
        [true, true] => "Both are configured.",
        [false, false] => "Neither are configured.",
        _ => return None,
    };
    let [one, many] = [one, many].map(capitalised);
    error(router, &format!("Either {one} or {many} must be configured. {outcome}"))
}

fn capitalised(key: &str) -> String {
    let (first, rest) = key.split_at_checked(1).unwrap_or((key, ""));
    format!("{}{rest}", first.to_uppercase())
}

fn istio_error(routing: TrafficRouting<'_>) -> Option<FieldError> {
    let config = routing.router("istio")?;
    let one = object(config, "virtualService").is_some();
    let many = config.get("virtualServices").is_some_and(Value::is_array);
    if one == many { error("istio", "either VirtualService or VirtualServices must be configured") } else { None }
}
