//! Structural pruning and defaulting. Source: Kubernetes' documentation of structural schemas.

use serde_json::{Map, Value};

/// Takes out what the schema does not know, null where it may not stand, and puts defaults in; returns the paths of
/// what was unknown.
pub(crate) fn complete(object: &mut Value, schema: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    let Some(map) = object.as_object_mut() else { return unknown };
    // Type and metadata are the same in all kinds, whatever the schema says of them.
    let kept: Vec<(String, Value)> =
        ["apiVersion", "kind", "metadata"].into_iter().filter_map(|key| map.remove_entry(key)).collect();
    descend(map, schema, "", &mut unknown);
    map.extend(kept);
    unknown
}

fn walk(value: &mut Value, schema: &Value, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(map) => descend(map, schema, path, unknown),
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (index, item) in items.iter_mut().enumerate() {
                    walk(item, schema, &format!("{path}[{index}]"), unknown);
                }
            }
        }
        _ => {}
    }
}

fn descend(map: &mut Map<String, Value>, schema: &Value, path: &str, unknown: &mut Vec<String>) {
    let is_true = |key: &str| schema.get(key).and_then(Value::as_bool) == Some(true);
    let known = schema.get("properties").and_then(Value::as_object);
    let rest = schema.get("additionalProperties").filter(|rest| rest.is_object());
    let open = is_true("x-kubernetes-preserve-unknown-fields")
        || schema.get("additionalProperties").and_then(Value::as_bool) == Some(true);
    let embedded = is_true("x-kubernetes-embedded-resource");
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    map.retain(|name, value| {
        if embedded && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
            return true;
        }
        let Some(schema) = known.and_then(|known| known.get(name)).or(rest) else {
            if !open {
                unknown.push(below(name));
            }
            return open;
        };
        let nullable = schema.get("nullable").and_then(Value::as_bool) == Some(true);
        if value.is_null() && !nullable {
            return false;
        }
        walk(value, schema, &below(name), unknown);
        true
    });
    for (name, schema) in known.into_iter().flatten() {
        if let (Some(default), None) = (schema.get("default"), map.get(name)) {
            let mut value = default.clone();
            walk(&mut value, schema, &below(name), unknown);
            map.insert(name.clone(), value);
        }
    }
}
