//! Probes and hooks.

use super::super::error::{Path, Report};
use super::super::labels::{header_name, port_name, port_number};
use super::super::read::{get, integer, list, object, some_text, text};
use super::pod::Surroundings;
use crate::rollout::revision::go_json;
use serde_json::Value;

const PROBE_HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];
const HOOK_HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "sleep"];

/// The hooks and probes of a container that may have them.
pub fn check_all(container: &Value, pod: &Surroundings<'_>, path: &Path, report: &mut Report) {
    if let Some(lifecycle) = object(container, "lifecycle") {
        check_lifecycle(lifecycle, pod, &path.child("lifecycle"), report);
    }
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = object(container, key) else { continue };
        let place = path.child(key);
        check_probe(probe, pod, &place, report);
        let successes = integer(probe, "successThreshold").unwrap_or(0);
        let grace = integer(probe, "terminationGracePeriodSeconds");
        match grace {
            Some(seconds) if key == "readinessProbe" => {
                let detail = "must not be set for readinessProbes";
                report.invalid(&place.child("terminationGracePeriodSeconds"), seconds, detail);
            }
            _ if key != "readinessProbe" && successes != 1 => {
                report.invalid(&place.child("successThreshold"), successes, "must be 1");
            }
            _ => {}
        }
    }
}

fn check_probe(probe: &Value, pod: &Surroundings<'_>, path: &Path, report: &mut Report) {
    check_handler(probe, &PROBE_HANDLERS, pod, path, report);
    for key in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        if let Some(negative) = integer(probe, key).filter(|n| *n < 0) {
            report.invalid(&path.child(key), negative, "must be greater than or equal to 0");
        }
    }
    if let Some(seconds) = integer(probe, "terminationGracePeriodSeconds").filter(|n| *n <= 0) {
        report.invalid(&path.child("terminationGracePeriodSeconds"), seconds, "must be greater than 0");
    }
}

fn check_lifecycle(lifecycle: &Value, pod: &Surroundings<'_>, path: &Path, report: &mut Report) {
    for key in ["postStart", "preStop"] {
        if let Some(hook) = object(lifecycle, key) {
            check_handler(hook, &HOOK_HANDLERS, pod, &path.child(key), report);
        }
    }
    if some_text(lifecycle, "stopSignal").is_some() && pod.os.is_none() {
        let detail = "may not be set for containers with empty `spec.os.name`";
        report.forbidden(&path.child("stopSignal"), detail);
    }
}

/// Exactly one handler of the sorts in `keys`; the first counts.
fn check_handler(handler: &Value, keys: &[&str], pod: &Surroundings<'_>, path: &Path, report: &mut Report) {
    let mut found = false;
    for key in keys {
        let Some(action) = object(handler, key) else { continue };
        let place = path.child(key);
        if found {
            report.forbidden(&place, "may not specify more than 1 handler type");
            continue;
        }
        found = true;
        match *key {
            "exec" if list(action, "command").is_empty() => report.required(&place.child("command"), ""),
            "httpGet" => check_http(action, &place, report),
            "tcpSocket" | "grpc" => check_port(get(action, "port"), &place.child("port"), report),
            "sleep" => check_sleep(action, pod, &place, report),
            _ => {}
        }
    }
    if !found {
        report.required(path, "must specify a handler type");
    }
}

fn check_http(action: &Value, path: &Path, report: &mut Report) {
    if text(action, "path").is_empty() {
        report.required(&path.child("path"), "");
    }
    check_port(get(action, "port"), &path.child("port"), report);
    let scheme = text(action, "scheme");
    let schemes = ["HTTP", "HTTPS"];
    if !schemes.contains(&scheme) {
        report.not_supported(&path.child("scheme"), scheme, &schemes);
    }
    for header in list(action, "httpHeaders") {
        let name = text(header, "name");
        report.invalid_text(&path.child("httpHeaders"), name, header_name(name));
    }
}

/// A port by number or name; an absent one is number 0.
fn check_port(port: Option<&Value>, path: &Path, report: &mut Report) {
    if let Some(name) = port.and_then(Value::as_str) {
        report.invalid_text(path, name, port_name(name));
        return;
    }
    let number = port.and_then(go_json::integer).unwrap_or(0);
    if let Some(message) = port_number(number) {
        report.invalid(path, number, &message);
    }
}

fn check_sleep(action: &Value, pod: &Surroundings<'_>, path: &Path, report: &mut Report) {
    let seconds = integer(action, "seconds").unwrap_or(0);
    if let Some(grace) = pod.grace_seconds.filter(|grace| seconds <= 0 || seconds > *grace) {
        let detail = format!(
            "must be greater than 0 and less than terminationGracePeriodSeconds ({grace}). Enable \
             AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep."
        );
        report.invalid(path, seconds, &detail);
    }
}
