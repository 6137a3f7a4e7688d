//! A write as a line of a story.

use serde_json::Value;

use crate::sim::api_server::Entry;
use crate::sim::checker::facts::HASH;
use crate::sim::object;

/// One write in one line.
pub fn describe(entry: &Entry) -> String {
    let after = entry.after.as_deref().unwrap_or(&Value::Null);
    let time = entry.time.to_micro();
    let hash = |pointer: &str| {
        after.pointer(pointer).and_then(|map| map.get(HASH)).and_then(Value::as_str).unwrap_or("-").to_owned()
    };
    let told = match entry.kind.as_str() {
        "ReplicaSet" => {
            let n = |pointer: &str| object::integer(after, pointer).unwrap_or(0);
            let deadline = object::annotation(after, crate::api::names::SCALE_DOWN_DEADLINE).unwrap_or("");
            format!(
                "{}/{} of {} {deadline}",
                n("/status/availableReplicas"),
                n("/status/replicas"),
                n("/spec/replicas")
            )
        }
        "Service" => hash("/spec/selector"),
        "HTTPRoute" => format!(
            "{} gen {} ack {}",
            after.pointer("/spec/rules/0/backendRefs").unwrap_or(&Value::Null),
            object::generation(after),
            crate::sim::checker::routes::acknowledged(after)
        ),
        "Rollout" => {
            let status = after.get("status").cloned().unwrap_or_default();
            let part = |key: &str| status.get(key).map(ToString::to_string).unwrap_or_default();
            format!(
                "{} {} index {} abort {} full {} pauses {} resumed {} stable {} current {} weights {}",
                part("phase"),
                part("message"),
                part("currentStepIndex"),
                part("abort"),
                part("promoteFull"),
                part("pauseConditions"),
                part("controllerPause"),
                part("stableRS"),
                part("currentPodHash"),
                status.pointer("/canary/weights/canary/weight").unwrap_or(&Value::Null)
            )
        }
        "AnalysisRun" | "Pod" => object::text(after, "/status/phase").to_owned(),
        _ => return format!("{time} {} {} {}", entry.actor, entry.kind, entry.name),
    };
    format!(
        "{time} {} {:?} {} {} {}: {told}",
        entry.actor,
        entry.verb,
        entry.kind,
        entry.name,
        entry.subresource.as_deref().unwrap_or("")
    )
}
