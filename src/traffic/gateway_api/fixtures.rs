//! Routes for the tests of this room.

use serde_json::{Value, json};

use super::{Backends, Goal, Label, RouteKind};

pub const CANARY: &str = "app-canary";
pub const STABLE: &str = "app-stable";

pub fn backends(managed: &[&str]) -> Backends {
    Backends {
        canary_service: CANARY.into(),
        stable_service: STABLE.into(),
        managed: managed.iter().map(ToString::to_string).collect(),
    }
}

pub fn label() -> Label {
    Label { key: super::config::LABEL_KEY.into(), value: super::config::LABEL_VALUE.into() }
}

pub fn goal(canary_weight: i32) -> Goal {
    Goal { kind: RouteKind::Http, backends: backends(&[]), canary_weight, max_weight: 100, label: Some(label()) }
}

/// A backend with a port, and a weight unless it is negative.
pub fn backend(name: &str, weight: i32) -> Value {
    let mut backend = json!({"name": name, "port": 80});
    if weight >= 0 {
        backend["weight"] = weight.into();
    }
    backend
}

pub fn rule(backends: &[(&str, i32)]) -> Value {
    let refs: Vec<Value> = backends.iter().map(|(name, weight)| backend(name, *weight)).collect();
    json!({"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": refs})
}

pub fn pair(stable: i32, canary: i32) -> Value {
    rule(&[(STABLE, stable), (CANARY, canary)])
}

/// A header rule as the plugin writes it, with a name unless that is empty.
pub fn header_rule(name: &str) -> Value {
    let mut rule = json!({
        "matches": [{"headers": [{"name": "X-Test", "value": "1"}]}],
        "backendRefs": [backend(CANARY, 1)],
    });
    if !name.is_empty() {
        rule["name"] = name.into();
    }
    rule
}

pub fn named(name: &str, mut rule: Value) -> Value {
    rule["name"] = name.into();
    rule
}

pub fn route(rules: &[Value]) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "app", "namespace": "shop", "generation": 4, "resourceVersion": "17"},
        "spec": {"parentRefs": [{"name": "public", "namespace": "infra"}], "rules": rules},
    })
}

/// The route after a patch, as an API server would apply it.
pub fn patched(route: &Value, patch: Option<&Value>) -> Value {
    let mut after = route.clone();
    if let Some(patch) = patch {
        let patch: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
        json_patch::patch(&mut after, &patch).unwrap();
    }
    after
}

/// Drives a route to a goal.
pub fn driven(route: &Value, goal: &Goal) -> Value {
    patched(route, super::edit(route, goal).unwrap().as_ref())
}

/// Weights of one rule, in order; -1 where none is written.
pub fn weights(route: &Value, rule: usize) -> Vec<i64> {
    let refs = route["spec"]["rules"][rule]["backendRefs"].as_array().unwrap();
    refs.iter().map(|backend| backend["weight"].as_i64().unwrap_or(-1)).collect()
}
