//! The subresource `eviction` of pods: a deletion that disruption budgets may refuse.

use std::sync::Arc;

use serde_json::{Value, json};

use super::reject::Reject;
use super::remove::Deletion;
use super::request::Options;
use super::store::{Act, Address, Store};
use crate::sim::models::replica_sets::ready_since;
use crate::sim::object;

impl Store {
    /// POST of `pods/eviction`. The answer is the pod's last state.
    ///
    /// A budget is counted from the pods that it selects, not from its status. Kubernetes: `pkg/registry/core/pod/storage`,
    /// `EvictionREST.Create`.
    pub fn evict(&mut self, act: &Act<'_>, at: &Address, eviction: &Value) -> Result<Arc<Value>, Reject> {
        let pod = self.get(at)?;
        let options = eviction.get("deleteOptions").cloned().unwrap_or_else(|| json!({}));
        let how = Deletion::of(&options, &Options::default())?;
        let budgets = self.list(&self.resource_of("PodDisruptionBudget")?, &at.namespace, &Options::default())?;
        let pods = self.list(&at.resource, &at.namespace, &Options::default())?.items;
        if !object::is_terminating(&pod) && budgets.items.iter().any(|budget| refuses(budget, &pod, &pods)) {
            let message = "Cannot evict pod as it would violate the pod's disruption budget.";
            return Err(Reject::new(429, "TooManyRequests", message));
        }
        self.delete(act, at, &how)
    }
}

/// Whether a budget selects the pod and has none to spare.
fn refuses(budget: &Value, pod: &Value, pods: &[Arc<Value>]) -> bool {
    let labels = budget.pointer("/spec/selector/matchLabels").unwrap_or(&Value::Null);
    if !object::has_labels(pod, labels) {
        return false;
    }
    let selected = || pods.iter().filter(|pod| object::has_labels(pod, labels));
    let expected = count(selected().count());
    let healthy = count(selected().filter(|pod| !object::is_terminating(pod) && ready_since(pod).is_some()).count());
    let least = match (budget.pointer("/spec/minAvailable"), budget.pointer("/spec/maxUnavailable")) {
        (Some(least), _) => amount(least, expected),
        (None, Some(most)) => expected - amount(most, expected),
        (None, None) => 0,
    };
    healthy - i64::from(ready_since(pod).is_some()) < least
}

fn count(pods: usize) -> i64 {
    i64::try_from(pods).unwrap_or(i64::MAX)
}

/// An integer, or a percentage rounded up.
fn amount(value: &Value, whole: i64) -> i64 {
    let percent = value.as_str().and_then(|text| text.trim_end_matches('%').parse::<i64>().ok());
    value.as_i64().or_else(|| percent.map(|percent| (percent * whole + 99) / 100)).unwrap_or(0)
}
