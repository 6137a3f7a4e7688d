use super::*;
use crate::rollout::revision::tests::any_json;
use crate::rollout::validate::{FieldError, validate_router_config};
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../../../../tests/vectors/validate.jsonl");
/// Further cases, judged by Argo Rollouts v1.10.
const CASES: &str = include_str!("cases.jsonl");

fn elements<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value[key].as_array().into_iter().flatten().collect()
}

fn service_kind(name: &str) -> ServiceKind {
    match name {
        "ActiveService" => ServiceKind::Active,
        "PreviewService" => ServiceKind::Preview,
        "CanaryService" => ServiceKind::Canary,
        "StableService" => ServiceKind::Stable,
        "PingService" => ServiceKind::Ping,
        "PongService" => ServiceKind::Pong,
        other => panic!("unknown service {other}"),
    }
}

fn group(given: &Value) -> TemplateGroup<'_> {
    let kind = match given["type"].as_str().unwrap() {
        "PrePromotionAnalysis" => AnalysisKind::PrePromotion,
        "PostPromotionAnalysis" => AnalysisKind::PostPromotion,
        "BackgroundAnalysis" => AnalysisKind::Background,
        _ => AnalysisKind::Inline(usize::try_from(given["stepIndex"].as_u64().unwrap_or(0)).unwrap()),
    };
    TemplateGroup {
        kind,
        args: given["args"].as_array().map_or(&[], Vec::as_slice),
        templates: elements(given, "templates"),
        cluster_templates: elements(given, "clusterTemplates"),
    }
}

fn references(input: &Value) -> References<'_> {
    let service = |given: &'_ Value| service_kind(given["type"].as_str().unwrap());
    References {
        services: elements(input, "services").into_iter().map(|s| (service(s), &s["service"])).collect(),
        templates: elements(input, "templates").into_iter().map(group).collect(),
        ingresses: elements(input, "ingresses"),
        virtual_services: elements(input, "virtualServices"),
        ambassador_mappings: elements(input, "mappings"),
        app_mesh: elements(input, "appmesh"),
    }
}

fn text(error: Option<FieldError>) -> Value {
    error.map_or(Value::Null, |error| Value::String(error.to_string()))
}

fn outcome(kind: &str, input: &Value) -> Value {
    if kind == "config" {
        let errors = validate_router_config(&input["rollout"]);
        return json!({"nginx": text(errors.nginx), "alb": text(errors.alb), "istio": text(errors.istio)});
    }
    let errors = validate_references(&input["rollout"], &references(input));
    let shown =
        |e: &FieldError| json!({"type": e.kind.name(), "field": e.field, "detail": e.detail, "text": e.to_string()});
    Value::Array(errors.iter().map(shown).collect())
}

fn run(cases: &str, wanted_kind: &str) {
    let (mut passed, mut total) = (0, 0);
    for line in cases.split('\n').filter(|line| !line.is_empty()) {
        let case: Value = serde_json::from_str(line).unwrap();
        if case["kind"] != wanted_kind {
            continue;
        }
        let got = outcome(wanted_kind, &case["in"]);
        total += 1;
        if got == case["out"] {
            passed += 1;
        } else {
            println!("case {}: {}\n  got  {got}\n  want {}", case["n"], case["in"], case["out"]);
        }
    }
    println!("validate {wanted_kind}: {passed}/{total}");
    assert!(total > 0 && passed == total, "{wanted_kind}: {passed} of {total}");
}

#[test]
fn vectors_of_references_hold() {
    run(VECTORS, "refs");
}

#[test]
fn vectors_of_router_configuration_hold() {
    run(VECTORS, "config");
}

#[test]
fn further_references_are_judged_as_by_argo() {
    run(CASES, "refs");
}

proptest::proptest! {
    #[test]
    fn any_objects_are_judged(rollout in any_json(), object in any_json(), routing in any_json()) {
        let rollout = json!({"spec": {"strategy": {"canary": {"trafficRouting": routing}}, "template": rollout}});
        let references = References {
            services: vec![(ServiceKind::Ping, &object)],
            templates: vec![TemplateGroup {
                kind: AnalysisKind::Inline(0),
                args: std::slice::from_ref(&object),
                templates: vec![&object],
                cluster_templates: vec![&rollout],
            }],
            ingresses: vec![&object],
            virtual_services: vec![&object],
            ambassador_mappings: vec![&object],
            app_mesh: vec![&object],
        };
        validate_references(&rollout, &references);
        validate_router_config(&rollout);
    }
}
