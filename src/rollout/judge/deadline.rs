//! Whether an update has gone on for too long without progress.

use std::time::Duration;

use super::trouble::{self, Cure, Trouble};
use super::{Ruling, abort, promotion, step, unreached};
use crate::api::Time;
use crate::api::rollout_status::RunStatus;
use crate::rollout::case::Case;
use crate::rollout::cast::Revision;
use crate::rollout::defaults;
use crate::rollout::memory::HighWater;
use crate::rollout::strategy::{restart, steps};

/// How long a process that has just begun goes on with an update before time without progress counts for it: nobody may
/// have looked for longer than the deadline, and what is ready by now is not done by the first look.
const SETTLING_IN: Duration = Duration::from_mins(1);
/// From a look that wrote to the next it takes until the write is seen. After longer than this the process was held up,
/// by a watch that is late for example, and is as one that has just begun.
const HELD_UP: Duration = Duration::from_secs(10);

/// Aborts an update whose deadline has passed where the user asked for that, and one whose pods cannot start where
/// `failFast` says so.
pub fn judge(case: &Case<'_>, ruling: &mut Ruling) {
    let rollout = &case.world.rollout;
    if case.fully_promoted() || ruling.next.abort || rollout.spec.paused {
        return;
    }
    if let Some((at, trouble)) = fails_at(case) {
        let over = trouble.cure == Cure::Never || (at <= case.now && !progressed(case) && !goes_on(case, ruling));
        if over {
            abort::because(trouble.message, case, ruling);
            return;
        }
    }
    if let Some(message) = unreached::hopeless(case) {
        abort::because(message, case, ruling);
        return;
    }
    if rollout.spec.progress_deadline_abort && passed(case) && !progressed(case) && !goes_on(case, ruling) {
        abort::because(timed_out_message(case), case, ruling);
    }
}

/// Whether this very look would take the update further.
fn goes_on(case: &Case<'_>, ruling: &Ruling) -> bool {
    let mut trial = ruling.clone();
    promotion::judge(case, &mut trial) || case.is_canary() && step::advance(case, &mut trial)
}

/// When `failFast` ends this update unless its pods come first, and what keeps them; `None` where it does not.
pub fn fails_at(case: &Case<'_>) -> Option<(Time, Trouble)> {
    let rollout = &case.world.rollout;
    let new =
        case.cast.new.as_ref().filter(|_| rollout.spec.fail_fast && !rollout.spec.paused && !case.fully_promoted())?;
    let progress = last_progress(case);
    let due = |trouble: &Trouble| match trouble.cure {
        Cure::Never => Some(case.now),
        cure => Some((progress? + cure.patience()).max(watched(case, cure.patience()))),
    };
    trouble::of(new).into_iter().filter_map(|trouble| Some((due(&trouble)?, trouble))).min_by_key(|(at, _)| *at)
}

/// The last progress on record, where time without progress counts now.
fn last_progress(case: &Case<'_>) -> Option<Time> {
    let condition = case.status().condition("Progressing")?;
    let halts = matches!(condition.reason.as_str(), "RolloutAborted" | "RolloutPaused");
    condition.last_update_time.filter(|_| counts(case) && !halts)
}

/// Whether the deadline counts now at all: not in a pause, an analysis, a declared delay, or at rest.
pub fn counts(case: &Case<'_>) -> bool {
    let rollout = &case.world.rollout;
    let step = steps::current(rollout);
    let status = case.status();
    // A full promotion waits for no step.
    let indefinite = !status.promote_full
        && step.is_some_and(|s| s.pause.is_some() || s.analysis.is_some() || s.experiment.is_some());
    // A blue-green keeps the mark of a pause that has ended until it is promoted: that is no pause.
    let paused = rollout.spec.paused || !status.pause_conditions.is_empty();
    let waits_on_purpose = indefinite && !case.fully_promoted();
    // A restart takes as long as its pods do, one after the other: none of them is a step of an update.
    let restarts = case.fully_promoted() && restart::due(rollout, case.now).is_some();
    !waits_on_purpose && !measured(case) && !restarts && !paused && delay_ends(case).is_none() && !status.abort
}

