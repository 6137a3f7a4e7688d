use super::*;
use crate::rollout::revision::tests::any_json;
use crate::rollout::validate::validate_strict;
use serde_json::json;

const VECTORS: &str = include_str!("../../../../tests/vectors/validate.jsonl");
/// Further specs and pod templates, judged by Argo Rollouts v1.10 with Kubernetes v1.34: a change to [`rollout`]'s
/// spec and the texts of the errors; a template, and the types and places of its errors.
const SPECS: &str = include_str!("cases.jsonl");
const POD_TEMPLATES: &str = include_str!("../pod_template/cases.jsonl");

/// A valid Rollout with some keys of its spec replaced.
fn rollout(change: &Value) -> Value {
    let mut spec = json!({
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        "strategy": {"canary": {}},
    });
    for (key, value) in change.as_object().unwrap() {
        spec[key] = value.clone();
    }
    json!({"metadata": {"name": "web", "namespace": "prod"}, "spec": spec})
}

fn cases(lines: &str) -> impl Iterator<Item = Value> {
    lines.split('\n').filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap())
}

/// Type and place of each error; with texts unless the case is about the pod template.
fn shown(errors: &[FieldError], texts: bool) -> Vec<(String, String, String)> {
    let text = |error: &FieldError| if texts { error.to_string() } else { String::new() };
    errors.iter().map(|error| (error.kind.name().to_owned(), error.field.clone(), text(error))).collect()
}

fn wanted(out: &Value, texts: bool) -> Vec<(String, String, String)> {
    let part = |error: &Value, key: &str| error[key].as_str().unwrap().to_owned();
    let text = |error: &Value| if texts { part(error, "text") } else { String::new() };
    out.as_array().unwrap().iter().map(|e| (part(e, "type"), part(e, "field"), text(e))).collect()
}

fn run(lines: &str, what: &str) {
    let (mut passed, mut total) = (0, 0);
    for case in cases(lines).filter(|case| case["kind"] == "spec") {
        let texts = case["in"]["podTemplate"] != json!(true);
        let (got, want) = (shown(&validate_spec(&case["in"]["rollout"]), texts), wanted(&case["out"], texts));
        total += 1;
        if got == want {
            passed += 1;
        } else {
            println!("{what} {}: {}\n  got  {got:?}\n  want {want:?}", case["n"], case["in"]["rollout"]["spec"]);
        }
    }
    println!("{what}: {passed}/{total}");
    assert!(total > 0 && passed == total, "{what}: {passed} of {total}");
}

#[test]
fn vectors_hold() {
    run(VECTORS, "validate spec");
}

#[test]
fn specs_are_judged_as_by_argo() {
    for case in cases(SPECS) {
        let errors: Vec<_> = validate_spec(&rollout(&case["change"])).iter().map(ToString::to_string).collect();
        assert_eq!(json!(errors), case["errors"], "{}", case["change"]);
    }
    assert!(cases(SPECS).count() > 100);
}

#[test]
fn pod_templates_are_judged_as_by_kubernetes() {
    for case in cases(POD_TEMPLATES) {
        let errors = validate_spec(&rollout(&json!({ "template": case["template"] })));
        let errors: Vec<_> = errors.iter().map(|error| json!([error.kind.name(), error.field])).collect();
        assert_eq!(json!(errors), case["errors"], "{}", case["template"]);
    }
    assert!(cases(POD_TEMPLATES).count() > 400);
}

#[test]
fn wrong_types_are_told_alone() {
    let errors = validate_spec(&json!({"spec": {"replicas": "3", "strategy": {"canary": {"steps": {}}}}}));
    let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["spec.replicas", "spec.strategy.canary.steps"]);
    assert!(errors.iter().all(|error| error.kind.name() == "FieldValueTypeInvalid"));
}

#[test]
fn a_resolved_template_is_judged() {
    let rollout = rollout(&json!({
        "workloadRef": {"kind": "Deployment", "name": "a"},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}},
    }));
    let texts = |origin| validate_spec_from(&rollout, origin).iter().map(ToString::to_string).collect::<Vec<_>>();
    let template = "spec.template: Internal error: template must be empty for workload reference rollout";
    assert_eq!(texts(TemplateOrigin::Written), [template]);
    assert_eq!(texts(TemplateOrigin::Resolved), ["spec.template.spec.containers: Required value"]);
}

#[test]
fn the_native_gateway_counts_as_a_plugin() {
    let rollout = |routing: Value| {
        rollout(&json!({"strategy": {"canary": {"trafficRouting": routing, "steps": [{"setWeight": 500}]}}}))
    };
    let with = validate_spec(&rollout(json!({"gatewayAPI": {"httpRoute": "r"}, "maxTrafficWeight": 1000})));
    assert_eq!(with, []);
    let without = validate_spec(&rollout(json!({"maxTrafficWeight": 1000})));
    assert_eq!(without.len(), 1);
}

proptest::proptest! {
    #[test]
    fn any_json_is_judged(value in any_json()) {
        validate_spec(&value);
        validate_spec_from(&value, TemplateOrigin::Resolved);
        validate_strict(&value);
        validate_spec(&json!({ "spec": value }));
    }

    #[test]
    fn any_template_is_judged(template in any_json(), strategy in any_json()) {
        let selector = json!({"matchLabels": {"app": "web"}});
        validate_spec(&json!({"spec": {"selector": selector, "template": template, "strategy": strategy}}));
        let mut report = Report::default();
        pod_template::check(&template, Some(&selector), &Path::new("spec"), &mut report);
        canary::check(&strategy, &Path::new("spec"), &mut report);
        for error in &report.0 {
            proptest::prop_assert!(error.to_string().starts_with(&error.field));
        }
    }
}
