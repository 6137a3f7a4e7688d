use super::*;
use serde_json::json;

fn rollout(routing: &Value) -> Value {
    json!({
        "metadata": {"name": "web", "namespace": "prod"},
        "spec": {
            "workloadRef": {"kind": "Deployment", "apiVersion": "apps/v1", "name": "web"},
            "strategy": {"canary": {"trafficRouting": routing}},
        },
    })
}

#[test]
fn each_reference_has_its_place_and_value() {
    let one = rollout(&json!({
        "nginx": {"stableIngress": "a"}, "alb": {"ingress": "b"},
        "istio": {"virtualService": {"name": "vs"}}, "appMesh": {"virtualService": {"name": "mesh"}},
    }));
    let many = rollout(&json!({
        "nginx": {"stableIngresses": ["a", "b"]}, "alb": {"ingresses": ["c"]}, "istio": {"virtualServices": []},
    }));
    let routing = "spec.strategy.canary.trafficRouting";
    let cases = [
        (&one, Missing::Service(ServiceKind::Ping, "s"), "spec.strategy.canary.pingPong.pingService", "\"s\"", "gone"),
        (
            &one,
            Missing::Template(Some(AnalysisKind::Inline(2)), "t"),
            "spec.strategy.canary.steps[2].analysis.templates",
            "\"t\"",
            "AnalysisTemplate 't' not found",
        ),
        (&one, Missing::ClusterTemplate(None, "t"), "spec.templates", "\"t\"", "ClusterAnalysisTemplate 't' not found"),
        (&one, Missing::Ingress("nginx"), &format!("{routing}.nginx.stableIngress"), "\"a\"", "gone"),
        (&many, Missing::Ingress("nginx"), &format!("{routing}.nginx.StableIngresses"), "[\"a\",\"b\"]", "gone"),
        (&one, Missing::Ingress("alb"), &format!("{routing}.alb.ingress"), "\"b\"", "gone"),
        (&many, Missing::Ingress("alb"), &format!("{routing}.alb.ingresses"), "[\"c\"]", "gone"),
        (&one, Missing::VirtualService("vs"), &format!("{routing}.istio.virtualService.name"), "\"vs\"", "gone"),
        (&many, Missing::VirtualService("vs"), &format!("{routing}.istio.virtualServices.name"), "\"vs\"", "gone"),
        (&one, Missing::AmbassadorMapping("m"), &format!("{routing}.ambassador.mappings"), "\"m\"", "gone"),
        (&one, Missing::AppMesh, &format!("{routing}.appmesh.virtualService"), "\"mesh.prod\"", "gone"),
        (
            &one,
            Missing::Workload,
            "spec.workloadRef",
            r#"{"apiVersion":"apps/v1","kind":"Deployment","name":"web"}"#,
            "gone",
        ),
    ];
    for (rollout, missing, path, value, detail) in cases {
        let error = missing_reference(rollout, missing, "gone");
        assert_eq!(error.to_string(), format!("{path}: Invalid value: {value}: {detail}"));
    }
}

#[test]
fn routers_that_name_nothing_are_told() {
    let texts = |routing| unnamed_references(&rollout(&routing)).iter().map(ToString::to_string).collect::<Vec<_>>();
    let routing = "spec.strategy.canary.trafficRouting";
    let want = [
        format!("{routing}.ambassador.mappings: Invalid value: null: must provide at least one mapping"),
        format!("{routing}.appmesh.virtualService: Invalid value: null: must provide virtual-service"),
    ];
    assert_eq!(texts(json!({"ambassador": {}, "appMesh": {}})), want);
    let named = json!({"ambassador": {"mappings": ["m"]}, "appMesh": {"virtualService": {"name": "v"}}});
    assert_eq!(texts(named), [""; 0]);
}
