//! From what the schema generator writes to what the API server accepts as a structural schema.
//!
//! Never adds meaning: it removes `nullable`, defaults and titles, and folds the forms of optional fields.

use serde_json::{Map, Value};

/// Removes what the API server refuses or acts upon: a default would be *written* into stored objects, and a
/// `nullable` field would keep an explicit null where Argo's definition prunes it.
pub(super) fn normalise(schema: &mut Value) {
    let Some(node) = schema.as_object_mut() else { return };
    for key in ["title", "default", "nullable", "$schema", "definitions", "components"] {
        node.remove(key);
    }
    without_null(node);
    flatten_description(node);
    for key in ["properties", "anyOf"] {
        match node.get_mut(key) {
            Some(Value::Object(children)) => children.values_mut().for_each(normalise),
            Some(Value::Array(children)) => children.iter_mut().for_each(normalise),
            _ => {}
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(child) = node.get_mut(key) {
            normalise(child);
        }
    }
    if node.get("additionalProperties") == Some(&Value::Bool(false)) {
        node.remove("additionalProperties");
    }
}

/// `Option<T>` is `type: [T, "null"]` or `anyOf: [T, null]`; both become `T`.
fn without_null(node: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = node.get("type") {
        let mut rest: Vec<Value> = types.iter().filter(|name| *name != "null").cloned().collect();
        if rest.len() == 1 {
            node.insert("type".to_owned(), rest.remove(0));
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        let Some(Value::Array(choices)) = node.get(key) else { continue };
        let is_null = |choice: &Value| choice.get("type") == Some(&Value::from("null")) || choice.get("enum").is_some();
        let mut rest: Vec<Value> = choices.iter().filter(|choice| !is_null(choice)).cloned().collect();
        if rest.len() != 1 {
            continue;
        }
        node.remove(key);
        if let Value::Object(inner) = rest.remove(0) {
            for (name, value) in inner {
                node.entry(name).or_insert(value);
            }
        }
    }
}

/// Descriptions are wrapped where the source is; in YAML one line reads better.
fn flatten_description(node: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = node.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
}

/// Visits every node, parents first. A path is made of property names; `[]` and `{}` at the end of a name stand for
/// the items of a list and the values of a map.
pub(super) fn walk(schema: &mut Value, path: &mut Vec<String>, visit: &mut impl FnMut(&[String], &mut Value)) {
    visit(path, schema);
    let Some(node) = schema.as_object_mut() else { return };
    if let Some(Value::Object(properties)) = node.get_mut("properties") {
        for (name, child) in properties {
            path.push(name.clone());
            walk(child, path, visit);
            path.pop();
        }
    }
    for (key, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        let (Some(child), Some(last)) = (node.get_mut(key), path.last().cloned()) else { continue };
        path.pop();
        path.push(format!("{last}{mark}"));
        walk(child, path, visit);
        path.pop();
        path.push(last);
    }
}

/// Puts another schema in place of one, whose description stays.
pub(super) fn replace(node: &mut Value, mut placed: Value) {
    if let (Some(description), Some(fields)) = (node.get("description"), placed.as_object_mut()) {
        fields.insert("description".to_owned(), description.clone());
    }
    *node = placed;
}

/// Whether `path` ends with the dotted `pattern`, name by name.
pub(super) fn ends_with(path: &[String], pattern: &str) -> bool {
    let names: Vec<&str> = pattern.split('.').collect();
    path.len() >= names.len() && path.iter().rev().zip(names.iter().rev()).all(|(have, want)| have == want)
}
