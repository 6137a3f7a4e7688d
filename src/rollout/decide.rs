//! The decision: judge, intend, permit, report. No clock, no client, no log, no chance.

use super::case::Case;
use super::cast::Cast;
use super::invalid;
use super::judge::{self, Ruling, deadline, trouble, unreached};
use super::memory::{HighWater, Memory};
use super::revision::create;
use super::safety::capacity;
use super::safety::exposure::Exposure;
use super::safety::route::Routes;
use super::safety::{self, contest, evictions, history, services, sizes, weights};
use super::settings::OwnStatus;
use super::status::record::OwnPart;
use super::status::{conditions, counts, duration, kstatus, phase, record, report};
use super::strategy::target::Target;
use super::strategy::{analysis, blue_green, canary, managed, pod_metadata};
use super::workload::{self, WorkloadView};
use super::world::World;
use crate::api::rollout_status::ObservedGeneration;
use crate::api::{RolloutStatus, Time};
use crate::plan::{Blocker, Effect, Event, ObjectRef, Phase, Plan, Record};
use std::time::Duration;

/// How long an invalid Rollout rests before it is looked at again although nothing has changed.
const INVALID_REST: Duration = Duration::from_secs(20);

/// How often a workload that has not been read yet is looked for, and after how long that is said.
const UNREAD_RECHECK: Duration = Duration::from_secs(1);
const UNREAD_PATIENCE: Duration = Duration::from_secs(10);

/// Blockers that are told as events, too: they hurt users, or write for ever.
const ANNOUNCED: &[&str] = &[unreached::CODE, contest::CODE];

/// What one look comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// What to do.
    pub plan: Plan,
    /// What the next look should know.
    pub memory: Memory,
}

/// Decides about one Rollout. Total: whatever the world holds, there is a plan, and a bad Rollout's plan touches no traffic.
pub fn decide(world: &World, now: Time) -> Decision {
    if world.rollout.metadata.deletion_timestamp.is_some() {
        return Decision { plan: Plan::default(), memory: world.memory.clone() };
    }
    let cast = Cast::of(world, now);
    let routes = Routes::of(world, &cast, now);
    let case = Case { world, cast: &cast, routes: &routes, now };
    if let WorkloadView::Unread(object) = &world.workload {
        return wait_for(&case, object);
    }
    if let Some(message) = invalid::message(world) {
        return refuse(&case, message);
    }

    let mut ruling = judge::rule(&case);
    let mut plan = Plan { effects: create::effects(&case), ..Plan::default() };
    plan.effects.extend(workload::note_generation(&case));
    if !ruling.reset {
        intend_and_permit(&case, &mut plan);
    }
    plan.effects.sort_by_key(|effect| effect.phase);
    contest::limit(&case, &mut plan);
    unreached::tell(&case, &mut plan);
    plan.blockers.extend(trouble::blockers(&case));
    plan.blockers.extend(trouble::denials(&case));

    settle_wakes(&case, &ruling, &mut plan);
    let mut memory = remember(&case, &ruling.next, &mut plan);
    report(&case, &mut ruling, &mut plan, &memory);
    memory.acted_at = (!plan.is_empty()).then_some(now);
    Decision { plan, memory }
}

/// What should hold, and which of the writes that lead there are safe now.
fn intend_and_permit(case: &Case<'_>, plan: &mut Plan) {
    let (world, cast) = (case.world, case.cast);
    let strategy = &world.rollout.spec.strategy;
    let mut target = match (&strategy.blue_green, &strategy.canary) {
        (Some(strategy), _) => blue_green::target(world, cast, strategy, case.now),
        (None, Some(strategy)) => canary::target(world, cast, case.routes, strategy),
        (None, None) => Target::default(),
    };
    let exposure = Exposure::of(world, cast, case.routes);
    evictions::make_room(&exposure, case.now, &mut target);
    sizes::permit(&exposure, &target, case.now, plan);
    safety::workload::permit(&exposure, case, plan);
    services::permit(&exposure, &target, plan);
    weights::permit(&exposure, &target, case.now, plan);
    evictions::permit(&exposure, case.now, plan);
    history::permit(&exposure, plan);
    pod_metadata::effects(case, plan);
    let (runs, errors) = analysis::effects(case);
    plan.effects.extend(runs);
    for error in errors {
        plan.blockers.push(
            Blocker::wait("AnalysisCannotStart", format!("Rollout/{}", world.rollout.metadata.name), error)
                .remedy("correct the analysis templates or the arguments"),
        );
    }
}

