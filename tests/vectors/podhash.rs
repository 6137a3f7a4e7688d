//! Hashes of pod templates and steps, with the text that is hashed.

use serde_json::{Value, json};
use siskin::rollout::revision::hash::{canonical_steps_json, canonical_template_json, pod_template_hash, steps_hash};

use crate::file::Recorded;

pub const FILE: Recorded = Recorded::new("podhash", answer);

fn answer(kind: &str, input: &Value) -> Option<Value> {
    match kind {
        "template" => {
            let collisions = match &input["collisionCount"] {
                Value::Null => None,
                count => Some(i32::try_from(count.as_i64()?).ok()?),
            };
            let template = &input["template"];
            let hash = pod_template_hash(template, collisions);
            Some(json!({"hash": hash, "canonical": canonical_template_json(template)}))
        }
        "steps" => {
            let strategy = &input["strategy"];
            let canonical = canonical_steps_json(strategy).unwrap_or_default();
            Some(json!({"hash": steps_hash(strategy), "canonical": canonical}))
        }
        _ => None,
    }
}
