//! The objects of a file that a Rollout of the same file refers to. What is not there is not missed.

use serde_json::Value;

use crate::rollout::validate::References;
use crate::rollout::validate::references::ServiceKind;

/// Where a strategy names a Service. Where one Service plays several parts, the last counts, as in Argo's lint.
pub(super) const SERVICES: [(&str, ServiceKind); 6] = [
    ("/spec/strategy/canary/canaryService", ServiceKind::Canary),
    ("/spec/strategy/canary/stableService", ServiceKind::Stable),
    ("/spec/strategy/canary/pingPong/pingService", ServiceKind::Ping),
    ("/spec/strategy/canary/pingPong/pongService", ServiceKind::Pong),
    ("/spec/strategy/blueGreen/activeService", ServiceKind::Active),
    ("/spec/strategy/blueGreen/previewService", ServiceKind::Preview),
];

/// Where a strategy names Ingresses: one, and several.
const INGRESSES: [(&str, &str); 2] = [
    (
        "/spec/strategy/canary/trafficRouting/nginx/stableIngress",
        "/spec/strategy/canary/trafficRouting/nginx/stableIngresses",
    ),
    ("/spec/strategy/canary/trafficRouting/alb/ingress", "/spec/strategy/canary/trafficRouting/alb/ingresses"),
];

/// Finds what `rollout` names among the objects of its file.
pub(super) fn references<'a>(rollout: &Value, objects: impl Iterator<Item = &'a Value>) -> References<'a> {
    let (ingresses, virtual_services) = (ingresses(rollout), virtual_services(rollout));
    let mut found = References::default();
    for object in objects {
        let name = text(object, "/metadata/name");
        let group = text(object, "/apiVersion").split_once('/').map_or("", |(group, _)| group);
        match (group, text(object, "/kind")) {
            ("", "Service") => {
                let part =
                    SERVICES.iter().rev().find(|(pointer, _)| !name.is_empty() && text(rollout, pointer) == name);
                found.services.extend(part.map(|(_, kind)| (*kind, object)));
            }
            ("networking.k8s.io" | "extensions", "Ingress") if ingresses.contains(&name) => {
                found.ingresses.push(object);
            }
            ("networking.istio.io", "VirtualService") if virtual_services.contains(&name) => {
                found.virtual_services.push(object);
            }
            _ => {}
        }
    }
    found
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn ingresses(rollout: &Value) -> Vec<&str> {
    let mut names = Vec::new();
    for (one, many) in INGRESSES {
        names.extend(rollout.pointer(one).and_then(Value::as_str));
        names.extend(rollout.pointer(many).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str));
    }
    names
}

/// Names without the namespace that may follow after a dot.
fn virtual_services(rollout: &Value) -> Vec<&str> {
    let istio = rollout.pointer("/spec/strategy/canary/trafficRouting/istio");
    let one = istio.and_then(|istio| istio.get("virtualService")).into_iter();
    let many = istio.and_then(|istio| istio.get("virtualServices")).and_then(Value::as_array).into_iter().flatten();
    one.chain(many).map(|service| text(service, "/name").split('.').next().unwrap_or_default()).collect()
}
