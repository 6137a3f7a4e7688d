//! A canary with Services, a route and an analysis.

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use super::{Hand, template};

const GATEWAY: &str = "gateway.networking.k8s.io/v1";

/// A Prometheus that answers every query with `body`.
pub async fn prometheus(body: &Value) -> MockServer {
    // Whoever comes second finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&server).await;
    server
}

/// The answer to a query: one number.
pub fn one() -> Value {
    json!({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "1"]}]}})
}

/// The gateway that routes hang below.
pub fn gateway(user: &Hand) {
    let class = json!({
        "apiVersion": GATEWAY, "kind": "GatewayClass", "metadata": {"name": "sim"},
        "spec": {"controllerName": "siskin.dev/sim"},
    });
    let listeners = json!([{"name": "http", "port": 80, "protocol": "HTTP"}]);
    let gateway = json!({
        "apiVersion": GATEWAY, "kind": "Gateway", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"gatewayClassName": "sim", "listeners": listeners},
    });
    user.create("GatewayClass", class).unwrap();
    user.create("Gateway", gateway).unwrap();
}

/// The Services and the route of the Rollout `name`.
pub fn furnish(user: &Hand, name: &str) {
    let services = ["stable", "canary"].map(|role| format!("{name}-{role}"));
    for service in &services {
        let spec = json!({"selector": {"app": name}, "ports": [{"port": 80}]});
        let meta = json!({"name": service, "namespace": "default"});
        user.create("Service", json!({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})).unwrap();
    }
    let backends = services.map(|service| json!({"name": service, "port": 80}));
    let route = json!({
        "apiVersion": GATEWAY, "kind": "HTTPRoute", "metadata": {"name": name, "namespace": "default"},
        "spec": {"parentRefs": [{"name": "web"}], "rules": [{"backendRefs": backends}]},
    });
    user.create("HTTPRoute", route).unwrap();
}

/// Takes away what [`furnish`] has brought.
pub fn unfurnish(user: &Hand, name: &str) {
    for service in ["stable", "canary"].map(|role| format!("{name}-{role}")) {
        user.delete("Service", "default", &service).unwrap();
    }
    user.delete("HTTPRoute", "default", name).unwrap();
}

/// A template of one measurement by the Prometheus at `address`.
pub fn analysis(user: &Hand, name: &str, address: &str) {
    let metric = json!({
        "name": "errors", "count": 1, "successCondition": "result[0] > 0",
        "provider": {"prometheus": {"address": address, "query": "1"}},
    });
    let template = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
        "metadata": {"name": name, "namespace": "default"}, "spec": {"metrics": [metric]},
    });
    user.create("AnalysisTemplate", template).unwrap();
}

/// A Rollout over [`furnish`]ed Services and route, with these steps.
pub fn rollout(name: &str, steps: &Value) -> Value {
    let mut pods = template("shop:1");
    pods["metadata"]["labels"]["app"] = json!(name);
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": 4, "selector": {"matchLabels": {"app": name}}, "template": pods,
            "strategy": {"canary": {
                "stableService": format!("{name}-stable"), "canaryService": format!("{name}-canary"), "steps": steps,
                "trafficRouting": {"gatewayAPI": {"httpRoute": name, "namespace": "default"}},
            }},
        },
    })
}
