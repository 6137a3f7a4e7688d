//! The rules of a canary's steps.
//!
//! Argo: `validation.go ValidateRolloutStrategyCanary` (the loop over the steps).

use super::analysis;
use super::error::{Path, Report, quote};
use super::read::{get, integer, list, object, text};
use super::traffic_routing::TrafficRouting;
use crate::api::duration::GoDuration;
use crate::rollout::revision::go_json::{self, to_text};
use crate::rollout::revision::rollout_table::{SET_HEADER_ROUTE, SET_MIRROR_ROUTE, STRING_MATCH};
use serde_json::Value;

#[cfg(test)]
mod tests;

const STEP_TYPES: &str =
    "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause";
const SEVERAL_VALUES: &str = "StringMatch match value must have exactly one of the following: exact, regex, prefix";
const NO_VALUE: &str = "StringMatch value missed, match value must have one of the following: exact, regex, prefix";

pub fn check(canary: &Value, path: &Path, report: &mut Report) {
    let routing = TrafficRouting::of(canary);
    for (index, step) in list(canary, "steps").iter().enumerate() {
        let step_path = path.child("steps").index(index);
        check_types(step, &step_path, report);
        check_weight_and_pause(step, routing, &step_path, report);
        if object(step, "setCanaryScale").is_some() && !routing.is_set() {
            report.required(&path.child("trafficRouting"), "SetCanaryScale requires TrafficRouting to be set");
        }
        if let Some(route) = object(step, "setHeaderRoute") {
            check_header_route(route, routing, &step_path.child("setHeaderRoute"), report);
        }
        if let Some(route) = object(step, "setMirrorRoute") {
            check_mirror_route(route, routing, &step_path.child("setMirrorRoute"), report);
        }
        check_managed_routes(step, routing, path, &step_path, report);
        check_experiment(step, routing, &step_path.child("experiment"), report);
        analysis::check_arguments(step, &step_path.child("analyses"), report);
    }
}

/// Only four of the types exclude each other; a step needs at least one of all eight.
fn check_types(step: &Value, path: &Path, report: &mut Report) {
    let has = |key: &str| object(step, key).is_some();
    let weight = integer(step, "setWeight").is_some();
    let (experiment, pause, analysis) = (has("experiment"), has("pause"), has("analysis"));
    let exclusive = [weight, pause, experiment, analysis];
    if exclusive.iter().filter(|set| **set).count() > 1 {
        let value = format!(
            "step.Experiment: {experiment} step.Pause: {pause} step.SetWeight: {weight} step.Analysis: {analysis}"
        );
        report.invalid(path, quote(&value), STEP_TYPES);
    }
    let others = ["setCanaryScale", "setHeaderRoute", "setMirrorRoute", "plugin"];
    if !exclusive.contains(&true) && !others.iter().any(|key| has(key)) {
        let names = [
            "Experiment",
            "Pause",
            "SetWeight",
            "Analysis",
            "SetCanaryScale",
            "SetHeaderRoute",
            "SetMirrorRoute",
            "Plugin",
        ];
        let value: Vec<_> = names.iter().map(|name| format!("step.{name}: true")).collect();
        report.invalid(path, quote(&value.join(" ")), STEP_TYPES);
    }
}

fn check_weight_and_pause(step: &Value, routing: TrafficRouting<'_>, path: &Path, report: &mut Report) {
    let max = routing.max_weight();
    if let Some(weight) = integer(step, "setWeight").filter(|weight| *weight < 0 || *weight > max) {
        let detail = format!("SetWeight needs to be between 0 and {max}");
        report.invalid(&path.child("setWeight"), weight, &detail);
    }
    let seconds = object(step, "pause").and_then(|pause| get(pause, "duration")).map_or(0, pause_seconds);
    if seconds < 0 {
        report.invalid(&path.child("pause").child("duration"), seconds, "Duration needs to be greater than 0");
    }
}

