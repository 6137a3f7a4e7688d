//! The disruption controller: how many pods of each `PodDisruptionBudget` are healthy, and how many may go.
//! Source: `pkg/controller/disruption` of Kubernetes, the arithmetic only.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::feed::{Agenda, Feed, key_of};
use super::gateway::Key;
use super::model::Model;
use super::replica_sets::ready_since;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand, selects};
use crate::sim::object;

/// An eviction that nobody has carried out is forgotten after this. Kubernetes: `DeletionTimeout`.
const EVICTION_TIMEOUT: Duration = Duration::from_mins(2);

/// The model. Its actor name is `disruption-controller`.
#[derive(Clone)]
pub struct Disruption {
    hand: Hand,
    feed: Feed,
    lag: Duration,
    agenda: Agenda<Key>,
}

impl Disruption {
    /// A controller that reacts `lag` after each change.
    pub fn new(server: &ApiServer, lag: Duration) -> Self {
        let hand = server.hand("disruption-controller");
        let feed = Feed::new(&hand, &["PodDisruptionBudget", "Pod"]);
        Self { hand, feed, lag, agenda: Agenda::new() }
    }

    fn settle(&self, budget: &Value, now: Time) -> Option<Time> {
        let namespace = object::namespace(budget);
        let mut pods = self.hand.list("Pod", namespace);
        pods.retain(|pod| {
            selects(budget, pod) && !matches!(object::text(pod, "/status/phase"), "Succeeded" | "Failed")
        });
        let expected = self.expected(&pods);
        let healthy_wanted = desired(budget, expected);
        let evicted = budget.pointer("/status/disruptedPods").and_then(Value::as_object);
        let mut pending = serde_json::Map::new();
        let mut timer: Option<Time> = None;
        for (name, since) in evicted.into_iter().flatten() {
            let live = pods.iter().find(|pod| object::name(pod) == name).filter(|pod| !object::is_terminating(pod));
            let due = since.as_str().and_then(|text| text.parse::<Time>().ok()).map(|since| since + EVICTION_TIMEOUT);
            if let (Some(_), Some(due)) = (live, due.filter(|due| *due > now)) {
                pending.insert(name.clone(), since.clone());
                timer = Some(timer.map_or(due, |timer| timer.min(due)));
            }
        }
        let healthy = pods.iter().filter(|pod| {
            ready_since(pod).is_some() && !object::is_terminating(pod) && !pending.contains_key(object::name(pod))
        });
        let healthy = i64::try_from(healthy.count()).unwrap_or(i64::MAX);
        let allowed = if expected == 0 { 0 } else { (healthy - healthy_wanted).max(0) };
        self.report(budget, (healthy, healthy_wanted, expected, allowed), pending, now);
        timer
    }

    fn report(
        &self,
        budget: &Value,
        (healthy, wanted, expected, allowed): (i64, i64, i64, i64),
        pending: serde_json::Map<String, Value>,
        now: Time,
    ) {
        let truth = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
        let conditions = object::list(budget, "/status/conditions").iter();
        let old = conditions.rev().find(|condition| object::text(condition, "/status") == truth.0);
        let since = old.and_then(|old| old.get("lastTransitionTime").cloned()).unwrap_or_else(|| json!(now));
        let mut status = json!({
            "currentHealthy": healthy, "desiredHealthy": wanted, "expectedPods": expected, "disruptionsAllowed": allowed,
            "observedGeneration": object::generation(budget),
            "conditions": [{
                "type": "DisruptionAllowed", "status": truth.0, "reason": truth.1, "message": "",
                "observedGeneration": object::generation(budget), "lastTransitionTime": since,
            }],
        });
        if !pending.is_empty() {
            object::put(&mut status, &["disruptedPods"], Value::Object(pending));
        }
        if budget.get("status") != Some(&status) {
            let mut next = budget.clone();
            object::put(&mut next, &["status"], status);
            // A conflict or a budget that is gone brings another look.
            let _ = self.hand.replace_status("PodDisruptionBudget", next);
        }
    }

    /// How many pods there should be: the sizes of the pods' controllers.
    fn expected(&self, pods: &[Arc<Value>]) -> i64 {
        let mut counted = std::collections::BTreeSet::new();
        let mut sum = 0;
        for pod in pods {
            let owner = object::list(pod, "/metadata/ownerReferences")
                .iter()
                .find(|owner| owner.get("controller") == Some(&json!(true)));
            let Some(owner) = owner else {
                sum += 1;
                continue;
            };
            if counted.insert(object::text(owner, "/uid").to_owned()) {
                let (kind, name) = (object::text(owner, "/kind"), object::text(owner, "/name"));
                let found = self.hand.get(kind, object::namespace(pod), name);
                sum += found.and_then(|found| object::integer(&found, "/spec/replicas")).unwrap_or(0);
            }
        }
        sum
    }
}

impl Model for Disruption {
    fn tick(&mut self, now: Time) -> Option<Time> {
        for event in self.feed.pull().events {
            if event.kind == "PodDisruptionBudget" {
                event.after.iter().for_each(|budget| self.agenda.add(key_of(budget), now + self.lag));
                continue;
            }
            let Some(pod) = event.object() else { continue };
            for budget in self.hand.list("PodDisruptionBudget", object::namespace(pod)) {
                if selects(&budget, pod) {
                    self.agenda.add(key_of(&budget), now + self.lag);
                }
            }
        }
        for key in self.agenda.take(now) {
            let Some(budget) = self.hand.get("PodDisruptionBudget", &key.0, &key.1) else { continue };
            if let Some(timer) = self.settle(&budget, now) {
                self.agenda.add(key, timer);
            }
        }
        self.agenda.next()
    }
}

/// The pods that must be healthy: `minAvailable`, or what `maxUnavailable` leaves; percentages round up.
fn desired(budget: &Value, expected: i64) -> i64 {
    let read = |field: &str| budget.get("spec").and_then(|spec| spec.get(field));
    if let Some(most) = read("maxUnavailable") {
        return (expected - scaled(most, expected)).max(0);
    }
    scaled(read("minAvailable").unwrap_or(&json!(1)), expected)
}

fn scaled(value: &Value, of: i64) -> i64 {
    let percent = value.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok());
    percent.map(|percent| (percent * of + 99) / 100).or_else(|| value.as_i64()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