/// Everything that time alone decides.
fn settle_wakes(case: &Case<'_>, ruling: &Ruling, plan: &mut Plan) {
    ruling.wake_plan(plan);
    let times = [case.cast.next_available, case.routes.settles_at];
    for time in times.into_iter().flatten() {
        plan.wake(time);
    }
    if let Some(end) = deadline::delay_ends(case) {
        plan.wake(end);
    }
    // A first deploy is promoted at once, and its pods may still never come.
    let progressed = case.status().condition("Progressing").is_some_and(|c| c.reason == "NewReplicaSetAvailable");
    let ticking = deadline::counts(case) && !(case.fully_promoted() && progressed);
    if let Some(due) = deadline::due(case).filter(|due| ticking && *due >= case.now) {
        // A moment later, since the deadline has passed only after its instant.
        plan.wake(due + Duration::from_secs(1));
    }
    if let Some((at, _)) = deadline::fails_at(case).filter(|(at, _)| !ruling.next.abort && *at >= case.now) {
        plan.wake(at);
    }
}

/// What the next look should know: routes in flight, maxima, since when things block.
fn remember(case: &Case<'_>, next: &RolloutStatus, plan: &mut Plan) -> Memory {
    let mut memory = Memory {
        routes: case.routes.states.iter().map(|state| (state.object.clone(), state.memory.clone())).collect(),
        watching_since: Some(deadline::watching_since(case)),
        high_water: deadline::high_water(case, next.current_step_index),
        readiness: case.cast.readiness.clone(),
        refusals: evictions::refusals(&case.world.memory, case.now),
        evicting_at: evictions::evicting_at(plan, case.now),
        drain: safety::workload::remember(case, plan),
        contests: contest::remember(case, plan),
        ..Memory::default()
    };
    for blocker in &mut plan.blockers {
        let key = (blocker.code.to_owned(), blocker.object.clone());
        let since = *case.world.memory.blocked_since.get(&key).unwrap_or(&case.now);
        blocker.since = Some(since.truncated());
        if ANNOUNCED.contains(&blocker.code) && !blocker.remedy.is_empty() {
            memory.told.insert(key.clone());
        }
        memory.blocked_since.insert(key, since);
    }
    memory
}

/// Phase, conditions, counts, and the one status write.
fn report(case: &Case<'_>, ruling: &mut Ruling, plan: &mut Plan, memory: &Memory) {
    let first = case.status().observed_generation.is_empty();
    let new_generation =
        case.status().observed_generation != ObservedGeneration::of(case.world.rollout.metadata.generation);
    counts::fill(case, &mut ruling.next);
    conditions::update(case, ruling);
    duration::update(case, ruling);
    let shown = phase::controller(&case.world.rollout, &ruling.next);
    let (shown_phase, message) = match unhealthy(case, plan, shown.phase) {
        Some(message) => (phase::PROGRESSING, message.to_owned()),
        None => (shown.phase, shown.message),
    };
    shown_phase.clone_into(&mut ruling.next.phase);
    ruling.next.message = message;
    ruling.next.siskin = report::siskin(case, plan, memory);
    kstatus::speak(case, &mut ruling.next, plan);

    let mut events = std::mem::take(&mut ruling.events);
    if new_generation && !case.world.digest.unknown.is_empty() {
        let fields = case.world.digest.unknown.join(", ");
        events.push(Event::warning("UnknownFields", format!("fields that nothing reads: {fields}")));
    }
    events.extend(managed::unheard(case).filter(|_| new_generation));
    events.extend(calls(case, plan, memory));
    if first {
        announce(case, plan, &mut events);
    }
    plan.events = events;
    let reason = format!(
        "{shown_phase}{}",
        if ruling.next.message.is_empty() { String::new() } else { format!(": {}", ruling.next.message) }
    );
    plan.record = tell(case, &ruling.next, &reason);
}

