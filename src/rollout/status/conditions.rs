//! Conditions, with Argo's types, reasons and messages. Source: contract, api-rollout §4.

use super::health;
use crate::api::rollout_status::RolloutCondition;
use crate::api::text::shortened;
use crate::api::{RolloutStatus, Time};
use crate::plan::Event;
use crate::rollout::case::Case;
use crate::rollout::judge::{Ruling, abort, deadline, trouble};
use crate::rollout::revision::create;
use crate::rollout::safety::capacity;
use crate::rollout::sides::Sides;
use crate::rollout::strategy::managed;

/// A condition that should hold.
struct Wanted<'a> {
    kind: &'a str,
    status: &'a str,
    reason: &'a str,
    message: String,
}

fn wanted<'a>(kind: &'a str, status: &'a str, reason: &'a str, message: String) -> Wanted<'a> {
    Wanted { kind, status, reason, message: shortened(message) }
}

/// Whether the same condition is written again with a new time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refresh {
    OnChange,
    Always,
}

/// Brings the conditions of `ruling.next` up to date; says what clients are told of it.
pub fn update(case: &Case<'_>, ruling: &mut Ruling) {
    remove(&mut ruling.next, "InvalidSpec");
    let paused = !ruling.next.pause_conditions.is_empty() || case.world.rollout.spec.paused;
    let healthy = is_healthy(case, &ruling.next);
    health_condition(case.now, &mut ruling.next, healthy && !paused);
    let aborted = ruling.next.abort;
    if !aborted {
        pause_condition(case, ruling, paused);
    }
    progress_condition(case, ruling, (healthy, paused));
    availability(case, ruling);
    replica_failure(case, ruling);
    completion(case, ruling);
}

/// Healthy by the contract's rule, and the routes hold their final weights.
pub fn is_healthy(case: &Case<'_>, next: &RolloutStatus) -> bool {
    let replicas = case.world.replicas();
    health::healthy(&case.world.rollout, next, &case.status().observed_generation, replicas) && weights_rest(case)
}

/// Whether the routes of a finished canary hold what they are left with and no managed route, and the stable Service has followed:
/// until it has, traffic is still to be led around it.
pub fn weights_rest(case: &Case<'_>) -> bool {
    if !case.routes.configured {
        return true;
    }
    let stable = Sides::of(&case.world.rollout).stable;
    let followed = stable.is_empty() || capacity::selected(case.world, stable) == Some(case.new_hash());
    // A rule of a managed route may lead to what is the stable side by now: it is left over all the same.
    let canary = case.world.rollout.spec.strategy.canary.as_ref();
    let tidy = !canary.is_some_and(|canary| managed::configured(canary)) || case.routes.managed_hold(case.world, &[]);
    followed && tidy && case.routes.bare() && case.routes.accepted(0, case.world)
}

/// A Rollout that was never healthy does not say so.
fn health_condition(now: Time, next: &mut RolloutStatus, healthy: bool) {
    let (status, message) = if healthy { ("True", "Rollout is healthy") } else { ("False", "Rollout is not healthy") };
    if healthy || next.condition("Healthy").is_some() {
        set(now, next, wanted("Healthy", status, "RolloutHealthy", message.to_owned()), Refresh::OnChange);
    }
}

fn pause_condition(case: &Case<'_>, ruling: &mut Ruling, paused: bool) {
    let known = ruling.next.condition("Paused").is_some();
    if !paused && !known {
        return;
    }
    let status = if paused { "True" } else { "False" };
    let message = "Rollout is paused".to_owned();
    set(case.now, &mut ruling.next, wanted("Paused", status, "RolloutPaused", message), Refresh::OnChange);
}

/// The condition that carries the deadline's clock.
fn progress_condition(case: &Case<'_>, ruling: &mut Ruling, (healthy, paused): (bool, bool)) {
    let subject = case.cast.new.as_ref().map(|new| new.name().to_owned());
    let before = case.status().condition("Progressing").map(|condition| condition.reason.clone());
    let before = before.as_deref().unwrap_or_default();
    let (status, reason, message, refresh) = if ruling.next.abort {
        let message = abort::aborted_message(case, ruling.abort_message.as_deref());
        ("False", "RolloutAborted", message, Refresh::OnChange)
    } else if ruling.retried {
        ("Unknown", "RolloutRetry", "Retrying Rollout after abort".to_owned(), Refresh::Always)
    } else if paused {
        ("Unknown", "RolloutPaused", "Rollout is paused".to_owned(), Refresh::OnChange)
    } else if healthy {
        let message =
            subject.map_or_else(String::new, |name| format!("ReplicaSet {name:?} has successfully progressed."));
        ("True", "NewReplicaSetAvailable", message, Refresh::OnChange)
    } else if ruling.reset {
        let message = subject.map_or_else(
            || format!("Created new replica set \"{}-{}\"", case.world.rollout.metadata.name, case.new_hash()),
            |name| format!("Found new replica set {name:?}"),
        );
        let reason = if case.cast.new.is_some() { "FoundNewReplicaSet" } else { "NewReplicaSetCreated" };
        ("True", reason, message, Refresh::Always)
    } else if before == "RolloutPaused" {
        ("Unknown", "RolloutResumed", "Rollout is resumed".to_owned(), Refresh::Always)
    } else if moved(case, ruling) {
        let name = &case.world.rollout.metadata.name;
        let message = subject.map_or_else(
            || format!("Rollout {name:?} is progressing."),
            |rs| format!("ReplicaSet {rs:?} is progressing."),
        );
        ("True", "ReplicaSetUpdated", message, Refresh::Always)
    } else if before == "NewReplicaSetAvailable" && health::completed(&ruling.next) {
        ("True", "ReplicaSetNotAvailable", "Rollout does not have minimum availability".to_owned(), Refresh::OnChange)
    } else if deadline::passed(case) {
        ("False", "ProgressDeadlineExceeded", deadline::timed_out_message(case), Refresh::OnChange)
    } else if let Some(failure) = trouble::creation_denied(case) {
        let message = format!("Failed to create new replica set {:?}: {}", failure.object.name, failure.message);
        ("False", "ReplicaSetCreateError", message, Refresh::OnChange)
    } else if before.is_empty() {
        let message = subject.map_or_else(String::new, |name| format!("Found new replica set {name:?}"));
        ("True", "FoundNewReplicaSet", message, Refresh::OnChange)
    } else {
        return;
    };
    if matches!(reason, "ProgressDeadlineExceeded" | "ReplicaSetCreateError") && before != reason {
        ruling.events.push(Event::warning(reason, message.clone()));
    }
    set(case.now, &mut ruling.next, wanted("Progressing", status, reason, message), refresh);
}

