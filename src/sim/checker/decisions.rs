//! What is decided, and in which order: I09, I26, I28, I31, I32, I41.

use serde_json::Value;

use super::check::{Found, Write, begun};
use super::facts::{Facts, HASH, Share, hash, wanted};
use super::pace::unseen_hand;
use super::traffic::resize;
use crate::api::RolloutStatus;
use crate::api::steps::CanaryStep;
use crate::rollout::strategy::analysis::{ATTEMPT, REPLACES};
use crate::sim::object;

/// The status before and after a status write of ours.
fn record<'w>(write: &'w Write<'_>) -> Option<(&'w RolloutStatus, &'w RolloutStatus)> {
    write.is("Rollout").then_some((&write.before.rollout.status, &write.after.rollout.status))
}

/// The step that a status write leaves behind, with its index.
fn left_step<'w>(write: &'w Write<'_>) -> Option<(i32, &'w CanaryStep)> {
    let (old, new) = record(write)?;
    let index = old.current_step_index?;
    let same = old.current_pod_hash == new.current_pod_hash && old.current_step_hash == new.current_step_hash;
    let forced = old.promote_full || new.stable_rs == new.current_pod_hash || write.before.rolls_back();
    if !same || forced || new.current_step_index != Some(index + 1) {
        return None;
    }
    let steps = write.before.rollout.spec.strategy.canary.as_ref()?.steps.as_deref()?;
    Some((index, steps.get(usize::try_from(index).ok()?)?))
}

/// Whether the new revision lies inside the rollback window, or is an earlier one whose pods still wait for their
/// scale-down.
fn fast_rollback(facts: &Facts<'_>) -> bool {
    if facts.rolls_back() {
        return true;
    }
    let status = &facts.rollout.status;
    let (Some(new), Some(stable)) = (facts.by_hash(&status.current_pod_hash), facts.by_hash(&status.stable_rs)) else {
        return false;
    };
    let created = |rs: &Value| object::time(rs, "/metadata/creationTimestamp");
    let due = object::annotation(new, crate::api::names::SCALE_DOWN_DEADLINE).and_then(|text| text.parse().ok());
    created(new) < created(stable)
        && due.is_some_and(|due: crate::api::Time| due + facts.state.clocks_apart > facts.state.now)
}

/// I09 No exposure before the gate: the active Service first selects the new revision only after automatic or durable
/// promotion and a successful pre-promotion analysis, or after promoteFull, or on a rollback inside delay or window; never
/// under `spec.paused`.
pub fn i09(write: &Write<'_>) -> Found {
    let facts = write.before;
    let Some(strategy) = &facts.rollout.spec.strategy.blue_green else { return Ok(()) };
    let of = |value: &Value| object::at(value, "/spec/selector").and_then(|s| s.get(HASH).cloned());
    let status = &facts.rollout.status;
    let to = of(write.made());
    let switched = write.is("Service") && write.entry.name == strategy.active_service && to != of(write.left());
    let first = to.as_ref().and_then(Value::as_str) == Some(status.current_pod_hash.as_str());
    // A first deploy has nothing to switch from, nor has one whose stable revision somebody deleted.
    let from = facts.by_hash(&status.stable_rs).filter(|_| of(write.left()).is_some());
    if !switched || !first || status.stable_rs == status.current_pod_hash || from.is_none() {
        return Ok(());
    }
    if status.abort || facts.rollout.spec.paused {
        return Err(format!(
            "active Service goes to the new revision: abort {}, paused {}",
            status.abort, facts.rollout.spec.paused
        ));
    }
    if status.promote_full || fast_rollback(facts) {
        return Ok(());
    }
    let resumed = status.controller_pause && status.pause("BlueGreenPause").is_none();
    let due = status.pause("BlueGreenPause").and_then(|pause| pause.start_time).map(|start| {
        start + std::time::Duration::from_secs(u64::try_from(strategy.auto_promotion_seconds).unwrap_or(0))
    });
    let timed = strategy.auto_promotion_enabled != Some(false)
        && (strategy.auto_promotion_seconds <= 0 || due.is_some_and(|due| due <= write.latest()));
    let checked = status.blue_green.scale_up_preview_check_point;
    if !(resumed || timed || checked) {
        return Err("active Service goes to the new revision before anybody promoted it".to_owned());
    }
    let passed =
        status.blue_green.pre_promotion_analysis_run_status.as_ref().is_some_and(|run| successful(facts, &run.name));
    if strategy.pre_promotion_analysis.is_some() && !passed {
        return Err("active Service goes to the new revision without a successful pre-promotion analysis".to_owned());
    }
    Ok(())
}

/// Whether a run exists and has succeeded with at least one successful measurement.
fn successful(facts: &Facts<'_>, name: &str) -> bool {
    facts.state.get("AnalysisRun", facts.namespace(), name).is_some_and(|run| {
        let metrics = object::list(run, "/status/metricResults");
        let many = |metric: &Value, field: &str| object::integer(metric, field).unwrap_or(0) > 0;
        // Of a dry run no measurement counts, but it has to have measured.
        let dry = |metric: &Value| object::at(metric, "/dryRun").and_then(Value::as_bool) == Some(true);
        let field = if metrics.iter().all(dry) { "/count" } else { "/successful" };
        object::text(run, "/status/phase") == "Successful" && metrics.iter().any(|metric| many(metric, field))
    })
}

