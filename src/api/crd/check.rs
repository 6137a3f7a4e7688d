//! What the API server would say of an object: types, required fields, closed sets. Never looks for unknown fields.

use serde_json::{Map, Value};

use super::build::schema;

/// What sort of thing the API server would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A value of a wrong type, or a text that is no time.
    Type,
    /// A required field that is absent.
    Missing,
    /// A value outside a closed set.
    Value,
}

/// Something that the API server would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct SchemaError {
    /// Where, such as `spec.strategy.canary.steps[0].setWeight`.
    pub path: String,
    /// What sort of thing it is.
    pub fault: Fault,
    /// What is wrong, and what was expected.
    pub message: String,
}

/// Holds an object of one of the five kinds against its schema; an unknown kind has no errors.
pub fn check(kind: &str, object: &Value) -> Vec<SchemaError> {
    let mut errors = Vec::new();
    if let Some(schema) = schema(kind) {
        check_node(&schema, object, "", &mut errors);
    }
    errors
}

/// Paths of the fields that the schema of a kind does not declare. Unlike reading the object, this goes on past
/// values of a wrong type.
pub fn undeclared(kind: &str, object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(schema) = schema(kind) {
        find_undeclared(&schema, object, "", &mut found);
    }
    found
}

fn find_undeclared(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let known = schema.get("properties").and_then(Value::as_object);
            let rest = schema.get("additionalProperties");
            let open = known.is_none() || schema.get("x-kubernetes-preserve-unknown-fields").is_some();
            for (name, child) in fields {
                match known.and_then(|known| known.get(name)).or(rest) {
                    Some(schema) => find_undeclared(schema, child, &join(path, name), found),
                    None if open => {}
                    None => found.push(join(path, name)),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let schema = schema.get("items").unwrap_or(&Value::Null);
                find_undeclared(schema, item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

/// Names of the fields that may stand at `path` (names only: `["spec", "strategy"]`; indices are left out).
pub fn fields_at(kind: &str, path: &[String]) -> Vec<String> {
    let Some(schema) = schema(kind) else { return Vec::new() };
    let mut node = Some(&schema);
    for name in path {
        node = node.map(into_items).and_then(|node| {
            node.get("properties").and_then(|fields| fields.get(name)).or_else(|| node.get("additionalProperties"))
        });
    }
    node.map(into_items)
        .and_then(|node| node.get("properties"))
        .and_then(Value::as_object)
        .map(|fields| fields.keys().cloned().collect())
        .unwrap_or_default()
}

fn into_items(node: &Value) -> &Value {
    node.get("items").map_or(node, into_items)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn check_node(schema: &Value, value: &Value, path: &str, errors: &mut Vec<SchemaError>) {
    // An explicit null is pruned before validation, since no field of ours is nullable.
    if value.is_null() {
        return;
    }
    if let Some(expected) = mismatch(schema, value) {
        let message = format!("expected {expected}, found {}", named(value));
        errors.push(SchemaError { path: path.to_owned(), fault: Fault::Type, message });
        return;
    }
    match value {
        Value::Object(fields) => check_fields(schema, fields, path, errors),
        Value::Array(items) => {
            if let Some(item_schema) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    check_node(item_schema, item, &format!("{path}[{index}]"), errors);
                }
            }
        }
        Value::String(text) => check_text(schema, text, path, errors),
        _ => {}
    }
}

fn check_fields(schema: &Value, fields: &Map<String, Value>, path: &str, errors: &mut Vec<SchemaError>) {
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if fields.get(name).is_none_or(Value::is_null) {
            let message = "required field is missing".to_owned();
            errors.push(SchemaError { path: join(path, name), fault: Fault::Missing, message });
        }
    }
    let known = schema.get("properties").and_then(Value::as_object);
    for (name, child) in fields {
        let child_schema = known.and_then(|known| known.get(name)).or_else(|| schema.get("additionalProperties"));
        if let Some(child_schema) = child_schema {
            check_node(child_schema, child, &join(path, name), errors);
        }
    }
}

fn check_text(schema: &Value, text: &str, path: &str, errors: &mut Vec<SchemaError>) {
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.iter().any(|value| value == text)
    {
        let list = allowed.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        let message = format!("expected one of {list}, found {text:?}");
        errors.push(SchemaError { path: path.to_owned(), fault: Fault::Value, message });
    }
    if schema.get("format").and_then(Value::as_str) == Some("date-time")
        && text.parse::<crate::api::time::Time>().is_err()
    {
        let message = format!("expected a time such as 2026-11-21T02:39:09Z, found {text:?}");
        errors.push(SchemaError { path: path.to_owned(), fault: Fault::Type, message });
    }
}

/// What was expected, in words, where the type does not fit.
fn mismatch(schema: &Value, value: &Value) -> Option<&'static str> {
    if schema.get("x-kubernetes-int-or-string").is_some() {
        return (!(value.is_i64() || value.is_u64() || value.is_string())).then_some("a whole number or a text");
    }
    let (fits, expected) = match schema.get("type").and_then(Value::as_str)? {
        "object" => (value.is_object(), "fields (an object)"),
        "array" => (value.is_array(), "a list"),
        "string" => (value.is_string(), "a text"),
        "integer" => (value.is_i64() || value.is_u64(), "a whole number"),
        "number" => (value.is_number(), "a number"),
        "boolean" => (value.is_boolean(), "true or false"),
        _ => return None,
    };
    (!fits).then_some(expected)
}

fn named(value: &Value) -> String {
    match value {
        Value::Object(_) => "fields (an object)".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::String(text) => format!("the text {text:?}"),
        other => other.to_string(),
    }
}
