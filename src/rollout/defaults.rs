//! Values of fields that users leave out. They are applied here and never written back. Source: contract, api-rollout §1.

use std::time::Duration;

use crate::api::GoDuration;
use crate::api::IntOrString;
use crate::api::duration::ParseDurationError;
use crate::api::rollout::{BlueGreen, Canary, Rollout};
use crate::api::steps::Pause;

const HISTORY_LIMIT: i32 = 10;
const PROGRESS_DEADLINE_SECONDS: i32 = 600;
const SCALE_DOWN_DELAY_SECONDS: i32 = 30;
const MAX_TRAFFIC_WEIGHT: i32 = 100;
const RUN_HISTORY_LIMIT: i32 = 5;

fn seconds(value: i32) -> Duration {
    Duration::from_secs(u64::try_from(value).unwrap_or(0))
}

/// Old ReplicaSets that are kept.
pub fn history_limit(rollout: &Rollout) -> usize {
    usize::try_from(rollout.spec.revision_history_limit.unwrap_or(HISTORY_LIMIT)).unwrap_or(0)
}

/// Time without progress after which an update has failed.
pub fn progress_deadline(rollout: &Rollout) -> Duration {
    seconds(rollout.spec.progress_deadline_seconds.unwrap_or(PROGRESS_DEADLINE_SECONDS))
}

/// Finished AnalysisRuns that are kept: (successful, others).
pub fn run_history_limits(rollout: &Rollout) -> (usize, usize) {
    let limits = rollout.spec.analysis.as_ref();
    let limit = |value: Option<i32>| usize::try_from(value.unwrap_or(RUN_HISTORY_LIMIT)).unwrap_or(0);
    (
        limit(limits.and_then(|l| l.successful_run_history_limit)),
        limit(limits.and_then(|l| l.unsuccessful_run_history_limit)),
    )
}

/// The weight that stands for all traffic.
pub fn max_traffic_weight(rollout: &Rollout) -> i32 {
    rollout
        .spec
        .strategy
        .canary
        .as_ref()
        .and_then(|canary| canary.traffic_routing.as_ref())
        .and_then(|routing| routing.max_traffic_weight)
        .unwrap_or(MAX_TRAFFIC_WEIGHT)
}

/// Time before the former active or stable revision is scaled down.
pub fn scale_down_delay(rollout: &Rollout) -> Duration {
    let strategy = &rollout.spec.strategy;
    if let Some(blue_green) = &strategy.blue_green {
        return seconds(blue_green.scale_down_delay_seconds.unwrap_or(SCALE_DOWN_DELAY_SECONDS));
    }
    match &strategy.canary {
        // Its pods went with its traffic already; validation refuses a delay beside it.
        Some(canary) if canary.dynamic_stable_scale => Duration::ZERO,
        Some(canary) if canary.traffic_routing.is_some() => {
            seconds(canary.scale_down_delay_seconds.unwrap_or(SCALE_DOWN_DELAY_SECONDS))
        }
        _ => Duration::ZERO,
    }
}

/// Former revisions that may wait for their scale-down at once; `None`: any number.
pub fn scale_down_delay_revision_limit(rollout: &Rollout) -> Option<usize> {
    let strategy = &rollout.spec.strategy;
    let limit = match (&strategy.blue_green, &strategy.canary) {
        (Some(blue_green), _) => blue_green.scale_down_delay_revision_limit,
        (None, Some(canary)) => canary.scale_down_delay_revision_limit,
        (None, None) => None,
    };
    limit.map(|limit| usize::try_from(limit).unwrap_or(0))
}

/// What becomes of the new revision's pods after an abort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortScaleDown {
    /// They go after a delay, once the stable revision is complete.
    After(Duration),
    /// The user set the delay to 0: no delayed scale-down, the ordinary size holds.
    Never,
    /// A canary without a router, or one that shrinks as its weight does (`dynamicStableScale` without a delay of the
    /// user's): the ordinary size holds.
    NotApplicable,
}

