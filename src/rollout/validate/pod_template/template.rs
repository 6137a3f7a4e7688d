//! The template around the pod: labels, annotations, and what a `ReplicaSet` demands of its pods.

use super::super::error::{Path, Report};
use super::super::labels::{check_annotations, check_labels};
use super::super::read::{get, integer, list, object, text, text_entries};
use super::super::selector;
use super::pod;
use crate::rollout::revision::defaults;
use crate::rollout::revision::go_json::kind_to_text;
use crate::rollout::revision::table::Kind;
use serde_json::Value;

const LABELS: Kind = Kind::Map(&Kind::Text);

/// Adds what is wrong with `template`, whose labels `selector` has to match.
pub fn check(template: &Value, selector: Option<&Value>, path: &Path, report: &mut Report) {
    let metadata = object(template, "metadata").unwrap_or(&Value::Null);
    let labels = text_entries(metadata, "labels");
    if !selector::matches(selector, &labels) {
        let printed = kind_to_text(LABELS, get(metadata, "labels"));
        let detail = "`selector` does not match template `labels`";
        report.invalid(&path.child("metadata").child("labels"), printed, detail);
    }
    check_labels(&labels, &path.child("labels"), report);
    let annotations = text_entries(metadata, "annotations");
    check_annotations(&annotations, &path.child("annotations"), report);

    let mut filled = template.clone();
    if filled.is_null() {
        filled = Value::Object(serde_json::Map::new());
    }
    defaults::apply(&mut filled);
    forget_privileged(&mut filled);
    let spec = object(&filled, "spec").unwrap_or(&Value::Null);
    let spec_path = path.child("spec");
    pod::check_annotations(&annotations, spec, &path.child("annotations"), report);
    pod::check(spec, &spec_path, report);
    if !list(spec, "ephemeralContainers").is_empty() {
        let detail = "ephemeral containers not allowed in pod template";
        report.forbidden(&spec_path.child("ephemeralContainers"), detail);
    }
    let restart = text(spec, "restartPolicy");
    if restart != "Always" {
        report.not_supported(&spec_path.child("restartPolicy"), restart, &["Always"]);
    }
    if integer(spec, "activeDeadlineSeconds").is_some() {
        let detail = "activeDeadlineSeconds in ReplicaSet is not Supported";
        report.forbidden(&spec_path.child("activeDeadlineSeconds"), detail);
    }
}

/// Whether a cluster lets containers be privileged is for the cluster to say.
fn forget_privileged(template: &mut Value) {
    for list in ["containers", "initContainers"] {
        let containers = template.get_mut("spec").and_then(|spec| spec.get_mut(list)).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let context = container.get_mut("securityContext").and_then(Value::as_object_mut);
            if let Some(context) = context.filter(|c| c.get("privileged") == Some(&Value::Bool(true))) {
                context.remove("privileged");
            }
        }
    }
}
