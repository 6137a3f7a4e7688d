//! Validation of a specification, of what it refers to, and of router settings.

use serde_json::{Value, json};
use siskin::rollout::validate::references::{AnalysisKind, ServiceKind, TemplateGroup};
use siskin::rollout::validate::{FieldError, References, validate_references, validate_router_config, validate_spec};

use crate::file::Recorded;

pub const FILE: Recorded = Recorded { compared, ..Recorded::new("validate", answer) };

/// Of the checks of pod templates only type and field are compared, since the texts are those of Kubernetes.
fn compared(case: &Value, mut errors: Value) -> Value {
    if case["in"]["podTemplate"] == json!(true) {
        for error in errors.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            error.retain(|key, _| key == "type" || key == "field");
        }
    }
    errors
}

fn answer(kind: &str, input: &Value) -> Option<Value> {
    match kind {
        "spec" => Some(validate_spec(&input["rollout"]).iter().map(shown).collect()),
        "refs" => {
            let errors = validate_references(&input["rollout"], &references(input)?);
            Some(errors.iter().map(shown).collect())
        }
        "config" => {
            let errors = validate_router_config(&input["rollout"]);
            let text = |error: Option<FieldError>| error.map(|error| error.to_string());
            Some(json!({"nginx": text(errors.nginx), "alb": text(errors.alb), "istio": text(errors.istio)}))
        }
        _ => None,
    }
}

fn shown(error: &FieldError) -> Value {
    json!({"type": error.kind.name(), "field": error.field, "detail": error.detail, "text": error.to_string()})
}

fn elements<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value[key].as_array().into_iter().flatten().collect()
}

fn references(input: &Value) -> Option<References<'_>> {
    let service = |given: &'_ Value| service_kind(given["type"].as_str()?);
    let services = elements(input, "services").into_iter().map(|given| Some((service(given)?, &given["service"])));
    Some(References {
        services: services.collect::<Option<_>>()?,
        templates: elements(input, "templates").into_iter().map(group).collect::<Option<_>>()?,
        ingresses: elements(input, "ingresses"),
        virtual_services: elements(input, "virtualServices"),
        ambassador_mappings: elements(input, "mappings"),
        app_mesh: elements(input, "appmesh"),
    })
}

fn service_kind(name: &str) -> Option<ServiceKind> {
    Some(match name {
        "ActiveService" => ServiceKind::Active,
        "PreviewService" => ServiceKind::Preview,
        "CanaryService" => ServiceKind::Canary,
        "StableService" => ServiceKind::Stable,
        "PingService" => ServiceKind::Ping,
        "PongService" => ServiceKind::Pong,
        _ => return None,
    })
}

fn group(given: &Value) -> Option<TemplateGroup<'_>> {
    let kind = match given["type"].as_str()? {
        "PrePromotionAnalysis" => AnalysisKind::PrePromotion,
        "PostPromotionAnalysis" => AnalysisKind::PostPromotion,
        "BackgroundAnalysis" => AnalysisKind::Background,
        _ => AnalysisKind::Inline(usize::try_from(given["stepIndex"].as_u64().unwrap_or(0)).ok()?),
    };
    Some(TemplateGroup {
        kind,
        args: given["args"].as_array().map_or(&[], Vec::as_slice),
        templates: elements(given, "templates"),
        cluster_templates: elements(given, "clusterTemplates"),
    })
}
