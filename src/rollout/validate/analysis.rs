//! The arguments of analyses that stand in steps.
//!
//! Argo: `validation.go` (end of the loop over the steps), Kubernetes `pkg/fieldpath`.

use super::error::{Path, Report};
use super::labels::qualified_name;
use super::read::{list, object, text};
use crate::rollout::revision::go_json::kind_to_text;
use crate::rollout::revision::rollout_table::ANALYSIS_RUN_ARGUMENT;
use crate::rollout::revision::table::Kind;
use serde_json::{Value, json};

#[cfg(test)]
mod tests;

const ARGUMENTS: Kind = Kind::List(&Kind::Struct(&ANALYSIS_RUN_ARGUMENT));

/// Arguments that refer to metadata must name metadata that pods could name too.
pub fn check_arguments(step: &Value, path: &Path, report: &mut Report) {
    let analyses = object(step, "experiment").map_or(&[][..], |experiment| list(experiment, "analyses"));
    let arguments: Vec<_> =
        analyses.iter().chain(object(step, "analysis")).flat_map(|analysis| list(analysis, "args")).collect();
    let wrong = arguments.iter().filter(|argument| {
        let field = object(argument, "valueFrom").and_then(|from| object(from, "fieldRef"));
        let field_path = field.map_or("", |field| text(field, "fieldPath"));
        field_path.starts_with("metadata") && !is_metadata_path(field_path)
    });
    for _ in wrong {
        let printed = kind_to_text(ARGUMENTS, Some(&json!(arguments)));
        let detail = "Analyses arguments must refer to valid object metadata supported by downwardAPI";
        report.invalid(path, printed, detail);
    }
}

/// `metadata.name`, `.namespace`, `.uid`, `.labels`, `.annotations`, `.labels['key']`, `.annotations['key']`.
pub fn is_metadata_path(path: &str) -> bool {
    match split_subscript(path) {
        (path, None) => matches!(
            path,
            "metadata.name" | "metadata.namespace" | "metadata.uid" | "metadata.labels" | "metadata.annotations"
        ),
        ("metadata.labels", Some(key)) => qualified_name(key).is_empty(),
        ("metadata.annotations", Some(key)) => qualified_name(&key.to_lowercase()).is_empty(),
        _ => false,
    }
}

/// `path['key']` into its two parts.
pub fn split_subscript(path: &str) -> (&str, Option<&str>) {
    let parts = path.strip_suffix("']").and_then(|rest| rest.split_once("['"));
    match parts {
        Some((head, key)) if !head.is_empty() => (head, Some(key)),
        _ => (path, None),
    }
}
