//! The status of a Rollout that cannot be read: an InvalidSpec that names the field, on the JSON as it is stored.
//!
//! Nothing else is decided about it: what cannot be read touches no traffic.

use serde_json::{Value, json};

use super::phase;
use crate::api::Time;
use crate::api::text::shortened;
use crate::rollout::validate::error::quote;

/// The merge patch that says why the Rollout is not carried out; `None` where the status says it already.
///
/// `stored` is the object as the API server has it, `error` the path and what was expected there.
pub fn patch(stored: &Value, error: &str, now: Time) -> Option<Value> {
    let text = |pointer: &str| stored.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let message = shortened(format!("The Rollout {} is invalid: {error}", quote(text("/metadata/name"))));
    let generation = stored.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default().to_string();
    let conditions = stored.pointer("/status/conditions").and_then(Value::as_array);
    let is_ours = |condition: &&Value| condition.get("type").and_then(Value::as_str) == Some("InvalidSpec");
    let known = conditions.into_iter().flatten().find(is_ours);
    let said = known.is_some_and(|known| known.get("message").and_then(Value::as_str) == Some(message.as_str()));
    if said && text("/status/observedGeneration") == generation && text("/status/phase") == phase::DEGRADED {
        return None;
    }
    let now = json!(now.truncated());
    let since = known.and_then(|known| known.get("lastTransitionTime").cloned()).unwrap_or_else(|| now.clone());
    // A list that holds anything else than conditions would be refused.
    let others = conditions.into_iter().flatten().filter(|condition| condition.is_object() && !is_ours(condition));
    let others = others.map(|condition| unhealthy(condition, &now));
    let condition = json!({
        "type": "InvalidSpec", "status": "True", "reason": "InvalidSpec", "message": message,
        "lastUpdateTime": now, "lastTransitionTime": since,
    });
    let conditions: Vec<Value> = others.chain([condition]).collect();
    Some(json!({"status": {
        "conditions": conditions, "observedGeneration": generation,
        "phase": phase::DEGRADED, "message": shortened(format!("InvalidSpec: {message}")),
    }}))
}

/// A condition of before. The status is about the new specification from now on: it takes back that all is well.
fn unhealthy(condition: &Value, now: &Value) -> Value {
    let mut condition = condition.clone();
    if condition["type"] == "Healthy" && condition["status"] == "True" {
        for (field, value) in [("status", json!("False")), ("message", json!("Rollout is not healthy"))] {
            condition[field] = value;
        }
        for field in ["lastUpdateTime", "lastTransitionTime"] {
            condition[field].clone_from(now);
        }
    }
    condition
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_not_healthy() {
        let now: Time = "2026-11-21T12:00:00Z".parse().unwrap();
        let healthy = json!({
            "type": "Healthy", "status": "True", "reason": "RolloutHealthy", "message": "Rollout is healthy",
            "lastUpdateTime": "2026-11-20T12:00:00Z", "lastTransitionTime": "2026-11-20T12:00:00Z",
        });
        let stored = json!({"metadata": {"name": "shop", "generation": 3}, "status": {"conditions": [healthy]}});
        let change = patch(&stored, ERROR, now).unwrap();
        let told = json!({
            "type": "Healthy", "status": "False", "reason": "RolloutHealthy", "message": "Rollout is not healthy",
            "lastUpdateTime": "2026-11-21T12:00:00Z", "lastTransitionTime": "2026-11-21T12:00:00Z",
        });
        assert_eq!(change["status"]["conditions"][0], told);
    }

    const ERROR: &str = "spec.replicas: Invalid value: \"3\": must be a whole number of 32 bits";

    #[test]
    fn other_conditions_stay_and_the_same_is_said_once() {
        let now: Time = "2026-11-21T12:00:00Z".parse().unwrap();
        let mut stored = json!({
            "metadata": {"name": "shop", "generation": 3}, "spec": {"replicas": "3"},
            "status": {"observedGeneration": "2", "phase": "Healthy", "conditions": [{"type": "Available", "status": "True"}, 7]},
        });
        let change = patch(&stored, ERROR, now).unwrap();
        json_patch::merge(&mut stored, &change);
        assert_eq!(
            stored["status"],
            json!({
                "observedGeneration": "3", "phase": "Degraded",
                "message": format!("InvalidSpec: The Rollout \"shop\" is invalid: {ERROR}"),
                "conditions": [{"type": "Available", "status": "True"}, {
                    "type": "InvalidSpec", "status": "True", "reason": "InvalidSpec",
                    "message": format!("The Rollout \"shop\" is invalid: {ERROR}"),
                    "lastUpdateTime": "2026-11-21T12:00:00Z", "lastTransitionTime": "2026-11-21T12:00:00Z",
                }],
            })
        );
        let later = now + std::time::Duration::from_mins(1);
        assert_eq!(patch(&stored, ERROR, later), None);
        stored["metadata"]["generation"] = json!(4);
        let conditions = patch(&stored, ERROR, later).unwrap()["status"]["conditions"].clone();
        assert_eq!(conditions[1]["lastTransitionTime"], "2026-11-21T12:00:00Z");
        assert_eq!(conditions[1]["lastUpdateTime"], "2026-11-21T12:01:00Z");
    }

    #[test]
    fn a_status_of_any_shape_is_no_obstacle() {
        for status in [json!(null), json!("none"), json!({"conditions": {"a": 1}}), json!([])] {
            let mut stored = json!({"metadata": {"name": "shop"}, "status": status});
            let change = patch(&stored, ERROR, Time::from_seconds(0)).unwrap();
            json_patch::merge(&mut stored, &change);
            assert_eq!(patch(&stored, ERROR, Time::from_seconds(9)), None, "{status}");
        }
    }
}
