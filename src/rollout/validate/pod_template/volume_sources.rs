//! What each sort of volume needs. Sorts that few people write are left to the API server.

use super::super::error::{Path, Report, quote};
use super::super::labels::dns_subdomain;
use super::super::read::{integer, list, object, some_text, text, texts};
use super::super::selector;
use super::environment::{FILE_FIELDS, check_divisor, check_field, check_resource};
use super::volumes::{check_no_backsteps, check_relative_path};
use crate::rollout::revision::quantity::Quantity;
use serde_json::Value;
use std::collections::BTreeSet;

const MAX_MODE: i64 = 0o777;
const MIN_TOKEN_SECONDS: i64 = 600;
const MAX_TOKEN_SECONDS: i64 = 1 << 32;
const MAX_DRIVER: usize = 63;
const CONFLICT: &str = "conflicting duplicate paths";

/// Adds what is wrong with the source of the sort `key`.
pub fn check(key: &str, source: &Value, path: &Path, report: &mut Report) {
    match key {
        "emptyDir" => check_empty_dir(source, path, report),
        "hostPath" => check_host_path(source, path, report),
        "secret" => check_keys(source, "secretName", path, report),
        "configMap" => check_keys(source, "name", path, report),
        "nfs" => check_nfs(source, path, report),
        "persistentVolumeClaim" => check_filled(source, &["claimName"], path, report),
        "downwardAPI" => {
            check_mode(source, "defaultMode", path, report);
            for file in list(source, "items") {
                check_file(file, path, report);
            }
        }
        "projected" => check_projected(source, path, report),
        "csi" => check_csi(source, path, report),
        "ephemeral" => check_claim(source, path, report),
        "gitRepo" => {
            check_filled(source, &["repository"], path, report);
            check_relative_path(text(source, "directory"), &path.child("directory"), report);
        }
        "azureFile" => check_filled(source, &["secretName", "shareName"], path, report),
        "awsElasticBlockStore" | "cinder" => check_filled(source, &["volumeID"], path, report),
        "flexVolume" => check_filled(source, &["driver"], path, report),
        _ => {}
    }
}

fn check_filled(source: &Value, keys: &[&str], path: &Path, report: &mut Report) {
    for key in keys.iter().filter(|key| text(source, key).is_empty()) {
        report.required(&path.child(key), "");
    }
}