/// Structural progress, or a new maximum of pods (I35).
fn moved(case: &Case<'_>, ruling: &Ruling) -> bool {
    let structural = health::structural(&case.world.rollout, case.status(), &ruling.next);
    let weights = ruling.next.canary.weights != case.status().canary.weights;
    structural || weights || (deadline::progressed(case) && !health::completed(&ruling.next))
}

fn availability(case: &Case<'_>, ruling: &mut Ruling) {
    let wanted_pods = case.world.replicas();
    let available = ruling.next.available_replicas >= wanted_pods;
    let (status, message) = if available {
        ("True", "Rollout has minimum availability")
    } else {
        ("False", "Rollout does not have minimum availability")
    };
    let condition = wanted("Available", status, "AvailableReason", message.to_owned());
    set(case.now, &mut ruling.next, condition, Refresh::OnChange);
}

/// A ReplicaSet that cannot make pods says so; the new one first.
fn replica_failure(case: &Case<'_>, ruling: &mut Ruling) {
    let failure = case.cast.all().find_map(|revision| {
        revision.rs.status.conditions.iter().find(|condition| condition.kind == "ReplicaFailure").cloned()
    });
    match failure {
        None => remove(&mut ruling.next, "ReplicaFailure"),
        Some(failure) => {
            let condition = wanted("ReplicaFailure", &failure.status, &failure.reason, failure.message.clone());
            set(case.now, &mut ruling.next, condition, Refresh::OnChange);
        }
    }
}

fn completion(case: &Case<'_>, ruling: &mut Ruling) {
    let completed = health::completed(&ruling.next);
    let status = if completed { "True" } else { "False" };
    let before = ruling.next.condition("Completed").map(|condition| condition.status.clone());
    // A blue-green's first deploy has nothing that was complete before, and clients count on silence there.
    let first_blue_green = before.is_none() && !case.is_canary();
    if !completed && before.as_deref() != Some("False") && !first_blue_green {
        let message = format!(
            "Rollout not completed, started update to revision {} ({})",
            create::number(case),
            ruling.next.current_pod_hash
        );
        ruling.events.push(Event::normal("RolloutNotCompleted", message));
    }
    let condition = wanted("Completed", status, "RolloutCompleted", "RolloutCompleted".to_owned());
    set(case.now, &mut ruling.next, condition, Refresh::OnChange);
}

/// Writes a condition; the same status and reason leave it as it is. A changed one moves to the end.
fn set(now: Time, status: &mut RolloutStatus, wanted: Wanted<'_>, refresh: Refresh) {
    let old = status.condition(wanted.kind).cloned();
    let same = old.as_ref().is_some_and(|old| old.status == wanted.status && old.reason == wanted.reason);
    if same && refresh == Refresh::OnChange {
        return;
    }
    let now = now.truncated();
    let unchanged = old.filter(|old| old.status == wanted.status);
    remove(status, wanted.kind);
    status.conditions.push(RolloutCondition {
        kind: wanted.kind.to_owned(),
        status: wanted.status.to_owned(),
        last_update_time: Some(now),
        last_transition_time: unchanged.and_then(|old| old.last_transition_time).or(Some(now)),
        reason: wanted.reason.to_owned(),
        message: wanted.message,
    });
}

fn remove(status: &mut RolloutStatus, kind: &str) {
    status.conditions.retain(|condition| condition.kind != kind);
}

/// Writes that a specification is invalid; a changed message is written too. The status is about this specification from
/// now on, so that the former one was healthy must not be read from it.
pub fn set_invalid(now: Time, status: &mut RolloutStatus, message: String) {
    health_condition(now, status, false);
    let wanted = wanted("InvalidSpec", "True", "InvalidSpec", message);
    let same = status.condition("InvalidSpec").is_some_and(|condition| condition.message == wanted.message);
    if !same {
        set(now, status, wanted, Refresh::Always);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::text::LONGEST;

    #[test]
    fn what_others_say_is_cut_once() {
        let (mut status, now) = (RolloutStatus::default(), Time::from_seconds(0));
        let much = "no ".repeat(400_000);
        set_invalid(now, &mut status, much.clone());
        set(now, &mut status, wanted("ReplicaFailure", "True", "FailedCreate", much.clone()), Refresh::OnChange);
        assert!(status.conditions.iter().all(|condition| condition.message.len() <= LONGEST));
        let before = status.clone();
        set_invalid(now + std::time::Duration::from_mins(1), &mut status, much);
        assert_eq!(status, before, "the same is not written again");
    }
}
