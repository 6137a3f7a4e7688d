//! The `HorizontalPodAutoscaler` controller: every 15 s, as many replicas as the metrics ask for, within the bounds
//! and at the pace of `spec.behavior`. Source: Kubernetes' documentation of horizontal pod autoscaling.
//!
//! [`metrics`] proposes, [`pace`] holds back, this file looks, writes and reports.

pub mod metrics;
pub mod pace;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};

use self::metrics::{Missing, Proposal};
use self::pace::{Past, held_back};
use super::feed::{Agenda, Feed, key_of};
use super::gateway::Key;
use super::model::Model;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;
use crate::sim::traffic::Loads;

const KIND: &str = "HorizontalPodAutoscaler";
/// Kubernetes: `--horizontal-pod-autoscaler-sync-period`.
const PERIOD: Duration = Duration::from_secs(15);

/// The model. Its actor name is `horizontal-pod-autoscaler`.
#[derive(Clone)]
pub struct Autoscaler {
    hand: Hand,
    feed: Feed,
    agenda: Agenda<Key>,
    loads: Arc<Mutex<Loads>>,
    /// External metrics by name, as tests or a scenario set them.
    external: Arc<Mutex<BTreeMap<String, f64>>>,
    past: BTreeMap<Key, Past>,
}

impl Autoscaler {
    /// A controller that sees pods' load in `loads`.
    pub fn new(server: &ApiServer, loads: Arc<Mutex<Loads>>) -> Self {
        let hand = server.hand("horizontal-pod-autoscaler");
        let feed = Feed::new(&hand, &[KIND]);
        Self { hand, feed, agenda: Agenda::new(), loads, external: Arc::default(), past: BTreeMap::new() }
    }

    /// The external metrics that it reads, by name.
    pub fn external(&self) -> Arc<Mutex<BTreeMap<String, f64>>> {
        self.external.clone()
    }

    fn settle(&mut self, hpa: &Value, now: Time) {
        let (kind, name) =
            (object::text(hpa, "/spec/scaleTargetRef/kind"), object::text(hpa, "/spec/scaleTargetRef/name"));
        let namespace = object::namespace(hpa);
        let Ok(scale) = self.hand.scale_of(kind, (namespace, name)) else {
            let why =
                format!("the HPA controller was unable to get the target's current scale: {kind} {name:?} not found");
            return self.report(
                hpa,
                (None, None),
                &[condition("AbleToScale", false, "FailedGetScale", &why)],
                (&[], now),
            );
        };
        let current = object::integer(&scale, "/spec/replicas").unwrap_or(0);
        if current == 0 {
            let why = "scaling is disabled since the replica count of the target is zero";
            let told = [condition("ScalingActive", false, "ScalingDisabled", why)];
            return self.report(hpa, (Some(&scale), Some(0)), &told, (&[], now));
        }
        let proposals = self.proposals(hpa, &scale, current, now);
        let (wanted, active) = choose(current, &proposals);
        let past = self.past.entry(key_of(hpa)).or_default();
        let decided = held_back(hpa, (current, wanted), past, now);
        let mut told = vec![condition("AbleToScale", true, decided.able.0, decided.able.1), active];
        told.push(condition("ScalingLimited", decided.limit.0, decided.limit.1, decided.limit.2));
        if decided.replicas != current {
            // A target that is gone, or that refuses, is looked at again in the next period.
            let done = self.hand.scale(kind, (namespace, name), decided.replicas);
            if done.is_ok() {
                past.scaled(decided.replicas - current, now);
            }
        }
        let shown: Vec<Value> = proposals.iter().filter_map(|one| Some(one.as_ref().ok()?.shown.clone())).collect();
        self.report(hpa, (Some(&scale), Some(decided.replicas)), &told, (&shown, now));
    }

