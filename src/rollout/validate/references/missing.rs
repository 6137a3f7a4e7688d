//! The errors about referenced objects that do not exist, for the one that looked for them.
//!
//! Argo: `rollout/controller.go getReferenced*`, `validation.go InvalidWorkloadRef`.

use super::super::error::{ErrorKind, FieldError, Path, Report, quote};
use super::super::read::{get, list, object, text};
use super::super::traffic_routing::TrafficRouting;
use super::check::{AnalysisKind, ServiceKind, strategy, strategy_path};
use super::{analysis_templates, services};
use crate::rollout::revision::go_json::to_text;
use crate::rollout::revision::rollout_table::OBJECT_REF;
use serde_json::Value;

#[cfg(test)]
mod tests;

/// A reference that leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing<'a> {
    /// A Service, by its role.
    Service(ServiceKind, &'a str),
    /// An `AnalysisTemplate` that an analysis names; none for one that another template names.
    Template(Option<AnalysisKind>, &'a str),
    /// The same for a `ClusterAnalysisTemplate`.
    ClusterTemplate(Option<AnalysisKind>, &'a str),
    /// An ingress of the router `nginx` or `alb`.
    Ingress(&'a str),
    /// An Istio virtual service, by its bare name.
    VirtualService(&'a str),
    /// A mapping of Ambassador.
    AmbassadorMapping(&'a str),
    /// The App Mesh virtual service, or the virtual router behind it.
    AppMesh,
    /// The workload of `spec.workloadRef`, also when it cannot be used.
    Workload,
}

/// The error about it. `cause` is the API server's text; templates have a text of their own.
pub fn missing_reference(rollout: &Value, missing: Missing<'_>, cause: &str) -> FieldError {
    let (path, value, detail) = match missing {
        Missing::Service(kind, name) => (services::path(kind), quote(name), cause.to_owned()),
        Missing::Template(kind, name) => template(kind, name, "AnalysisTemplate"),
        Missing::ClusterTemplate(kind, name) => template(kind, name, "ClusterAnalysisTemplate"),
        Missing::Ingress(router) => {
            let (path, value) = ingress(rollout, router);
            (path, value, cause.to_owned())
        }
        Missing::VirtualService(name) => {
            let istio = TrafficRouting::of(strategy(rollout, "canary")).router("istio").unwrap_or(&Value::Null);
            let plural = istio.get("virtualServices").is_some_and(Value::is_array);
            let element = if plural { "virtualServices" } else { "virtualService" };
            (routing_path(&["istio", element, "name"]), quote(name), cause.to_owned())
        }
        Missing::AmbassadorMapping(name) => (routing_path(&["ambassador", "mappings"]), quote(name), cause.to_owned()),
        Missing::AppMesh => {
            let mesh = TrafficRouting::of(strategy(rollout, "canary")).router("appMesh").unwrap_or(&Value::Null);
            let name = object(mesh, "virtualService").map_or("", |service| text(service, "name"));
            let namespace = object(rollout, "metadata").map_or("", |metadata| text(metadata, "namespace"));
            let shown = quote(&format!("{name}.{namespace}"));
            (routing_path(&["appmesh", "virtualService"]), shown, cause.to_owned())
        }
        Missing::Workload => {
            let reference = get(rollout, "spec").and_then(|spec| object(spec, "workloadRef"));
            let shown = reference.map_or_else(|| "null".to_owned(), |value| to_text(&OBJECT_REF, value));
            (Path::new("spec").child("workloadRef"), shown, cause.to_owned())
        }
    };
    FieldError { kind: ErrorKind::Invalid, field: path.to_string(), bad_value: value, detail }
}

/// What a router's configuration names nothing for: Ambassador without mappings, App Mesh without its service.
pub fn unnamed_references(rollout: &Value) -> Vec<FieldError> {
    let routing = TrafficRouting::of(strategy(rollout, "canary"));
    let mut report = Report::default();
    if routing.router("ambassador").is_some_and(|config| list(config, "mappings").is_empty()) {
        report.invalid(&routing_path(&["ambassador", "mappings"]), "null", "must provide at least one mapping");
    }
    if routing.router("appMesh").is_some_and(|config| object(config, "virtualService").is_none()) {
        report.invalid(&routing_path(&["appmesh", "virtualService"]), "null", "must provide virtual-service");
    }
    report.0
}

fn routing_path(rest: &[&str]) -> Path {
    rest.iter().fold(strategy_path(&["canary", "trafficRouting"]), |path, element| path.child(element))
}

fn template(kind: Option<AnalysisKind>, name: &str, what: &str) -> (Path, String, String) {
    let path = kind.map_or_else(|| Path::new("spec").child("templates"), analysis_templates::path);
    (path, quote(name), format!("{what} '{name}' not found"))
}

/// With the plural form the whole list is the value. Its path element has a capital for NGINX, as in Argo.
fn ingress(rollout: &Value, router: &str) -> (Path, String) {
    let config = TrafficRouting::of(strategy(rollout, "canary")).router(router).unwrap_or(&Value::Null);
    let (one, many, element) = if router == "nginx" {
        ("stableIngress", "stableIngresses", "StableIngresses")
    } else {
        ("ingress", "ingresses", "ingresses")
    };
    match config.get(many).filter(|v| v.is_array()) {
        Some(names) => (routing_path(&[router, element]), names.to_string()),
        None => (routing_path(&[router, one]), quote(text(config, one))),
    }
}
