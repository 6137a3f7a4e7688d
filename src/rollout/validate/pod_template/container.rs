//! What is common to all containers.

use super::super::error::{Path, Report, quote};
use super::super::labels::{dns_label, port_name, port_number};
use super::super::read::{integer, list, object, text};
use super::pod::Surroundings;
use super::{environment, mounts, resources, security};
use serde_json::Value;
use std::collections::BTreeSet;

pub fn check(container: &Value, pod: &Surroundings<'_>, path: &Path, report: &mut Report) {
    let name = text(container, "name");
    if name.is_empty() {
        report.required(&path.child("name"), "");
    } else {
        report.invalid_text(&path.child("name"), name, dns_label(name));
    }
    if text(container, "image").is_empty() {
        report.required(&path.child("image"), "");
    }
    let policy = text(container, "terminationMessagePolicy");
    let policies = ["File", "FallbackToLogsOnError"];
    if !policies.contains(&policy) {
        report.not_supported(&path.child("terminationMessagePolicy"), policy, &policies);
    }
    check_ports(list(container, "ports"), &path.child("ports"), report);
    environment::check(list(container, "env"), &path.child("env"), report);
    environment::check_from(list(container, "envFrom"), &path.child("envFrom"), report);
    mounts::check_mounts(container, pod, &path.child("volumeMounts"), report);
    mounts::check_devices(container, pod, &path.child("volumeDevices"), report);
    let pull = text(container, "imagePullPolicy");
    let pulls = ["Always", "IfNotPresent", "Never"];
    if !pulls.contains(&pull) {
        report.not_supported(&path.child("imagePullPolicy"), pull, &pulls);
    }
    let requirements = object(container, "resources").unwrap_or(&Value::Null);
    resources::check(requirements, &pod.claims, &path.child("resources"), report);
    check_resize(list(container, "resizePolicy"), pod, &path.child("resizePolicy"), report);
    security::check_container(object(container, "securityContext"), &path.child("securityContext"), report);
}

fn check_ports(ports: &[Value], path: &Path, report: &mut Report) {
    let mut names = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let place = path.index(index);
        let name = text(port, "name");
        if !name.is_empty() {
            let messages = port_name(name);
            if messages.is_empty() && !names.insert(name) {
                report.duplicate(&place.child("name"), name);
            }
            report.invalid_text(&place.child("name"), name, messages);
        }
        let number = integer(port, "containerPort").unwrap_or(0);
        if number == 0 {
            report.required(&place.child("containerPort"), "");
        } else if let Some(message) = port_number(number) {
            report.invalid(&place.child("containerPort"), number, &message);
        }
        let host = integer(port, "hostPort").unwrap_or(0);
        if let Some(message) = port_number(host).filter(|_| host != 0) {
            report.invalid(&place.child("hostPort"), host, &message);
        }
        let protocol = text(port, "protocol");
        let protocols = ["SCTP", "TCP", "UDP"];
        if !protocols.contains(&protocol) {
            report.not_supported(&place.child("protocol"), protocol, &protocols);
        }
    }
}

fn check_resize(policies: &[Value], pod: &Surroundings<'_>, path: &Path, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for (index, policy) in policies.iter().enumerate() {
        let (resource, restart) = (text(policy, "resourceName"), text(policy, "restartPolicy"));
        if !seen.insert(resource) {
            report.duplicate(&path.index(index), resource);
        }
        match resource {
            "cpu" | "memory" => {}
            "" => report.required(path, ""),
            other => report.not_supported(path, other, &["cpu", "memory"]),
        }
        match restart {
            "NotRequired" | "RestartContainer" => {}
            "" => report.required(path, ""),
            other => report.not_supported(path, other, &["NotRequired", "RestartContainer"]),
        }
        if pod.restart_policy == "Never" && restart != "NotRequired" {
            report.invalid(path, quote(restart), "must be 'NotRequired' when `restartPolicy` is 'Never'");
        }
    }
}
