//! What this release does not carry out yet: refused by name, never ignored.

use serde_json::Value;

/// Fields of the specification by path; a trailing `[]` on a segment walks a list.
const FIELDS: &[&str] = &[
    "spec.strategy.canary.steps[].experiment",
    "spec.strategy.canary.steps[].plugin",
    "spec.strategy.canary.trafficRouting.istio",
    "spec.strategy.canary.trafficRouting.nginx",
    "spec.strategy.canary.trafficRouting.alb",
    "spec.strategy.canary.trafficRouting.smi",
    "spec.strategy.canary.trafficRouting.ambassador",
    "spec.strategy.canary.trafficRouting.appMesh",
    "spec.strategy.canary.trafficRouting.traefik",
    "spec.strategy.canary.trafficRouting.apisix",
];

const PLUGINS: &str = "/spec/strategy/canary/trafficRouting/plugins";

/// Paths of fields that are set and not carried out yet, in the order of the specification.
pub fn fields(rollout: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for path in FIELDS {
        walk(rollout, &path.split('.').collect::<Vec<_>>(), "", &mut found);
    }
    found.extend(ping_pong(rollout));
    for plugin in rollout.pointer(PLUGINS).and_then(Value::as_object).into_iter().flat_map(|plugins| plugins.keys()) {
        if plugin != crate::api::traffic_routing::GATEWAY_API_PLUGIN {
            found.push(format!("spec.strategy.canary.trafficRouting.plugins[{plugin}]"));
        }
    }
    found
}

/// Ping and pong without the router that knows them, or beside the Services whose part they take.
fn ping_pong(rollout: &Value) -> Option<String> {
    let canary = rollout.pointer("/spec/strategy/canary")?;
    canary.get("pingPong").filter(|pair| pair.is_object())?;
    let path = "spec.strategy.canary.pingPong";
    for service in ["canaryService", "stableService"] {
        if canary.get(service).and_then(Value::as_str).is_some_and(|name| !name.is_empty()) {
            return Some(format!("{path} together with {service}: remove one of them"));
        }
    }
    let routing = canary.get("trafficRouting");
    let native = routing.is_some_and(|routing| routing.get("gatewayAPI").is_some_and(Value::is_object));
    let plugin =
        routing.and_then(|routing| routing.get("plugins")?.get(crate::api::traffic_routing::GATEWAY_API_PLUGIN));
    (!native && plugin.is_none()).then(|| format!("{path} without the Gateway API router"))
}

/// Follows a path, fanning out at lists, and notes where it ends in a value that says something.
fn walk(value: &Value, path: &[&str], prefix: &str, found: &mut Vec<String>) {
    let Some((segment, rest)) = path.split_first() else {
        if !matches!(value, Value::Null | Value::Bool(false)) {
            found.push(prefix.to_owned());
        }
        return;
    };
    let (key, list) = segment.strip_suffix("[]").map_or((*segment, false), |key| (key, true));
    let Some(next) = value.get(key) else { return };
    let here = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
    if !list {
        return walk(next, rest, &here, found);
    }
    for (index, item) in next.as_array().into_iter().flatten().enumerate() {
        walk(item, rest, &format!("{here}[{index}]"), found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_what_is_set() {
        let rollout = json!({"spec": {
            "strategy": {"canary": {
                "pingPong": {"pingService": "a", "pongService": "b"}, "stableService": "c",
                "steps": [{"setWeight": 5}, {"plugin": {"name": "a/b"}}],
                "trafficRouting": {"istio": {}, "plugins": {"a/b": {}, "argoproj-labs/gatewayAPI": {}}},
            }},
        }});
        assert_eq!(
            fields(&rollout),
            [
                "spec.strategy.canary.steps[1].plugin",
                "spec.strategy.canary.trafficRouting.istio",
                "spec.strategy.canary.pingPong together with stableService: remove one of them",
                "spec.strategy.canary.trafficRouting.plugins[a/b]",
            ]
        );
        assert!(fields(&json!({})).is_empty());
    }
}
