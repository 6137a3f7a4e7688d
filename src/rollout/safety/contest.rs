//! Fields that somebody else writes as often as we do: they are set right again, but not for ever (I42).
//!
//! A *repair* is the same write to the same object, twice in a row, although the first was taken: somebody has undone it.
//! Six of them a minute are enough for a hand that slips and for a tool that applies now and then. Two controllers
//! that both insist would otherwise keep the API server busy, and users between two versions.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::api::{Meta, Time, Writer};
use crate::plan::{Blocker, Effect, ObjectRef, Phase, Plan, Verb};
use crate::rollout::case::Case;
use crate::rollout::memory::Contest;
use crate::rollout::world::World;
use crate::traffic::gateway_api::RouteKind;
use serde::Deserialize as _;

/// The code of the blocker.
pub const CODE: &str = "FieldOwnershipConflict";
/// Repairs of one object within [`REPAIR_SPAN`].
pub const MAX_REPAIRS: usize = 6;
/// The window in which repairs are counted.
pub const REPAIR_SPAN: Duration = Duration::from_mins(1);
/// How long the last write to an object is remembered: what is undone later is another matter.
const REMEMBERED: Duration = Duration::from_mins(10);

/// Takes the repairs that are too many out of the plan, and says whose writes they answer.
pub fn limit(case: &Case<'_>, plan: &mut Plan) {
    if crate::mutant!("repairs-without-end") {
        return;
    }
    let mut contested = Vec::new();
    plan.effects.retain(|effect| {
        let over = undone(case, effect).and_then(|contest| full_since(&contest.repairs, case.now));
        contested.extend(over.map(|first| (effect.object.clone(), first)));
        over.is_none()
    });
    for (object, first) in contested {
        let writer = writer(case.world, &object);
        let (kind, field) = if RouteKind::named(&object.resource.kind).is_some() {
            ("route", "the weights of the Rollout's backends")
        } else {
            ("Service", "the selector's rollouts-pod-template-hash")
        };
        let remedy = format!("take {field} out of what is applied to the {kind}: the Rollout sets them");
        plan.blockers.push(blocker(&object, &writer, &remedy));
        plan.wake(first + REPAIR_SPAN);
    }
}

/// Why a field is not set right at once any more.
pub fn blocker(object: &ObjectRef, writer: &Writer, remedy: &str) -> Blocker {
    let by = writer.name().unwrap_or("somebody else");
    let message = format!("written by {by} again and again: it is set right {MAX_REPAIRS} times a minute at most");
    Blocker::wait(CODE, object.to_string(), message).remedy(remedy)
}

/// The first of the repairs that fill the window up to now; `None` while there is room for another.
pub fn full_since(repairs: &[Time], now: Time) -> Option<Time> {
    let recent = || recent(repairs, now);
    recent().next().filter(|_| recent().count() >= MAX_REPAIRS)
}

/// Repairs within the window.
pub fn recent(repairs: &[Time], now: Time) -> impl Iterator<Item = Time> {
    repairs.iter().copied().filter(move |at| *at + REPAIR_SPAN > now)
}

/// What the next look should know of the writes to Services and routes.
pub fn remember(case: &Case<'_>, plan: &Plan) -> BTreeMap<ObjectRef, Contest> {
    let known = case.world.memory.contests.iter().filter(|(_, contest)| contest.at + REMEMBERED > case.now);
    let mut contests: BTreeMap<_, _> = known.map(|(object, contest)| (object.clone(), contest.clone())).collect();
    for effect in plan.effects.iter().filter(|effect| leads_users(effect)) {
        let undone = undone(case, effect);
        let repairs = undone.map(|contest| recent(&contest.repairs, case.now).chain([case.now]).collect());
        let contest = Contest {
            write: written(effect),
            resource_version: effect.precondition.resource_version.clone(),
            at: case.now,
            repairs: repairs.unwrap_or_default(),
        };
        contests.insert(effect.object.clone(), contest);
    }
    contests
}

/// What is remembered of the very same write, where it was taken and is needed again.
fn undone<'c>(case: &'c Case<'_>, effect: &Effect) -> Option<&'c Contest> {
    let memory = &case.world.memory;
    let contest = memory.contests.get(&effect.object).filter(|_| leads_users(effect))?;
    let taken = !memory.dropped && memory.failures.iter().all(|failure| failure.object != effect.object);
    let moved = contest.resource_version != effect.precondition.resource_version;
    (taken && moved && contest.write == written(effect)).then_some(contest)
}

/// Whether an effect writes a selector or a route.
fn leads_users(effect: &Effect) -> bool {
    effect.phase == Phase::Route && matches!(effect.verb, Verb::Merge(_) | Verb::Json(_))
}

fn written(effect: &Effect) -> String {
    match &effect.verb {
        Verb::Merge(patch) | Verb::Json(patch) => patch.to_string(),
        _ => String::new(),
    }
}

/// Who else wrote a Service or a route last.
fn writer(world: &World, object: &ObjectRef) -> Writer {
    let of_route = |route: &Value| Meta::deserialize(route.get("metadata").unwrap_or(&Value::Null)).ok();
    let view = world.routes.iter().find(|view| view.object == *object);
    let route = view.and_then(|view| of_route(view.found.as_deref()?)).map(|meta| meta.writer);
    route.or_else(|| Some(world.service(&object.name)?.metadata.writer.clone())).unwrap_or_default()
}
