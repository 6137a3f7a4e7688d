//! Reading and writing Kubernetes objects as JSON values, without a panic on a missing or odd field.

use serde_json::{Map, Value};

use crate::api::Time;

/// The value at a JSON pointer without escapes. Pointers here are literals, and this is what simulations do most:
/// `Value::pointer` makes two texts for each token, and `str::split` looks for short tokens with a method for long texts.
pub fn at<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    let (mut value, mut rest) = (object, pointer.strip_prefix('/'));
    while let Some(path) = rest {
        let end = path.bytes().position(|byte| byte == b'/');
        let (token, after) = path.split_at_checked(end.unwrap_or(path.len()))?;
        value = match value {
            Value::Object(map) => map.get(token)?,
            Value::Array(list) => list.get(token.parse::<usize>().ok()?)?,
            _ => return None,
        };
        rest = end.and_then(|_| after.strip_prefix('/'));
    }
    Some(value)
}

/// The text at a JSON pointer; empty where there is none.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    at(object, pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The integer at a JSON pointer.
pub fn integer(object: &Value, pointer: &str) -> Option<i64> {
    at(object, pointer).and_then(Value::as_i64)
}

/// The instant at a JSON pointer.
pub fn time(object: &Value, pointer: &str) -> Option<Time> {
    text(object, pointer).parse().ok()
}

/// The list at a JSON pointer; empty where there is none.
pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    at(object, pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// `metadata.namespace`; empty for cluster-scoped objects.
pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// `metadata.uid`.
pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// `metadata.resourceVersion` as a number; 0 where it is none.
pub fn version(object: &Value) -> u64 {
    text(object, "/metadata/resourceVersion").parse().unwrap_or(0)
}

/// `metadata.generation`; 0 where the kind has none.
pub fn generation(object: &Value) -> i64 {
    integer(object, "/metadata/generation").unwrap_or(0)
}

/// Whether `metadata.deletionTimestamp` is set.
pub fn is_terminating(object: &Value) -> bool {
    at(object, "/metadata/deletionTimestamp").is_some_and(|at| !at.is_null())
}

/// `metadata.labels[key]`. Keys hold slashes, so this is not a pointer.
pub fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    at(object, "/metadata/labels")?.get(key)?.as_str()
}

/// `metadata.annotations[key]`.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    at(object, "/metadata/annotations")?.get(key)?.as_str()
}

/// The uid of the owner reference with `controller: true`.
pub fn controller_uid(object: &Value) -> Option<&str> {
    list(object, "/metadata/ownerReferences")
        .iter()
        .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
        .and_then(|owner| owner.get("uid")?.as_str())
}

/// The uids of all owners.
pub fn owner_uids(object: &Value) -> impl Iterator<Item = &str> {
    list(object, "/metadata/ownerReferences").iter().filter_map(|owner| owner.get("uid")?.as_str())
}

/// Sets the field at `path`, making the maps on the way.
pub fn put(object: &mut Value, path: &[&str], value: Value) {
    let Some((key, rest)) = path.split_first() else {
        *object = value;
        return;
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Value::Object(map) = object {
        put(map.entry(*key).or_insert(Value::Null), rest, value);
    }
}

/// Sets the field at `path` where it is missing or null.
pub fn put_default(object: &mut Value, path: &[&str], value: Value) {
    let found = path.iter().try_fold(&*object, |at, key| at.get(*key));
    if found.is_none_or(Value::is_null) {
        put(object, path, value);
    }
}

/// Takes the field at `path` out, leaving its parents.
pub fn take(object: &mut Value, path: &[&str]) -> Option<Value> {
    let (last, parents) = path.split_last()?;
    let mut at = object;
    for key in parents {
        at = at.get_mut(*key)?;
    }
    at.as_object_mut()?.remove(*last)
}

/// Whether a merge patch would change nothing.
pub fn already_says(object: Option<&Value>, patch: &Value) -> bool {
    match (object, patch) {
        (None | Some(Value::Null), Value::Null) => true,
        (Some(Value::Object(map)), Value::Object(changes)) => {
            changes.iter().all(|(key, change)| already_says(map.get(key), change))
        }
        (object, patch) => object == Some(patch),
    }
}

/// Whether the condition `Ready` of a pod or node is true.
pub fn is_ready(object: &Value) -> bool {
    let holds = |condition: &Value| text(condition, "/type") == "Ready" && text(condition, "/status") == "True";
    list(object, "/status/conditions").iter().any(holds)
}

/// Whether every label of `wanted` (a map of texts) stands on the object; an empty map matches nothing.
pub fn has_labels(object: &Value, wanted: &Value) -> bool {
    let Some(wanted) = wanted.as_object().filter(|map| !map.is_empty()) else { return false };
    wanted.iter().all(|(key, value)| label(object, key) == value.as_str())
}
