//! The weights that a route's spec puts in force, and what its parents say of them.
//!
//! Reading never judges: a route that cannot carry the weights reads as one without splitting rules, and
//! [`super::edit()`] says what is wrong.

use serde_json::Value;

use super::config::Label;
use super::parents;
use super::rules::{BackendRef, Backends, in_force, rules};
use crate::traffic::Acknowledgement;

/// What a route says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The canary's weight; the largest of all rules that take part; 0 where there is none.
    pub canary: i32,
    /// The stable Service's weight; the largest of all rules that take part; 0 where there is none.
    pub stable: i32,
    /// Whether there is a rule that splits, and all rules that take part have the same weights.
    pub agrees: bool,
    /// `metadata.generation`, which the weights belong to.
    pub generation: i64,
    /// Value of the in-progress label; `None` where it is absent or no label was asked for.
    pub in_progress_label: Option<String>,
    /// What the parents say of this generation.
    pub acknowledgement: Acknowledgement,
    /// The rules that name the canary or the stable Service, also those that take no part; not those of header routes.
    pub rules: Vec<RuleWeights>,
    /// Names (or paths) of the rules of managed routes, by which requests reach the canary whatever its weight.
    pub managed: Vec<String>,
}

/// The weights of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleWeights {
    /// The rule's path in the route.
    pub rule: String,
    /// Weight of the canary, all of its backends together; `None` where the rule does not name it.
    pub canary: Option<i32>,
    /// Weight of the stable Service, all of its backends together; `None` where the rule does not name it.
    pub stable: Option<i32>,
    /// Whether these weights are Siskin's to write; if not, they decide nothing.
    pub takes_part: bool,
}

impl RuleWeights {
    /// The canary's share of what the rule gives the two Services, of `max_weight`, rounded up.
    fn canary_share(&self, max_weight: i32) -> i32 {
        let (canary, max) = (i64::from(self.canary.unwrap_or(0)), i64::from(max_weight.max(0)));
        let share = match self.stable.map(i64::from) {
            None => canary.min(max),
            Some(stable) if canary + stable == 0 => 0,
            Some(stable) => (canary * max + canary + stable - 1) / (canary + stable),
        };
        i32::try_from(share).unwrap_or(i32::MAX)
    }
}

impl Reading {
    /// Whether every rule that takes part holds exactly these weights.
    pub const fn is_at(&self, canary_weight: i32, max_weight: i32) -> bool {
        self.agrees && self.canary == canary_weight && self.stable == max_weight.saturating_sub(canary_weight)
    }

    /// The canary's share of the split traffic, in parts of `max_weight`, rounded up: the largest of all rules.
    ///
    /// This is what capacity must be there for. A fresh route without weights reads as 1 and 1, and that is half.
    pub fn canary_share(&self, max_weight: i32) -> i32 {
        let parts = self.rules.iter().filter(|rule| rule.takes_part);
        parts.map(|rule| rule.canary_share(max_weight)).max().unwrap_or(0)
    }
}

/// Reads a live route.
pub fn read(route: &Value, backends: &Backends, label: Option<&Label>) -> Reading {
    let mut managed = Vec::new();
    let mut found = Vec::new();
    for rule in rules(route, backends) {
        if !rule.managed || rule.takes_part() {
            found.push(RuleWeights {
                rule: rule.path(),
                canary: total(&rule.canary),
                stable: total(&rule.stable),
                takes_part: rule.takes_part(),
            });
        }
        if rule.managed && !rule.canary.is_empty() {
            managed.push(if rule.name.is_empty() { rule.path() } else { rule.name.to_owned() });
        }
    }
    let weights = |side: fn(&RuleWeights) -> Option<i32>| found.iter().filter(|rule| rule.takes_part).filter_map(side);
    let (canary, one_canary) = largest(weights(|rule| rule.canary));
    let (stable, one_stable) = largest(weights(|rule| rule.stable));
    Reading {
        canary,
        stable,
        agrees: one_canary && one_stable,
        generation: parents::generation(route),
        in_progress_label: label.and_then(|label| label_value(route, &label.key)).map(str::to_owned),
        acknowledgement: parents::acknowledgement(route),
        rules: found,
        managed,
    }
}

/// The value of a label.
fn label_value<'a>(route: &'a Value, key: &str) -> Option<&'a str> {
    route.pointer("/metadata/labels")?.get(key)?.as_str()
}

/// The weight of all backends together; `None` where there are none.
fn total(backends: &[BackendRef<'_>]) -> Option<i32> {
    backends.iter().map(|backend| in_force(backend.weight)).reduce(i32::saturating_add)
}

/// The largest weight, and whether there is one and all are equal.
fn largest(weights: impl Iterator<Item = i32> + Clone) -> (i32, bool) {
    let max = weights.clone().max();
    (max.unwrap_or(0), max.is_some() && weights.min() == max)
}

#[cfg(test)]
mod tests;
