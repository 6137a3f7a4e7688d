//! Who is reached, and with what capacity: I01–I07, I16, I17.

use std::time::Duration;

use serde_json::Value;

use super::check::{Found, Write};
use super::facts::{Facts, GRACE_SECONDS, Share, hash, wanted};
use super::pace::{former_sizes, unseen_hand};
use super::routes::{Generation, rules};
use crate::api::Time;
use crate::rollout::defaults::{self, AbortScaleDown};
use crate::sim::object;

/// The selector that a Service write sets and the one that it replaces, where they differ.
fn switch<'w>(write: &'w Write<'_>) -> Option<(&'w str, &'w str)> {
    let of = |value: &'w Value| object::at(value, "/spec/selector").and_then(|s| s.get(super::facts::HASH)?.as_str());
    let (from, to) = (of(write.left()).unwrap_or_default(), of(write.made()).unwrap_or_default());
    (write.is("Service") && from != to).then_some((from, to))
}

/// The size that a ReplicaSet write sets and the one that it replaces, where they differ.
pub fn resize(write: &Write<'_>) -> Option<(i64, i64)> {
    if !write.is("ReplicaSet") || write.entry.before.is_none() || write.entry.after.is_none() {
        return None;
    }
    let (from, to) = (wanted(write.left()), wanted(write.made()));
    (from != to).then_some((from, to))
}

/// I01 No dangling selector: while R exists, each Service that it names keeps the key once it has it, and the key names
/// a ReplicaSet of R. Judged at our writes of Services and deletions of ReplicaSets.
pub fn i01(write: &Write<'_>) -> Found {
    if let Some((from, to)) = switch(write)
        && (to.is_empty() || write.after.by_hash(to).is_none())
        && !unseen_hand(write)
    {
        return Err(format!("selector goes from {from:?} to {to:?}, which no ReplicaSet has"));
    }
    if write.is("ReplicaSet") && write.entry.after.is_none() {
        let gone = hash(write.left());
        if let Some(service) = write.before.services().into_iter().find(|name| write.before.selected(name) == gone) {
            return Err(format!("ReplicaSet {gone} is deleted while Service {service} selects it"));
        }
    }
    Ok(())
}

/// I02 Switch needs capacity: for each write of ours changing sel(svc) to h, `avail(rs_h) ≥ need(max_g weight_g(svc))`;
/// for the active Service of a blue-green `avail ≥ N − maxUnavailable`.
pub fn i02(write: &Write<'_>) -> Found {
    let Some((_, to)) = switch(write) else { return Ok(()) };
    let facts = write.before;
    let target = facts.by_hash(to);
    let available = target.map_or(0, |rs| facts.state.available(rs));
    let need = if facts.active() == Some(&write.entry.name) {
        facts.replicas - facts.unavailable
    } else {
        facts.need_to_gain(facts.weight_up(&write.entry.name), to)
    };
    // Of pods that somebody has taken a moment ago the ReplicaSet does not tell yet: reading it live shows nothing.
    let told = target.and_then(|rs| object::integer(rs, "/status/availableReplicas")).unwrap_or(0);
    if available >= need || told >= need && unseen_hand(write) {
        return Ok(());
    }
    Err(format!("switch to {to} with {available} available pods of {need}"))
}

/// The share of a Service in a route's spec.
fn share_in(facts: &Facts<'_>, route: &Value, service: &str) -> Share {
    facts.share_of(&rules(route), |name| name == service)
}

/// Ready endpoints of a Service that belong to a ReplicaSet's pods; `None` where no slice exists.
fn endpoints(facts: &Facts<'_>, service: &str, rs: &Value) -> Option<i64> {
    let pods: Vec<&str> = facts.state.pods(rs).map(|pod| object::uid(pod)).collect();
    let slices = facts.state.list("EndpointSlice", facts.namespace());
    let mine: Vec<_> =
        slices.filter(|slice| object::label(slice, crate::api::names::SERVICE_NAME) == Some(service)).collect();
    let ready = mine.iter().flat_map(|slice| object::list(slice, "/endpoints")).filter(|endpoint| {
        object::at(endpoint, "/conditions/ready").and_then(Value::as_bool) == Some(true)
            && pods.contains(&object::text(endpoint, "/targetRef/uid"))
    });
    let count = i64::try_from(ready.count()).unwrap_or(i64::MAX);
    (!mine.is_empty()).then_some(count)
}

