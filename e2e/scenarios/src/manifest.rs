//! The objects of a scenario: a shop behind the gateway, delivered in one way or another.

use serde_json::{Value, json};

/// Name of every scenario's Rollout.
pub const ROLLOUT: &str = "shop";
/// The label of revisions, as Prometheus writes it.
pub const HASH: &str = "rollouts_pod_template_hash";
/// Where a pod's own drain ends: endpoints, gateway and proxies have long followed by then.
const DRAIN_MS: &str = "10000";
/// More than the drain, so that no pod is killed.
const GRACE_SECONDS: u32 = 40;

/// The pod template of a version; `tag` is that of the image.
pub fn template(tag: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": ROLLOUT, "siskin-e2e": "app"}},
        "spec": {
            "automountServiceAccountToken": false,
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "containers": [{
                "name": ROLLOUT,
                "image": format!("e2e.local/app:{tag}"),
                "imagePullPolicy": "Never",
                "env": [{"name": "DRAIN_MS", "value": DRAIN_MS}],
                "ports": [{"name": "http", "containerPort": 8080}],
                "readinessProbe": {
                    "httpGet": {"path": "/readyz", "port": "http"},
                    "periodSeconds": 1,
                    "timeoutSeconds": 10,
                },
            }],
        },
    })
}

/// A Rollout of version 1 with a strategy.
pub fn rollout(replicas: u32, strategy: &Value) -> Value {
    let mut rollout = workload(("argoproj.io/v1alpha1", "Rollout"), replicas);
    rollout["spec"]["strategy"] = strategy.clone();
    rollout
}

/// A Deployment of version 1.
pub fn deployment(replicas: u32) -> Value {
    workload(("apps/v1", "Deployment"), replicas)
}

fn workload((api_version, kind): (&str, &str), replicas: u32) -> Value {
    json!({
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": ROLLOUT},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": ROLLOUT}},
            "template": template("1"),
        },
    })
}

/// A Rollout that takes its template from that Deployment, and its pods away.
pub fn successor(replicas: u32, strategy: &Value, scale_down: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": ROLLOUT},
        "spec": {
            "replicas": replicas,
            "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": ROLLOUT, "scaleDown": scale_down},
            "strategy": strategy,
        },
    })
}

/// A canary behind the route `shop`, with short waits.
pub fn canary(steps: &Value) -> Value {
    json!({"canary": {
        "stableService": "shop-stable",
        "canaryService": "shop-canary",
        "scaleDownDelaySeconds": 5,
        "abortScaleDownDelaySeconds": 5,
        "trafficRouting": {"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": ROLLOUT}}},
        "steps": steps,
    }})
}

/// A Service of the shop's pods.
pub fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": ROLLOUT}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    })
}

/// The route of a host to one Service, or to two whose weights a Rollout sets.
pub fn route(gateway: &str, host: &str, services: &[&str]) -> Value {
    let (namespace, name) = gateway.split_once('/').unwrap_or(("projectcontour", gateway));
    let backends: Vec<Value> = services.iter().map(|service| json!({"name": service, "port": 80})).collect();
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": ROLLOUT},
        "spec": {
            "parentRefs": [{"name": name, "namespace": namespace}],
            "hostnames": [host],
            "rules": [{"backendRefs": backends}],
        },
    })
}

/// A template whose one metric is what Prometheus makes of `query`: 1 is good, 2 is bad, all else is neither.
pub fn verdict(prometheus: &str, query: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "verdict"},
        "spec": {"metrics": [{
            "name": "verdict",
            "initialDelay": "6s",
            "successCondition": "result[0] == 1",
            "failureCondition": "result[0] == 2",
            "provider": {"prometheus": {"address": format!("http://{prometheus}"), "query": query}},
        }]},
    })
}

/// The share of good answers that the pods of a revision gave, measured by Prometheus.
pub fn success_rate(prometheus: &str, namespace: &str) -> Value {
    let of = |more: &str| {
        format!("sum(rate(http_requests_total{{namespace=\"{namespace}\",{HASH}=\"{{{{args.hash}}}}\"{more}}}[10s]))")
    };
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "success-rate"},
        "spec": {
            "args": [{"name": "hash"}],
            "metrics": [{
                "name": "success-rate",
                "interval": "2s",
                "count": 5,
                "initialDelay": "6s",
                "successCondition": "len(result) > 0 && result[0] >= 0.9",
                "failureCondition": "len(result) > 0 && result[0] < 0.9",
                "failureLimit": 1,
                "inconclusiveLimit": 5,
                "consecutiveErrorLimit": 20,
                "provider": {"prometheus": {
                    "address": format!("http://{prometheus}"),
                    "query": format!("{} / {}", of(",code=\"200\""), of("")),
                }},
            }],
        },
    })
}

/// What a Rollout says to use `success_rate` on its newest revision.
pub fn analysis() -> Value {
    json!({
        "templates": [{"templateName": "success-rate"}],
        "args": [{"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}}],
    })
}
