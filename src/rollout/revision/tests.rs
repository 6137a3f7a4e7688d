//! Shared by the tests of this room: JSON that no schema has seen.

use proptest::prelude::*;
use serde_json::{Map, Value};

/// Keys that the tables know, so that arbitrary values reach deep.
const KEYS: &[&str] = &[
    "metadata",
    "labels",
    "spec",
    "containers",
    "initContainers",
    "volumes",
    "name",
    "image",
    "resources",
    "limits",
    "requests",
    "cpu",
    "ports",
    "containerPort",
    "env",
    "valueFrom",
    "fieldRef",
    "canary",
    "blueGreen",
    "steps",
    "setWeight",
    "pause",
    "duration",
    "analysis",
    "experiment",
    "templates",
    "args",
    "trafficRouting",
    "istio",
    "nginx",
    "plugins",
    "selector",
    "matchLabels",
    "matchExpressions",
    "strategy",
    "template",
    "affinity",
    "podAntiAffinity",
    "livenessProbe",
    "httpGet",
    "port",
    "configMap",
    "emptyDir",
    "sizeLimit",
    "setHeaderRoute",
    "match",
    "headerValue",
    "items",
    "topologySpreadConstraints",
    "tolerations",
    "replicas",
    "maxSurge",
];

/// JSON of any shape and type.
pub fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::String),
        "[-+0-9.eEkmMGi%]{0,8}".prop_map(Value::String),
    ];
    leaf.prop_recursive(8, 128, 6, |inner| {
        let key = prop_oneof![8 => prop::sample::select(KEYS).prop_map(str::to_owned), 1 => "\\PC{0,6}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}
