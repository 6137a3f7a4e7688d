//! The world of the benchmarks: one Rollout with a route and two Services, in the simulated cluster.

use serde_json::{Value, json};
use siskin::api::Time;
use siskin::sim::bare::Core;
use siskin::sim::clock::ManualClock;
use siskin::sim::cluster::{Cluster, Settings};

/// Namespace and name of the Rollout.
pub const KEY: (&str, &str) = ("default", "shop");

/// The pod template of an image.
pub fn template(image: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": "shop"}},
        "spec": {"containers": [{
            "name": "shop", "image": image, "ports": [{"containerPort": 8080}],
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        }]},
    })
}

fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80}]},
    })
}

/// A cluster with a gateway and a Rollout of five pods with these steps, not yet looked at.
pub fn core(steps: &Value) -> Core {
    let clock = ManualClock::at("2026-11-21T12:00:00Z".parse::<Time>().unwrap_or_default());
    let core = Core::new(Cluster::new(clock.now(), Settings::default()), clock, KEY);
    let user = core.user();
    let group = "gateway.networking.k8s.io/v1";
    let backends = json!([{"name": "shop-stable", "port": 80}, {"name": "shop-canary", "port": 80}]);
    let listeners = json!([{"name": "http", "port": 80, "protocol": "HTTP"}]);
    let objects = [
        ("Service", service("shop-stable")),
        ("Service", service("shop-canary")),
        (
            "GatewayClass",
            json!({"apiVersion": group, "kind": "GatewayClass", "metadata": {"name": "sim"},
                "spec": {"controllerName": "siskin.dev/sim"}}),
        ),
        (
            "Gateway",
            json!({"apiVersion": group, "kind": "Gateway", "metadata": {"name": "web", "namespace": "default"},
                "spec": {"gatewayClassName": "sim", "listeners": listeners}}),
        ),
        (
            "HTTPRoute",
            json!({"apiVersion": group, "kind": "HTTPRoute", "metadata": {"name": "shop", "namespace": "default"},
                "spec": {"parentRefs": [{"name": "web"}], "rules": [{"backendRefs": backends}]}}),
        ),
        (
            "Rollout",
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
            "metadata": {"name": "shop", "namespace": "default"},
            "spec": {
                "replicas": 5, "selector": {"matchLabels": {"app": "shop"}}, "template": template("shop:1"),
                "strategy": {"canary": {
                    "canaryService": "shop-canary", "stableService": "shop-stable",
                    "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
                    "steps": steps,
                }},
            }}),
        ),
    ];
    for (kind, object) in objects {
        user.create(kind, object).unwrap_or_else(|reject| panic!("{kind}: {reject}"));
    }
    core
}
