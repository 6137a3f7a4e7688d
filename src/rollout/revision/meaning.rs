//! What a pod template means, as a short text that is kept on the `ReplicaSet` made for it.
//!
//! The stored template answers for a revision only as long as nobody edits it. Where it was, the pods of that
//! `ReplicaSet` still run what it was made for, and equality with the edited one would call them a revision that they
//! are not (pitfall B56). The digest outlives the edit.

use serde_json::{Map, Value, json};

use super::defaults;
use super::equality::remove_what_never_counts;
use super::go_json::{fits, integer, is_zero};
use super::hash::fnv64a;
use super::pod_table::POD_TEMPLATE_SPEC;
use super::quantity::Quantity;
use super::table::{Kind, Struct};

/// Which rules made a digest: the one of other rules says nothing. To be raised with any change of defaults or of
/// what counts as equal; a test holds the digest of one template.
const RULES: &str = "1-";

/// The digest of a template as the user wrote it: the same for all that [`super::equality`] calls equal, `1-` and
/// sixteen hexadecimal digits. Fields that are zero do not count, so that new ones in later versions change none.
pub fn digest(template: &Value) -> String {
    let mut template = template.clone();
    defaults::apply(&mut template);
    remove_what_never_counts(&mut template);
    let text = Value::Object(canonical_struct(&POD_TEMPLATE_SPEC, &template)).to_string();
    format!("{RULES}{:016x}", fnv64a(text.as_bytes()))
}

/// Whether `recorded` is of these rules and tells of another template than `digest`.
pub fn contradicts(recorded: &str, digest: &str) -> bool {
    recorded.starts_with(RULES) && recorded != digest
}

fn canonical_struct(shape: &Struct, value: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    for field in shape.fields {
        let Some(value) = value.get(field.key).filter(|v| !v.is_null() && fits(field.kind, v)) else { continue };
        let collection = matches!(field.kind, Kind::List(_) | Kind::Map(_));
        let canonical = canonical(field.kind, value);
        // A pointer to a zero is not the absent pointer, except where both mean an empty collection.
        if (field.presence.is_pointer() && !collection) || !is_empty(field.kind, &canonical) {
            fields.insert(field.key.to_owned(), canonical);
        }
    }
    fields
}

fn is_empty(kind: Kind, canonical: &Value) -> bool {
    match kind {
        Kind::Struct(_) => canonical.as_object().is_some_and(Map::is_empty),
        Kind::Quantity | Kind::IntOrString => canonical == &json!(0),
        _ => is_zero(kind, canonical),
    }
}

/// A value of one kind in one spelling; keys of objects are sorted by what writes them.
fn canonical(kind: Kind, value: &Value) -> Value {
    match kind {
        Kind::Text | Kind::Bytes | Kind::Bool | Kind::Raw => value.clone(),
        Kind::Int32 | Kind::Int64 => json!(integer(value).unwrap_or(0)),
        Kind::IntOrString => integer(value).map_or_else(|| value.clone(), Value::from),
        Kind::Quantity => {
            Quantity::from_json(value).filter(|q| q.signum() != 0).map_or(json!(0), |q| json!(q.by_value()))
        }
        Kind::Time => {
            json!(value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(|t| t.to_string()))
        }
        Kind::Struct(shape) => Value::Object(canonical_struct(shape, value)),
        Kind::List(element) => value.as_array().into_iter().flatten().map(|v| canonical(*element, v)).collect(),
        Kind::Map(element) => {
            let entries = value.as_object().into_iter().flatten();
            Value::Object(entries.map(|(key, v)| (key.clone(), canonical(*element, v))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::revision::equality::same_template_ignoring_hash;

    const CASES: &str = include_str!("equality/cases.jsonl");

    /// A change of this digest is a change of the rules: raise [`RULES`], or ReplicaSets that are there are taken for edited.
    #[test]
    fn the_rules_have_a_number() {
        let template = json!({
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "i:1", "ports": [{"containerPort": 80}],
                "resources": {"requests": {"memory": "1Gi", "cpu": "500m"}},
                "livenessProbe": {"httpGet": {"path": "/", "port": "http"}}}]},
        });
        assert_eq!(digest(&template), "1-6339a969f0be72a1");
        assert_eq!(digest(&Value::Null), "1-08f44b07b5901a25");
    }

    #[test]
    fn equal_templates_have_one_digest_and_others_have_not() {
        let mut same = 0;
        for line in CASES.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let (stored, desired) = (&case["stored"], &case["desired"]);
            // What is made is digested as users write it, so defaults are filled in on both sides.
            let equal = same_template_ignoring_hash(&defaults::with_defaults(stored), desired);
            assert_eq!(digest(stored) == digest(desired), equal, "{}", case["what"]);
            same += usize::from(equal);
        }
        assert!(same > 5);
    }

    #[test]
    fn a_digest_of_other_rules_says_nothing() {
        let now = digest(&json!({}));
        assert!(!contradicts(&now, &now) && !contradicts("0-0", &now) && !contradicts("", &now));
        assert!(contradicts(&digest(&json!({"spec": {"nodeName": "a"}})), &now));
    }
}
