//! Volumes: names, and exactly one source each.

use super::super::error::{Path, Report, quote};
use super::super::labels::dns_label;
use super::super::read::{object, text};
use super::volume_sources;
use serde_json::Value;
use std::collections::BTreeMap;

/// Sources in the order in which Kubernetes looks at them, with the path element of the error about a
/// second source (two of them are spelt differently there).
const SOURCES: [(&str, &str); 30] = [
    ("emptyDir", "emptyDir"),
    ("hostPath", "hostPath"),
    ("gitRepo", "gitRepo"),
    ("gcePersistentDisk", "gcePersistentDisk"),
    ("awsElasticBlockStore", "awsElasticBlockStore"),
    ("secret", "secret"),
    ("nfs", "nfs"),
    ("iscsi", "iscsi"),
    ("glusterfs", "glusterfs"),
    ("flocker", "flocker"),
    ("persistentVolumeClaim", "persistentVolumeClaim"),
    ("rbd", "rbd"),
    ("cinder", "cinder"),
    ("cephfs", "cephFS"),
    ("quobyte", "quobyte"),
    ("downwardAPI", "downwarAPI"),
    ("fc", "fc"),
    ("flexVolume", "flexVolume"),
    ("configMap", "configMap"),
    ("azureFile", "azureFile"),
    ("vsphereVolume", "vsphereVolume"),
    ("photonPersistentDisk", "photonPersistentDisk"),
    ("portworxVolume", "portworxVolume"),
    ("azureDisk", "azureDisk"),
    ("storageos", "storageos"),
    ("projected", "projected"),
    ("scaleIO", "scaleIO"),
    ("csi", "csi"),
    ("ephemeral", "ephemeral"),
    ("image", "image"),
];

/// Adds what is wrong with the volumes and gives the right ones by name: mounts may use only those.
pub fn check<'a>(volumes: &'a [Value], path: &Path, report: &mut Report) -> BTreeMap<&'a str, &'a Value> {
    let mut right = BTreeMap::new();
    for (index, volume) in volumes.iter().enumerate() {
        let place = path.index(index);
        let before = report.0.len();
        check_source(volume, &place, report);
        let name = text(volume, "name");
        if name.is_empty() {
            report.required(&place.child("name"), "");
        } else {
            report.invalid_text(&place.child("name"), name, dns_label(name));
        }
        if right.contains_key(name) {
            report.duplicate(&place.child("name"), name);
        }
        if report.0.len() == before {
            right.insert(name, volume);
        }
    }
    right
}

fn check_source(volume: &Value, path: &Path, report: &mut Report) {
    let mut found = false;
    for (key, spelling) in SOURCES {
        let Some(source) = object(volume, key) else { continue };
        if found {
            report.forbidden(&path.child(spelling), "may not specify more than 1 volume type");
            continue;
        }
        found = true;
        volume_sources::check(key, source, &path.child(key), report);
    }
    if !found {
        report.required(path, "must specify a volume type");
    }
}

/// A path below some root: not absolute, and not upwards.
pub fn check_relative_path(file: &str, path: &Path, report: &mut Report) {
    if file.starts_with('/') {
        report.invalid(path, quote(file), "must be a relative path");
    }
    check_no_backsteps(file, path, report);
}

pub fn check_no_backsteps(file: &str, path: &Path, report: &mut Report) {
    if has_backsteps(file) {
        report.invalid(path, quote(file), "must not contain '..'");
    }
}

pub fn has_backsteps(file: &str) -> bool {
    file.split('/').any(|part| part == "..")
}
