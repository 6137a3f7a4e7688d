//! `--kstatus`: three conditions for readers that know nothing of Rollouts.
//!
//! kstatus (Flux, Helm 4 `--wait`, cli-utils) reads a custom resource by four rules: `observedGeneration`, a number, is
//! that of the object; a true `Reconciling` means "in progress"; a true `Stalled` means "failed"; a `Ready` that is not
//! true means "in progress". Whoever waits gives up at the first "failed", so that is said only of what neither time nor
//! the cluster cures: it waits for a person, or for another specification.
//!
//! | phase | `Ready` | `Reconciling` | `Stalled` |
//! | --- | --- | --- | --- |
//! | Healthy | True | | |
//! | Progressing, Paused | False | True | |
//! | the same, held up by what only a person can mend, for [`PATIENCE`] | False | | True |
//! | Degraded | False | | True |
//! | Degraded since less than [`PATIENCE`] by what it refers to | False | True | |
//!
//! `Reconciling` and `Stalled` are absent where they are not true, as kstatus asks of conditions that are bad news.

use std::time::Duration;

use super::phase;
use crate::api::rollout_status::{ObservedGeneration, RolloutCondition};
use crate::api::text::shortened;
use crate::api::{RolloutStatus, Time};
use crate::plan::{Blocker, Plan};
use crate::rollout::case::Case;
use crate::rollout::judge::unreached;
use crate::rollout::safety::contest;
use crate::rollout::settings::StatusDialect;

/// Types of the conditions.
pub const CONDITIONS: [&str; 3] = ["Ready", "Reconciling", "Stalled"];
/// How long something may be missing before nobody is expected to bring it: the parts of one `kubectl apply` come
/// one after the other.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Blockers with a remedy that are no reason to give up: pods may start and answer after all until the deadline says
/// otherwise, and what somebody else keeps writing is set right all the same.
const NO_HOLD: [&str; 4] = ["PodCannotStart", "PodCannotBeCreated", contest::CODE, unreached::CODE];

/// Writes generation and conditions in the dialect that the operator chose. Everything else in `next` is final.
pub fn speak(case: &Case<'_>, next: &mut RolloutStatus, plan: &mut Plan) {
    let generation = case.world.rollout.metadata.generation;
    if case.world.settings.dialect == StatusDialect::Argo {
        next.observed_generation = ObservedGeneration::of(generation);
        next.conditions.retain(|condition| !CONDITIONS.contains(&condition.kind.as_str()));
        return;
    }
    next.observed_generation = ObservedGeneration::number(generation);
    let stalled = stalled(case, next, plan);
    let word = word(next);
    let message = if next.message.is_empty() { "Rollout is healthy".to_owned() } else { next.message.clone() };
    let ready = next.phase == phase::HEALTHY;
    set(case.now, next, ("Ready", if ready { "True" } else { "False" }), (&word, &message));
    for (kind, holds) in [("Reconciling", !ready && stalled.is_none()), ("Stalled", stalled.is_some())] {
        if holds {
            set(case.now, next, (kind, "True"), (&word, stalled.as_ref().unwrap_or(&message)));
        } else {
            next.conditions.retain(|condition| condition.kind != kind);
        }
    }
}

/// What a person has to do something about; `None` where waiting is right.
fn stalled(case: &Case<'_>, next: &RolloutStatus, plan: &mut Plan) -> Option<String> {
    match next.phase.as_str() {
        phase::HEALTHY => None,
        phase::DEGRADED => {
            // What it refers to may be on its way; what is wrong in itself is not.
            let reference = case.world.digest.errors.is_empty().then(|| next.condition("InvalidSpec")).flatten();
            let since = reference.map(|condition| condition.last_update_time.unwrap_or(case.now));
            patient(since, case.now, plan).then(|| next.message.clone())
        }
        _ => {
            let holds = |blocker: &&Blocker| !blocker.remedy.is_empty() && !NO_HOLD.contains(&blocker.code);
            let blocker = plan.blockers.iter().find(holds).cloned()?;
            let since = Some(blocker.since.unwrap_or(case.now));
            patient(since, case.now, plan)
                .then(|| shortened(format!("{}: {}; {}", blocker.object, blocker.message, blocker.remedy)))
        }
    }
}

/// Whether it has been so for long enough; wakes the plan when it will have been. `None` is for ever.
fn patient(since: Option<Time>, now: Time, plan: &mut Plan) -> bool {
    let Some(end) = since.map(|since| since + PATIENCE) else { return true };
    if end > now {
        plan.wake(end);
    }
    end <= now
}

/// The phase as a reason, or what is wrong in one word. Never a reason of Argo's conditions, which clients look for.
fn word(next: &RolloutStatus) -> String {
    let first = next.message.split(':').next().unwrap_or_default();
    match first {
        "InvalidSpec" => "SpecNotValid".to_owned(),
        "RolloutAborted" => "UpdateAborted".to_owned(),
        "ProgressDeadlineExceeded" => "DeadlineExceeded".to_owned(),
        _ => next.phase.clone(),
    }
}

/// Writes a condition in its place; the time of its last transition stays with its status.
fn set(now: Time, next: &mut RolloutStatus, (kind, status): (&str, &str), (reason, message): (&str, &str)) {
    let now = now.truncated();
    let old = next.condition(kind).filter(|old| old.status == status);
    if old.is_some_and(|old| old.reason == reason && old.message == message) {
        return;
    }
    let since = old.and_then(|old| old.last_transition_time).unwrap_or(now);
    next.conditions.retain(|condition| condition.kind != kind);
    next.conditions.push(RolloutCondition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        last_update_time: Some(now),
        last_transition_time: Some(since),
        reason: reason.to_owned(),
        message: message.to_owned(),
    });
}
