//! Fields that an object has and its kind does not know: most often a misspelt one, which the API server would prune.
//!
//! Works on an object as it was written (a manifest, the last-applied annotation), because what the API server
//! stores has lost them already. Never judges values.

use serde::de::DeserializeOwned;
use serde_ignored::Path;
use serde_json::Value;

use super::crd::{EMBEDDED, ROUTERS, undeclared};
use super::{AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, Experiment, Rollout};

/// Kubernetes' object metadata, complete; [`super::Meta`] holds only what is read.
const METADATA: &[&str] = &[
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Paths of the fields of `object` that its kind does not know, such as `spec.strategy.canary.steps[0].setWeigth`.
///
/// `kind` is one of the five; another kind has no unknown fields. Pod templates and Job specifications are held
/// against Kubernetes' own types, router settings against those of the router. Values are not judged:
/// [`super::crd::check`] does that.
pub fn unknown_fields(kind: &str, object: &Value) -> Vec<String> {
    let read = match kind {
        "Rollout" => passed_over::<Rollout>(object),
        "AnalysisTemplate" => passed_over::<AnalysisTemplate>(object),
        "ClusterAnalysisTemplate" => passed_over::<ClusterAnalysisTemplate>(object),
        "AnalysisRun" => passed_over::<AnalysisRun>(object),
        "Experiment" => passed_over::<Experiment>(object),
        _ => return Vec::new(),
    };
    let mut found = match read {
        Ok(mut found) => {
            found.extend(in_routers(object));
            found
        }
        // Reading stops at a value of a wrong type; the schema does not.
        Err(_) => undeclared(kind, object),
    };
    found.retain(|path| !path.strip_prefix("metadata.").is_some_and(is_metadata));
    for (_, pattern, embedded) in EMBEDDED.iter().filter(|(of, _, _)| *of == kind) {
        for (path, part) in at(object, pattern) {
            found.extend(ignored_in(*embedded, part).into_iter().map(|below| join(&path, &below)));
        }
    }
    found.sort();
    found.dedup();
    found
}

fn in_routers(object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, ignored) in ROUTERS {
        let pattern = format!("spec.strategy.canary.trafficRouting.{name}");
        for (path, settings) in at(object, &pattern) {
            found.extend(ignored(settings).into_iter().map(|below| join(&path, &below)));
        }
    }
    found
}

fn is_metadata(below: &str) -> bool {
    let name = below.split(['.', '[']).next().unwrap_or_default();
    // Owner references and the like are Kubernetes' business.
    METADATA.contains(&name)
}

fn ignored_in(embedded: super::crd::Embedded, part: &Value) -> Vec<String> {
    match embedded {
        super::crd::Embedded::PodTemplate => ignored::<k8s_openapi::api::core::v1::PodTemplateSpec>(part),
        super::crd::Embedded::JobSpec => ignored::<k8s_openapi::api::batch::v1::JobSpec>(part),
    }
}

/// Paths that reading a `T` passes over; an error where a value has a wrong type.
fn passed_over<T: DeserializeOwned>(value: &Value) -> Result<Vec<String>, serde_json::Error> {
    let mut found = Vec::new();
    let _: T = serde_ignored::deserialize(value, |path| found.push(text(&path)))?;
    Ok(found)
}

/// Paths that reading a `T` passes over; none where a value has a wrong type.
pub(super) fn ignored<T: DeserializeOwned>(value: &Value) -> Vec<String> {
    passed_over::<T>(value).unwrap_or_default()
}

/// Every part of `object` at a pattern such as `spec.templates[].template`, with its path.
fn at<'a>(object: &'a Value, pattern: &str) -> Vec<(String, &'a Value)> {
    let mut parts = vec![(String::new(), object)];
    for name in pattern.split('.') {
        let (field, is_list) = name.strip_suffix("[]").map_or((name, false), |field| (field, true));
        parts = parts
            .into_iter()
            .filter_map(|(path, value)| Some((join(&path, field), value.get(field)?)))
            .flat_map(|(path, value)| match value {
                Value::Array(items) if is_list => {
                    items.iter().enumerate().map(|(index, item)| (format!("{path}[{index}]"), item)).collect()
                }
                _ if is_list => Vec::new(),
                _ => vec![(path, value)],
            })
            .collect();
    }
    parts
}

fn join(path: &str, below: &str) -> String {
    if path.is_empty() || below.is_empty() || below.starts_with('[') {
        format!("{path}{below}")
    } else {
        format!("{path}.{below}")
    }
}

fn text(path: &Path<'_>) -> String {
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", text(parent)),
        Path::Map { parent, key } => join(&text(parent), key),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => text(parent),
    }
}

#[cfg(test)]
mod tests;