fn check_empty_dir(source: &Value, path: &Path, report: &mut Report) {
    let limit = source.get("sizeLimit").and_then(Quantity::from_json);
    if limit.is_some_and(|limit| limit.signum() < 0) {
        report.forbidden(&path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity");
    }
}

fn check_host_path(source: &Value, path: &Path, report: &mut Report) {
    let file = text(source, "path");
    if file.is_empty() {
        report.required(&path.child("path"), "");
        return;
    }
    check_no_backsteps(file, &path.child("path"), report);
    let types = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    if let Some(other) = some_text(source, "type").filter(|t| !types.contains(t)) {
        report.not_supported(&path.child("type"), other, &types);
    }
}

fn check_nfs(source: &Value, path: &Path, report: &mut Report) {
    check_filled(source, &["server", "path"], path, report);
    let file = text(source, "path");
    if !file.starts_with('/') {
        report.invalid(&path.child("path"), quote(file), "must be an absolute path");
    }
}

fn check_mode(source: &Value, key: &str, path: &Path, report: &mut Report) {
    if let Some(mode) = integer(source, key).filter(|mode| !(0..=MAX_MODE).contains(mode)) {
        report.invalid(&path.child(key), mode, "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

/// A config map or secret as files.
fn check_keys(source: &Value, name: &str, path: &Path, report: &mut Report) {
    check_filled(source, &[name], path, report);
    check_mode(source, "defaultMode", path, report);
    for (index, item) in list(source, "items").iter().enumerate() {
        check_item(item, &path.child("items").index(index), report);
    }
}

fn check_item(item: &Value, path: &Path, report: &mut Report) {
    check_filled(item, &["key", "path"], path, report);
    check_file_path(text(item, "path"), &path.child("path"), report);
    check_mode(item, "mode", path, report);
}

/// A path in a volume that the kubelet fills: names that start with two dots are its own.
fn check_file_path(file: &str, path: &Path, report: &mut Report) {
    check_relative_path(file, path, report);
    if file.starts_with("..") && !file.starts_with("../") {
        report.invalid(path, quote(file), "must not start with '..'");
    }
}

/// A file of the downward API. Its errors lack the index, as in Kubernetes.
fn check_file(file: &Value, path: &Path, report: &mut Report) {
    check_filled(file, &["path"], path, report);
    check_file_path(text(file, "path"), &path.child("path"), report);
    let resource = object(file, "resourceFieldRef");
    if let Some(field) = object(file, "fieldRef") {
        check_field(field, &FILE_FIELDS, &path.child("fieldRef"), report);
        if resource.is_some() {
            let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
            report.invalid(path, quote("resource"), detail);
        }
    } else if let Some(resource) = resource {
        let place = path.child("resourceFieldRef");
        if text(resource, "containerName").is_empty() {
            report.required(&place.child("containerName"), "");
            check_divisor(resource, &place, report);
        } else {
            check_resource(resource, &place, report);
        }
    } else {
        report.required(path, "one of fieldRef and resourceFieldRef is required");
    }
    check_mode(file, "mode", path, report);
}

fn check_projected(source: &Value, path: &Path, report: &mut Report) {
    check_mode(source, "defaultMode", path, report);
    let mut files = BTreeSet::new();
    for (index, projection) in list(source, "sources").iter().enumerate() {
        let place = path.child("sources").index(index);
        for key in ["secret", "configMap"] {
            if let Some(keys) = object(projection, key) {
                check_projected_keys(keys, &mut files, path, &place.child(key), report);
            }
        }
        if let Some(api) = object(projection, "downwardAPI") {
            for file in list(api, "items") {
                check_file(file, &place.child("downwardAPI"), report);
                claim_file(text(file, "path"), &mut files, path, text(file, "path"), report);
            }
        }
        if let Some(token) = object(projection, "serviceAccountToken") {
            check_token(token, path, &place.child("serviceAccountToken"), report);
        }
        let kinds =
            ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate"];
        if kinds.iter().filter(|key| object(projection, key).is_some()).count() > 1 {
            report.forbidden(&place, "may not specify more than 1 volume type per source");
        }
    }
}

fn check_projected_keys<'a>(
    keys: &'a Value,
    files: &mut BTreeSet<&'a str>,
    volume: &Path,
    path: &Path,
    report: &mut Report,
) {
    check_filled(keys, &["name"], path, report);
    for (index, item) in list(keys, "items").iter().enumerate() {
        check_item(item, &path.child("items").index(index), report);
        claim_file(text(item, "path"), files, volume, text(keys, "name"), report);
    }
}

/// Each file of a projected volume comes from one source.
fn claim_file<'a>(file: &'a str, files: &mut BTreeSet<&'a str>, path: &Path, shown: &str, report: &mut Report) {
    if !file.is_empty() && !files.insert(file) {
        report.invalid(path, quote(shown), CONFLICT);
    }
}

fn check_token(token: &Value, volume: &Path, path: &Path, report: &mut Report) {
    let seconds = integer(token, "expirationSeconds").unwrap_or(0);
    let place = path.child("expirationSeconds");
    if seconds < MIN_TOKEN_SECONDS {
        report.invalid(&place, seconds, "may not specify a duration less than 10 minutes");
    }
    if seconds > MAX_TOKEN_SECONDS {
        report.invalid(&place, seconds, "may not specify a duration larger than 2^32 seconds");
    }
    // The path element of the projection is missing here in Kubernetes too.
    match text(token, "path") {
        "" => report.required(&volume.child("path"), ""),
        file => check_file_path(file, &volume.child("path"), report),
    }
}

fn check_csi(source: &Value, path: &Path, report: &mut Report) {
    let driver = text(source, "driver");
    let place = path.child("driver");
    if driver.is_empty() {
        report.required(&place, "");
    }
    if driver.len() > MAX_DRIVER {
        report.too_long(&place, MAX_DRIVER);
    }
    report.invalid_text(&place, driver, dns_subdomain(&driver.to_lowercase()));
    if let Some(secret) = object(source, "nodePublishSecretRef") {
        match text(secret, "name") {
            "" => report.required(&path.child("nodePublishSecretRef").child("name"), ""),
            name => report.invalid_text(&path.child("name"), name, dns_subdomain(name)),
        }
    }
}

/// A claim that is made for each pod. Its labels and annotations are not seen, as in Argo.
fn check_claim(source: &Value, path: &Path, report: &mut Report) {
    let place = path.child("volumeClaimTemplate");
    let Some(template) = object(source, "volumeClaimTemplate") else {
        report.required(&place, "");
        return;
    };
    let (spec, place) = (object(template, "spec").unwrap_or(&Value::Null), place.child("spec"));
    check_access(spec, &place.child("accessModes"), report);
    selector::check(object(spec, "selector"), &place.child("selector"), report);
    let requests = object(spec, "resources").and_then(|resources| object(resources, "requests"));
    let storage = requests.and_then(|requests| requests.get("storage")).map(Quantity::from_json);
    let storage_path = place.child("resources").key("storage");
    match storage {
        None => report.required(&storage_path, ""),
        Some(size) => {
            let size = size.unwrap_or_default();
            if size.signum() <= 0 {
                report.invalid(&storage_path, quote(&size.to_string()), "must be greater than zero");
            }
        }
    }
    let class = text(spec, "storageClassName");
    if !class.is_empty() {
        report.invalid_text(&place.child("storageClassName"), class, dns_subdomain(class));
    }
    let mode = text(spec, "volumeMode");
    if !["", "Block", "Filesystem"].contains(&mode) {
        report.not_supported(&place.child("volumeMode"), mode, &["Block", "Filesystem"]);
    }
}

fn check_access(spec: &Value, path: &Path, report: &mut Report) {
    let modes: Vec<_> = texts(spec, "accessModes").collect();
    if modes.is_empty() {
        report.required(path, "at least 1 access mode is required");
    }
    let known = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
    for mode in modes.iter().filter(|mode| !known.contains(mode)) {
        report.not_supported(path, mode, &known);
    }
    let known_others = modes.iter().any(|mode| known.contains(mode) && *mode != "ReadWriteOncePod");
    if modes.contains(&"ReadWriteOncePod") && known_others {
        report.forbidden(path, "may not use ReadWriteOncePod with other access modes");
    }
}