/// I03 Weight needs capacity: each route write raising the share of a backend b to x needs `avail(tgt(b)) ≥ need(x)` and
/// as many ready endpoints of b: in the world that the write was computed from, so slices that no data plane has shown
/// itself behind do not count where they are late. Only a share taken from a backend without any available pod may go to one with ≥ 1.
pub fn i03(write: &Write<'_>) -> Found {
    let (facts, Some((canary, stable))) = (write.before, write.before.routed()) else { return Ok(()) };
    if !write.is_route() || facts.replicas == 0 {
        return Ok(());
    }
    if facts.selected(canary) == facts.selected(stable) {
        // The same pods answer, whatever the weights.
        return Ok(());
    }
    for (gains, loses) in [(canary, stable), (stable, canary)] {
        let share = share_in(facts, write.made(), gains);
        if !share.exceeds(share_in(facts, write.left(), gains)) {
            continue;
        }
        let target = facts.target(gains);
        let available = target.map_or(0, |rs| facts.state.available(rs));
        let dead = facts.target(loses).is_none_or(|rs| facts.state.available(rs) == 0);
        let need = facts.need_to_gain(share, facts.selected(gains));
        let need = if dead { need.min(1) } else { need };
        let unseen = facts.state.late_slices && !facts.claimed();
        let ready = target.filter(|_| !unseen).and_then(|rs| endpoints(facts, gains, rs)).unwrap_or(available);
        // A late view may show a Rollout of another size.
        let changed = facts.state.late_views && former_sizes(write).next().is_some();
        if !changed && (available < need || (!dead && ready < need)) {
            let Share { part, whole } = share;
            return Err(format!(
                "{gains} gets {part}/{whole} with {available} available pods and {ready} endpoints of {need}"
            ));
        }
    }
    Ok(())
}

/// I04 No scale-down before acknowledgement: wherever shares exist, lowering `rs.spec.replicas` to r needs
/// `r ≥ need(share↑(rs))`; r = 0 needs share 0 settled, and the declared delay since it was.
pub fn i04(write: &Write<'_>) -> Found {
    let Some((from, to)) = resize(write).filter(|(from, to)| to < from) else { return Ok(()) };
    let facts = write.before;
    let hash = hash(write.left());
    if facts.routed().is_none() && facts.active().is_none() {
        return Ok(());
    }
    let share = facts.share_up(hash);
    let need = facts.need_of(share, hash);
    if to < need {
        let Share { part, whole } = share;
        return Err(format!(
            "{hash} goes from {from} to {to} pods with a share of up to {part}/{whole}, which needs {need}"
        ));
    }
    // Pods that have not come yet have served nobody.
    if to > 0 || facts.replicas == 0 || facts.state.available(write.left()) == 0 {
        return Ok(());
    }
    let grace = if facts.routed().is_some() && facts.claimed() { GRACE_SECONDS } else { 0 };
    let Some(exposed) = write.past.exposed.get(hash) else { return Ok(()) };
    let waited = write.entry.time.since(*exposed);
    let declared = delay(write, hash, *exposed).saturating_sub(facts.state.clocks_apart);
    let delay = declared.max(Duration::from_secs(grace));
    if waited < delay {
        return Err(format!("{hash} goes to 0 {waited:?} after its last share, declared are {delay:?}"));
    }
    Ok(())
}

/// The delay that is declared for a revision's pods, which had their last share at `exposed`.
fn delay(write: &Write<'_>, hash: &str, exposed: Time) -> Duration {
    let rollout = &write.before.rollout;
    let limited = defaults::scale_down_delay_revision_limit(rollout).is_some();
    let declared = if limited { Duration::ZERO } else { defaults::scale_down_delay(rollout) };
    if let Some((aborted, since)) = write.past.aborted.as_ref().filter(|(aborted, _)| aborted == hash) {
        return match defaults::abort_scale_down(rollout) {
            // A way back that was aborted before it had a share leaves the delay that was running (I23).
            AbortScaleDown::After(delay) if exposed < *since => delay.min(declared),
            AbortScaleDown::After(delay) if *aborted != rollout.status.stable_rs => delay,
            _ => Duration::ZERO,
        };
    }
    let former = write.past.former.contains_key(hash) && rollout.status.stable_rs != hash;
    if former { declared } else { Duration::ZERO }
}

/// I05(b) References are live: a pod with share↑>0 within the last D is selected by ≥ 1 Service that R names, where it was;
/// but for the pods that the stable revision, behind no Service, takes the stable one from (docs/decisions/0012).
pub fn i05(write: &Write<'_>) -> Found {
    let Some((from, to)) = switch(write) else { return Ok(()) };
    let (facts, after) = (write.before, write.after);
    let homeless = !facts.services().into_iter().any(|service| facts.selected(service) == to);
    if homeless
        && to == facts.rollout.status.stable_rs
        && facts.routed().is_some_and(|(_, stable)| stable == write.entry.name)
    {
        return Ok(());
    }
    let Some(left) = facts.by_hash(from).filter(|_| facts.routed().is_some()) else { return Ok(()) };
    let still = after.services().into_iter().any(|service| after.selected(service) == from);
    if still || facts.state.available(left) == 0 {
        return Ok(());
    }
    let grace = Duration::from_secs(if facts.claimed() { GRACE_SECONDS } else { 0 });
    let share = facts.share_up(from);
    let waited = write.past.exposed.get(from).map(|exposed| write.entry.time.since(*exposed));
    if share.part > 0 && facts.replicas > 0 || waited.is_some_and(|waited| waited < grace) {
        return Err(format!("no Service selects {from} any more, {waited:?} after its last share"));
    }
    Ok(())
}

