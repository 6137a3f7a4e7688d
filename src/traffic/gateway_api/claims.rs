//! Which backends of a route a Rollout claims, so that two that claim the same one are found.
//!
//! Two Rollouts may share a route, even a rule, as long as no backend is driven by both: each would undo the other.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rules::{Backends, Rule, rules};

/// A backend of a route that a Rollout drives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// Position in `spec.rules`.
    pub rule: usize,
    /// Position in the rule's `backendRefs`.
    pub backend: usize,
    /// The Service that it names.
    pub service: String,
}

/// The backends that a Rollout with these Services claims: in all rules, since a managed rule leads to its canary too.
pub fn claims(route: &Value, canary_service: &str, stable_service: &str) -> BTreeSet<Claim> {
    let backends = Backends {
        canary_service: canary_service.to_owned(),
        stable_service: stable_service.to_owned(),
        managed: Vec::new(),
    };
    let of = |rule: &Rule<'_>| {
        let sides = [(&rule.canary, canary_service), (&rule.stable, stable_service)];
        sides.map(|(found, service)| {
            let claim = |index| Claim { rule: rule.index, backend: index, service: service.to_owned() };
            found.iter().map(|backend| claim(backend.index)).collect::<Vec<_>>()
        })
    };
    rules(route, &backends).iter().flat_map(of).flatten().collect()
}

/// The first backend that both claim.
pub fn contested<'a>(ours: &'a BTreeSet<Claim>, theirs: &'a BTreeSet<Claim>) -> Option<&'a Claim> {
    ours.intersection(theirs).next()
}

#[cfg(test)]
mod tests;
