//! A field of an object by its path: Kubernetes' downward API for `metadata…`, a plain walk through the JSON for the rest.

use serde_json::Value;

use super::golang::{float_text, quoted_body};
use super::qualified_name;

/// Why a path leads nowhere. The texts are the contract's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldPathError {
    /// A list is addressed by something that is no number.
    #[error("invalid index '{0}'")]
    Index(String),
    /// A list is too short.
    #[error("index {0} out of range")]
    OutOfRange(i64),
    /// The path names nothing.
    #[error("invalid path {0} in rollout")]
    Path(String),
    /// The path names an object or a list.
    #[error("path {0} in rollout must terminate in a primitive value")]
    NotPrimitive(String),
    /// A path under `metadata` that the downward API does not know.
    #[error("unsupported fieldPath: {0}")]
    Unsupported(String),
    /// A key in brackets where there are none to choose from.
    #[error("fieldPath {0:?} does not support subscript")]
    Subscript(String),
    /// A key in brackets that can be no label's or annotation's.
    #[error("invalid key subscript in {path}: {reasons}")]
    Key {
        /// The path.
        path: String,
        /// What is wrong with the key.
        reasons: String,
    },
}

/// Whether `path` is resolved by the rules of the downward API.
pub(crate) fn is_metadata(path: &str) -> bool {
    path.starts_with("metadata")
}

/// The text of the field at `path` of `object`.
pub(crate) fn resolve(object: &Value, path: &str) -> Result<String, FieldPathError> {
    if is_metadata(path) { downward(object, path) } else { walk(object, path) }
}

/// Kubernetes: `pkg/fieldpath` `ExtractFieldPathAsString`.
fn downward(object: &Value, path: &str) -> Result<String, FieldPathError> {
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let text = |key: &str| metadata.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some((map, key)) = subscript(path) {
        let (field, checked) = match map {
            "metadata.annotations" => ("annotations", key.to_lowercase()),
            "metadata.labels" => ("labels", key.to_owned()),
            _ => return Err(FieldPathError::Subscript(path.to_owned())),
        };
        let reasons = qualified_name::errors(&checked);
        if !reasons.is_empty() {
            return Err(FieldPathError::Key { path: path.to_owned(), reasons: reasons.join(";") });
        }
        return Ok(metadata.get(field).and_then(|map| map.get(key)).and_then(Value::as_str).unwrap_or_default().into());
    }
    match path {
        "metadata.name" => Ok(text("name")),
        "metadata.namespace" => Ok(text("namespace")),
        "metadata.uid" => Ok(text("uid")),
        "metadata.labels" => Ok(map_text(metadata.get("labels"))),
        "metadata.annotations" => Ok(map_text(metadata.get("annotations"))),
        _ => Err(FieldPathError::Unsupported(path.to_owned())),
    }
}

/// `map['key']` as its two parts.
fn subscript(path: &str) -> Option<(&str, &str)> {
    let (map, key) = path.strip_suffix("']")?.split_once("['")?;
    (!map.is_empty()).then_some((map, key))
}

/// One `key="value"` a line, by key.
fn map_text(map: Option<&Value>) -> String {
    let Some(map) = map.and_then(Value::as_object) else { return String::new() };
    let mut entries: Vec<(&String, &str)> =
        map.iter().map(|(key, value)| (key, value.as_str().unwrap_or(""))).collect();
    entries.sort_unstable();
    let lines: Vec<String> = entries.iter().map(|(key, value)| format!("{key}=\"{}\"", quoted_body(value))).collect();
    lines.join("\n")
}

/// Follows the names and indices between `.`, `[` and `]`. Argo: `extractValueFromRollout`.
fn walk(object: &Value, path: &str) -> Result<String, FieldPathError> {
    let invalid = || FieldPathError::Path(path.to_owned());
    let mut here = object;
    for section in path.split(['.', '[', ']']).filter(|section| !section.is_empty()) {
        here = match here {
            Value::Array(items) => {
                let index: i64 = section.parse().map_err(|_| FieldPathError::Index(section.to_owned()))?;
                let item = usize::try_from(index).ok().and_then(|index| items.get(index));
                item.ok_or(FieldPathError::OutOfRange(index))?
            }
            Value::Object(fields) => fields.get(section).unwrap_or(&Value::Null),
            _ => return Err(invalid()),
        };
    }
    match here {
        Value::Null => Err(invalid()),
        Value::Array(_) | Value::Object(_) => Err(FieldPathError::NotPrimitive(path.to_owned())),
        Value::String(text) => Ok(text.clone()),
        Value::Bool(yes) => Ok(yes.to_string()),
        Value::Number(number) => Ok(number.as_f64().map_or_else(|| number.to_string(), float_text)),
    }
}

#[cfg(test)]
mod tests;