/// What becomes of the new revision's pods after an abort. Argo: `defaults.GetAbortScaleDownDelaySecondsOrDefault`.
pub fn abort_scale_down(rollout: &Rollout) -> AbortScaleDown {
    let set = |value: Option<i32>| match value {
        Some(0) => AbortScaleDown::Never,
        other => AbortScaleDown::After(seconds(other.unwrap_or(SCALE_DOWN_DELAY_SECONDS))),
    };
    match (&rollout.spec.strategy.blue_green, &rollout.spec.strategy.canary) {
        (Some(blue_green), _) => set(blue_green.abort_scale_down_delay_seconds),
        (None, Some(canary)) if canary.dynamic_stable_scale && canary.abort_scale_down_delay_seconds.is_none() => {
            AbortScaleDown::NotApplicable
        }
        (None, Some(canary)) if canary.traffic_routing.is_some() => set(canary.abort_scale_down_delay_seconds),
        _ => AbortScaleDown::NotApplicable,
    }
}

/// Seconds of a pause step: `Ok(None)` is a pause until a person promotes, `Err` a text that is no duration.
///
/// An integer counts seconds; a text is an integer of seconds or a Go duration, fractions of a second cut off.
/// Argo: `v1alpha1.RolloutPause.DurationSeconds`.
///
/// # Errors
/// A text that is neither.
pub fn pause_seconds(pause: &Pause) -> Result<Option<i32>, ParseDurationError> {
    match &pause.duration {
        None => Ok(None),
        Some(IntOrString::Int(seconds)) => Ok(Some(*seconds)),
        Some(IntOrString::Text(text)) => {
            if let Ok(seconds) = text.parse::<i32>() {
                return Ok(Some(seconds));
            }
            let parsed = GoDuration::parse(text)?;
            // Go wraps a number that does not fit; the result is negative, and validation refuses it.
            Ok(Some(i32::try_from(parsed.seconds()).unwrap_or(i32::MIN)))
        }
    }
}

/// Which side of 100 % a percentage is rounded to.
#[derive(Clone, Copy)]
enum Round {
    Up,
    Down,
}

/// Argo's legacy conversion: an integer is absolute, any text is a percentage whether or not it ends in `%`.
fn scaled(value: Option<&IntOrString>, replicas: i32, round: Round) -> Option<i32> {
    let percent = match value {
        Some(IntOrString::Int(number)) => return Some(*number),
        Some(IntOrString::Text(text)) => text.replace('%', "").parse::<i32>().ok()?,
        None => 25,
    };
    let product = i64::from(percent) * i64::from(replicas);
    let value = match round {
        Round::Up => product.div_euclid(100) + i64::from(product.rem_euclid(100) != 0),
        Round::Down => product.div_euclid(100),
    };
    i32::try_from(value).ok()
}

/// (maxSurge, maxUnavailable) of a canary in pods.
///
/// A text that is no percentage in either field makes both 0; otherwise both 0 makes maxUnavailable 1, so that an
/// update can move. Argo: `replicasetutil.MaxSurge`, `MaxUnavailable`.
pub fn canary_fenceposts(canary: &Canary, replicas: i32) -> (i32, i32) {
    let surge = scaled(canary.max_surge.as_ref(), replicas, Round::Up);
    let unavailable = scaled(canary.max_unavailable.as_ref(), replicas, Round::Down);
    match (surge, unavailable) {
        (Some(0), Some(0)) => (0, i32::from(replicas > 0)),
        (Some(surge), Some(unavailable)) => (surge, if replicas == 0 { 0 } else { unavailable.min(replicas) }),
        _ => (0, 0),
    }
}

/// maxUnavailable of a blue-green in pods; there is no surge, and it may be 0.
pub fn blue_green_max_unavailable(blue_green: &BlueGreen, replicas: i32) -> i32 {
    let value = scaled(blue_green.max_unavailable.as_ref(), replicas, Round::Down).unwrap_or(0);
    if replicas == 0 { 0 } else { value.min(replicas) }
}

/// (maxSurge, maxUnavailable) in pods, whatever the strategy.
pub fn fenceposts(rollout: &Rollout, replicas: i32) -> (i32, i32) {
    match (&rollout.spec.strategy.blue_green, &rollout.spec.strategy.canary) {
        (Some(blue_green), _) => (0, blue_green_max_unavailable(blue_green, replicas)),
        (None, Some(canary)) => canary_fenceposts(canary, replicas),
        (None, None) => (0, 0),
    }
}
