//! Affinity to nodes and to other pods.

use super::super::error::{Path, Report, quote};
use super::super::labels::{dns_label, dns_subdomain, label_value, qualified_name};
use super::super::read::{entries, integer, list, object, text, texts};
use super::super::selector;
use serde_json::Value;
use std::collections::BTreeSet;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Whether values of node labels must have the form of labels: preferred terms are not held to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    Checked,
    Free,
}

pub fn check(affinity: Option<&Value>, path: &Path, report: &mut Report) {
    let Some(affinity) = affinity else { return };
    if let Some(node) = object(affinity, "nodeAffinity") {
        check_node(node, &path.child("nodeAffinity"), report);
    }
    for key in ["podAffinity", "podAntiAffinity"] {
        if let Some(pod) = object(affinity, key) {
            check_pod(pod, &path.child(key), report);
        }
    }
}

fn check_node(affinity: &Value, path: &Path, report: &mut Report) {
    if let Some(required) = object(affinity, REQUIRED) {
        let place = path.child(REQUIRED).child("nodeSelectorTerms");
        let terms = list(required, "nodeSelectorTerms");
        if terms.is_empty() {
            report.required(&place, "must have at least one node selector term");
        }
        for (index, term) in terms.iter().enumerate() {
            check_term(term, Values::Checked, &place.index(index), report);
        }
    }
    for (index, term) in list(affinity, PREFERRED).iter().enumerate() {
        let place = path.child(PREFERRED).index(index);
        check_weight(term, &place, report);
        let preference = object(term, "preference").unwrap_or(&Value::Null);
        check_term(preference, Values::Free, &place.child("preference"), report);
    }
}

fn check_weight(term: &Value, path: &Path, report: &mut Report) {
    let weight = integer(term, "weight").unwrap_or(0);
    if !(1..=100).contains(&weight) {
        report.invalid(&path.child("weight"), weight, "must be in the range 1-100");
    }
}

fn check_term(term: &Value, values: Values, path: &Path, report: &mut Report) {
    for (index, requirement) in list(term, "matchExpressions").iter().enumerate() {
        check_expression(requirement, values, &path.child("matchExpressions").index(index), report);
    }
    for (index, requirement) in list(term, "matchFields").iter().enumerate() {
        check_field(requirement, &path.child("matchFields").index(index), report);
    }
}

fn check_expression(requirement: &Value, values: Values, path: &Path, report: &mut Report) {
    let (key, operator) = (text(requirement, "key"), text(requirement, "operator"));
    let count = list(requirement, "values").len();
    let place = path.child("values");
    match operator {
        "In" | "NotIn" if count == 0 => {
            report.required(&place, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        "Exists" | "DoesNotExist" if count > 0 => {
            report.forbidden(&place, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        "Gt" | "Lt" if count != 1 => {
            report.required(&place, "must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        other => report.invalid(&path.child("operator"), quote(other), "not a valid selector operator"),
    }
    report.invalid_text(&path.child("key"), key, qualified_name(key));
    if values == Values::Checked {
        for (index, value) in texts(requirement, "values").enumerate() {
            report.invalid_text(&place.index(index), value, label_value(value));
        }
    }
}

/// Of a node's fields only its name can be selected.
fn check_field(requirement: &Value, path: &Path, report: &mut Report) {
    let (key, operator) = (text(requirement, "key"), text(requirement, "operator"));
    let place = path.child("values");
    match operator {
        "In" | "NotIn" if list(requirement, "values").len() != 1 => {
            report
                .required(&place, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
        }
        "In" | "NotIn" => {}
        other => report.invalid(&path.child("operator"), quote(other), "not a valid selector operator"),
    }
    if key != "metadata.name" {
        report.invalid(&path.child("key"), quote(key), "not a valid field selector key");
        return;
    }
    for (index, value) in texts(requirement, "values").enumerate() {
        report.invalid_text(&place.index(index), value, dns_subdomain(value));
    }
}

fn check_pod(affinity: &Value, path: &Path, report: &mut Report) {
    for (index, term) in list(affinity, REQUIRED).iter().enumerate() {
        check_pod_term(term, &path.child(REQUIRED).index(index), report);
    }
    for (index, weighted) in list(affinity, PREFERRED).iter().enumerate() {
        let place = path.child(PREFERRED).index(index);
        check_weight(weighted, &place, report);
        let term = object(weighted, "podAffinityTerm").unwrap_or(&Value::Null);
        check_pod_term(term, &place.child("podAffinityTerm"), report);
    }
}

fn check_pod_term(term: &Value, path: &Path, report: &mut Report) {
    selector::check(object(term, "labelSelector"), &path.child("labelSelector"), report);
    selector::check(object(term, "namespaceSelector"), &path.child("namespaceSelector"), report);
    for namespace in texts(term, "namespaces") {
        report.invalid_text(&path.child("namespace"), namespace, dns_label(namespace));
    }
    check_label_keys(term, path, report);
    let topology = text(term, "topologyKey");
    let place = path.child("topologyKey");
    if topology.is_empty() {
        report.required(&place, "can not be empty");
    }
    report.invalid_text(&place, topology, qualified_name(topology));
}

fn check_label_keys(term: &Value, path: &Path, report: &mut Report) {
    let selector = object(term, "labelSelector");
    for part in ["matchLabelKeys", "mismatchLabelKeys"] {
        let place = path.child(part);
        if selector.is_none() && !list(term, part).is_empty() {
            report.forbidden(&place, "must not be specified when labelSelector is not set");
            continue;
        }
        for (index, key) in texts(term, part).enumerate() {
            report.invalid_text(&place.index(index), key, qualified_name(key));
        }
    }
    let keys: Vec<_> = texts(term, "matchLabelKeys").collect();
    if let Some(selector) = selector {
        // A key counts when the selector names it twice: once is what the API server adds for it.
        let mut seen: BTreeSet<_> = entries(selector, "matchLabels").into_iter().map(|(key, _)| key).collect();
        for expression in list(selector, "matchExpressions") {
            let key = text(expression, "key");
            let position = keys.iter().rposition(|k| *k == key);
            if let Some(position) = position.filter(|_| seen.contains(key)) {
                let detail = "exists in both matchLabelKeys and labelSelector";
                report.invalid(&path.index(position), quote(key), detail);
            }
            seen.insert(key);
        }
    }
    let mismatched: BTreeSet<_> = texts(term, "mismatchLabelKeys").collect();
    for (index, key) in keys.iter().enumerate().filter(|(_, key)| mismatched.contains(*key)) {
        let detail = "exists in both matchLabelKeys and mismatchLabelKeys";
        report.invalid(&path.child("matchLabelKeys").index(index), quote(key), detail);
    }
}
