//! What the checks read of objects that are held as wire types: as little JSON as they look at.

use serde_json::{Value, json};

use super::super::read::{list, object};
use super::analysis_templates;
use super::check::{AnalysisKind, strategy};
use crate::api::analysis::AnalysisTemplateSpec;
use crate::api::{Service, names};

/// The part of a Rollout that decides whether the objects which it names are right for it.
pub fn rollout_view(rollout: &Value) -> Value {
    let pick = |pointer: &str| rollout.pointer(pointer).cloned().unwrap_or_default();
    let canary = strategy(rollout, "canary");
    let analyses = list(canary, "steps").iter().filter_map(|step| object(step, "analysis"));
    let rules: Vec<Value> = analyses
        .map(
            |a| json!({"analysis": {"dryRun": a.get("dryRun"), "measurementRetention": a.get("measurementRetention")}}),
        )
        .collect();
    json!({
        "metadata": {"name": pick("/metadata/name")},
        "spec": {
            "template": {"metadata": {"labels": pick("/spec/template/metadata/labels")}},
            "strategy": {"canary": {"steps": rules, "analysis": {"args": pick("/spec/strategy/canary/analysis/args")}}},
        },
    })
}

/// Name, owner and selector of a Service.
pub fn service_view(service: &Service) -> Value {
    let meta = &service.metadata;
    json!({
        "metadata": {"name": meta.name, "annotations": {names::MANAGED_BY: meta.annotation(names::MANAGED_BY)}},
        "spec": {"selector": service.spec.selector},
    })
}

/// A template of either kind.
pub fn template_view(name: &str, spec: &AnalysisTemplateSpec) -> Value {
    json!({"metadata": {"name": name}, "spec": spec})
}

/// Path of the field that names the templates of an analysis.
pub fn analysis_path(kind: AnalysisKind) -> String {
    analysis_templates::path(kind).to_string()
}
