//! Siskin's own part of the status: why it waits, and what it remembers.

use crate::api::rollout_status::{BlockerStatus, HighWater, RouteStatus, SiskinStatus};
use crate::plan::{Blocker, Plan};
use crate::rollout::case::Case;
use crate::rollout::memory::Memory;

/// Blockers that are written; the rest would only repeat them.
const MAX_BLOCKERS: usize = 10;

/// What is written under `status.siskin`; `None` where there is nothing to say.
pub fn siskin(case: &Case<'_>, plan: &Plan, memory: &Memory) -> Option<SiskinStatus> {
    let blockers = plan.blockers.iter().take(MAX_BLOCKERS).map(blocker).collect();
    let routes = case.routes.states.iter().map(|state| RouteStatus {
        route: format!("{}/{}/{}", state.object.resource.kind, state.object.namespace, state.object.name),
        generation: state.reading.generation,
        canary_weight: state.reading.canary_share(case.routes.max),
        pod_template_hash: memory
            .routes
            .get(&state.object)
            .and_then(|route| route.in_flight.last())
            .map(|weight| weight.canary_hash.clone())
            .unwrap_or_default(),
        settled_since: state.memory.settling_since.map(crate::api::Time::truncated),
    });
    let water = &memory.high_water;
    let status = SiskinStatus {
        blockers,
        routes: routes.collect(),
        available_high_water: (!case.fully_promoted() && water.available > 0)
            .then(|| HighWater { pod_template_hash: water.hash.clone(), available: water.available }),
    };
    (status != SiskinStatus::default()).then_some(status)
}

/// What the blockers that a person has to act on say: a change of it is written at once.
pub fn calls_for_help(status: Option<&SiskinStatus>) -> Vec<(String, String, String)> {
    let blockers = status.into_iter().flat_map(|status| &status.blockers);
    let calls = blockers.filter(|blocker| !blocker.remedy.is_empty());
    calls.map(|blocker| (blocker.code.clone(), blocker.object.clone(), blocker.message.clone())).collect()
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
