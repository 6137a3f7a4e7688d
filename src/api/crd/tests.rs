use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::*;

const KINDS: [&str; 5] = ["AnalysisRun", "AnalysisTemplate", "ClusterAnalysisTemplate", "Experiment", "Rollout"];
/// What `kubectl apply` can keep in its annotation, and with it the most that a definition may weigh.
const LARGEST: usize = 262_144;

fn visit(node: &Value, path: &str, seen: &mut impl FnMut(&str, &Value)) {
    seen(path, node);
    for (name, child) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
        visit(child, &format!("{path}.{name}"), seen);
    }
    for (key, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(child) = node.get(key) {
            visit(child, &format!("{path}{mark}"), seen);
        }
    }
}

#[test]
fn every_node_is_structural() {
    for kind in KINDS {
        let mut nodes = 0;
        visit(&schema(kind).unwrap(), kind, &mut |path, node| {
            nodes += 1;
            let fields = node.as_object().unwrap_or_else(|| panic!("{path} is {node}"));
            for refused in ["$ref", "oneOf", "allOf", "not", "nullable", "default", "title", "definitions"] {
                assert!(!fields.contains_key(refused), "{path} has {refused}");
            }
            let int_or_string = fields.contains_key("x-kubernetes-int-or-string");
            assert_eq!(fields.contains_key("anyOf"), int_or_string, "{path}");
            assert_eq!(fields.get("type").is_some_and(Value::is_string), !int_or_string, "{path} has no type");
            if fields.get("type") == Some(&json!("array")) {
                assert!(fields.contains_key("items"), "{path} has no items");
            }
            let closed = fields.contains_key("properties") && fields.contains_key("additionalProperties");
            assert!(!closed, "{path} has properties and additionalProperties");
        });
        assert!(nodes > 20, "{kind} has {nodes} nodes");
    }
}

#[test]
fn required_fields_exist_and_every_rule_applies() {
    let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for kind in KINDS {
        visit(&schema(kind).unwrap(), kind, &mut |path, node| {
            let Some(required) = node.get("required") else { return };
            let names: Vec<String> = serde_json::from_value(required.clone()).unwrap();
            for name in &names {
                assert!(node["properties"].get(name).is_some(), "{path} requires {name}, which it has not");
            }
            lists.insert(path.to_owned(), names);
        });
    }
    for (path, names) in [
        ("Rollout", "spec"),
        ("Rollout.spec.strategy.blueGreen", "activeService"),
        ("Rollout.spec.strategy.canary.steps[].experiment.templates[]", "name specRef"),
        ("Rollout.spec.strategy.canary.analysis.args[].valueFrom.fieldRef", "fieldPath"),
        ("Rollout.spec.strategy.canary.trafficRouting.istio.virtualServices[]", "name"),
        ("Rollout.spec.strategy.canary.trafficRouting.alb.stickinessConfig", "durationSeconds enabled"),
        ("Rollout.spec.strategy.canary.trafficRouting.appMesh.virtualNodeGroup.stableVirtualNodeRef", "name"),
        ("Rollout.spec.strategy.canary.trafficRouting.ambassador", "mappings"),
        ("Rollout.spec.template.spec", "containers"),
        ("Rollout.spec.selector.matchExpressions[]", "key operator"),
        ("AnalysisRun.spec", "metrics"),
        ("AnalysisRun.spec.metrics[].provider.kayenta.scopes[].controlScope", "region scope step"),
        ("AnalysisRun.status.metricResults[].measurements[]", "phase"),
        ("AnalysisTemplate.spec.metrics[].provider.prometheus.headers[]", "key value"),
        ("Experiment.spec.templates[]", "name selector template"),
        ("Experiment.status.analysisRuns[]", "analysisRun name phase"),
    ] {
        assert_eq!(lists.get(path).map(|names| names.join(" ")).as_deref(), Some(names), "{path}");
    }
    // Nothing is required directly under the spec of a Rollout or a template.
    for path in ["Rollout.spec", "AnalysisTemplate.spec", "ClusterAnalysisTemplate.spec", "Rollout.status"] {
        assert_eq!(lists.get(path), None, "{path}");
    }
}