/// The status write; calls for help that are news are a reason for it of their own, and maxima that a failed write has
/// not brought into the record: without them a successor takes for progress what is none.
fn tell(case: &Case<'_>, next: &RolloutStatus, reason: &str) -> Option<Record> {
    let calls = report::calls_for_help(next.siskin.as_ref());
    let old = case.status().siskin.as_ref();
    let known = calls == report::calls_for_help(old) && !report::has_risen(old, next.siskin.as_ref());
    // Where it would be pruned, there is nothing to tell: it would be written for ever.
    let told = known || case.world.settings.own_status == OwnStatus::Pruned;
    let own = if told { OwnPart::GoesAlong } else { OwnPart::IsNews };
    record::record(case, next, own, reason)
}

/// What is missing although the contract's rules say Healthy: they count pods of former revisions as available ones (I41).
fn unhealthy(case: &Case<'_>, plan: &Plan, shown: &str) -> Option<&'static str> {
    if shown != phase::HEALTHY || crate::mutant!("healthy-too-early") {
        return None;
    }
    // Pods that are about to go still count as available by the contract's rules.
    if case.cast.new.as_ref().map_or(0, capacity::dependable) < case.world.replicas() {
        return Some(phase::PODS_PENDING);
    }
    // A plan may take weights out of their rest that the record of a moment ago calls final.
    let weighs = |effect: &Effect| effect.phase == Phase::Route && effect.object.resource.kind != "Service";
    let moves = plan.effects.iter().any(weighs);
    (moves || !conditions::weights_rest(case)).then_some(phase::WEIGHTS_PENDING)
}

/// Warnings of what users feel and a person has to mend, each told once.
fn calls(case: &Case<'_>, plan: &Plan, memory: &Memory) -> Vec<Event> {
    let known = &case.world.memory.told;
    let news = |blocker: &&Blocker| {
        let key = (blocker.code.to_owned(), blocker.object.clone());
        memory.told.contains(&key) && !known.contains(&key)
    };
    let calls = plan.blockers.iter().filter(news);
    calls.map(|call| Event::warning(call.code, format!("{}: {}; {}", call.object, call.message, call.remedy))).collect()
}

/// The first event that a Rollout has comes before all others.
fn announce(case: &Case<'_>, plan: &mut Plan, events: &mut Vec<Event>) {
    let message = format!("Rollout resource added to informer: {}", case.world.rollout.metadata.path());
    let event = Event::normal("RolloutAddedToInformer", message);
    match plan.effects.first_mut() {
        Some(effect) => effect.events.insert(0, event),
        None => events.insert(0, event),
    }
}

/// The plan while the referenced workload's kind has not been read: none. What is not known is not decided on.
fn wait_for(case: &Case<'_>, object: &ObjectRef) -> Decision {
    let kind = &object.resource.plural;
    let blocker = Blocker::wait("WorkloadUnread", object.to_string(), format!("{kind} have not been read yet"))
        .remedy(format!("let the controller's account list and watch {kind}: siskin rbac"));
    let mut plan = Plan { blockers: vec![blocker], ..Plan::default() };
    plan.wake(case.now + UNREAD_RECHECK);
    let memory = remember(case, case.status(), &mut plan);
    let since = plan.blockers.first().and_then(|blocker| blocker.since).unwrap_or(case.now);
    if since + UNREAD_PATIENCE <= case.now {
        let next = RolloutStatus { siskin: report::siskin(case, &plan, &memory), ..case.status().clone() };
        plan.record = tell(case, &next, "workload has not been read");
    }
    Decision { plan, memory }
}

/// The plan of an invalid Rollout: it says so, and touches nothing.
fn refuse(case: &Case<'_>, message: String) -> Decision {
    let mut next = case.status().clone();
    conditions::set_invalid(case.now, &mut next, message);
    let shown = phase::controller(&case.world.rollout, &next);
    shown.phase.clone_into(&mut next.phase);
    next.message.clone_from(&shown.message);
    let mut plan = Plan::default();
    kstatus::speak(case, &mut next, &mut plan);
    plan.record = record::record(case, &next, OwnPart::GoesAlong, &shown.message);
    plan.wake(case.now + INVALID_REST);
    Decision { plan, memory: Memory { high_water: HighWater::default(), ..case.world.memory.clone() } }
}
