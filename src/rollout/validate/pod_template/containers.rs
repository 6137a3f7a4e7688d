//! The three lists of containers.

use super::super::error::{Path, Report, quote};
use super::super::read::{integer, list, object, some_text, text};
use super::pod::Surroundings;
use super::{container, probes};
use serde_json::Value;
use std::collections::BTreeSet;

/// Fields that an ephemeral container may not have, in the order in which they are looked at.
const NOT_EPHEMERAL: [&str; 9] = [
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
];

pub fn check(spec: &Value, pod: &Surroundings<'_>, path: &Path, report: &mut Report) {
    let main = list(spec, "containers");
    let init = list(spec, "initContainers");
    let mut names = BTreeSet::new();
    check_main(main, pod, &path.child("containers"), report);
    names.extend(main.iter().map(|c| text(c, "name")));
    check_init(init, pod, &mut names, &path.child("initContainers"), report);
    check_ephemeral(spec, pod, &path.child("ephemeralContainers"), report);
}

fn check_main(containers: &[Value], pod: &Surroundings<'_>, path: &Path, report: &mut Report) {
    if containers.is_empty() {
        report.required(path, "");
        return;
    }
    let mut names = BTreeSet::new();
    for (index, given) in containers.iter().enumerate() {
        let place = path.index(index);
        container::check(given, pod, &place, report);
        if !names.insert(text(given, "name")) {
            report.duplicate(&place.child("name"), text(given, "name"));
        }
        probes::check_all(given, pod, &place, report);
        if some_text(given, "restartPolicy").is_some() {
            report.forbidden(&place.child("restartPolicy"), "may not be set for non-init containers");
        }
    }
    check_host_ports(containers, path, report);
}

fn check_init<'a>(
    containers: &'a [Value],
    pod: &Surroundings<'_>,
    names: &mut BTreeSet<&'a str>,
    path: &Path,
    report: &mut Report,
) {
    for (index, given) in containers.iter().enumerate() {
        let place = path.index(index);
        container::check(given, pod, &place, report);
        let restart = some_text(given, "restartPolicy");
        if let Some(other) = restart.filter(|policy| *policy != "Always") {
            report.not_supported(&place.child("restartPolicy"), other, &["Always"]);
        }
        let name = text(given, "name");
        if !names.insert(name) && !name.is_empty() {
            report.duplicate(&place.child("name"), name);
        }
        check_host_ports(std::slice::from_ref(given), path, report);
        if restart == Some("Always") {
            probes::check_all(given, pod, &place, report);
        } else {
            for key in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
                if object(given, key).is_some() {
                    let detail = "may not be set for init containers without restartPolicy=Always";
                    report.forbidden(&place.child(key), detail);
                }
            }
        }
        let resize = list(given, "resizePolicy");
        if !resize.is_empty() {
            let detail = "must not be set for init containers";
            report.invalid(&place.child("resizePolicy"), Value::from(resize), detail);
        }
    }
}

fn check_ephemeral(spec: &Value, pod: &Surroundings<'_>, path: &Path, report: &mut Report) {
    let others = list(spec, "containers").iter().chain(list(spec, "initContainers"));
    let others: BTreeSet<_> = others.map(|c| text(c, "name")).collect();
    let mut names = others.clone();
    for (index, given) in list(spec, "ephemeralContainers").iter().enumerate() {
        let place = path.index(index);
        container::check(given, pod, &place, report);
        let image = text(given, "image");
        if image != image.trim() {
            report.invalid(&place.child("image"), quote(image), "must not have leading or trailing whitespace");
        }
        let name = text(given, "name");
        if !names.insert(name) {
            report.duplicate(&place.child("name"), name);
        }
        let target = text(given, "targetContainerName");
        if !target.is_empty() && !others.contains(target) {
            report.not_found(&place.child("targetContainerName"), target, "");
        }
        for key in NOT_EPHEMERAL {
            if given.get(key).is_some_and(|value| is_filled(key, value)) {
                report.forbidden(&place.child(key), "cannot be set for an Ephemeral Container");
            }
        }
        for (position, mount) in list(given, "volumeMounts").iter().enumerate() {
            for key in ["subPath", "subPathExpr"] {
                if !text(mount, key).is_empty() {
                    let place = place.child("volumeMounts").index(position).child(key);
                    report.forbidden(&place, "cannot be set for an Ephemeral Container");
                }
            }
        }
    }
}

/// `resources` alone is no pointer in Go, so that an empty object there is nothing.
fn is_filled(key: &str, value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => key != "resources" || map.values().any(|v| !v.is_null()),
        _ => true,
    }
}

/// No two containers may ask for one port of the host.
fn check_host_ports(containers: &[Value], path: &Path, report: &mut Report) {
    let mut taken = BTreeSet::new();
    for (index, given) in containers.iter().enumerate() {
        for (position, port) in list(given, "ports").iter().enumerate() {
            let Some(number) = integer(port, "hostPort").filter(|n| *n != 0) else { continue };
            let claim = format!("{}/{}/{number}", text(port, "protocol"), text(port, "hostIP"));
            if !taken.insert(claim.clone()) {
                let place = path.index(index).child("ports").index(position).child("hostPort");
                report.duplicate(&place, &claim);
            }
        }
    }
}