#[test]
fn names_columns_and_subresources() {
    let by_kind: BTreeMap<String, Value> =
        crds().into_iter().map(|crd| (crd["spec"]["names"]["kind"].as_str().unwrap().to_owned(), crd)).collect();
    assert_eq!(by_kind.keys().collect::<Vec<_>>(), KINDS);
    let rollout = &by_kind["Rollout"];
    assert_eq!(rollout["metadata"]["name"], "rollouts.argoproj.io");
    assert_eq!(
        rollout["spec"]["names"],
        json!({"kind": "Rollout", "listKind": "RolloutList", "plural": "rollouts", "singular": "rollout",
            "shortNames": ["ro"]})
    );
    let version = &rollout["spec"]["versions"][0];
    assert_eq!(version["subresources"]["status"], json!({}));
    assert_eq!(version["subresources"]["scale"]["statusReplicasPath"], ".status.HPAReplicas");
    let columns: Vec<&str> = version["additionalPrinterColumns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    assert_eq!(columns, ["Desired", "Current", "Up-to-date", "Available", "Age"]);
    let spec = &version["schema"]["openAPIV3Schema"]["properties"]["spec"];
    assert_eq!(
        spec["properties"]["selector"]["x-kubernetes-validations"],
        json!([{"rule": "self == oldSelf", "message": ".spec.selector is immutable"}])
    );
    for (kind, short, scope) in [
        ("AnalysisTemplate", "at", "Namespaced"),
        ("ClusterAnalysisTemplate", "cat", "Cluster"),
        ("AnalysisRun", "ar", "Namespaced"),
        ("Experiment", "exp", "Namespaced"),
    ] {
        let crd = &by_kind[kind];
        assert_eq!(crd["spec"]["names"]["shortNames"], json!([short]));
        assert_eq!(crd["spec"]["scope"], scope);
        assert_eq!(crd["spec"]["versions"][0].get("subresources"), None, "{kind}");
    }
}

#[test]
fn types_that_clients_rely_on() {
    let mut types = BTreeMap::new();
    visit(&schema("Rollout").unwrap(), "", &mut |path, node| {
        let preserve = node.get("x-kubernetes-preserve-unknown-fields").is_some();
        let of = if node.get("x-kubernetes-int-or-string").is_some() {
            "int-or-string".to_owned()
        } else {
            let format = node.get("format").and_then(Value::as_str).unwrap_or_default();
            format!("{}{}{}", node["type"].as_str().unwrap(), if preserve { "+" } else { "" }, format)
        };
        types.insert(path.to_owned(), of);
    });
    for (path, of) in [
        (".metadata", "object"),
        (".spec.replicas", "integerint32"),
        (".spec.template", "object+"),
        (".spec.template.metadata", "object"),
        (".spec.template.metadata.labels{}", "string"),
        (".spec.restartAt", "stringdate-time"),
        (".spec.strategy.canary.maxSurge", "int-or-string"),
        (".spec.strategy.blueGreen.maxUnavailable", "int-or-string"),
        (".spec.strategy.canary.steps[].pause.duration", "int-or-string"),
        (".spec.strategy.canary.steps[].plugin.config", "object+"),
        (".spec.strategy.canary.trafficRouting.plugins", "object+"),
        (".spec.strategy.canary.trafficRouting.gatewayAPI.httpRoute", "string"),
        (".spec.strategy.canary.trafficRouting.istio.virtualService.tlsRoutes[].port", "integerint64"),
        (".spec.strategy.canary.trafficRouting.nginx.additionalIngressAnnotations{}", "string"),
        (".status.observedGeneration", "int-or-string"),
        (".status.conditions[].lastUpdateTime", "stringdate-time"),
        (".status.canary.weights.verified", "boolean"),
        (".status.canary.stepPluginStatuses[].status", "object+"),
        (".status.albs[].loadBalancer.fullName", "string"),
        (".status.siskin.blockers[].remedy", "string"),
        (".status.siskin.routes[].generation", "integerint64"),
    ] {
        assert_eq!(types.get(path).map(String::as_str), Some(of), "{path}");
    }
}

#[test]
fn closed_sets_are_enums_and_nothing_else_is() {
    let mut enums = Vec::new();
    visit(&schema("AnalysisTemplate").unwrap(), "", &mut |path, node| {
        if node.get("enum").is_some() {
            enums.push(path.rsplit('.').next().unwrap().to_owned());
        }
    });
    assert_eq!(enums, ["aggregator", "apiVersion"]);
}

#[test]
fn checked_in_files_are_up_to_date_and_small() {
    for file in files(&crds()).unwrap() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds").join(file.name);
        let stored = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(stored == file.text, "{} is out of date: run `siskin crds --dir crds`", file.name);
        assert!(file.text.len() < LARGEST, "{} has {} bytes", file.name, file.text.len());
        let parsed: Value = serde_saphyr::from_str(&file.text).unwrap();
        assert!(crds().contains(&parsed), "{} does not read back as it was written", file.name);
    }
}

#[test]
fn checks_types_required_fields_and_closed_sets() {
    let rollout = json!({"spec": {"replicas": "3", "strategy": {"blueGreen": {"previewService": "p"},
        "canary": {"maxSurge": 1.5, "steps": [{"setWeight": 10}, {"pause": {"duration": "5m"}}, {"pause": true}]}},
        "restartAt": "tomorrow", "paused": null}});
    let errors: Vec<String> = check("Rollout", &rollout).iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "spec.replicas: expected a whole number, found the text \"3\"",
            "spec.restartAt: expected a time such as 2026-11-21T02:39:09Z, found \"tomorrow\"",
            "spec.strategy.blueGreen.activeService: required field is missing",
            "spec.strategy.canary.maxSurge: expected a whole number or a text, found 1.5",
            "spec.strategy.canary.steps[2].pause: expected fields (an object), found true",
        ]
    );
    assert_eq!(check("Rollout", &json!({})).len(), 1);
    assert_eq!(check("Deployment", &json!({})), []);
}

#[test]
fn names_the_fields_of_a_place() {
    let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
    let steps = fields_at("Rollout", &path("spec.strategy.canary.steps"));
    assert!(steps.contains(&"setWeight".to_owned()), "{steps:?}");
    let istio = fields_at("Rollout", &path("spec.strategy.canary.trafficRouting.istio"));
    assert_eq!(istio, ["destinationRule", "virtualService", "virtualServices"]);
    assert_eq!(fields_at("Rollout", &path("spec.nowhere")), Vec::<String>::new());
}
