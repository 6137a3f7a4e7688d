//! Permission to grow and shrink revisions: growing at once, shrinking only what no traffic can reach.

use super::capacity::{dependable, possible};
use super::exposure::Exposure;
use super::pace::{self, Room};
use super::write;
use crate::api::{Time, names};
use crate::plan::{Basis, Blocker, Plan};
use crate::rollout::cast::Revision;
use crate::rollout::defaults;
use crate::rollout::strategy::ratio::Ratio;
use crate::rollout::strategy::target::{Fate, SizeGoal, Target};
use crate::rollout::strategy::{blue_green, rollback};

/// Puts the writes of sizes that are safe now into the plan; the others become blockers.
pub fn permit(exposure: &Exposure<'_>, target: &Target, now: Time, plan: &mut Plan) {
    if !crate::mutant!("deadline-kept") {
        forget_deadlines(exposure, now, plan);
    }
    if let Some(ratio) = target.paced {
        permit_paced(exposure, ratio, plan);
        return;
    }
    let mut waiting = Waiting { now, count: 0 };
    // The newest first, so that a limit on waiting revisions lets the oldest go.
    let mut goals: Vec<(&SizeGoal, &Revision)> = target
        .sizes
        .iter()
        .filter_map(|goal| exposure.cast.all().find(|r| r.name() == goal.name).map(|revision| (goal, revision)))
        .collect();
    goals.sort_by_key(|(_, revision)| std::cmp::Reverse(revision.number()));
    for (goal, revision) in goals {
        match goal.fate {
            Fate::Keep => {}
            Fate::Size(size) => resize(exposure, (revision, size), &goal.reason, plan),
            Fate::Retire { delay, limit } => {
                if !exposure.in_use(revision) {
                    retire(exposure, (revision, delay, limit), (&mut waiting, &goal.reason), plan);
                }
            }
            Fate::RetireAborted { delay } => retire_aborted(exposure, (revision, delay), (now, &goal.reason), plan),
            Fate::Drop => resize(exposure, (revision, 0), &goal.reason, plan),
        }
    }
}

/// Takes the deadline off a revision that is wanted again: left there, it would cut the next delay short.
///
/// On a blue-green's way back to an earlier revision it stays until that is stable, since it is what makes the way fast.
fn forget_deadlines(exposure: &Exposure<'_>, now: Time, plan: &mut Plan) {
    let (cast, rollout) = (exposure.cast, &exposure.world.rollout);
    let by_delay = blue_green::within_delay(cast, now) && !rollback::direct(exposure.world, cast);
    let fast = rollout.spec.strategy.blue_green.is_some() && by_delay;
    if let Some(end) = cast.new.as_ref().and_then(Revision::deadline).filter(|_| fast) {
        plan.wake(end);
    }
    let updating = cast.new.as_ref().filter(|_| !rollout.status.abort && (cast.at_stable() || !fast));
    for revision in cast.distinct_stable().into_iter().chain(updating) {
        if revision.rs.metadata.annotation(names::SCALE_DOWN_DEADLINE).is_some() {
            plan.effects.push(write::annotate(
                revision,
                &[(names::SCALE_DOWN_DEADLINE, None)],
                "revision is wanted again",
            ));
        }
    }
}

/// Revisions that wait for their scale-down.
struct Waiting {
    now: Time,
    count: usize,
}

/// Grows at once; shrinks no further than the share that the revision may have.
fn resize(exposure: &Exposure<'_>, (revision, wanted): (&Revision, i32), reason: &str, plan: &mut Plan) {
    let current = revision.size.spec;
    if wanted >= current {
        if wanted > current {
            let basis = exposure.decision().into_iter().collect();
            plan.effects.push(write::scale(revision, wanted, exposure.demand.replicas, (reason, basis)));
        }
        return;
    }
    let floor = exposure.floor(revision);
    // Who wants no pods at all wants no traffic either: that goes at once.
    let serving = exposure.demand.replicas > 0 && !exposure.drained(revision);
    let safe = if wanted == 0 && serving { wanted.max(floor).max(1) } else { wanted.max(floor) };
    if safe < current {
        plan.effects.push(write::scale(revision, safe, exposure.demand.replicas, (reason, exposure.basis())));
    }
    if safe > wanted {
        plan.blockers.push(still_serving(exposure, revision, safe.min(current)));
    }
}

