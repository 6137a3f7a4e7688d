//! Environment variables and where their values come from.

use super::super::analysis::split_subscript;
use super::super::error::{Path, Report, quote};
use super::super::labels::{config_key, dns_label, dns_subdomain, environment_name, qualified_name};
use super::super::read::{list, object, text};
use super::volumes::check_no_backsteps;
use crate::rollout::revision::quantity::Quantity;
use serde_json::Value;

/// Fields of the pod that a variable may show.
const VARIABLE_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Fields of the pod that a file of a downward API volume may show.
pub const FILE_FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

/// Fields that the downward API knows at all.
const KNOWN_FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "spec.restartPolicy", "spec.schedulerName", "status.phase"];

const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

const BYTE_DIVISORS: [&str; 13] = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

pub fn check(variables: &[Value], path: &Path, report: &mut Report) {
    for (index, variable) in variables.iter().enumerate() {
        let place = path.index(index);
        let name = text(variable, "name");
        if name.is_empty() {
            report.required(&place.child("name"), "");
        } else {
            report.invalid_text(&place.child("name"), name, environment_name(name));
        }
        if let Some(from) = object(variable, "valueFrom") {
            let has_value = !text(variable, "value").is_empty();
            check_source(from, &place.child("valueFrom"), report);
            let sources = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
            let detail = match sources.iter().filter(|key| object(from, key).is_some()).count() {
                0 => "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
                _ if has_value => "may not be specified when `value` is not empty",
                1 => continue,
                _ => "may not have more than one field specified at a time",
            };
            report.invalid(&place.child("valueFrom"), quote(""), detail);
        }
    }
}

fn check_source(from: &Value, path: &Path, report: &mut Report) {
    if let Some(field) = object(from, "fieldRef") {
        check_field(field, &VARIABLE_FIELDS, &path.child("fieldRef"), report);
    }
    if let Some(resource) = object(from, "resourceFieldRef") {
        check_resource(resource, &path.child("resourceFieldRef"), report);
    }
    for key in ["configMapKeyRef", "secretKeyRef"] {
        if let Some(reference) = object(from, key) {
            check_key(reference, &path.child(key), report);
        }
    }
    if let Some(file) = object(from, "fileKeyRef") {
        check_file_key(file, &path.child("fileKeyRef"), report);
    }
}

/// A reference to a field of the pod; `fields` are the ones that may be named without a subscript.
pub fn check_field(field: &Value, fields: &[&str], path: &Path, report: &mut Report) {
    let (version, name) = (text(field, "apiVersion"), text(field, "fieldPath"));
    if version.is_empty() {
        report.required(&path.child("apiVersion"), "");
        return;
    }
    let field_path = path.child("fieldPath");
    if name.is_empty() {
        report.required(&field_path, "");
        return;
    }
    let name = if name == "spec.host" { "spec.nodeName" } else { name };
    match split_subscript(name) {
        _ if version != "v1" => {
            let detail = format!("error converting fieldPath: unsupported pod version: {version}");
            report.invalid(&field_path, quote(name), &detail);
        }
        ("metadata.annotations", Some(key)) => {
            let key = key.to_lowercase();
            report.invalid_text(path, &key, qualified_name(&key));
        }
        ("metadata.labels", Some(key)) => report.invalid_text(path, key, qualified_name(key)),
        (_, Some(_)) => {
            let detail = format!("error converting fieldPath: field label does not support subscript: {name}");
            report.invalid(&field_path, quote(name), &detail);
        }
        (name, None) if fields.contains(&name) => {}
        (name, None) if VARIABLE_FIELDS.contains(&name) || KNOWN_FIELDS.contains(&name) => {
            report.not_supported(&field_path, name, fields);
        }
        (name, None) => {
            let detail = format!("error converting fieldPath: field label not supported: {name}");
            report.invalid(&field_path, quote(name), &detail);
        }
    }
}

/// A reference to a container's limit or request.
pub fn check_resource(reference: &Value, path: &Path, report: &mut Report) {
    let resource = text(reference, "resource");
    let pages = ["requests.hugepages-", "limits.hugepages-"].iter().any(|prefix| resource.starts_with(prefix));
    if resource.is_empty() {
        report.required(&path.child("resource"), "");
    } else if !RESOURCES.contains(&resource) && !pages {
        report.not_supported(&path.child("resource"), resource, &RESOURCES);
    }
    check_divisor(reference, path, report);
}

