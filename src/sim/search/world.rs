//! What a cluster has before the Rollout comes, and what a Rollout consists of.

use serde_json::{Value, json};

use super::rig::{KEY, Rig};

/// The Services that strategies name.
pub(super) const SERVICES: [&str; 4] = ["shop-stable", "shop-canary", "shop-active", "shop-preview"];

/// The pod template of an image; `behaviour` may be empty.
pub fn template(image: &str, behaviour: &str, start: &str) -> Value {
    let mut annotations = json!({"sim.siskin.dev/start": start});
    if !behaviour.is_empty() {
        annotations["sim.siskin.dev/behaviour"] = json!(behaviour);
    }
    json!({
        "metadata": {"labels": {"app": "shop"}, "annotations": annotations},
        "spec": {"containers": [{"name": "shop", "image": image}]},
    })
}

/// A Service over the Rollout's pods.
pub fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": KEY.0},
        "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80}]},
    })
}

/// The specification of a Rollout with five replicas.
pub fn spec(strategy: &Value) -> Value {
    json!({
        "replicas": 5, "selector": {"matchLabels": {"app": "shop"}},
        "template": template("shop:1", "", "0.5"), "strategy": strategy,
    })
}

/// An AnalysisTemplate with one metric.
pub fn analysis_template(name: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": name, "namespace": KEY.0},
        "spec": {"metrics": [{
            "name": "errors", "count": 1, "interval": "1s", "successCondition": "result[0] > 0",
            "provider": {"prometheus": {"address": "http://prometheus", "query": "1"}},
        }]},
    })
}

impl Rig {
    /// These Services, a route, an analysis template and, with `gateway`, a data plane.
    pub(super) fn furnish(&self, gateway: Option<()>, services: &[&str]) {
        let user = self.core.user();
        let create = |kind: &str, object: Value| self.did(user.create(kind, object));
        for name in services {
            create("Service", service(name));
        }
        create("AnalysisTemplate", analysis_template("errors"));
        let group = "gateway.networking.k8s.io/v1";
        if gateway.is_some() {
            create(
                "GatewayClass",
                json!({
                    "apiVersion": group, "kind": "GatewayClass", "metadata": {"name": "sim"},
                    "spec": {"controllerName": "siskin.dev/sim"},
                }),
            );
            create(
                "Gateway",
                json!({
                    "apiVersion": group, "kind": "Gateway", "metadata": {"name": "web", "namespace": KEY.0},
                    "spec": {
                        "gatewayClassName": "sim",
                        "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
                    },
                }),
            );
        }
        let backends = json!([{"name": "shop-stable", "port": 80}, {"name": "shop-canary", "port": 80}]);
        create(
            "HTTPRoute",
            json!({
                "apiVersion": group, "kind": "HTTPRoute", "metadata": {"name": "shop", "namespace": KEY.0},
                "spec": {"parentRefs": [{"name": "web"}], "rules": [{"backendRefs": backends}]},
            }),
        );
    }
}
