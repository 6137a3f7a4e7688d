//! Reading raw JSON: what is absent, null or of another type reads as the zero of its type, as it
//! would after Go had decoded it. [`super::types`] reports wrong types before anything is read here.

use crate::rollout::revision::go_json;
use serde_json::{Map, Value};

/// The member, unless it is null.
pub fn get<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|v| !v.is_null())
}

/// The member if it is an object: a pointer to a struct that is set.
pub fn object<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|v| v.is_object())
}

/// The member's text, or "".
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The member's text, when there is one.
pub fn some_text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// The member's whole number.
pub fn integer(value: &Value, key: &str) -> Option<i64> {
    value.get(key).and_then(go_json::integer)
}

/// Whether the member is true.
pub fn flag(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}

/// The member's elements.
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of the member's elements.
pub fn texts<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    list(value, key).iter().map(|v| v.as_str().unwrap_or_default())
}

/// The entries of the member, by key.
pub fn entries<'a>(value: &'a Value, key: &str) -> Vec<(&'a str, &'a Value)> {
    let object = value.get(key).and_then(Value::as_object);
    let mut entries: Vec<_> = object.into_iter().flat_map(Map::iter).map(|(k, v)| (k.as_str(), v)).collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    entries
}

/// The entries of a map of texts, by key.
pub fn text_entries<'a>(value: &'a Value, key: &str) -> Vec<(&'a str, &'a str)> {
    entries(value, key).into_iter().map(|(k, v)| (k, v.as_str().unwrap_or_default())).collect()
}
