//! What is released: a Rollout of each strategy, and what it needs around it.

use serde_json::{Value, json};
use siskin::api::Time;
use siskin::sim::api_server::Hand;

pub const NAMESPACE: &str = "default";
/// The metric and template of runs that people end.
pub const JUDGED: &str = "judged";
/// The metric and template of runs that the controller measures where nobody listens: they end with errors.
pub const UNREACHABLE: &str = "unreachable";

const GATEWAY: &str = "gateway.networking.k8s.io/v1";
const ARGO: &str = "argoproj.io/v1alpha1";

/// How a Rollout delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Plain,
    Routed,
    Switched,
    Referring,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Plain, Self::Routed, Self::Switched, Self::Referring];

    /// The name of the one that stays; those that go add a number.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Routed => "routed",
            Self::Switched => "switched",
            Self::Referring => "referring",
        }
    }

    pub fn of(name: &str) -> Self {
        Self::ALL.into_iter().find(|kind| name.starts_with(kind.name())).unwrap()
    }
}

fn meta(name: &str) -> Value {
    json!({"name": name, "namespace": NAMESPACE})
}

/// A gateway that takes every route.
pub fn gateway(user: &Hand) {
    let class = json!({
        "apiVersion": GATEWAY, "kind": "GatewayClass", "metadata": {"name": "sim"},
        "spec": {"controllerName": "siskin.dev/sim"},
    });
    let listeners = json!([{"name": "http", "port": 80, "protocol": "HTTP"}]);
    let gateway = json!({
        "apiVersion": GATEWAY, "kind": "Gateway", "metadata": meta("web"),
        "spec": {"gatewayClassName": "sim", "listeners": listeners},
    });
    user.create("GatewayClass", class).unwrap();
    user.create("Gateway", gateway).unwrap();
}

pub fn templates(user: &Hand) {
    // Nobody listens on port 1; the judged ones are not due before people have said what they think.
    let metric = |name: &str, delay: &str, count: u32| {
        json!({
            "name": name, "initialDelay": delay, "interval": "5s", "count": count, "successCondition": "result[0] > 0",
            "provider": {"prometheus": {"address": "http://127.0.0.1:1", "query": "1"}},
        })
    };
    for (name, delay, count) in [(JUDGED, "240h", 1), (UNREACHABLE, "0s", 10)] {
        let template = json!({
            "apiVersion": ARGO, "kind": "AnalysisTemplate", "metadata": meta(name),
            "spec": {"metrics": [metric(name, delay, count)]},
        });
        user.create("AnalysisTemplate", template).unwrap();
    }
}

/// The status of a run that people are content with.
pub fn content(now: Time) -> Value {
    let measurement = json!({"phase": "Successful", "value": "[1]", "startedAt": now, "finishedAt": now});
    json!({
        "phase": "Successful", "message": "", "startedAt": now, "completedAt": now,
        "metricResults": [{
            "name": JUDGED, "phase": "Successful", "count": 1, "successful": 1, "measurements": [measurement],
        }],
    })
}

/// The image of a round that everybody is content with.
pub fn good(round: u32) -> String {
    format!("shop:{round:06}-good")
}

fn services(kind: Kind, name: &str) -> Vec<String> {
    match kind {
        Kind::Plain | Kind::Referring => Vec::new(),
        Kind::Routed | Kind::Switched => vec![format!("{name}-now"), format!("{name}-next")],
    }
}

fn template(name: &str, image: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": name}, "annotations": {"sim.siskin.dev/start": "0.5"}},
        "spec": {"containers": [{"name": "shop", "image": image}]},
    })
}

