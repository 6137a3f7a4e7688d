//! Where pods may run: tolerations, spreading, gates.

use super::super::error::{Path, Report, quote};
use super::super::labels::{label_value, qualified_name};
use super::super::read::{entries, integer, list, object, some_text, text, texts};
use super::super::selector;
use serde_json::Value;
use std::collections::BTreeSet;

pub fn check_gates(gates: &[Value], path: &Path, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for (index, gate) in gates.iter().enumerate() {
        let (name, place) = (text(gate, "name"), path.index(index));
        report.invalid_text(&place, name, qualified_name(name));
        if !seen.insert(name) {
            report.duplicate(&place, name);
        }
    }
}

pub fn check_tolerations(tolerations: &[Value], path: &Path, report: &mut Report) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let place = path.index(index);
        let (key, operator) = (text(toleration, "key"), text(toleration, "operator"));
        let (value, effect) = (text(toleration, "value"), text(toleration, "effect"));
        let operator_path = place.child("operator");
        if !key.is_empty() {
            report.invalid_text(&place.child("key"), key, qualified_name(key));
        } else if operator != "Exists" {
            let detail = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            report.invalid(&operator_path, quote(operator), detail);
        }
        if integer(toleration, "tolerationSeconds").is_some() && effect != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            report.invalid(&place.child("effect"), quote(effect), detail);
        }
        match operator {
            "Equal" | "" => {
                let messages = label_value(value);
                if !messages.is_empty() {
                    report.invalid(&operator_path, quote(value), &messages.join(";"));
                }
            }
            "Exists" if !value.is_empty() => {
                report.invalid(&operator_path, quote(value), "value must be empty when `operator` is 'Exists'");
            }
            "Exists" => {}
            other => report.not_supported(&operator_path, other, &["Equal", "Exists"]),
        }
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        if !effect.is_empty() && !effects.contains(&effect) {
            report.not_supported(&place.child("effect"), effect, &effects);
        }
    }
}

pub fn check_spread(constraints: &[Value], path: &Path, report: &mut Report) {
    let kind = |constraint| (text(constraint, "topologyKey"), text(constraint, "whenUnsatisfiable"));
    for (index, constraint) in constraints.iter().enumerate() {
        let place = path.index(index);
        let (key, action) = kind(constraint);
        check_positive(integer(constraint, "maxSkew").unwrap_or(0), &place.child("maxSkew"), report);
        if key.is_empty() {
            report.required(&place.child("topologyKey"), "can not be empty");
        }
        let actions = ["DoNotSchedule", "ScheduleAnyway"];
        if !actions.contains(&action) {
            report.not_supported(&place.child("whenUnsatisfiable"), action, &actions);
        }
        if constraints.iter().skip(index + 1).any(|other| kind(other) == (key, action)) {
            let shown = format!("{{{key}, {action}}}");
            report.duplicate(&place.child("{topologyKey, whenUnsatisfiable}"), &shown);
        }
        if let Some(domains) = integer(constraint, "minDomains") {
            check_positive(domains, &place.child("minDomains"), report);
            if action != "DoNotSchedule" {
                let detail = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
                report.invalid(&place.child("minDomains"), domains, &detail);
            }
        }
        for policy in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            let choices = ["Honor", "Ignore"];
            if let Some(other) = some_text(constraint, policy).filter(|choice| !choices.contains(choice)) {
                report.not_supported(&place.child(policy), other, &choices);
            }
        }
        check_label_keys(constraint, &place.child("matchLabelKeys"), report);
        selector::check(object(constraint, "labelSelector"), &place.child("labelSelector"), report);
    }
}

fn check_positive(number: i64, path: &Path, report: &mut Report) {
    if number <= 0 {
        report.invalid(path, number, "must be greater than 0");
    }
}

fn check_label_keys(constraint: &Value, path: &Path, report: &mut Report) {
    if list(constraint, "matchLabelKeys").is_empty() {
        return;
    }
    let selector = object(constraint, "labelSelector");
    if selector.is_none() {
        report.forbidden(path, "must not be specified when labelSelector is not set");
    }
    let used: BTreeSet<_> = selector.map(selected_keys).unwrap_or_default().into_iter().collect();
    for (index, key) in texts(constraint, "matchLabelKeys").enumerate() {
        let place = path.index(index);
        report.invalid_text(&place, key, qualified_name(key));
        if used.contains(key) {
            report.invalid(&place, quote(key), "exists in both matchLabelKeys and labelSelector");
        }
    }
}

/// The keys that a label selector names.
pub fn selected_keys(selector: &Value) -> Vec<&str> {
    let labels = entries(selector, "matchLabels").into_iter().map(|(key, _)| key);
    labels.chain(list(selector, "matchExpressions").iter().map(|e| text(e, "key"))).collect()
}
