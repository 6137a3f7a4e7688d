//! Label selectors: their form, and which labels they match.
//!
//! Kubernetes: `apimachinery/pkg/apis/meta/v1/validation ValidateLabelSelector`, `metav1.LabelSelectorAsSelector`.

use super::error::{Path, Report, quote};
use super::labels::{check_labels, label_value, qualified_name};
use super::read::{list, text, text_entries, texts};
use serde_json::Value;

#[cfg(test)]
mod tests;

/// Adds what is wrong with a selector. An absent one is right.
pub fn check(selector: Option<&Value>, path: &Path, report: &mut Report) {
    let Some(selector) = selector else { return };
    check_labels(&text_entries(selector, "matchLabels"), &path.child("matchLabels"), report);
    for (index, requirement) in list(selector, "matchExpressions").iter().enumerate() {
        check_requirement(requirement, &path.child("matchExpressions").index(index), report);
    }
}

fn check_requirement(requirement: &Value, path: &Path, report: &mut Report) {
    let (key, operator, values) = (text(requirement, "key"), text(requirement, "operator"), path.child("values"));
    let count = list(requirement, "values").len();
    match operator {
        "In" | "NotIn" if count == 0 => {
            report.required(&values, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        "Exists" | "DoesNotExist" if count > 0 => {
            report.forbidden(&values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        _ => report.invalid(&path.child("operator"), quote(operator), "not a valid selector operator"),
    }
    report.invalid_text(&path.child("key"), key, qualified_name(key));
    for (index, value) in texts(requirement, "values").enumerate() {
        report.invalid_text(&values.index(index), value, label_value(value));
    }
}

/// Whether the selector can be used at all: the same conditions, without their places.
pub fn is_usable(selector: Option<&Value>) -> bool {
    let mut report = Report::default();
    check(selector, &Path::new(""), &mut report);
    report.0.is_empty()
}

/// Whether a usable selector matches the labels. An empty one matches all, an absent one nothing.
pub fn matches(selector: Option<&Value>, labels: &[(&str, &str)]) -> bool {
    let Some(selector) = selector else { return false };
    let value_of = |key: &str| labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
    text_entries(selector, "matchLabels").iter().all(|(key, value)| value_of(key) == Some(*value))
        && list(selector, "matchExpressions").iter().all(|requirement| {
            let value = value_of(text(requirement, "key"));
            let listed = || texts(requirement, "values").any(|v| Some(v) == value);
            match text(requirement, "operator") {
                "In" => listed(),
                "NotIn" => !listed(),
                "Exists" => value.is_some(),
                _ => value.is_none(),
            }
        })
}
