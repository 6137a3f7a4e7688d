//! The spec as a whole: sizes, selector, template, deadlines, and the strategy's own rules.
//!
//! Argo: `pkg/apis/rollouts/validation/validation.go ValidateRolloutSpec`.

use super::error::{FieldError, Path, Report, quote};
use super::read::{get, integer, object, text_entries};
use super::{blue_green, canary, pod_template, selector, types};
use crate::rollout::revision::go_json;
use crate::rollout::revision::pod_table::LABEL_SELECTOR;
use crate::rollout::revision::rollout_table::ROLLOUT_SPEC;
use serde_json::Value;

#[cfg(test)]
mod tests;

/// `spec.revisionHistoryLimit` when it is absent.
pub(super) const REVISION_HISTORY_LIMIT: i64 = 10;
const PROGRESS_DEADLINE_SECONDS: i64 = 600;
const NON_NEGATIVE: &str = "must be greater than or equal to 0";

/// Where the template in a Rollout with a `workloadRef` comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateOrigin {
    /// The user wrote it.
    Written,
    /// The controller copied it from the referenced workload.
    Resolved,
}

/// What is wrong with the spec of a Rollout as its user wrote it, in the order in which Argo finds it.
///
/// `rollout` is the object as JSON. Values of the wrong type are told alone: nothing else can be read then.
pub fn validate_spec(rollout: &Value) -> Vec<FieldError> {
    validate_spec_from(rollout, TemplateOrigin::Written)
}

/// As [`validate_spec`], for a Rollout whose template and selector may have been resolved.
pub fn validate_spec_from(rollout: &Value, origin: TemplateOrigin) -> Vec<FieldError> {
    let mut report = Report::default();
    let path = Path::new("spec");
    let spec = get(rollout, "spec").unwrap_or(&Value::Null);
    if !spec.is_null() {
        types::check(&ROLLOUT_SPEC, spec, &path, &mut report);
    }
    if report.0.is_empty() {
        check_non_negative(integer(spec, "replicas"), &path.child("replicas"), &mut report);
        check_selector_and_template(spec, origin, &path, &mut report);
        check_deadlines(spec, &path, &mut report);
        check_strategy(spec, &path.child("strategy"), &mut report);
    }
    report.0
}

fn check_non_negative(value: Option<i64>, path: &Path, report: &mut Report) {
    if let Some(negative) = value.filter(|v| *v < 0) {
        report.invalid(path, negative, NON_NEGATIVE);
    }
}

fn check_selector_and_template(spec: &Value, origin: TemplateOrigin, path: &Path, report: &mut Report) {
    let selector_path = path.child("selector");
    let given = object(spec, "selector");
    let printed = || given.map_or_else(|| "null".to_owned(), |v| go_json::to_text(&LABEL_SELECTOR, v));
    let refers = object(spec, "workloadRef").is_some();
    if !refers {
        match given {
            None => report.required(&selector_path, "Rollout has missing field '.spec.selector'"),
            Some(selector) => {
                selector::check(Some(selector), &selector_path, report);
                let parts = ["matchLabels", "matchExpressions"];
                if parts.iter().all(|part| go_json_len(selector, part) == 0) {
                    report.invalid(&selector_path, printed(), "empty selector is invalid for deployment");
                }
            }
        }
    }
    let template = object(spec, "template").unwrap_or(&Value::Null);
    if refers && origin == TemplateOrigin::Written && !is_template_empty(template) {
        report.internal(&path.child("template"), "template must be empty for workload reference rollout");
    }
    if !selector::is_usable(given) {
        report.invalid(&selector_path, printed(), "invalid label selector");
    } else if !refers || origin == TemplateOrigin::Resolved {
        pod_template::check(template, given, &path.child("template"), report);
    }
}

fn go_json_len(value: &Value, key: &str) -> usize {
    match value.get(key) {
        Some(Value::Object(map)) => map.len(),
        Some(Value::Array(list)) => list.len(),
        _ => 0,
    }
}

/// Argo looks at the labels and annotations only.
fn is_template_empty(template: &Value) -> bool {
    let metadata = object(template, "metadata").unwrap_or(&Value::Null);
    text_entries(metadata, "labels").is_empty() && text_entries(metadata, "annotations").is_empty()
}

fn check_deadlines(spec: &Value, path: &Path, report: &mut Report) {
    let min_ready = integer(spec, "minReadySeconds").unwrap_or(0);
    check_non_negative(Some(min_ready), &path.child("minReadySeconds"), report);
    check_non_negative(integer(spec, "revisionHistoryLimit"), &path.child("revisionHistoryLimit"), report);
    let deadline = integer(spec, "progressDeadlineSeconds").unwrap_or(PROGRESS_DEADLINE_SECONDS);
    let deadline_path = path.child("progressDeadlineSeconds");
    check_non_negative(Some(deadline), &deadline_path, report);
    if deadline <= min_ready {
        report.invalid(&deadline_path, deadline, "must be greater than minReadySeconds");
    }
}

fn check_strategy(spec: &Value, path: &Path, report: &mut Report) {
    let strategy = object(spec, "strategy").unwrap_or(&Value::Null);
    match (object(strategy, "blueGreen"), object(strategy, "canary")) {
        (None, None) => {
            let detail = "Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'";
            report.required(&path.child("strategy"), detail);
        }
        (Some(_), Some(_)) => {
            let both = quote("blueGreen: true canary: true");
            report.invalid(&path.child("strategy"), both, "Multiple Strategies can not be listed");
        }
        (Some(given), None) => {
            let history = integer(spec, "revisionHistoryLimit").unwrap_or(REVISION_HISTORY_LIMIT);
            blue_green::check(given, history, path, report);
        }
        (None, Some(given)) => canary::check(given, path, report),
    }
}
