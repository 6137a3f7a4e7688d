//! Siskin's own part of the status: why it waits, and what it remembers.

use crate::api::rollout_status::{BlockerStatus, SiskinStatus};
use crate::plan::{Blocker, Plan};
use crate::rollout::case::Case;
use crate::rollout::memory::{Memory, stored};
use crate::rollout::settings::OwnStatus;

/// Blockers that are written; the rest would only repeat them.
const MAX_BLOCKERS: usize = 10;

/// Weights of routes that are written, all routes together: the status stays small however many there are.
const MAX_WEIGHTS: usize = 40;

/// What is written under `status.siskin`; `None` where there is nothing to say, or where it would be pruned.
pub fn siskin(case: &Case<'_>, plan: &Plan, memory: &Memory) -> Option<SiskinStatus> {
    if case.world.settings.own_status == OwnStatus::Pruned {
        return None;
    }
    let blockers = plan.blockers.iter().take(MAX_BLOCKERS).map(blocker).collect();
    let routes = memory.routes.iter().filter_map(|(object, route)| stored::route(object, route));
    let mut room = MAX_WEIGHTS;
    // A route that is left out waits longer after a restart, and nothing else.
    let routes = routes.take_while(|route| {
        let weights = 1 + route.earlier.len();
        let fits = weights <= room;
        room = room.saturating_sub(weights);
        fits
    });
    let status = SiskinStatus {
        blockers,
        routes: routes.collect(),
        available_high_water: Some(&memory.high_water)
            .filter(|water| !case.fully_promoted() && water.available > 0)
            .map(stored::high_water),
    };
    (status != SiskinStatus::default()).then_some(status)
}

/// What the blockers that a person has to act on say: a change of it is written at once.
pub fn calls_for_help(status: Option<&SiskinStatus>) -> Vec<(String, String, String)> {
    let blockers = status.into_iter().flat_map(|status| &status.blockers);
    let calls = blockers.filter(|blocker| !blocker.remedy.is_empty());
    calls.map(|blocker| (blocker.code.clone(), blocker.object.clone(), blocker.message.clone())).collect()
}

/// Whether the maxima of the revision on record have risen since.
pub fn has_risen(old: Option<&SiskinStatus>, new: Option<&SiskinStatus>) -> bool {
    let water = |status: Option<&SiskinStatus>| status.and_then(|status| status.available_high_water.clone());
    let (Some(old), Some(new)) = (water(old), water(new)) else { return false };
    let same = old.pod_template_hash == new.pod_template_hash;
    same && (new.available > old.available || new.updated > old.updated)
}

fn blocker(blocker: &Blocker) -> BlockerStatus {
    BlockerStatus {
        code: blocker.code.to_owned(),
        object: blocker.object.clone(),
        since: blocker.since,
        message: blocker.message.clone(),
        remedy: blocker.remedy.clone(),
    }
}