/// Seconds of a pause: a number, or text with a number or a duration; -1 when it cannot be read.
fn pause_seconds(duration: &Value) -> i32 {
    let Some(text) = duration.as_str() else {
        return go_json::integer(duration).and_then(|n| i32::try_from(n).ok()).unwrap_or(0);
    };
    if let Ok(seconds) = text.parse::<i32>() {
        return seconds;
    }
    // Seconds beyond 32 bits become the smallest number, as Go converts them on amd64.
    GoDuration::parse(text).map_or(-1, |duration| i32::try_from(duration.seconds()).unwrap_or(i32::MIN))
}

fn check_header_route(route: &Value, routing: TrafficRouting<'_>, path: &Path, report: &mut Report) {
    if !routing.has_any(&["istio", "alb", "apisix"]) {
        let detail = "SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix";
        report.invalid(path, to_text(&SET_HEADER_ROUTE, route), detail);
        return;
    }
    for (index, matched) in list(route, "match").iter().enumerate() {
        let match_path = path.child("match").index(index);
        let value = object(matched, "headerValue");
        match value {
            Some(value) if routing.has("alb") => check_exact(value, &match_path, report),
            _ => check_string_match(value, &match_path, report),
        }
    }
}

/// ALB compares whole values only.
fn check_exact(value: &Value, path: &Path, report: &mut Report) {
    let filled = |key| !text(value, key).is_empty();
    if !filled("exact") || filled("regex") || filled("prefix") {
        let detail = "SetHeaderRoute match value invalid. ALB supports 'exact' value only";
        report.invalid(path, to_text(&STRING_MATCH, value), detail);
    }
}

fn check_string_match(value: Option<&Value>, path: &Path, report: &mut Report) {
    let Some(value) = value else {
        report.invalid(path, "null", NO_VALUE);
        return;
    };
    let detail = match ["exact", "regex", "prefix"].iter().filter(|key| !text(value, key).is_empty()).count() {
        0 => NO_VALUE,
        1 => return,
        _ => SEVERAL_VALUES,
    };
    report.invalid(path, to_text(&STRING_MATCH, value), detail);
}

/// The method is checked twice and the headers not at all, as in Argo.
fn check_mirror_route(route: &Value, routing: TrafficRouting<'_>, path: &Path, report: &mut Report) {
    if !routing.has_any(&["istio"]) {
        let detail = "SetMirrorRoute requires TrafficRouting, supports Istio and Plugins";
        report.invalid(path, to_text(&SET_MIRROR_ROUTE, route), detail);
    }
    for (index, matched) in list(route, "match").iter().enumerate() {
        for key in ["method", "path", "method"] {
            if let Some(value) = object(matched, key) {
                check_string_match(Some(value), &path.child("match").index(index), report);
            }
        }
    }
}

fn check_managed_routes(step: &Value, routing: TrafficRouting<'_>, path: &Path, step_path: &Path, report: &mut Report) {
    let steps = ["setHeaderRoute", "setMirrorRoute"].map(|key| (key, object(step, key)));
    if !routing.is_set() || steps.iter().all(|(_, route)| route.is_none()) {
        return;
    }
    let Some(managed) = routing.managed_routes() else {
        let detail = "Rollout has missing field 'spec.strategy.canary.trafficRouting.managedRoutes'";
        report.required(&path.child("trafficRouting").child("managedRoutes"), detail);
        return;
    };
    for (key, route) in steps {
        let Some(name) = route.map(|route| text(route, "name")) else { continue };
        if !managed.iter().any(|route| text(route, "name") == name) {
            let detail =
                "Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes";
            report.invalid(&step_path.child(key), quote(name), detail);
        }
    }
}

fn check_experiment(step: &Value, routing: TrafficRouting<'_>, path: &Path, report: &mut Report) {
    let detail = if !routing.is_set() {
        "Experiment template weight cannot be set unless TrafficRouting is enabled"
    } else if !routing.has_any(&["alb", "smi", "istio"]) {
        "Experiment template weight is only available for TrafficRouting with SMI, ALB, Istio and Plugins at this time"
    } else {
        return;
    };
    let templates = object(step, "experiment").map_or(&[][..], |experiment| list(experiment, "templates"));
    for (index, template) in templates.iter().enumerate() {
        if let Some(weight) = integer(template, "weight") {
            report.invalid(&path.child("templates").index(index).child("weight"), weight, detail);
        }
    }
}
