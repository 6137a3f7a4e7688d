//! The `eviction` subresource of pods: a deletion that a `PodDisruptionBudget` may refuse.
//! Source: `pkg/registry/core/pod/storage/eviction.go` of Kubernetes, the rules only.

use std::sync::Arc;

use serde_json::{Value, json};

use super::reject::Reject;
use super::remove::Deletion;
use super::request::Verb;
use super::store::{Act, Address, Store};
use crate::sim::object;

const BUDGETS: &str = "poddisruptionbudgets.policy";
/// When a refused client should ask again, in seconds.
const RETRY_AFTER: u64 = 10;

impl Store {
    /// Evicts a pod; 429 where its budget allows no disruption now.
    pub fn evict(&mut self, act: &Act<'_>, at: &Address, how: &Deletion) -> Result<(), Reject> {
        let pod = self.get(at)?;
        let delete = Act { verb: Verb::Delete, subresource: Some("eviction"), ..*act };
        let ended = matches!(object::text(&pod, "/status/phase"), "Succeeded" | "Failed" | "Pending");
        if !ended && !object::is_terminating(&pod) {
            let budgets = self.budgets_of(&pod);
            match budgets.as_slice() {
                [] => {}
                [budget] => self.charge(act, budget, &pod)?,
                _ => {
                    let why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
                    return Err(Reject::new(500, "InternalError", why));
                }
            }
        }
        self.delete(&delete, at, how).map(drop)
    }

    fn budgets_of(&self, pod: &Value) -> Vec<Arc<Value>> {
        let Some(table) = self.tables.get(BUDGETS) else { return Vec::new() };
        let same = table.objects.values().filter(|budget| object::namespace(budget) == object::namespace(pod));
        same.filter(|budget| selects(budget, pod)).cloned().collect()
    }

    /// Takes one disruption from the budget, or refuses.
    fn charge(&mut self, act: &Act<'_>, budget: &Value, pod: &Value) -> Result<(), Reject> {
        let number = |field: &str| object::integer(budget, &format!("/status/{field}")).unwrap_or(0);
        let name = object::name(budget);
        if !object::is_ready(pod) {
            let always = object::text(budget, "/spec/unhealthyPodEvictionPolicy") == "AlwaysAllow";
            let healthy = number("currentHealthy") >= number("desiredHealthy") && number("desiredHealthy") > 0;
            if always || healthy {
                return Ok(());
            }
        }
        if number("observedGeneration") < object::generation(budget) {
            return Err(refusal(&format!("The disruption budget {name} is still being processed by the server.")));
        }
        let allowed = number("disruptionsAllowed");
        if allowed <= 0 {
            let (needs, has) = (number("desiredHealthy"), number("currentHealthy"));
            return Err(refusal(&format!(
                "The disruption budget {name} needs {needs} healthy pods and has {has} currently"
            )));
        }
        let mut next = budget.clone();
        object::put(&mut next, &["status", "disruptionsAllowed"], json!(allowed - 1));
        object::put(&mut next, &["status", "disruptedPods", object::name(pod)], json!(act.now));
        let namespace = object::namespace(budget).to_owned();
        let at = Address { resource: BUDGETS.into(), namespace, name: name.to_owned() };
        let act = Act { dry_run: act.dry_run, subresource: Some("status"), ..act.by(act.actor, Verb::Update) };
        let old = self.get(&at)?;
        self.replace(&act, &at, (&old, next)).map(drop)
    }
}

/// Whether a budget's selector takes the pod in. An empty selector takes in every pod of the namespace.
pub(crate) fn selects(budget: &Value, pod: &Value) -> bool {
    let Some(selector) = budget.pointer("/spec/selector") else { return false };
    super::select::label_selector(selector, pod)
}

fn refusal(cause: &str) -> Reject {
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    let details = json!({
        "retryAfterSeconds": RETRY_AFTER, "causes": [{ "reason": "DisruptionBudget", "message": cause }],
    });
    Reject { details, ..Reject::new(429, "TooManyRequests", message) }
}