/// Keeps a revision as it is. Where somebody has led users to it again, its delay begins anew once they are gone.
fn still_needed(exposure: &Exposure<'_>, revision: &Revision, plan: &mut Plan) {
    let noted = revision.rs.metadata.annotation(names::SCALE_DOWN_DEADLINE).is_some();
    let routes = exposure.routes;
    let reached = if routes.configured { routes.reaches(revision.hash()) } else { !exposure.share(revision).is_none() };
    if noted && reached {
        let cleared = [(names::SCALE_DOWN_DEADLINE, None)];
        plan.effects.push(write::annotate(revision, &cleared, "users reach the revision again"));
    }
    plan.blockers.push(still_serving(exposure, revision, revision.size.spec));
}

fn still_serving(exposure: &Exposure<'_>, revision: &Revision, kept: i32) -> Blocker {
    let share = exposure.share(revision);
    let message = if share.is_none() {
        format!("kept at {kept} until the routes are settled without it")
    } else {
        format!("kept at {kept}: up to {} of {} of the traffic may still reach it", share.part, share.whole)
    };
    Blocker::wait("TrafficNotSettled", format!("ReplicaSet/{}", revision.name()), message)
}

/// How long after a deadline pods go: at once, but for a mutant.
fn lateness() -> std::time::Duration {
    std::time::Duration::from_secs(if crate::mutant!("deadline-seen-late") { 20 } else { 0 })
}

/// Lets a revision that served traffic wait for its delay, then go.
fn retire(
    exposure: &Exposure<'_>,
    (revision, delay, limit): (&Revision, std::time::Duration, Option<usize>),
    (waiting, reason): (&mut Waiting, &str),
    plan: &mut Plan,
) {
    if revision.size.spec == 0 {
        return;
    }
    if !exposure.drained(revision) {
        still_needed(exposure, revision, plan);
        return;
    }
    let over_limit = limit.is_some_and(|limit| waiting.count >= limit);
    let gone = || write::scale(revision, 0, exposure.demand.replicas, (reason, exposure.basis()));
    match revision.deadline() {
        _ if over_limit => plan.effects.push(gone()),
        Some(deadline) if deadline + lateness() <= waiting.now || crate::mutant!("delay-cut-short") => {
            plan.effects.push(gone());
        }
        None if delay.is_zero() || crate::mutant!("no-scale-down-delay") => plan.effects.push(gone()),
        Some(deadline) => {
            waiting.count += 1;
            plan.wake(deadline + lateness());
        }
        None => {
            waiting.count += 1;
            // Rounded up to a whole second, which is what the annotation holds: never shorter than declared.
            let deadline = (waiting.now + delay + std::time::Duration::from_millis(999)).truncated();
            plan.effects.push(write::set_deadline(revision, deadline, "scale-down delay begins"));
            plan.wake(deadline + lateness());
        }
    }
}

/// Lets an aborted revision wait until the stable one is complete, then for its delay, then go.
fn retire_aborted(
    exposure: &Exposure<'_>,
    (revision, delay): (&Revision, std::time::Duration),
    (now, reason): (Time, &str),
    plan: &mut Plan,
) {
    if revision.size.spec == 0 {
        return;
    }
    if !exposure.drained(revision) && !crate::mutant!("abort-before-route") {
        still_needed(exposure, revision, plan);
        return;
    }
    let stable_complete = exposure.cast.stable_size().available >= exposure.demand.replicas;
    match revision.deadline() {
        Some(deadline) if deadline <= now || crate::mutant!("abort-delay-cut-short") => {
            plan.effects.push(write::scale(revision, 0, exposure.demand.replicas, (reason, exposure.basis())));
        }
        Some(deadline) => plan.wake(deadline),
        None if stable_complete => {
            let deadline = (now + delay + std::time::Duration::from_millis(999)).truncated();
            plan.effects.push(write::set_deadline(revision, deadline, "abort scale-down delay begins"));
            plan.wake(deadline);
        }
        None => plan.blockers.push(Blocker::wait(
            "StableNotComplete",
            format!("ReplicaSet/{}", revision.name()),
            format!(
                "aborted pods stay until the stable revision is complete: {} of {} available",
                exposure.cast.stable_size().available,
                exposure.demand.replicas
            ),
        )),
    }
}

