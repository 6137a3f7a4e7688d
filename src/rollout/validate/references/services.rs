//! Services select the Rollout's pods and belong to no other Rollout.

use super::super::error::{Path, Report, quote};
use super::super::read::{object, some_text, text_entries};
use super::check::{ServiceKind, name_of, strategy_path};
use crate::rollout::revision::equality::HASH_LABEL;
use serde_json::Value;

/// The annotation by which a Rollout owns a service's selector.
const MANAGED_BY: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";

pub fn path(kind: ServiceKind) -> Path {
    strategy_path(match kind {
        ServiceKind::Active => &["blueGreen", "activeService"],
        ServiceKind::Preview => &["blueGreen", "previewService"],
        ServiceKind::Canary => &["canary", "canaryService"],
        ServiceKind::Stable => &["canary", "stableService"],
        ServiceKind::Ping => &["canary", "pingPong", "pingService"],
        ServiceKind::Pong => &["canary", "pingPong", "pongService"],
    })
}

pub fn check(rollout: &Value, kind: ServiceKind, service: &Value, report: &mut Report) {
    let (path, name) = (path(kind), name_of(service));
    let template = object(rollout, "spec").and_then(|spec| object(spec, "template"));
    let labels = template.and_then(|template| object(template, "metadata")).unwrap_or(&Value::Null);
    let labels = text_entries(labels, "labels");
    let selector = object(service, "spec").map(|spec| text_entries(spec, "selector")).unwrap_or_default();
    for entry in selector.iter().filter(|(key, _)| *key != HASH_LABEL) {
        if !labels.contains(entry) {
            let detail = format!("Service {} has unmatch label {} in rollout", quote(name), quote(entry.0));
            report.invalid(&path, quote(name), &detail);
        }
    }
    let annotations = object(service, "metadata").and_then(|metadata| object(metadata, "annotations"));
    let owner = annotations.and_then(|annotations| some_text(annotations, MANAGED_BY));
    if owner.is_some_and(|owner| owner != name_of(rollout)) {
        report.invalid(&path, quote(name), &format!("Service {} is managed by another Rollout", quote(name)));
    }
}
