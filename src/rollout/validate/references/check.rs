//! The referenced objects, and the order in which they are checked.

use super::super::error::{FieldError, Path, Report, quote};
use super::super::read::{object, text};
use super::{analysis_templates, app_mesh, ingresses, services, virtual_services};
use crate::rollout::revision::go_json;
use serde_json::Value;

/// The role in which a Rollout names a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceKind {
    /// Of a blue-green, for users.
    Active,
    /// Of a blue-green, for testers.
    Preview,
    /// Of a canary, for the new revision.
    Canary,
    /// Of a canary, for the stable revision.
    Stable,
    /// One of two that change roles.
    Ping,
    /// The other of two that change roles.
    Pong,
}

/// Where a Rollout names analysis templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnalysisKind {
    /// Before a promotion.
    PrePromotion,
    /// After a promotion.
    PostPromotion,
    /// In the step with this index.
    Inline(usize),
    /// Beside the steps.
    Background,
}

/// The templates of one analysis, fetched, with those that they name in turn.
#[derive(Debug, Clone)]
pub struct TemplateGroup<'a> {
    /// Where it is used.
    pub kind: AnalysisKind,
    /// Arguments that the Rollout gives (`AnalysisRunArgument`).
    pub args: &'a [Value],
    /// Its templates.
    pub templates: Vec<&'a Value>,
    /// Its cluster templates.
    pub cluster_templates: Vec<&'a Value>,
}

/// What has been fetched for a Rollout, each object as JSON.
#[derive(Debug, Clone, Default)]
pub struct References<'a> {
    /// Services, by their role.
    pub services: Vec<(ServiceKind, &'a Value)>,
    /// Templates, by their use.
    pub templates: Vec<TemplateGroup<'a>>,
    /// Ingresses.
    pub ingresses: Vec<&'a Value>,
    /// VirtualServices of Istio.
    pub virtual_services: Vec<&'a Value>,
    /// Mappings of Ambassador.
    pub ambassador_mappings: Vec<&'a Value>,
    /// Objects of App Mesh.
    pub app_mesh: Vec<&'a Value>,
}

/// What is wrong with the referenced objects, in Argo's order. `rollout` has its template resolved.
pub fn validate_references(rollout: &Value, references: &References<'_>) -> Vec<FieldError> {
    let mut report = Report::default();
    for (kind, service) in &references.services {
        services::check(rollout, *kind, service, &mut report);
    }
    for group in &references.templates {
        analysis_templates::check(rollout, group, &mut report);
    }
    for ingress in &references.ingresses {
        ingresses::check(rollout, ingress, &mut report);
    }
    for virtual_service in &references.virtual_services {
        virtual_services::check(rollout, virtual_service, &mut report);
    }
    for mapping in &references.ambassador_mappings {
        check_mapping(mapping, &mut report);
    }
    for router in &references.app_mesh {
        app_mesh::check(router, &mut report);
    }
    report.0
}

/// The controller makes the canary's mapping from the stable one, and alone sets weights.
fn check_mapping(mapping: &Value, report: &mut Report) {
    let weight = object(mapping, "spec").and_then(|spec| spec.get("weight")).and_then(go_json::integer);
    if weight.is_some_and(|weight| weight != 0) {
        let name = name_of(mapping);
        let detail = format!("Ambassador mapping {} can not define weight", quote(name));
        report.invalid(&Path::new("spec").child("weight"), quote(name), &detail);
    }
}

/// `metadata.name`.
pub fn name_of(value: &Value) -> &str {
    object(value, "metadata").map_or("", |metadata| text(metadata, "name"))
}

/// `spec.strategy.<name>` of a Rollout, or null.
pub fn strategy<'a>(rollout: &'a Value, name: &str) -> &'a Value {
    let strategy = object(rollout, "spec").and_then(|spec| object(spec, "strategy"));
    strategy.and_then(|strategy| object(strategy, name)).unwrap_or(&Value::Null)
}

/// `spec.strategy`, then the elements of `rest`.
pub fn strategy_path(rest: &[&str]) -> Path {
    rest.iter().fold(Path::new("spec").child("strategy"), |path, element| path.child(element))
}