/// Sizes of a canary without a router: one room for all revisions.
fn permit_paced(exposure: &Exposure<'_>, goal: Ratio, plan: &mut Plan) {
    let cast = exposure.cast;
    let replicas = exposure.demand.replicas;
    let (surge, unavailable) = defaults::fenceposts(&exposure.world.rollout, replicas);
    let room = Room { replicas, surge, unavailable };
    let next = pace::basic(&cast.sizes(), goal, room);
    let parts = [(cast.distinct_stable(), next.stable), (cast.new.as_ref(), next.new)];
    let left: i32 = parts.iter().map(|(revision, size)| revision.map_or(0, dependable).min(*size)).sum();
    for (revision, size) in parts.into_iter().filter_map(|(revision, size)| revision.map(|revision| (revision, size))) {
        // Below the floor only such pods go as surely answer nobody.
        let below = left < replicas - unavailable && !crate::mutant!("floor-minus-one");
        let size = if below { size.max(possible(revision).min(revision.size.spec)) } else { size };
        if size != revision.size.spec {
            let grows = size > revision.size.spec;
            let basis = if grows { exposure.decision().into_iter().collect() } else { siblings(exposure, revision) };
            plan.effects.push(write::scale(revision, size, replicas, ("canary follows its step", basis)));
        }
    }
    shrink_others(exposure, room, plan);
    let waiting = parts.iter().any(|(revision, size)| revision.is_some_and(|r| r.size.available < *size));
    if waiting {
        let (new, stable) = (cast.new_size(), cast.distinct_stable().map_or(0, |r| r.size.available));
        plan.blockers.push(Blocker::wait(
            "WaitingForPods",
            format!("Rollout/{}", exposure.world.rollout.metadata.name),
            format!(
                "{} new and {stable} stable pods available, {} and {} wanted",
                new.available, goal.new, goal.stable
            ),
        ));
    }
}

/// Shrinks revisions that nothing needs: first pods that are not available, then as many as may be missing.
fn shrink_others(exposure: &Exposure<'_>, room: Room, plan: &mut Plan) {
    let mut others: Vec<&Revision> = exposure.cast.others.iter().filter(|other| other.size.spec > 0).collect();
    others.sort_by_key(|other| std::cmp::Reverse(other.number()));
    let dependable_all: i32 = exposure.cast.all().map(dependable).sum();
    let mut budget = dependable_all - (room.replicas - room.unavailable);
    for other in others {
        // Pods that are not available cost nothing to lose.
        let healthy = possible(other).min(other.size.spec);
        let taken = budget.clamp(0, healthy);
        let size = healthy - taken;
        if !crate::mutant!("joint-budget-dropped") {
            budget -= taken;
        }
        if size < other.size.spec {
            let basis = siblings(exposure, other);
            plan.effects.push(write::scale(other, size, room.replicas, ("revision is no longer needed", basis)));
        }
    }
}

/// The other revisions: their available pods are why this one may shrink. And the Rollout, which says how many are wanted.
fn siblings(exposure: &Exposure<'_>, revision: &Revision) -> Vec<Basis> {
    // What rests on another that shrinks is refused once that has: the defect takes this guard away as well.
    let others = &exposure.cast.others;
    let unguarded = |one: &Revision| {
        crate::mutant!("joint-budget-dropped") && others.iter().any(|other| other.name() == one.name())
    };
    exposure
        .cast
        .all()
        .filter(|other| other.name() != revision.name() && other.size.spec > 0 && !unguarded(other))
        .map(|other| Basis::of(&*other.rs))
        .chain([Basis::of(&*exposure.world.rollout)])
        .collect()
}
