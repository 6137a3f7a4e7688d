//! Argo CD's built-in assessment of a Rollout, its rules told again. Source: argo-cd,
//! `resource_customizations/argoproj.io/Rollout/health.lua`.

use serde_json::Value;

use crate::api::names::WORKLOAD_GENERATION;
use crate::sim::object;

/// The colours that Argo CD can give a Rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Healthy,
    Progressing,
    Degraded,
    Suspended,
}

/// What Argo CD says of a Rollout, and its message.
pub fn assess(rollout: &Value) -> (Health, String) {
    if !specification_observed(rollout) || !workload_observed(rollout) {
        return (Health::Progressing, "Waiting for rollout spec update to be observed".to_owned());
    }
    let health = match object::text(rollout, "/status/phase") {
        "Healthy" => Health::Healthy,
        "Progressing" => Health::Progressing,
        "Degraded" => Health::Degraded,
        "Paused" => Health::Suspended,
        // There are rules for controllers that name no phase. Siskin never leaves it out, so they are not told here.
        other => panic!("a status with the phase {other:?}"),
    };
    (health, object::text(rollout, "/status/message").to_owned())
}

/// Without a status it is not. A generation that is no number, or one that is still to come, stands for a controller of
/// long ago, whose status is believed.
fn specification_observed(rollout: &Value) -> bool {
    let Some(status) = rollout.get("status") else { return false };
    let generation = object::generation(rollout);
    number(status.get("observedGeneration")).is_none_or(|observed| observed >= generation)
}

/// The annotation and the status name the same generation of the referenced workload, or neither names one.
fn workload_observed(rollout: &Value) -> bool {
    if object::at(rollout, "/spec/workloadRef").is_none() || object::at(rollout, "/metadata/annotations").is_none() {
        return true;
    }
    let noted = object::annotation(rollout, WORKLOAD_GENERATION).and_then(|text| text.parse().ok());
    noted == number(object::at(rollout, "/status/workloadObservedGeneration"))
}

/// A number, or a text that is one.
fn number(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