/// The unit in which a limit or request is shown.
pub fn check_divisor(reference: &Value, path: &Path, report: &mut Report) {
    let resource = text(reference, "resource");
    let Some(divisor) = reference.get("divisor").and_then(Quantity::from_json).filter(|d| d.signum() != 0) else {
        return;
    };
    let pages = resource.contains(".hugepages-");
    let allowed: &[&str] = match resource {
        "limits.cpu" | "requests.cpu" => &["1m", "1"],
        name if RESOURCES.contains(&name) || pages => &BYTE_DIVISORS,
        _ => return,
    };
    if !allowed.contains(&divisor.to_string().as_str()) {
        let detail = format!("only divisor's values {} are supported with this resource", allowed.join(", "));
        report.invalid(&path.child("divisor"), quote(resource), &detail);
    }
}

fn check_key(reference: &Value, path: &Path, report: &mut Report) {
    let (name, key) = (text(reference, "name"), text(reference, "key"));
    report.invalid_text(&path.child("name"), name, dns_subdomain(name));
    if key.is_empty() {
        report.required(&path.child("key"), "");
    } else {
        report.invalid_text(&path.child("key"), key, config_key(key));
    }
}

fn check_file_key(file: &Value, path: &Path, report: &mut Report) {
    for key in ["key", "volumeName", "path"] {
        let (value, place) = (text(file, key), path.child(key));
        if value.is_empty() {
            report.required(&place, "");
        } else if key == "volumeName" {
            report.invalid_text(&place, value, dns_label(value));
        } else if key == "path" {
            check_no_backsteps(value, &place, report);
        } else if value.chars().any(|c| !(' '..='~').contains(&c) || c == '=') {
            let detail =
                "a valid environment variable name must consist only of printable ASCII characters other than '='";
            report.invalid(&place, quote(value), detail);
        }
    }
}

/// Files of variables come from volumes of the pod that containers share: `emptyDir`.
pub fn check_file_volumes(spec: &Value, path: &Path, report: &mut Report) {
    let volumes = list(spec, "volumes");
    for name in ["initContainers", "containers", "ephemeralContainers"] {
        for (index, container) in list(spec, name).iter().enumerate() {
            for (position, variable) in list(container, "env").iter().enumerate() {
                let from = object(variable, "valueFrom").and_then(|from| object(from, "fileKeyRef"));
                let Some(wanted) = from.map(|file| text(file, "volumeName")) else { continue };
                let place = path.child(name).index(index).child("env").index(position);
                let place = place.child("valueFrom").child("fileKeyRef").child("volumeName");
                match volumes.iter().rev().find(|volume| text(volume, "name") == wanted) {
                    None => report.not_found(&place, wanted, ""),
                    Some(volume) if object(volume, "emptyDir").is_none() => {
                        report.invalid(&place, quote(wanted), "referenced volume must be of type emptyDir");
                    }
                    Some(_) => {}
                }
            }
        }
    }
}

/// Whole config maps and secrets as environment.
pub fn check_from(sources: &[Value], path: &Path, report: &mut Report) {
    for (index, source) in sources.iter().enumerate() {
        let place = path.index(index);
        let prefix = text(source, "prefix");
        if !prefix.is_empty() {
            report.invalid_text(&place.child("prefix"), prefix, environment_name(prefix));
        }
        let mut given = 0;
        for key in ["configMapRef", "secretRef"] {
            let Some(reference) = object(source, key) else { continue };
            given += 1;
            let (name, name_path) = (text(reference, "name"), place.child(key).child("name"));
            if name.is_empty() {
                report.required(&name_path, "");
            } else {
                // A prefix of a generated name would do here, so that a trailing hyphen passes.
                report.invalid_text(&name_path, name, dns_subdomain(name.strip_suffix('-').unwrap_or(name)));
            }
        }
        match given {
            0 => report.invalid(path, quote(""), "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => report.invalid(path, quote(""), "may not have more than one field specified at a time"),
        }
    }
}
