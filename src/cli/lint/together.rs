//! What is wrong between the objects of all files: each may be right alone.

use serde_json::Value;

use super::documents::Document;
use super::finding::{Finding, Sort};
use super::references::SERVICES;
use super::unknown;

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn rollouts(documents: &[Document]) -> impl Iterator<Item = &Document> {
    documents.iter().filter(|document| text(&document.value, "/kind") == "Rollout")
}

fn namespace(document: &Document) -> &str {
    text(&document.value, "/metadata/namespace")
}

/// Services that two Rollouts name: each would undo what the other does.
pub(super) fn contested(documents: &[Document]) -> Vec<Finding> {
    let mut seen: Vec<(&str, &str, &Document)> = Vec::new();
    let mut found = Vec::new();
    for document in rollouts(documents) {
        for (pointer, _) in SERVICES {
            let service = text(&document.value, pointer);
            let other = seen.iter().find(|(namespace_of, name, other)| {
                *name == service && *namespace_of == namespace(document) && !std::ptr::eq(*other, document)
            });
            if let Some((.., other)) = other {
                let path = pointer.trim_start_matches('/').replace('/', ".");
                let owner = text(&other.value, "/metadata/name");
                let message = format!("Service {service:?} is also used by Rollout {owner:?} of {}", other.file);
                let mut finding = unknown::finding(document, &path, Sort::Strict, &message);
                "give each Rollout its own".clone_into(&mut finding.fix);
                found.push(finding);
            }
            if !service.is_empty() {
                seen.push((namespace(document), service, document));
            }
        }
    }
    found
}

/// What works, and may surprise: no problem for the exit code.
pub(super) fn warnings(documents: &[Document]) -> Vec<Finding> {
    let scaled = |rollout: &Document| {
        documents.iter().find(|other| {
            text(&other.value, "/kind") == "HorizontalPodAutoscaler"
                && namespace(other) == namespace(rollout)
                && text(&other.value, "/spec/scaleTargetRef/kind") == "Rollout"
                && text(&other.value, "/spec/scaleTargetRef/name") == text(&rollout.value, "/metadata/name")
        })
    };
    let found = rollouts(documents).filter_map(|rollout| Some((rollout, scaled(rollout)?)));
    found.flat_map(|(rollout, autoscaler)| autoscaled(rollout, text(&autoscaler.value, "/metadata/name"))).collect()
}

/// A Rollout that an autoscaler scales.
fn autoscaled(rollout: &Document, autoscaler: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut warn = |path: &str, message: String, fix: &str| {
        let mut finding = unknown::finding(rollout, path, Sort::Warning, &message);
        fix.clone_into(&mut finding.fix);
        found.push(finding);
    };
    // The API server refuses to answer for the scale of a Rollout whose field was never set.
    let once =
        format!("set it once with `kubectl scale rollout {} --replicas=N`", text(&rollout.value, "/metadata/name"));
    if rollout.value.pointer("/spec/replicas").is_some() {
        let message = format!("HorizontalPodAutoscaler {autoscaler:?} sets it too: each apply undoes its decision");
        warn("spec.replicas", message, &format!("{once}, and leave it out here"));
    } else {
        let message = format!("until it was set once, HorizontalPodAutoscaler {autoscaler:?} cannot read the size");
        warn("spec.replicas", message, &once);
    }
    let routing = "/spec/strategy/canary/trafficRouting";
    let routed = rollout.value.pointer(routing).is_some_and(Value::is_object);
    let dynamic = rollout.value.pointer("/spec/strategy/canary/dynamicStableScale").and_then(Value::as_bool);
    if routed && dynamic != Some(true) {
        let message = format!(
            "HorizontalPodAutoscaler {autoscaler:?} sees the mean over a full stable revision and the canary beside it: \
             with more pods than traffic needs, the mean falls, and it may take pods away during a release"
        );
        let fix =
            "set dynamicStableScale, or scale by a metric of the whole traffic (requests per second, not per pod)";
        warn("spec.strategy.canary.trafficRouting", message, fix);
    }
    found
}
