use super::*;
use serde_json::json;

fn texts(routing: &Value) -> Vec<String> {
    let rollout = json!({"spec": {"strategy": {"canary": {"trafficRouting": routing}}}});
    validate_strict(&rollout).iter().map(ToString::to_string).collect()
}

#[test]
fn a_router_must_be_named() {
    assert_eq!(texts(&Value::Null), [""; 0]);
    let want = "spec.strategy.canary.trafficRouting: Required value: no router is configured: name one, or remove \
                trafficRouting";
    assert_eq!(texts(&json!({})), [want]);
    assert_eq!(texts(&json!({"managedRoutes": [{"name": "a"}], "plugins": {}})), [want]);
    for router in ROUTERS {
        assert_eq!(texts(&json!({router: {}})), [""; 0]);
    }
    assert_eq!(texts(&json!({"plugins": {"a/b": {}}})), [""; 0]);
    assert!(validate_strict(&json!({"spec": {"strategy": {"blueGreen": {}}}})).is_empty());
}

#[test]
fn the_gateway_is_routed_by_one_of_the_two() {
    let both = json!({"gatewayAPI": {}, "plugins": {GATEWAY_PLUGIN: {}}});
    let want = "spec.strategy.canary.trafficRouting.gatewayAPI: Forbidden: may not be used together with the plugin \
                argoproj-labs/gatewayAPI";
    assert_eq!(texts(&both), [want]);
    assert_eq!(texts(&json!({"gatewayAPI": {}, "plugins": {"a/b": {}}})), [""; 0]);
}
