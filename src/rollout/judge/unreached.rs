//! Services that users are sent to while nobody answers behind them: pods that are not ready, labels that do not match,
//! EndpointSlices that nobody keeps. The API server shows them, the users feel them, and without this nobody says so.

use std::time::Duration;

use crate::api::Time;
use crate::plan::{Blocker, Plan};
use crate::rollout::case::Case;
use crate::rollout::safety::capacity::{self, dependable};
use crate::rollout::sides::Sides;

/// The code of the blocker.
pub const CODE: &str = "NoEndpoints";
/// How long endpoints may be away before a person is called: those of pods that are exchanged come back by themselves.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long they may be away from the update's Service before `failFast` ends it.
const FAILS_AFTER: Duration = Duration::from_secs(30);

/// Says which Services have users and no endpoint.
pub fn tell(case: &Case<'_>, plan: &mut Plan) {
    for service in unreached(case) {
        let since = since(case, service).unwrap_or(case.now);
        let blocker = Blocker::wait(CODE, object(service), message(case, service));
        if since + PATIENCE > case.now {
            plan.wake(since + PATIENCE);
            plan.blockers.push(blocker);
            continue;
        }
        if since + FAILS_AFTER > case.now {
            plan.wake(since + FAILS_AFTER);
        }
        let remedy = "compare the Service's selector with the labels and the readiness of the pods, or abort";
        plan.blockers.push(blocker.remedy(remedy));
    }
}

/// Why `failFast` ends the update: its Service has had users and no endpoint for too long, and the stable one has some.
pub fn hopeless(case: &Case<'_>) -> Option<String> {
    let rollout = &case.world.rollout;
    let sides = Sides::of(rollout);
    if !rollout.spec.fail_fast || !case.routes.configured || capacity::ready(case.world, sides.stable) == Some(0) {
        return None;
    }
    let canary = unreached(case).find(|service| *service == sides.canary)?;
    let over = since(case, canary).is_some_and(|since| since + FAILS_AFTER <= case.now);
    over.then(|| format!("{}: {}", object(canary), message(case, canary)))
}

/// Services that users are sent to by what is written now, and that have no ready endpoint. Not before it has
/// been healthy once: nobody expects an answer from a first deployment.
fn unreached<'c>(case: &'c Case<'_>) -> impl Iterator<Item = &'c str> {
    let rollout = &case.world.rollout;
    let expected = case.world.replicas() > 0 && case.status().condition("Healthy").is_some();
    let sides = Sides::of(rollout);
    let newest = || case.routes.states.iter().filter_map(|state| state.memory.in_flight.last());
    let active = rollout.spec.strategy.blue_green.as_ref().map(|strategy| strategy.active_service.as_str());
    let led = [
        active,
        Some(sides.canary).filter(|_| newest().any(|weight| weight.canary > 0 || weight.managed)),
        Some(sides.stable).filter(|_| newest().any(|weight| weight.canary < case.routes.max)),
    ];
    led.into_iter().flatten().filter(move |service| expected && capacity::ready(case.world, service) == Some(0))
}

fn since(case: &Case<'_>, service: &str) -> Option<Time> {
    case.world.memory.blocked_since.get(&(CODE.to_owned(), object(service))).copied()
}

fn object(service: &str) -> String {
    format!("Service/{service}")
}

fn message(case: &Case<'_>, service: &str) -> String {
    let target = capacity::target(case.world, case.cast, service);
    let pods = target.map_or_else(
        || "it selects no revision".to_owned(),
        |revision| {
            format!(
                "{} of {} pods of revision {} are available",
                dependable(revision),
                revision.size.spec,
                revision.number()
            )
        },
    );
    format!("users are sent to it, and it has no ready endpoint; {pods}")
}