/// I26 Verdict soundness: a step with an analysis, and a blue-green with a post-promotion analysis, is passed only with
/// a run of this Rollout and revision that succeeded on evidence.
pub fn i26(write: &Write<'_>) -> Found {
    let facts = write.before;
    let Some((old, new)) = record(write) else { return Ok(()) };
    let of_kind = |kind: &str, index: Option<i32>| {
        facts.state.list("AnalysisRun", facts.namespace()).any(|run| {
            let step = index.map(|index| index.to_string());
            object::controller_uid(run) == Some(object::uid(facts.value))
                && object::label(run, "rollout-type") == Some(kind)
                && object::label(run, HASH) == Some(old.current_pod_hash.as_str())
                && (step.is_none() || object::label(run, "step-index") == step.as_deref())
                && successful(facts, object::name(run))
        })
    };
    if let Some((index, step)) = left_step(write)
        && step.analysis.is_some()
        && !of_kind("Step", Some(index))
    {
        return Err(format!("step {index} is passed without a successful run"));
    }
    let promoted = facts.by_hash(&old.stable_rs).is_some() && old.stable_rs != new.stable_rs && !old.promote_full;
    let strategy = facts.rollout.spec.strategy.blue_green.as_ref();
    let gated = strategy.is_some_and(|strategy| strategy.post_promotion_analysis.is_some());
    if promoted && gated && !fast_rollback(facts) && !of_kind("PostPromotion", None) {
        return Err("promoted without a successful post-promotion analysis".to_owned());
    }
    Ok(())
}

/// I28 Write-ahead decisions: the stable Service follows a recorded promotion; the former stable revision shrinks, in a
/// routed canary and a blue-green, only after the promotion is on record; with `dynamicStableScale` before that as well,
/// to no less than what the weights that may be in force give it.
pub fn i28(write: &Write<'_>) -> Found {
    let facts = write.before;
    let status = &facts.rollout.status;
    if let Some((_, stable)) = facts.routed().filter(|_| write.is("Service")) {
        let to = write.after.selected(stable);
        if write.entry.name == stable && to != status.stable_rs && to != facts.selected(stable) {
            return Err(format!("stable Service goes to {to} while {:?} is stable by the record", status.stable_rs));
        }
    }
    let shares = facts.routed().is_some() || facts.active().is_some();
    if let Some((from, to)) = resize(write).filter(|(from, to)| to < from && shares) {
        let set = hash(write.left());
        let kept = if facts.dynamic() { facts.whole(facts.share_up(set)) } else { facts.replicas };
        if set == status.stable_rs && to < facts.replicas.min(kept) {
            return Err(format!("stable revision goes from {from} to {to} of {}", facts.replicas));
        }
    }
    Ok(())
}

/// I30 User command wins, the part of records: what somebody has aborted is not promoted, unless somebody has asked for
/// full promotion since: an abort that has a time was there before.
pub fn i30(write: &Write<'_>) -> Found {
    let Some((old, new)) = record(write) else { return Ok(()) };
    let facts = write.before;
    let promoted = old.stable_rs != new.stable_rs && new.stable_rs == old.current_pod_hash;
    let left = facts.by_hash(&old.stable_rs).is_some();
    if old.abort && promoted && left && !(old.promote_full && old.aborted_at.is_some()) {
        return Err(format!("{} is promoted although its update is aborted", new.stable_rs));
    }
    Ok(())
}

/// I31 Pause fidelity: a pause with a duration that nobody resumed ends no earlier than start + duration, one without
/// duration not at all; one that is over does not begin again for nothing; nothing is passed under `spec.paused`.
pub fn i31(write: &Write<'_>) -> Found {
    if write.is("Rollout")
        && let Some(reason) = begun(write.left(), write.made())
            .find(|reason| write.past.pauses.get(*reason).is_some_and(|inputs| *inputs == write.past.inputs))
    {
        return Err(format!("{reason} begins again without an input since it ended"));
    }
    let Some((index, step)) = left_step(write) else { return Ok(()) };
    if write.before.rollout.spec.paused {
        return Err(format!("step {index} is passed although the Rollout is paused"));
    }
    let Some(pause) = &step.pause else { return Ok(()) };
    let status = &write.before.rollout.status;
    match (status.pause("CanaryPauseStep"), crate::rollout::defaults::pause_seconds(pause)) {
        (None, _) if status.controller_pause => Ok(()),
        (None, _) => Err(format!("pause {index} is passed before it began")),
        (Some(_), Ok(None) | Err(_)) => Err(format!("pause {index} without duration is passed, and nobody resumed")),
        (Some(condition), Ok(Some(seconds))) => {
            let length = std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
            let due = condition.start_time.unwrap_or_default() + length;
            if due > write.latest() { Err(format!("pause {index} is passed before {due}")) } else { Ok(()) }
        }
    }
}

