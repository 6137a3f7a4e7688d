//! What a blue-green wants.

use super::rollback;
use super::target::{Fate, Readiness, ServiceGoal, SizeGoal, Target};
use crate::api::Time;
use crate::api::rollout::{BlueGreen, Rollout};
use crate::rollout::cast::{Cast, Revision};
use crate::rollout::defaults::{self, AbortScaleDown};
use crate::rollout::safety::capacity;
use crate::rollout::world::World;

/// Sizes and selectors that should hold now, from the decisions on record.
pub fn target(world: &World, cast: &Cast, blue_green: &BlueGreen, now: Time) -> Target {
    let mut target = Target::default();
    sizes(world, cast, &mut target);
    services(world, cast, (blue_green, &mut target), now);
    target
}

/// The size that the new revision should have.
pub fn new_size(world: &World, cast: &Cast, blue_green: &BlueGreen) -> i32 {
    // Nobody looks at a preview on the way back, and at its size the switch would never be permitted.
    if rollback::direct(world, cast) {
        return world.replicas();
    }
    // Nor is the stable revision a preview of anything: after a promotion that is not on record yet, it is what the way
    // back needs whole (I28).
    if cast.new.as_ref().is_some_and(|new| new.hash() == world.rollout.status.stable_rs) {
        return world.replicas();
    }
    let active = capacity::target(world, cast, &blue_green.active_service).map(Revision::hash);
    let new = cast.new.as_ref().map(Revision::hash);
    desired_size(&world.rollout, world.replicas(), blue_green, (new, active))
}

/// The size for a new and an active revision, by their hashes; `None` where there is none.
/// Argo: `replicasetutil.NewRSNewReplicas`, blue-green part.
pub fn desired_size(
    rollout: &Rollout,
    replicas: i32,
    blue_green: &BlueGreen,
    (new, active): (Option<&str>, Option<&str>),
) -> i32 {
    let status = &rollout.status;
    let Some(preview) = blue_green.preview_replica_count else { return replicas };
    if active.is_none() || active == new || status.promote_full {
        return replicas;
    }
    if new != Some(status.current_pod_hash.as_str()) {
        return preview;
    }
    let paused = rollout.spec.paused || !status.pause_conditions.is_empty();
    if !paused && status.blue_green.scale_up_preview_check_point { replicas } else { preview }
}

/// Whether a person or an inconclusive analysis stops every switch.
pub fn halted(rollout: &Rollout) -> bool {
    (rollout.spec.paused && !crate::mutant!("switch-while-paused"))
        || rollout.status.pause("InconclusiveAnalysisRun").is_some()
}

/// Whether the new revision has the size that it should have, all of it available.
pub fn ready_for_pause(world: &World, cast: &Cast, blue_green: &BlueGreen) -> bool {
    let wanted = new_size(world, cast, blue_green);
    cast.new.as_ref().is_some_and(|new| new.size.spec == wanted && new.size.available == wanted)
}

/// Whether the new revision has every pod that the Rollout wants, all of them available.
pub fn saturated(world: &World, cast: &Cast) -> bool {
    let wanted = world.replicas();
    cast.new
        .as_ref()
        .is_some_and(|new| new.size.spec == wanted && new.size.replicas == wanted && new.size.available == wanted)
}

/// Whether the preview Service, where there is one, shows the new revision: what people approve and what analysis
/// measures is then what would be promoted (I27).
pub fn previewed(world: &World, cast: &Cast, blue_green: &BlueGreen) -> bool {
    let shown = capacity::selected(world, &blue_green.preview_service);
    blue_green.preview_service.is_empty() || cast.new.as_ref().is_some_and(|new| shown == Some(new.hash()))
}

/// Whether pause and analysis are skipped: the way back to a revision whose pods are still there, a full promotion,
/// or a switch that has happened (or has nothing to switch from).
pub fn fast_tracked(world: &World, cast: &Cast, blue_green: &BlueGreen, now: Time) -> bool {
    let Some(new) = &cast.new else { return false };
    let active = capacity::selected(world, &blue_green.active_service);
    world.rollout.status.promote_full || fast_rollback(world, cast, now) || active.is_none_or(|hash| hash == new.hash())
}

/// Whether the new revision is the stable one itself, lies inside the rollback window, or is an earlier one whose pods
/// still wait for their scale-down. Argo: `isFastRollback`, blue-green part.
pub fn fast_rollback(world: &World, cast: &Cast, now: Time) -> bool {
    let Some(new) = &cast.new else { return false };
    let stable = &world.rollout.status.stable_rs;
    (!stable.is_empty() && new.hash() == stable) || rollback::direct(world, cast) || within_delay(cast, now)
}

/// Whether the new revision is older than the stable one and its pods still wait for their scale-down.
pub fn within_delay(cast: &Cast, now: Time) -> bool {
    let (Some(new), Some(stable)) = (&cast.new, &cast.stable) else { return false };
    let older = new.rs.metadata.creation_timestamp < stable.rs.metadata.creation_timestamp;
    older && new.deadline().is_some_and(|deadline| deadline > now)
}