    fn proposals(&self, hpa: &Value, scale: &Value, current: i64, now: Time) -> Vec<Result<Proposal, Missing>> {
        let selector = object::text(scale, "/status/selector");
        let labels = json!(selector.split(',').filter_map(|term| term.split_once('=')).collect::<BTreeMap<_, _>>());
        let mut pods = self.hand.list("Pod", object::namespace(hpa));
        pods.retain(|pod| object::has_labels(pod, &labels));
        let seen = metrics::Seen {
            pods: &pods,
            loads: &self.loads.lock(),
            external: &self.external.lock(),
            current,
            there: object::integer(scale, "/status/replicas").unwrap_or(0),
            now,
        };
        object::list(hpa, "/spec/metrics").iter().map(|metric| metrics::propose(metric, &seen)).collect()
    }

    fn report(
        &self,
        hpa: &Value,
        (scale, desired): (Option<&Value>, Option<i64>),
        told: &[Value],
        (metrics, now): (&[Value], Time),
    ) {
        let current = scale.and_then(|scale| object::integer(scale, "/status/replicas"));
        let mut status = hpa.get("status").cloned().unwrap_or_else(|| json!({}));
        let before = object::integer(&status, "/desiredReplicas");
        object::put(&mut status, &["currentReplicas"], json!(current.unwrap_or(0)));
        object::put(&mut status, &["desiredReplicas"], json!(desired.or(before).unwrap_or(0)));
        object::put(&mut status, &["currentMetrics"], json!(metrics));
        let asked = scale.and_then(|scale| object::integer(scale, "/spec/replicas"));
        if desired.is_some() && desired != asked {
            object::put(&mut status, &["lastScaleTime"], json!(now));
        }
        let old = object::list(hpa, "/status/conditions");
        let dated = told.iter().map(|condition| {
            let same =
                |old: &&Value| old.get("type") == condition.get("type") && old.get("status") == condition.get("status");
            let since = old.iter().find(same).and_then(|old| old.get("lastTransitionTime").cloned());
            let mut condition = condition.clone();
            object::put(&mut condition, &["lastTransitionTime"], since.unwrap_or_else(|| json!(now)));
            condition
        });
        let conditions: Vec<Value> = dated.collect();
        object::put(&mut status, &["conditions"], json!(conditions));
        if hpa.get("status") != Some(&status) {
            // One that is gone needs no status.
            let key = (object::namespace(hpa), object::name(hpa));
            let _ = self.hand.merge_status(KIND, key, &json!({ "status": status }));
        }
    }
}

impl Model for Autoscaler {
    fn tick(&mut self, now: Time) -> Option<Time> {
        for event in self.feed.pull().events {
            match (&event.before, &event.after) {
                (None, Some(new)) => self.agenda.add(key_of(new), now),
                (Some(gone), None) => drop(self.past.remove(&key_of(gone))),
                _ => {}
            }
        }
        for key in self.agenda.take(now) {
            let Some(hpa) = self.hand.get(KIND, &key.0, &key.1) else { continue };
            self.settle(&hpa, now);
            self.agenda.add(key, now + PERIOD);
        }
        self.agenda.next()
    }
}

/// The largest proposal. Where a metric is missing, the others may not scale down.
fn choose(current: i64, proposals: &[Result<Proposal, Missing>]) -> (i64, Value) {
    let largest = proposals.iter().filter_map(|one| one.as_ref().ok()).max_by_key(|proposal| proposal.replicas);
    let missing = proposals.iter().find_map(|one| one.as_ref().err());
    match (largest, missing) {
        (Some(largest), Some(missing)) if largest.replicas < current => {
            (current, condition("ScalingActive", false, missing.reason, &missing.message))
        }
        (None, Some(missing)) => (current, condition("ScalingActive", false, missing.reason, &missing.message)),
        (None, None) => {
            (current, condition("ScalingActive", false, "InvalidMetricSourceType", "the HPA names no metrics"))
        }
        (Some(largest), _) => {
            let why = format!("the HPA was able to successfully calculate a replica count from {}", largest.metric);
            (largest.replicas, condition("ScalingActive", true, "ValidMetricFound", &why))
        }
    }
}

fn condition(kind: &str, holds: bool, reason: &str, message: &str) -> Value {
    json!({ "type": kind, "status": if holds { "True" } else { "False" }, "reason": reason, "message": message })
}

#[cfg(test)]
mod tests;