/// I32 Steps exactly once: our writes move the index +1 at a time (promoteFull, promotion, abort, retry, reset and window apart);
/// a setWeight is accepted before the next step; ≤ 1 AnalysisRun for each (gate, attempt), and one more for each resume.
pub fn i32(write: &Write<'_>) -> Found {
    if write.is("AnalysisRun") && write.entry.before.is_none() {
        return one_run(write);
    }
    let Some((old, new)) = record(write) else { return Ok(()) };
    let same = old.current_pod_hash == new.current_pod_hash && old.current_step_hash == new.current_step_hash;
    let skips = write.before.rolls_back();
    let excused = old.promote_full || new.stable_rs == new.current_pod_hash || new.abort || old.abort || skips;
    let retried = old.aborted_at.is_some() && new.aborted_at.is_none();
    if let (Some(from), Some(to)) = (old.current_step_index, new.current_step_index)
        && (same && !excused && !retried && to != from && to != from + 1)
    {
        return Err(format!("index goes from {from} to {to}"));
    }
    let facts = write.before;
    if let (Some((index, CanaryStep { set_weight: Some(weight), .. })), Some(_)) = (left_step(write), facts.routed()) {
        let share = facts.canary_share();
        let there = share.part * facts.max() == i64::from(*weight) * share.whole;
        if facts.replicas > 0 && !there && !unseen_hand(write) || (facts.claimed() && !facts.acknowledged()) {
            return Err(format!(
                "setWeight {weight} at {index} is passed with {share:?}, acknowledged: {}",
                facts.acknowledged()
            ));
        }
    }
    Ok(())
}

fn one_run(write: &Write<'_>) -> Found {
    let new = (gate(write.made()), replaces(write.made()));
    if let (gate, Some(replaced)) = &new
        && write.past.replaced.get(gate) == Some(&write.past.resumes)
    {
        return Err(format!("{replaced} is replaced, and nobody has resumed since the last replacement of {gate}"));
    }
    let mut others = write.before.state.list("AnalysisRun", write.before.namespace());
    let uid = object::uid(write.before.value);
    match others.find(|run| object::controller_uid(run) == Some(uid) && (gate(run), replaces(run)) == new) {
        Some(twin) => Err(format!("a second run beside {} for {new:?}", object::name(twin))),
        None => Ok(()),
    }
}

/// The gate that a run stands for: its type, its step, its revision and its attempt.
pub fn gate(run: &Value) -> String {
    let label = |key: &str| object::label(run, key).unwrap_or_default();
    let attempt = object::annotation(run, ATTEMPT).unwrap_or_default();
    [label("rollout-type"), label("step-index"), label(HASH), attempt].join("/")
}

/// The run that a run replaces.
pub fn replaces(run: &Value) -> Option<&str> {
    object::annotation(run, REPLACES)
}

/// I41 Honest status: Healthy ⇒ observedGeneration = generation ∧ stableRS = currentPodHash ∧ avail(stable) ≥ N
/// ∧ the routes hold their final weights, acknowledged where somebody acknowledges.
pub fn i41(write: &Write<'_>) -> Found {
    let Some((old, new)) = record(write) else { return Ok(()) };
    promoted(write, (old, new))?;
    if new.phase != "Healthy" || old.phase == "Healthy" {
        return Ok(());
    }
    let facts = write.before;
    let available = facts.by_hash(&new.stable_rs).map_or(0, |rs| facts.state.available(rs).min(wanted(rs)));
    let share = facts.canary_share();
    // What somebody has just taken away, or led elsewhere, a late view shows still.
    let unseen = unseen_hand(write);
    let there = available >= facts.replicas || unseen;
    let generation = object::generation(facts.value).to_string();
    let routed = (share.part == 0 && (!facts.claimed() || facts.acknowledged())) || unseen;
    if new.observed_generation != generation || new.stable_rs != new.current_pod_hash || !there || !routed {
        return Err(format!(
            "Healthy with generation {} of {generation}, {available} of {} pods, canary share {share:?}",
            new.observed_generation, facts.replicas
        ));
    }
    Ok(())
}

/// A canary is promoted with its pods: as many as the whole of the traffic needs, or as its threshold asks for, which may
/// be none.
fn promoted(write: &Write<'_>, (old, new): (&RolloutStatus, &RolloutStatus)) -> Found {
    let facts = write.before;
    // Without a stable revision the update is a first deployment: there is nobody else.
    let Some(canary) = facts.rollout.spec.strategy.canary.as_ref() else { return Ok(()) };
    let trusting = canary.replica_progress_threshold.as_ref().is_some_and(|threshold| threshold.value == 0);
    if trusting || facts.by_hash(&old.stable_rs).is_none() || old.stable_rs == new.stable_rs || facts.state.late_views {
        return Ok(());
    }
    let available = facts.by_hash(&new.stable_rs).map_or(0, |rs| facts.state.available(rs));
    let need = facts.need_to_gain(Share { part: 1, whole: 1 }, &new.stable_rs);
    if available < need && !unseen_hand(write) {
        return Err(format!("{} is promoted with {available} of {need} pods", new.stable_rs));
    }
    Ok(())
}
