//! What the rig itself judges (I18, I34, I38 and I40), and how it tells of a failure.

use std::time::Duration;

use super::{KEY, LEASE, Rig, is_decision};
use crate::plan::{Phase, Plan, Verb};
use crate::sim::api_server::Entry;
use crate::sim::checker::rest;
use crate::sim::object;
use crate::sim::search::story::describe;

/// Journal entries that a failure prints.
const SHOWN: usize = 45;

impl Rig {
    /// Judges what is left at the end of everything, and what a restart makes of it.
    ///
    /// # Errors
    /// Where the rest is none.
    pub(in crate::sim::search) fn judge_rest(&mut self) -> Result<(), String> {
        rest::judge(&self.checker.state, KEY.0, KEY.1).map_err(|message| self.story(&message))?;
        if self.restarts() {
            return Ok(());
        }
        self.core.look();
        if !self.core.plan.is_empty() {
            return Err(self.story("I40: writes at rest"));
        }
        self.restart();
        self.core.look();
        if self.core.plan.is_empty() { Ok(()) } else { Err(self.story("I18: a restart at rest writes")) }
    }

    /// I38, the part of plans: every write names what it replaces, and one that takes something away what it rests on.
    pub(super) fn guarded(&self) -> Result<(), String> {
        let services = ["canary/canaryService", "canary/stableService", "canary/pingPong", "blueGreen/activeService"];
        let shares = self.checker.state.rollouts().next().is_some_and(|value| {
            let routed = object::at(value, "/spec/strategy/canary/trafficRouting").is_some();
            let named = services.iter().any(|path| object::at(value, &format!("/spec/strategy/{path}")).is_some());
            named && (routed || object::at(value, "/spec/strategy/blueGreen").is_some())
        });
        for effect in &self.core.plan.effects {
            let created = matches!(effect.verb, Verb::Create(_));
            let takes = matches!(effect.phase, Phase::Route | Phase::ScaleDown) && shares;
            let nothing = effect.precondition.resource_version.is_empty() && effect.precondition.uid.is_empty();
            if !created && nothing || takes && effect.rests_on.is_empty() {
                return Err(self.story(&format!("I38: {} of {} without precondition", effect.reason, effect.object)));
            }
        }
        Ok(())
    }

    /// I38, the part of leases: where there is one, it is held and has not run out when a write is committed.
    pub(super) fn led(&self, entry: &Entry) -> Result<(), String> {
        let lease = self.checker.state.get("Lease", KEY.0, LEASE).filter(|_| is_decision(entry));
        let Some(lease) = lease else { return Ok(()) };
        let length = object::integer(lease, "/spec/leaseDurationSeconds").unwrap_or(0);
        let renewed = object::time(lease, "/spec/renewTime").unwrap_or_default();
        let ends = renewed + Duration::from_secs(length.unsigned_abs());
        if object::text(lease, "/spec/holderIdentity").is_empty() || ends <= entry.time {
            return Err(self.story(&format!("I38: a write at {} under a lease that ended {ends}", entry.time)));
        }
        Ok(())
    }

    /// What a run has come to that took too many turns.
    pub(in crate::sim::search) fn endless(&self) -> String {
        self.story("I34: never comes to an end")
    }

    /// A failure with the last writes before it.
    pub fn story(&self, what: &str) -> String {
        let status = self.rollout().map(|rollout| format!("{:#?}", rollout.status.siskin)).unwrap_or_default();
        let from = self.last.len().saturating_sub(SHOWN);
        let mut lines: Vec<String> = self.last.iter().skip(from).map(|entry| describe(entry)).collect();
        lines.push(status);
        lines.extend(self.in_mind());
        format!("{}\n{what}", lines.join("\n"))
    }

    /// What the last look wanted to write, and what it waited for, one a line.
    pub fn in_mind(&self) -> Vec<String> {
        let Plan { effects, record, blockers, .. } = &self.core.plan;
        let planned = effects.iter().map(|effect| format!("planned: {}: {}", effect.object, effect.reason));
        let recorded = record.iter().map(|record| format!("planned: {}: {}", record.object, record.patch));
        let waits = blockers.iter().map(|b| format!("waits: {} {}: {}", b.code, b.object, b.message));
        planned.chain(recorded).chain(waits).collect()
    }

    /// Every write so far, one a line.
    pub fn lines(&self) -> Vec<String> {
        self.last.iter().map(|entry| describe(entry)).collect()
    }
}
