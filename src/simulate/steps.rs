//! Steps of a canary in words.

use crate::api::Rollout;
use crate::api::rollout::RolloutAnalysis;
use crate::api::steps::CanaryStep;
use crate::rollout::defaults::pause_seconds;
use crate::rollout::strategy::steps;
use std::time::Duration;

/// The words of one step.
pub(super) fn describe(step: &CanaryStep) -> String {
    if let Some(weight) = step.set_weight {
        return format!("setWeight {weight}");
    }
    if let Some(pause) = &step.pause {
        return match pause_seconds(pause) {
            Ok(Some(seconds)) => format!("pause {}", super::text::span(whole(seconds))),
            _ => "pause until approved".to_owned(),
        };
    }
    if let Some(analysis) = &step.analysis {
        return format!("analysis {}", names(analysis));
    }
    if let Some(scale) = &step.set_canary_scale {
        return match (scale.replicas, scale.weight) {
            (Some(replicas), _) => format!("setCanaryScale {replicas} pods"),
            (None, Some(weight)) => format!("setCanaryScale {weight} %"),
            (None, None) => "setCanaryScale as the traffic".to_owned(),
        };
    }
    if let Some(route) = &step.set_header_route {
        let verb = if route.matches.is_empty() { "remove header route" } else { "setHeaderRoute" };
        return format!("{verb} {}", route.name);
    }
    if let Some(route) = &step.set_mirror_route {
        let verb = if route.matches.is_empty() { "remove mirror route" } else { "setMirrorRoute" };
        return format!("{verb} {}", route.name);
    }
    "step".to_owned()
}

/// The templates of an analysis.
pub(super) fn names(analysis: &RolloutAnalysis) -> String {
    analysis.templates.iter().map(|template| template.template_name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The sum of all pauses that end by themselves.
pub(super) fn pauses(rollout: &Rollout) -> Duration {
    let seconds = steps::steps(rollout).iter().filter_map(|step| pause_seconds(step.pause.as_ref()?).ok().flatten());
    let promotion = rollout.spec.strategy.blue_green.as_ref().map_or(0, |blue_green| blue_green.auto_promotion_seconds);
    whole(promotion) + seconds.map(whole).sum()
}

/// Whether a person has to end the pause that the Rollout is in; the words for it.
pub(super) fn waits_for_a_person(rollout: &Rollout) -> Option<String> {
    if rollout.spec.paused {
        return Some("spec.paused is set".to_owned());
    }
    let status = &rollout.status;
    if status.pause("InconclusiveAnalysisRun").is_some() {
        return Some("an inconclusive analysis".to_owned());
    }
    if status.pause("CanaryPauseStep").is_some() {
        let step = steps::current(rollout).and_then(|step| step.pause.as_ref());
        let endless = step.is_none_or(|pause| pause_seconds(pause).ok().flatten().is_none());
        return endless.then(|| "a pause without duration".to_owned());
    }
    let blue_green = rollout.spec.strategy.blue_green.as_ref().filter(|_| status.pause("BlueGreenPause").is_some())?;
    (blue_green.auto_promotion_seconds <= 0).then(|| "autoPromotionEnabled: false".to_owned())
}

/// Why an update was aborted, without the words that every such message begins with.
pub(super) fn why_aborted(rollout: &Rollout) -> String {
    let message = rollout.status.message.trim_start_matches("RolloutAborted: ");
    let why = match message.split_once(": ") {
        Some((head, why)) if head.starts_with("Rollout aborted update to revision") => why,
        _ => message,
    };
    if why.is_empty() { "by order".to_owned() } else { why.to_owned() }
}

fn whole(seconds: i32) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
