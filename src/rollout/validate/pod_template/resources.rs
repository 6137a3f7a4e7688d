//! Requests, limits and claims of containers.

use super::super::error::{Path, Report, quote};
use super::super::labels::{dns_label, qualified_name};
use super::super::read::{entries, list, text};
use crate::rollout::revision::quantity::Quantity;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const HUGE_PAGES: &str = "hugepages-";

/// Names without a domain that Kubernetes itself knows.
const STANDARD: [&str; 20] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "storage",
    "requests.storage",
    "services.nodeports",
    "services.loadbalancers",
];

/// Of those, the ones that are counted in whole numbers.
const COUNTED: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// Adds what is wrong with a container's `resources`; `claims` are the names that the pod declares.
pub fn check(requirements: &Value, claims: &BTreeSet<&str>, path: &Path, report: &mut Report) {
    let (limits, requests) = (quantities(requirements, "limits"), quantities(requirements, "requests"));
    let (limits_path, requests_path) = (path.child("limits"), path.child("requests"));
    for (name, quantity) in &limits {
        check_one(name, quantity, &limits_path.key(name), report);
    }
    for (name, quantity) in &requests {
        check_one(name, quantity, &requests_path.key(name), report);
        match limits.iter().find(|(limited, _)| limited == name) {
            Some((_, limit)) if quantity != limit && !may_overcommit(name) => {
                let detail = format!("must be equal to {name} limit of {limit}");
                report.invalid(&requests_path, quote(&quantity.to_string()), &detail);
            }
            Some((_, limit)) if quantity > limit => {
                let detail = format!("must be less than or equal to {name} limit of {limit}");
                report.invalid(&requests_path, quote(&quantity.to_string()), &detail);
            }
            None if !may_overcommit(name) => {
                report.required(&limits_path, "Limit must be set for non overcommitable resources");
            }
            _ => {}
        }
    }
    let names: Vec<_> = limits.iter().chain(&requests).map(|(name, _)| *name).collect();
    if names.iter().any(|name| name.starts_with(HUGE_PAGES)) && !names.iter().any(|n| matches!(*n, "cpu" | "memory")) {
        report.forbidden(path, "HugePages require cpu or memory");
    }
    check_claims(list(requirements, "claims"), claims, &path.child("claims"), report);
}

/// A pod's overhead is checked like limits.
pub fn check_overhead(overhead: &Value, path: &Path, report: &mut Report) {
    check(&json!({ "limits": overhead }), &BTreeSet::new(), path, report);
}

fn quantities<'a>(requirements: &'a Value, key: &str) -> Vec<(&'a str, Quantity)> {
    let read = |v: &Value| Quantity::from_json(v).unwrap_or_default();
    entries(requirements, key).into_iter().map(|(name, value)| (name, read(value))).collect()
}

fn check_one(name: &str, quantity: &Quantity, path: &Path, report: &mut Report) {
    check_name(name, path, report);
    if quantity.signum() < 0 {
        report.invalid(path, quote(&quantity.to_string()), "must be greater than or equal to 0");
    }
    // Kubernetes looks at thousandths, rounded up.
    if (COUNTED.contains(&name) || is_extended(name)) && !quantity.is_multiple_of(0) {
        report.invalid(path, quote(&quantity.to_string()), "must be an integer");
    }
}

fn check_name(name: &str, path: &Path, report: &mut Report) {
    let messages = qualified_name(name);
    let form = messages.is_empty();
    report.invalid_text(path, name, messages);
    let pages = name.starts_with(HUGE_PAGES);
    if !name.contains('/') {
        let quota_pages = pages || name.starts_with("requests.hugepages-");
        if form && !STANDARD.contains(&name) && !quota_pages {
            report.invalid(path, quote(name), "must be a standard resource type or fully qualified");
        }
        if !matches!(name, "cpu" | "memory" | "ephemeral-storage") && !pages {
            report.invalid(path, quote(name), "must be a standard resource for containers");
        }
    } else if !is_native(name) && !is_extended(name) {
        report.invalid(path, quote(name), "doesn't follow extended resource name standard");
    }
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name) && !name.starts_with("requests.") && qualified_name(&format!("requests.{name}")).is_empty()
}

fn may_overcommit(name: &str) -> bool {
    is_native(name) && !name.starts_with(HUGE_PAGES)
}

fn check_claims(used: &[Value], declared: &BTreeSet<&str>, path: &Path, report: &mut Report) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (index, claim) in used.iter().enumerate() {
        let place = path.index(index);
        let (name, request) = (text(claim, "name"), text(claim, "request"));
        if name.is_empty() {
            report.required(&place, "");
            continue;
        }
        if seen.contains(name) {
            report.duplicate(&place, name);
        } else {
            let key = if request.is_empty() { name.to_owned() } else { format!("{name}/{request}") };
            if !request.is_empty() {
                report.invalid_text(&place.child("request"), request, dns_label(request));
            }
            let part_used = |k: &String| k.split_once('/').is_some_and(|(head, _)| head == name);
            if seen.contains(&key) {
                report.duplicate(&place, &key);
            } else if request.is_empty() {
                for _ in seen.iter().filter(|k| part_used(k)) {
                    report.duplicate(&place, name);
                }
            }
            seen.insert(key);
        }
        if !declared.contains(name) {
            report.not_found(&place, name, "must be one of the names in pod.spec.resourceClaims");
        }
    }
}
