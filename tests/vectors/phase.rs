//! Phases, conditions, and the words for a step.

use serde_json::{Value, json};
use siskin::api::RolloutStatus;
use siskin::api::steps::CanaryStep;
use siskin::rollout::status::health;
use siskin::rollout::status::phase::{self, PhaseMessage, TemplateSource};
use siskin::rollout::strategy::steps;

use super::replicas::rollout;

use crate::file::Recorded;

pub const FILE: Recorded = Recorded::new("phase", answer);

fn answer(kind: &str, input: &Value) -> Option<Value> {
    match kind {
        "stepString" => {
            let step: CanaryStep = serde_json::from_value(input["step"].clone()).ok()?;
            Some(json!(steps::describe(&step)))
        }
        "conditions" => {
            let rollout = rollout(&input["rollout"])?;
            let new: RolloutStatus = serde_json::from_value(input["newStatus"].clone()).ok()?;
            Some(json!({
                "progressing": health::progressing(&rollout, &rollout.status, &new),
                "healthy": health::healthy(&rollout, &new, &rollout.status.observed_generation, rollout.spec.replicas.unwrap_or(1)),
                "completed": health::completed(&new),
            }))
        }
        "phase" => phases(input),
        _ => None,
    }
}

fn phases(input: &Value) -> Option<Value> {
    let rollout = rollout(&input["rollout"])?;
    let resolved = input["templateResolvedFromRef"] == json!(true);
    let source = if resolved { TemplateSource::Workload } else { TemplateSource::Own };
    let show = |shown: PhaseMessage| json!({"phase": shown.phase, "message": shown.message});
    Some(json!({
        "controller": show(phase::controller(&rollout, &rollout.status)),
        "client": show(phase::client(&rollout, source)),
        "fullyPromoted": rollout.status.stable_rs == rollout.status.current_pod_hash,
        "unpausing": phase::unpausing(&rollout.status),
    }))
}
