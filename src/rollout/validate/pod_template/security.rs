//! Security contexts of pods and containers.

use super::super::error::{Path, Report, quote};
use super::super::labels::unix_id;
use super::super::read::{flag, integer, list, object, some_text, text, texts};
use super::volumes::check_relative_path;
use crate::rollout::revision::go_json;
use serde_json::Value;
use std::collections::BTreeSet;

const MAX_SYSCTL: usize = 253;
const MAX_PROFILE_PATH: usize = 4095;

pub fn check_pod(context: Option<&Value>, path: &Path, report: &mut Report) {
    let Some(context) = context else { return };
    for key in ["fsGroup", "runAsUser", "runAsGroup"] {
        check_id(integer(context, key), &path.child(key), report);
    }
    for (index, group) in list(context, "supplementalGroups").iter().enumerate() {
        check_id(go_json::integer(group), &path.child("supplementalGroups").index(index), report);
    }
    check_sysctls(list(context, "sysctls"), &path.child("sysctls"), report);
    check_choice(context, "fsGroupChangePolicy", &["Always", "OnRootMismatch"], path, report);
    check_seccomp(object(context, "seccompProfile"), &path.child("seccompProfile"), report);
    check_app_armor(object(context, "appArmorProfile"), &path.child("appArmorProfile"), report);
    check_choice(context, "supplementalGroupsPolicy", &["Merge", "Strict"], path, report);
    check_choice(context, "seLinuxChangePolicy", &["MountOption", "Recursive"], path, report);
}

pub fn check_container(context: Option<&Value>, path: &Path, report: &mut Report) {
    let Some(context) = context else { return };
    if flag(context, "privileged") {
        report.forbidden(&path.child("privileged"), "disallowed by cluster policy");
    }
    for key in ["runAsUser", "runAsGroup"] {
        check_id(integer(context, key), &path.child(key), report);
    }
    let mount = path.child("procMount");
    match some_text(context, "procMount") {
        None | Some("Default") => {}
        Some("Unmasked") => {
            report.invalid(&mount, quote("Unmasked"), "`hostUsers` must be false to use `Unmasked`");
        }
        Some(other) => report.not_supported(&mount, other, &["Default", "Unmasked"]),
    }
    check_seccomp(object(context, "seccompProfile"), &path.child("seccompProfile"), report);
    if context.get("allowPrivilegeEscalation") == Some(&Value::Bool(false)) {
        if flag(context, "privileged") {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            report.invalid(path, context, detail);
        }
        let added = object(context, "capabilities").into_iter().flat_map(|c| texts(c, "add"));
        for _ in added.filter(|capability| *capability == "CAP_SYS_ADMIN") {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            report.invalid(path, context, detail);
        }
    }
    check_app_armor(object(context, "appArmorProfile"), &path.child("appArmorProfile"), report);
}

fn check_id(id: Option<i64>, path: &Path, report: &mut Report) {
    if let Some((id, message)) = id.and_then(|id| Some((id, unix_id(id)?))) {
        report.invalid(path, id, &message);
    }
}

fn check_choice(context: &Value, key: &str, choices: &[&str], path: &Path, report: &mut Report) {
    if let Some(other) = some_text(context, key).filter(|choice| !choices.contains(choice)) {
        report.not_supported(&path.child(key), other, choices);
    }
}

fn check_sysctls(sysctls: &[Value], path: &Path, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for (index, sysctl) in sysctls.iter().enumerate() {
        let (name, place) = (text(sysctl, "name"), path.index(index).child("name"));
        if name.is_empty() {
            report.required(&place, "");
        } else if !is_sysctl(name) {
            let detail = format!("must have at most {MAX_SYSCTL} characters and parts of letters, digits, - and _");
            report.invalid(&place, quote(name), &detail);
        } else if seen.contains(name) {
            report.duplicate(&place, name);
        }
        seen.insert(name);
    }
}

/// Parts of lower-case letters, digits, `-` and `_`, which start and end with neither, apart by `.` or `/`.
fn is_sysctl(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        bytes.first().is_some_and(|b| plain(*b))
            && bytes.last().is_some_and(|b| plain(*b))
            && bytes.iter().all(|b| plain(*b) || b"-_".contains(b))
    };
    name.len() <= MAX_SYSCTL && name.split(['.', '/']).all(is_part)
}

fn check_seccomp(profile: Option<&Value>, path: &Path, report: &mut Report) {
    let Some(profile) = profile else { return };
    let kinds = ["Localhost", "RuntimeDefault", "Unconfined"];
    let kind = text(profile, "type");
    match kind {
        "" => report.required(&path.child("type"), "type is required when seccompProfile is set"),
        other if !kinds.contains(&other) => report.not_supported(&path.child("type"), other, &kinds),
        _ => {}
    }
    let place = path.child("localhostProfile");
    match some_text(profile, "localhostProfile") {
        None if kind == "Localhost" => report.required(&place, "must be set when seccomp type is Localhost"),
        None => {}
        Some(file) if kind == "Localhost" => check_relative_path(file, &place, report),
        Some(_) => report.invalid(&place, profile, "can only be set when seccomp type is Localhost"),
    }
}

fn check_app_armor(profile: Option<&Value>, path: &Path, report: &mut Report) {
    let Some(profile) = profile else { return };
    let place = path.child("localhostProfile");
    let name = some_text(profile, "localhostProfile");
    match text(profile, "type") {
        "Localhost" => match name {
            None => report.required(&place, "must be set when AppArmor type is Localhost"),
            Some(name) => {
                if name != name.trim() {
                    report.invalid(&place, quote(name), "must not be padded with whitespace");
                } else if name.is_empty() {
                    report.required(&place, "must be set when AppArmor type is Localhost");
                }
                if name.len() > MAX_PROFILE_PATH {
                    report.too_long(&place, MAX_PROFILE_PATH);
                }
            }
        },
        "RuntimeDefault" | "Unconfined" => {
            if let Some(name) = name {
                report.invalid(&place, quote(name), "can only be set when AppArmor type is Localhost");
            }
        }
        "" => report.required(&path.child("type"), "type is required when appArmorProfile is set"),
        other => report.not_supported(&path.child("type"), other, &["Localhost", "RuntimeDefault", "Unconfined"]),
    }
}
