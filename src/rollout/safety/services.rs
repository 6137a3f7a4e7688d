//! Permission to switch a Service's selector.

use super::capacity::{self, Share, dependable, possible};
use super::exposure::Exposure;
use super::write;
use crate::api::Service;
use crate::plan::{Basis, Blocker, Plan};
use crate::rollout::cast::Revision;
use crate::rollout::memory::Past;
use crate::rollout::sides::Sides;
use crate::rollout::strategy::target::{Readiness, ServiceGoal, Target};

/// Puts the switches that are safe now into the plan; the others become blockers.
pub fn permit(exposure: &Exposure<'_>, target: &Target, plan: &mut Plan) {
    for goal in &target.services {
        let Some(service) = exposure.world.service(&goal.service) else { continue };
        if capacity::selected(exposure.world, &goal.service) == Some(goal.hash.as_str()) {
            continue;
        }
        let Some(revision) = exposure.cast.by_hash(&goal.hash) else { continue };
        match refusal(exposure, goal, revision) {
            Some(blocker) => plan.blockers.push(blocker),
            None => plan.effects.push(switch(exposure, service, revision)),
        }
    }
}

fn switch(exposure: &Exposure<'_>, service: &Service, revision: &Revision) -> crate::plan::Effect {
    let mut basis = vec![Basis::of(&*revision.rs)];
    basis.extend(
        exposure
            .routes
            .states
            .iter()
            .map(|state| Basis { object: state.object.clone(), resource_version: state.resource_version.clone() }),
    );
    basis.extend(exposure.decision());
    let reason = format!("{} of {} pods available", revision.size.available, revision.size.spec);
    write::switch_service(&exposure.world.rollout, service, revision.hash(), (&reason, basis))
}

/// Why a switch has to wait.
fn refusal(exposure: &Exposure<'_>, goal: &ServiceGoal, revision: &Revision) -> Option<Blocker> {
    let object = format!("Service/{}", goal.service);
    let carried = carried(exposure, &goal.service);
    let wanted = match goal.readiness {
        Readiness::One => exposure.need_to_gain(revision, carried).max(1),
        Readiness::Full if goal.takes_all => exposure.demand.need(Share::ALL),
        // Behind a route the update's Service carries what the weights give it, and no weight moves before it is taken
        // over: it cannot wait for pods that later steps bring.
        Readiness::Full if exposure.routes.configured && exposure.updates(revision) => {
            revision.size.spec.max(exposure.need_to_gain(revision, carried)).max(1)
        }
        // Taking over a Service that may carry a live workload: every pod of the revision.
        Readiness::Full => revision.size.spec.max(exposure.demand.replicas).max(1),
    };
    // A Rollout that is scaled to zero has no traffic to lose.
    let wanted = if exposure.demand.replicas == 0 { 0 } else { wanted };
    if dependable(revision) < wanted && !crate::mutant!("switch-without-capacity") {
        let message = format!(
            "{} of {wanted} pods of revision {} available that the switch needs",
            dependable(revision),
            revision.number()
        );
        return Some(Blocker::wait("WaitingForCapacity", object, message));
    }
    leaving(exposure, goal, carried).map(|message| Blocker::wait("TrafficNotSettled", object, message))
}

/// Whether both Services select a revision that is not the stable one, and no weight can take its traffic from it: it is
/// the update, or both carry some.
fn astray(exposure: &Exposure<'_>, left: &Revision) -> bool {
    let sides = Sides::of(&exposure.world.rollout);
    let selects = |service: &str| capacity::selected(exposure.world, service) == Some(left.hash());
    let is_stable = exposure.cast.stable.as_ref().is_none_or(|stable| stable.hash() == left.hash());
    let both = !is_stable && selects(sides.canary) && selects(sides.stable);
    both && (exposure.updates(left) || !carried(exposure, sides.canary).is_none())
}

/// The stable Service goes first, as in a blue-green, and meanwhile the canary Service keeps the pods within reach (I05).
fn astray_leaving(exposure: &Exposure<'_>, goal: &ServiceGoal, left: &Revision) -> Option<String> {
    let number = left.number();
    if goal.service == Sides::of(&exposure.world.rollout).canary {
        return Some(format!("selector stays on revision {number} until the stable Service has left it"));
    }
    (!exposure.routes.settled()).then(|| format!("selector stays on revision {number} until the routes are settled"))
}

/// Whether the stable revision is behind no Service, and no weight can make room for it: what the stable Service carries
/// could only go to the update, beyond its step, or to a revision that has a share and is neither.
/// Source: docs/decisions/0012.
fn homeless(exposure: &Exposure<'_>, goal: &ServiceGoal, left: &Revision) -> bool {
    let sides = Sides::of(&exposure.world.rollout);
    let stable = exposure.cast.stable.as_ref().is_some_and(|stable| stable.hash() == goal.hash);
    let canary = capacity::target(exposure.world, exposure.cast, sides.canary);
    let elsewhere = canary.is_some_and(|canary| canary.hash() != goal.hash && canary.hash() != left.hash());
    let fixed = canary.is_some_and(|canary| exposure.updates(canary)) || !carried(exposure, sides.canary).is_none();
    goal.service == sides.stable && stable && elsewhere && fixed
}

/// The share of the traffic that reaches users through this Service, by the weights that may be in force.
fn carried(exposure: &Exposure<'_>, service: &str) -> Share {
    let whole = exposure.routes.max.max(1);
    if !exposure.routes.configured {
        return Share::NONE;
    }
    let states = &exposure.routes.states;
    if states.iter().any(|state| state.memory.past == Past::Unknown) {
        return Share { part: whole, whole };
    }
    let part = states
        .iter()
        .flat_map(|state| &state.memory.in_flight)
        .map(
            |weight| {
                if weight.canary_service == service { weight.canary } else { exposure.routes.max - weight.canary }
            },
        )
        .max()
        .unwrap_or(whole);
    Share { part, whole }
}

/// Why the revision that the Service selects now may not be left yet: its pods still get traffic through it.
fn leaving(exposure: &Exposure<'_>, goal: &ServiceGoal, carried: Share) -> Option<String> {
    if !exposure.routes.configured || crate::mutant!("switch-while-unsettled") {
        return None;
    }
    let left = capacity::target(exposure.world, exposure.cast, &goal.service)?;
    let canary = Sides::of(&exposure.world.rollout).canary;
    let managed = canary == goal.service && exposure.routes.managed_reach(left.hash());
    if possible(left) == 0 || (carried.is_none() && !managed && exposure.routes.settled()) {
        return None;
    }
    if astray(exposure, left) {
        return astray_leaving(exposure, goal, left);
    }
    if homeless(exposure, goal, left) {
        return None;
    }
    if managed && carried.is_none() {
        let number = left.number();
        return Some(format!(
            "selector stays on revision {number} until the routes are settled without managed routes"
        ));
    }
    Some(format!(
        "selector stays on revision {} until the routes are settled without traffic for it (up to {} of {} now)",
        left.number(),
        carried.part,
        carried.whole
    ))
}
