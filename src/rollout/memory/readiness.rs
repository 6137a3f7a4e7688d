//! How long pods have been ready, by one stopwatch: that of the process that looks.
//!
//! An instant that a node has written down proves nothing beside our clock, for the two may be apart. A pod that becomes
//! ready before our eyes has been so since we saw it; one that was ready at the first look, since then at least. Whatever
//! may have been ready for longer counts as far as the ReplicaSet's status says so too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::api::{Pod, Time};

/// What is remembered of it; nothing where pods are available as soon as they are ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// When this process looked first.
    began: Option<Time>,
    /// The latest of the instants, each by its node's clock, at which the pods that are not young became ready.
    latest: Time,
    /// Pods that became ready later: when by its node's clock, and when that was seen.
    young: BTreeMap<String, (Time, Time)>,
}

impl Readiness {
    /// Brought up to what is observed now, of pods that have to be ready for `min_ready`.
    #[must_use]
    pub fn follow(&self, pods: &[Arc<Pod>], min_ready: Duration, now: Time) -> Self {
        if min_ready.is_zero() {
            return Self::default();
        }
        let ready = || pods.iter().filter_map(|pod| Some((pod.metadata.name.as_str(), ready_since(pod)?)));
        let newest = || ready().map(|(_, since)| since).max().unwrap_or_default();
        let Some(began) = self.began else {
            return Self { began: Some(now), latest: newest(), young: BTreeMap::new() };
        };
        let seen = |name: &str, since: Time| {
            let known = self.young.get(name).filter(|(known, _)| *known == since);
            known.map_or(now, |(_, seen)| *seen)
        };
        let young = ready().filter(|(_, since)| *since > self.latest);
        let young: BTreeMap<_, _> = young.map(|(name, since)| (name.to_owned(), (since, seen(name, since)))).collect();
        let next = Self { began: Some(began), latest: self.latest, young };
        if next.wakes_at(min_ready, now).is_none() {
            // Every pod has been ready for long enough, so none needs to be known by name.
            return Self { began: Some(began), latest: newest().max(self.latest), young: BTreeMap::new() };
        }
        next
    }

    /// Whether a ready pod has been so for long enough before the eyes of this process.
    pub fn is_ripe(&self, pod: &Pod, min_ready: Duration, now: Time) -> bool {
        let seen = self.young.get(&pod.metadata.name).map(|(_, seen)| *seen).or(self.began);
        seen.is_none_or(|seen| seen + min_ready <= now)
    }

    /// Whether a pod that is ready since an instant of its node's clock may have been so for long enough.
    pub fn may_be_ripe(&self, since: Time, min_ready: Duration, now: Time) -> bool {
        since + min_ready <= now || self.began.is_some_and(|began| began + min_ready > now)
    }

    /// When the next pod will have been ready for long enough; `None` where each has.
    pub fn wakes_at(&self, min_ready: Duration, now: Time) -> Option<Time> {
        let seen = self.young.values().map(|(_, seen)| *seen).chain(self.began);
        seen.map(|seen| seen + min_ready).filter(|ripe| *ripe > now).min()
    }
}

/// Since when a pod is ready, by its node's clock; `None` where it is not, or is on its way out.
pub fn ready_since(pod: &Pod) -> Option<Time> {
    if pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let ready =
        pod.status.conditions.iter().find(|condition| condition.kind == "Ready" && condition.status == "True")?;
    Some(ready.last_transition_time.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MIN_READY: Duration = Duration::from_secs(10);

    fn pod(name: &str, since: i64) -> Arc<Pod> {
        let since = Time::from_seconds(since);
        let pod = json!({
            "metadata": {"name": name, "namespace": "shop"},
            "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": since}]},
        });
        Arc::new(serde_json::from_value(pod).unwrap())
    }

    fn at(seconds: i64) -> Time {
        Time::from_seconds(seconds)
    }

    #[test]
    fn what_became_ready_before_our_eyes_is_timed_by_our_clock_alone() {
        // The node's clock is far ahead, or far behind: it says only that the second pod came after the first.
        for node in [-1_000, 0, 1_000] {
            let (old, new) = (pod("old", node + 99), pod("new", node + 120));
            let first = Readiness::default().follow(&[Arc::clone(&old)], MIN_READY, at(100));
            assert!(!first.is_ripe(&old, MIN_READY, at(109)) && first.is_ripe(&old, MIN_READY, at(110)));
            assert!(first.may_be_ripe(at(node + 99), MIN_READY, at(109)), "others may know");
            assert_eq!(first.wakes_at(MIN_READY, at(100)), Some(at(110)));
            let both = first.follow(&[old, Arc::clone(&new)], MIN_READY, at(121));
            assert!(!both.is_ripe(&new, MIN_READY, at(130)) && both.is_ripe(&new, MIN_READY, at(131)));
            assert_eq!(both.wakes_at(MIN_READY, at(121)), Some(at(131)));
        }
    }

    #[test]
    fn a_pod_that_was_not_ready_in_between_begins_anew_and_ripe_ones_are_forgotten() {
        let first = Readiness::default().follow(&[], MIN_READY, at(100));
        let young = first.follow(&[pod("a", 120)], MIN_READY, at(120));
        let again = young.follow(&[pod("a", 125)], MIN_READY, at(126));
        assert_eq!(again.wakes_at(MIN_READY, at(126)), Some(at(136)));
        let ripe = again.follow(&[pod("a", 125)], MIN_READY, at(136));
        assert_eq!((ripe.young.len(), ripe.latest, ripe.wakes_at(MIN_READY, at(136))), (0, at(125), None));
        let next = ripe.follow(&[pod("a", 125), pod("b", 140)], MIN_READY, at(141));
        assert_eq!(next.young.len(), 1);
        assert_eq!(next.follow(&[], Duration::ZERO, at(142)), Readiness::default());
    }
}
