//! Permission to put managed routes in place, and to take them away.
//!
//! A managed route is no share of the traffic, but requests follow it at once: its backend needs one available pod and
//! one endpoint (I14), and what takes its requests over must not be empty.

use super::capacity;
use super::exposure::Exposure;
use super::weights;
use crate::plan::{Blocker, Plan};
use crate::rollout::sides::Sides;
use crate::rollout::strategy::target::Target;
use crate::traffic::gateway_api::ManagedRoute;

/// The managed routes that may be written now; `None` where those that stand must stay.
pub fn permitted<'t>(exposure: &Exposure<'_>, target: &'t Target, plan: &mut Plan) -> Option<&'t [ManagedRoute]> {
    let wanted = target.managed.as_deref()?;
    let sides = Sides::of(&exposure.world.rollout);
    if exposure.routes.managed_hold(exposure.world, wanted) {
        return None;
    }
    if wanted.is_empty() {
        return may_go(exposure, sides, plan).then_some(wanted);
    }
    let ready =
        !weights::in_motion(exposure, target, sides.canary) && weights::carries(exposure, sides.canary, 1, plan);
    ready.then_some(wanted)
}

/// Whether the requests of a managed route find pods once it has gone. Pods that answer nobody are always left.
fn may_go(exposure: &Exposure<'_>, sides: Sides<'_>, plan: &mut Plan) -> bool {
    let available = |service: &str| {
        capacity::target(exposure.world, exposure.cast, service).map_or(0, |revision| revision.size.available)
    };
    if available(sides.canary) == 0 || available(sides.stable) > 0 {
        return true;
    }
    plan.blockers.push(Blocker::wait(
        "StableCapacity",
        format!("Service/{}", sides.stable),
        "no stable pod available for the requests of the managed routes, which stay",
    ));
    false
}