/// Whether a blue-green update waits for the analysis before or after its switch, whose length is its own.
fn measured(case: &Case<'_>) -> bool {
    let status = &case.status().blue_green;
    let runs = [&status.pre_promotion_analysis_run_status, &status.post_promotion_analysis_run_status];
    let over = |run: &RunStatus| matches!(run.status.as_str(), "Successful" | "Failed" | "Error" | "Inconclusive");
    runs.into_iter().flatten().any(|run| !over(run))
}

/// When the last declared delay of a former revision ends; `None` where none is running.
pub fn delay_ends(case: &Case<'_>) -> Option<Time> {
    let waiting = case.cast.others.iter().filter(|other| other.size.spec > 0).filter_map(Revision::deadline);
    waiting.filter(|deadline| *deadline > case.now).max()
}

/// Whether the deadline has passed since the last progress on record. Argo: `conditions.RolloutTimedOut`.
pub fn passed(case: &Case<'_>) -> bool {
    let Some(condition) = case.status().condition("Progressing") else { return false };
    if crate::mutant!("deadline-never-passes") {
        return false;
    }
    let counted = last_progress(case).is_some();
    counted && (condition.reason == "ProgressDeadlineExceeded" || due(case).is_some_and(|due| due < case.now))
}

/// When the deadline passes if nothing moves.
pub fn due(case: &Case<'_>) -> Option<Time> {
    let condition = case.status().condition("Progressing")?;
    let halved = if crate::mutant!("deadline-halved") { 2 } else { 1 };
    let deadline = defaults::progress_deadline(&case.world.rollout) / halved;
    Some((condition.last_update_time? + deadline).max(watched(case, deadline)))
}

/// Until when this process has not watched for long enough to call an update stuck.
fn watched(case: &Case<'_>, patience: Duration) -> Time {
    let since = watching_since(case);
    if crate::mutant!("absence-is-counted") { since } else { since + patience.min(SETTLING_IN) }
}

/// Since when this process has looked at the Rollout as often as there was reason to. What is refused again and again is
/// the update's own trouble.
pub fn watching_since(case: &Case<'_>) -> Time {
    let memory = &case.world.memory;
    let held_up = memory.failures.is_empty() && memory.acted_at.is_some_and(|at| at + HELD_UP < case.now);
    memory.watching_since.filter(|_| !held_up).unwrap_or(case.now)
}

/// Progress of the pods: a new maximum of the attempt, never a mere rise. `step` is where the steps stand now.
pub fn high_water(case: &Case<'_>, step: Option<i32>) -> HighWater {
    let new = case.cast.new_size();
    let known = &case.world.memory.high_water;
    let known = if known.hash == case.new_hash() { known.clone() } else { HighWater::default() };
    HighWater {
        hash: case.new_hash().to_owned(),
        updated: known.updated.max(new.replicas),
        available: known.available.max(new.available),
        step,
    }
}

/// Whether pods reached a new maximum at this look, or a person has moved the steps since the last one. A look without
/// memory sees where things stand, not that they moved.
pub fn progressed(case: &Case<'_>) -> bool {
    let known = &case.world.memory.high_water;
    let step = case.status().current_step_index.filter(|_| known.step.is_some());
    let moved = high_water(case, step) != *known || crate::mutant!("every-look-is-progress");
    known.hash == case.new_hash() && moved
}

/// The text of the condition and of the abort, with the pods' own reason where they have one.
pub fn timed_out_message(case: &Case<'_>) -> String {
    let base = match &case.cast.new {
        Some(new) => format!("ReplicaSet {:?} has timed out progressing.", new.name()),
        None => format!("Rollout {:?} has timed out progressing.", case.world.rollout.metadata.name),
    };
    let trouble = case.cast.new.as_ref().and_then(|new| trouble::of(new).into_iter().next());
    trouble.map_or_else(|| base.clone(), |trouble| format!("{base} {}", trouble.message))
}
