//! Mounts of volumes and block devices in a container.

use super::super::error::{Path, Report, quote};
use super::super::read::{flag, list, object, some_text, text};
use super::pod::Surroundings;
use super::volumes::{check_relative_path, has_backsteps};
use serde_json::Value;
use std::collections::BTreeSet;

/// Some of these errors lack the index of the mount, as in Kubernetes.
pub fn check_mounts(container: &Value, pod: &Surroundings<'_>, path: &Path, report: &mut Report) {
    let devices = list(container, "volumeDevices");
    let mut seen = BTreeSet::new();
    for (index, mount) in list(container, "volumeMounts").iter().enumerate() {
        let place = path.index(index);
        let (name, mount_path) = (text(mount, "name"), text(mount, "mountPath"));
        if name.is_empty() {
            report.required(&place.child("name"), "");
        }
        if !pod.volumes.contains_key(name) {
            report.not_found(&place.child("name"), name, "");
        }
        if mount_path.is_empty() {
            report.required(&place.child("mountPath"), "");
        }
        if !seen.insert(mount_path) {
            report.invalid(&place.child("mountPath"), quote(mount_path), "must be unique");
        }
        if devices.iter().any(|device| text(device, "name") == name) {
            report.invalid(&place.child("name"), quote(name), "must not already exist in volumeDevices");
        }
        if devices.iter().any(|device| text(device, "devicePath") == mount_path) {
            let detail = "must not already exist as a path in volumeDevices";
            report.invalid(&place.child("mountPath"), quote(mount_path), detail);
        }
        check_sub_paths(mount, path, &place, report);
        check_propagation(mount, container, path, report);
    }
}

fn check_sub_paths(mount: &Value, path: &Path, place: &Path, report: &mut Report) {
    let (plain, expression) = (text(mount, "subPath"), text(mount, "subPathExpr"));
    if !plain.is_empty() {
        check_relative_path(plain, &path.child("subPath"), report);
    }
    if !expression.is_empty() {
        if !plain.is_empty() {
            let detail = "subPathExpr and subPath are mutually exclusive";
            report.invalid(&place.child("subPathExpr"), quote(expression), detail);
        }
        check_relative_path(expression, &path.child("subPathExpr"), report);
    }
}

fn check_propagation(mount: &Value, container: &Value, path: &Path, report: &mut Report) {
    let propagation = some_text(mount, "mountPropagation");
    if let Some(mode) = propagation {
        let place = path.child("mountPropagation");
        let modes = ["Bidirectional", "HostToContainer", "None"];
        if !modes.contains(&mode) {
            report.not_supported(&place, mode, &modes);
        }
        let privileged = object(container, "securityContext").is_some_and(|context| flag(context, "privileged"));
        if mode == "Bidirectional" && !privileged {
            let detail = "Bidirectional mount propagation is available only to privileged containers";
            report.forbidden(&place, detail);
        }
    }
    let place = path.child("recursiveReadOnly");
    match some_text(mount, "recursiveReadOnly") {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if !flag(mount, "readOnly") {
                report.forbidden(&place, "may only be specified when readOnly is true");
            }
            if propagation.is_some_and(|mode| mode != "None") {
                report.forbidden(&place, "may only be specified when mountPropagation is None or not specified");
            }
        }
        Some(other) => report.not_supported(&place, other, &["Disabled", "Enabled", "IfPossible"]),
    }
}

pub fn check_devices(container: &Value, pod: &Surroundings<'_>, path: &Path, report: &mut Report) {
    let mounts = list(container, "volumeMounts");
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for (index, device) in list(container, "volumeDevices").iter().enumerate() {
        let place = path.index(index);
        let (name_path, device_path) = (place.child("name"), place.child("devicePath"));
        let (name, file) = (text(device, "name"), text(device, "devicePath"));
        let wrong_name = |report: &mut Report, detail: &str| report.invalid(&name_path, quote(name), detail);
        if name.is_empty() {
            report.required(&name_path, "");
        }
        if names.contains(name) {
            wrong_name(report, "must be unique");
        }
        match pod.volumes.get(name) {
            None => report.not_found(&name_path, name, ""),
            Some(volume) if ["persistentVolumeClaim", "ephemeral"].iter().any(|k| object(volume, k).is_some()) => {}
            Some(_) => wrong_name(
                report,
                "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode",
            ),
        }
        if file.is_empty() {
            report.required(&device_path, "");
        }
        if paths.contains(file) {
            report.invalid(&device_path, quote(file), "must be unique");
        }
        if has_backsteps(file) {
            report.invalid(&device_path, quote(file), "can not contain backsteps ('..')");
        } else {
            paths.insert(file);
        }
        if mounts.iter().any(|mount| text(mount, "name") == name) {
            wrong_name(report, "must not already exist in volumeMounts");
        }
        if mounts.iter().any(|mount| text(mount, "mountPath") == file) {
            report.invalid(&device_path, quote(file), "must not already exist as a path in volumeMounts");
        }
        if !name.is_empty() {
            names.insert(name);
        }
    }
}