fn strategy(kind: Kind, name: &str, analysis: &str) -> Value {
    let templates = json!({"templates": [{"templateName": analysis}]});
    let steps = json!([{"setWeight": 50}, {"analysis": templates}, {"pause": {}}]);
    match kind {
        Kind::Plain | Kind::Referring => json!({"canary": {"maxSurge": 1, "steps": steps}}),
        Kind::Routed => json!({"canary": {
            "stableService": format!("{name}-now"), "canaryService": format!("{name}-next"), "steps": steps,
            "trafficRouting": {"gatewayAPI": {"httpRoute": name, "namespace": NAMESPACE}},
        }}),
        Kind::Switched => json!({"blueGreen": {
            "activeService": format!("{name}-now"), "previewService": format!("{name}-next"),
            "autoPromotionEnabled": false, "scaleDownDelaySeconds": 10, "prePromotionAnalysis": templates,
        }}),
    }
}

/// A Rollout, and what it needs.
pub fn open(user: &Hand, kind: Kind, name: &str) {
    for service in services(kind, name) {
        let spec = json!({"selector": {"app": name}, "ports": [{"port": 80}]});
        let object = json!({"apiVersion": "v1", "kind": "Service", "metadata": meta(&service), "spec": spec});
        user.create("Service", object).unwrap();
    }
    if kind == Kind::Routed {
        let backends: Vec<Value> =
            services(kind, name).iter().map(|service| json!({"name": service, "port": 80})).collect();
        let spec = json!({"parentRefs": [{"name": "web"}], "rules": [{"backendRefs": backends}]});
        let route = json!({"apiVersion": GATEWAY, "kind": "HTTPRoute", "metadata": meta(name), "spec": spec});
        user.create("HTTPRoute", route).unwrap();
    }
    let labels = json!({"matchLabels": {"app": name}});
    let mut spec = json!({
        "replicas": 2, "revisionHistoryLimit": 1, "selector": labels, "strategy": strategy(kind, name, JUDGED),
        "analysis": {"successfulRunHistoryLimit": 1, "unsuccessfulRunHistoryLimit": 1},
    });
    if kind == Kind::Referring {
        let referred = json!({"replicas": 2, "selector": labels, "template": template(name, "shop:first")});
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(name), "spec": referred});
        user.create("Deployment", object).unwrap();
        spec["workloadRef"] =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "scaleDown": "progressively"});
    } else {
        spec["template"] = template(name, "shop:first");
    }
    let rollout = json!({"apiVersion": ARGO, "kind": "Rollout", "metadata": meta(name), "spec": spec});
    user.create("Rollout", rollout).unwrap();
}

/// A Rollout that wants no pods; with `Referring` it takes its template from a Deployment, which it does not drain.
pub fn passer(user: &Hand, kind: Kind, name: &str) {
    let labels = json!({"matchLabels": {"app": name}});
    let mut spec = json!({"replicas": 0, "selector": labels, "strategy": {"canary": {}}});
    if kind == Kind::Referring {
        let referred = json!({"replicas": 0, "selector": labels, "template": template(name, "shop:first")});
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(name), "spec": referred});
        user.create("Deployment", object).unwrap();
        spec["workloadRef"] = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name});
    } else {
        spec["template"] = template(name, "shop:first");
    }
    let rollout = json!({"apiVersion": ARGO, "kind": "Rollout", "metadata": meta(name), "spec": spec});
    user.create("Rollout", rollout).unwrap();
}

/// A new image, which is measured like this.
pub fn release(user: &Hand, kind: Kind, name: &str, (image, analysis): (&str, &str)) {
    let key = (NAMESPACE, name);
    let pods = json!({"spec": {"template": template(name, image)}});
    let how = json!({"spec": {"strategy": strategy(kind, name, analysis)}});
    user.merge("Rollout", key, &how).unwrap();
    user.merge(if kind == Kind::Referring { "Deployment" } else { "Rollout" }, key, &pods).unwrap();
}

/// Takes away what [`open`] has brought beside the Rollout.
pub fn clear(user: &Hand, kind: Kind, name: &str) {
    for service in services(kind, name) {
        user.delete("Service", NAMESPACE, &service).unwrap();
    }
    match kind {
        Kind::Routed => drop(user.delete("HTTPRoute", NAMESPACE, name).unwrap()),
        Kind::Referring => drop(user.delete("Deployment", NAMESPACE, name).unwrap()),
        Kind::Plain | Kind::Switched => {}
    }
}