/// I06 Abort order: the pods of an aborted canary go after its traffic. With `dynamicStableScale` both go in turns (what
/// its share needs is I04's matter), and each route write that raises the share of stable to x needs x ≤ avail(stable)/N,
/// unless nobody answers behind the canary.
pub fn i06(write: &Write<'_>) -> Found {
    let facts = write.before;
    let status = &facts.rollout.status;
    let Some((canary, stable)) = facts.routed().filter(|_| status.abort && facts.replicas > 0) else { return Ok(()) };
    if status.stable_rs == status.current_pod_hash {
        return Ok(());
    }
    if facts.dynamic() {
        return if write.is("HTTPRoute") { carried(write, (canary, stable)) } else { Ok(()) };
    }
    // Pods beyond N are nobody's to keep.
    let Some((from, to)) = resize(write).filter(|(from, to)| to < from && *to < facts.replicas) else { return Ok(()) };
    let share = facts.share_up(&status.current_pod_hash);
    if hash(write.left()) == status.current_pod_hash && share.part > 0 {
        return Err(format!(
            "aborted canary goes from {from} to {to} pods with a share of up to {}/{}",
            share.part, share.whole
        ));
    }
    Ok(())
}

/// Whether the stable side gets no more than its pods carry.
fn carried(write: &Write<'_>, (canary, stable): (&str, &str)) -> Found {
    let facts = write.before;
    let share = share_in(facts, write.made(), stable);
    let available = |service: &str| facts.target(service).map_or(0, |rs| facts.state.available(rs));
    let raised = share.exceeds(share_in(facts, write.left(), stable));
    if raised && available(canary) > 0 && available(stable) < facts.whole(share) {
        return Err(format!(
            "stable gets {share:?} after an abort with {} of {} pods",
            available(stable),
            facts.replicas
        ));
    }
    Ok(())
}

/// I07 Abort is monotone: after decided(abort) until retry or a new revision no write of ours raises the canary's share.
pub fn i07(write: &Write<'_>) -> Found {
    let (facts, Some((canary, stable))) = (write.before, write.before.routed()) else { return Ok(()) };
    let status = &facts.rollout.status;
    if !write.is_route() || !status.abort || status.stable_rs == status.current_pod_hash {
        return Ok(());
    }
    if facts.selected(canary) == status.stable_rs {
        // Traffic that is led around the stable Service reaches the stable revision.
        return Ok(());
    }
    let (old, new) = (|name| share_in(facts, write.left(), name), |name| share_in(facts, write.made(), name));
    if new(canary).exceeds(old(canary)) || old(stable).exceeds(new(stable)) {
        return Err(format!("aborted canary's share goes from {:?} to {:?}", old(canary), new(canary)));
    }
    Ok(())
}

/// I16 Weight arithmetic: in each rule that we manage the weights are in [0, max] and sum up to max.
pub fn i16(write: &Write<'_>) -> Found {
    let (facts, Some((canary, stable))) = (write.before, write.before.routed()) else { return Ok(()) };
    if !write.is_route() {
        return Ok(());
    }
    for rule in rules(write.made()) {
        let ours: Vec<i64> =
            rule.iter().filter(|(name, _)| name == canary || name == stable).map(|(_, weight)| *weight).collect();
        let sum: i64 = ours.iter().sum();
        if ours.len() >= 2 && (sum != facts.max() || ours.iter().any(|weight| *weight < 0)) {
            return Err(format!("weights {ours:?} do not sum up to {}", facts.max()));
        }
    }
    Ok(())
}

/// I17 Ack is true: `status.canary.weights.verified=true` says that a generation in flight with these weights is
/// acknowledged; without a parent in the route's status it is never true.
pub fn i17(write: &Write<'_>) -> Found {
    let (facts, Some((canary, _))) = (write.before, write.before.routed()) else { return Ok(()) };
    let verified =
        |value: &Value| object::at(value, "/status/canary/weights/verified").and_then(Value::as_bool) == Some(true);
    if !write.is("Rollout") || !verified(write.made()) || verified(write.left()) {
        return Ok(());
    }
    if !facts.claimed() {
        return Err("verified although no parent reports".to_owned());
    }
    let shown = object::integer(write.made(), "/status/canary/weights/canary/weight").unwrap_or(-1);
    for key in facts.routes() {
        let Some(history) = facts.state.routes.get(&key) else { continue };
        let share = |generation: &Generation| facts.share_of(&generation.rules, |name| name == canary);
        let other = |share: &Share| share.part * facts.max() != shown * share.whole;
        // A late view shows what was acknowledged a moment ago.
        let before = facts.state.late_views && history.replaced.iter().any(|(_, was)| !other(&share(was)));
        let share = history.in_flight.first().map(share);
        if share.as_ref().is_some_and(other) && !before {
            return Err(format!("verified {shown}, acknowledged is {share:?}"));
        }
    }
    Ok(())
}