/// Whether the pause before promotion is over. Argo: `CompletedBlueGreenPause`.
pub fn pause_completed(world: &World, blue_green: &BlueGreen, now: Time) -> bool {
    let status = &world.rollout.status;
    if status.blue_green.scale_up_preview_check_point || crate::mutant!("blue-green-pause-skipped") {
        return true;
    }
    let condition = status.pause("BlueGreenPause");
    if blue_green.auto_promotion_enabled == Some(false) {
        return status.controller_pause && condition.is_none();
    }
    if blue_green.auto_promotion_seconds <= 0 {
        return true;
    }
    match condition.and_then(|pause| pause.start_time) {
        Some(start) => start + auto_promotion_delay(blue_green) <= now,
        // The user resumed it before its time.
        None => status.controller_pause && condition.is_none(),
    }
}

/// Time between ready and promotion.
pub fn auto_promotion_delay(blue_green: &BlueGreen) -> std::time::Duration {
    std::time::Duration::from_secs(u64::try_from(blue_green.auto_promotion_seconds).unwrap_or(0))
}

/// Whether the analysis before promotion lets the switch happen.
pub fn pre_promotion_passed(world: &World, blue_green: &BlueGreen) -> bool {
    let run = world.rollout.status.blue_green.pre_promotion_analysis_run_status.as_ref();
    crate::mutant!("pre-promotion-skipped")
        || blue_green.pre_promotion_analysis.is_none()
        || run.is_some_and(|run| run.status == "Successful")
}

/// Whether the analysis after the switch lets the promotion happen.
pub fn post_promotion_passed(world: &World, blue_green: &BlueGreen) -> bool {
    let run = world.rollout.status.blue_green.post_promotion_analysis_run_status.as_ref();
    crate::mutant!("post-promotion-skipped")
        || blue_green.post_promotion_analysis.is_none()
        || run.is_some_and(|run| run.status == "Successful")
}

fn sizes(world: &World, cast: &Cast, target: &mut Target) {
    let Some(blue_green) = &world.rollout.spec.strategy.blue_green else { return };
    let replicas = world.replicas();
    if let Some(stable) = cast.distinct_stable() {
        target.sizes.push(goal(stable, Fate::Size(replicas), "stable stays complete"));
    }
    if let Some(new) = &cast.new {
        target.sizes.push(new_goal(world, cast, new, blue_green));
    }
    let retired = Fate::Retire {
        delay: defaults::scale_down_delay(&world.rollout),
        limit: defaults::scale_down_delay_revision_limit(&world.rollout),
    };
    for other in &cast.others {
        let fate = if world.rollout.status.pause("InconclusiveAnalysisRun").is_some() { Fate::Keep } else { retired };
        target.sizes.push(goal(other, fate, "revision is no longer active"));
    }
}

fn new_goal(world: &World, cast: &Cast, new: &Revision, blue_green: &BlueGreen) -> SizeGoal {
    let wanted = new_size(world, cast, blue_green);
    if !world.rollout.status.abort || cast.at_stable() || cast.stable.is_none() {
        return goal(new, Fate::Size(wanted), "new revision of a blue-green");
    }
    match defaults::abort_scale_down(&world.rollout) {
        AbortScaleDown::After(delay) => goal(new, Fate::RetireAborted { delay }, "update was aborted"),
        AbortScaleDown::Never | AbortScaleDown::NotApplicable => {
            goal(new, Fate::Size(wanted.min(new.size.spec)), "update was aborted")
        }
    }
}

fn goal(revision: &Revision, fate: Fate, reason: &str) -> SizeGoal {
    SizeGoal { name: revision.name().to_owned(), fate, reason: reason.to_owned() }
}

/// Which revisions the two Services select. Source: contract, behaviour §10 and §10.5.
fn services(world: &World, cast: &Cast, (blue_green, target): (&BlueGreen, &mut Target), now: Time) {
    let Some(new) = &cast.new else { return };
    // Also while an analysis could not tell: what people look at then, and what is measured next, is the new revision.
    if !blue_green.preview_service.is_empty() && !world.rollout.spec.paused {
        target.services.push(ServiceGoal {
            service: blue_green.preview_service.clone(),
            hash: new.hash().to_owned(),
            readiness: Readiness::One,
            takes_all: false,
        });
    }
    if halted(&world.rollout) && !world.rollout.status.abort {
        return;
    }
    if let Some(hash) = active_goal(world, cast, blue_green, now) {
        target.services.push(ServiceGoal {
            service: blue_green.active_service.clone(),
            hash,
            readiness: Readiness::Full,
            takes_all: true,
        });
    }
}

/// The revision that the active Service should select, where that is not what it selects already.
fn active_goal(world: &World, cast: &Cast, blue_green: &BlueGreen, now: Time) -> Option<String> {
    let status = &world.rollout.status;
    let new = cast.new.as_ref()?;
    if status.abort {
        // An abort takes users back whatever the state of the new revision is.
        return cast.stable.as_ref().map(|stable| stable.hash().to_owned());
    }
    if capacity::dangles(world, cast, &blue_green.active_service) && cast.distinct_stable().is_some() {
        return cast.stable.as_ref().map(|stable| stable.hash().to_owned());
    }
    if !ready_for_pause(world, cast, blue_green) || !saturated(world, cast) {
        return None;
    }
    let gates_open = pause_completed(world, blue_green, now) && pre_promotion_passed(world, blue_green);
    (fast_tracked(world, cast, blue_green, now) || gates_open).then(|| new.hash().to_owned())
}
