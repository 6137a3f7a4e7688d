//! An object against its schema. Source of the wording: `k8s.io/kube-openapi/pkg/validation`, as clients see it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::kinds::ResourceDef;
use super::super::reject::Reject;
use super::rules;
use crate::sim::object;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Flaw {
    path: String,
    reason: &'static str,
    message: String,
}

/// Refuses what breaks the schema. What was wrong before and has not changed is tolerated, as the real server does
/// since 1.30 (ratcheting).
pub(crate) fn check(def: &ResourceDef, old: Option<&Value>, new: &Value) -> Result<(), Reject> {
    let Some(schema) = &def.schema else { return Ok(()) };
    let flaws_of = |object: &Value| {
        let mut flaws = Vec::new();
        let rest = object.as_object().into_iter().flatten();
        let own = |key: &str| matches!(key, "apiVersion" | "kind" | "metadata");
        let content: Map<String, Value> =
            rest.filter(|(key, _)| !own(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
        node(schema, &Value::Object(content), "", &mut flaws);
        flaws
    };
    let mut flaws = flaws_of(new);
    if let Some(old) = old {
        let known: BTreeSet<Flaw> =
            if flaws.is_empty() { BTreeSet::new() } else { flaws_of(old).into_iter().collect() };
        flaws.retain(|flaw| !known.contains(flaw));
        transitions(schema, old, new, &mut (String::new(), &mut flaws));
    }
    if flaws.is_empty() { Ok(()) } else { Err(refusal(def, object::name(new), &flaws)) }
}

fn refusal(def: &ResourceDef, name: &str, flaws: &[Flaw]) -> Reject {
    let lines: Vec<String> = flaws.iter().map(|flaw| format!("{}: {}", flaw.path, flaw.message)).collect();
    let text = if lines.len() == 1 { lines.join("") } else { format!("[{}]", lines.join(", ")) };
    let cause = |flaw: &Flaw| json!({ "reason": flaw.reason, "message": flaw.message, "field": flaw.path });
    let causes: Vec<Value> = flaws.iter().map(cause).collect();
    Reject {
        details: json!({ "name": name, "group": def.group, "kind": def.kind, "causes": causes }),
        ..Reject::new(422, "Invalid", format!("{} \"{name}\" is invalid: {text}", def.qualified_kind()))
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn node(schema: &Value, value: &Value, path: &str, flaws: &mut Vec<Flaw>) {
    let flaw = |reason, message| Flaw { path: path.to_owned(), reason, message };
    if value.is_null() && schema.get("nullable").and_then(Value::as_bool) == Some(true) {
        return;
    }
    if let Some(wanted) = wrong_type(schema, value) {
        let shown = format!("\"{}\"", type_name(value));
        let message = format!("Invalid value: {shown}: {path} in body must be of type {wanted}: {shown}");
        flaws.push(flaw("FieldValueTypeInvalid", message));
        return;
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array).filter(|allowed| !allowed.contains(value)) {
        let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        flaws.push(flaw(
            "FieldValueNotSupported",
            format!("Unsupported value: {value}: supported values: {}", allowed.join(", ")),
        ));
    }
    for message in bounds(schema, value, path) {
        flaws.push(flaw("FieldValueInvalid", format!("Invalid value: {value}: {message}")));
    }
    match value {
        Value::Object(map) => fields(schema, map, path, flaws),
        Value::Array(items) => {
            if let Some(duplicate) = twice(schema, items) {
                flaws.push(flaw("FieldValueDuplicate", format!("Duplicate value: {duplicate}")));
            }
            let below = schema.get("items").unwrap_or(&Value::Null);
            for (index, item) in items.iter().enumerate() {
                node(below, item, &format!("{path}[{index}]"), flaws);
            }
        }
        _ => {}
    }
}

fn fields(schema: &Value, map: &Map<String, Value>, path: &str, flaws: &mut Vec<Flaw>) {
    for name in object::list(schema, "/required").iter().filter_map(Value::as_str) {
        if !map.contains_key(name) && (!path.is_empty() || name != "metadata") {
            let message = "Required value".to_owned();
            flaws.push(Flaw { path: join(path, name), reason: "FieldValueRequired", message });
        }
    }
    let known = schema.get("properties").and_then(Value::as_object);
    let rest = schema.get("additionalProperties").filter(|rest| rest.is_object());
    for (name, value) in map {
        if let Some(schema) = known.and_then(|known| known.get(name)).or(rest) {
            node(schema, value, &join(path, name), flaws);
        }
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The type that was expected, where it is another.
fn wrong_type(schema: &Value, value: &Value) -> Option<&'static str> {
    if schema.get("x-kubernetes-int-or-string").and_then(Value::as_bool) == Some(true) {
        let fits = value.is_string() || value.is_i64() || value.is_u64();
        return (!fits).then_some("integer,string");
    }
    let whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
    let (fits, wanted) = match schema.get("type")?.as_str()? {
        "object" => (value.is_object(), "object"),
        "array" => (value.is_array(), "array"),
        "string" => (value.is_string(), "string"),
        "boolean" => (value.is_boolean(), "boolean"),
        "integer" => (whole, "integer"),
        "number" => (value.is_number(), "number"),
        _ => return None,
    };
    (!fits).then_some(wanted)
}

/// Lengths, sizes, bounds and patterns.
fn bounds(schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    let limit = |key: &str| schema.get(key).and_then(Value::as_f64);
    let mut hold = |number: Option<f64>, (low, high): (&str, &str), what: &str| {
        let Some(number) = number else { return };
        if let Some(low) = limit(low).filter(|low| number < *low) {
            found.push(format!("{path} in body {what} greater than or equal to {low}"));
        }
        if let Some(high) = limit(high).filter(|high| number > *high) {
            found.push(format!("{path} in body {what} less than or equal to {high}"));
        }
    };
    #[allow(clippy::cast_precision_loss, reason = "sizes of documents of some megabytes")]
    let size = |size: usize| Some(size as f64);
    hold(value.as_f64(), ("minimum", "maximum"), "should be");
    hold(
        value.as_str().and_then(|text| size(text.chars().count())),
        ("minLength", "maxLength"),
        "should have a length",
    );
    hold(
        value.as_array().and_then(|items| size(items.len())),
        ("minItems", "maxItems"),
        "should have a number of items",
    );
    hold(
        value.as_object().and_then(|map| size(map.len())),
        ("minProperties", "maxProperties"),
        "should have a number of properties",
    );
    let pattern = schema.get("pattern").and_then(Value::as_str).zip(value.as_str());
    if let Some((pattern, text)) = pattern {
        // A pattern that this engine cannot read accepts everything: the definition is somebody else's.
        if regex::Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text)) {
            found.push(format!("{path} in body should match '{pattern}'"));
        }
    }
    found
}

/// An item that a set, or a list with keys, holds twice.
fn twice(schema: &Value, items: &[Value]) -> Option<Value> {
    let keys = object::list(schema, "/x-kubernetes-list-map-keys");
    let identity = |item: &Value| match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
        Some("set") => Some(item.clone()),
        Some("map") => {
            Some(json!(keys.iter().map(|key| item.get(key.as_str().unwrap_or_default())).collect::<Vec<_>>()))
        }
        _ => None,
    };
    let mut seen = BTreeSet::new();
    items.iter().filter_map(identity).find(|identity| !seen.insert(identity.to_string()))
}

/// Transition rules, wherever both states have a value.
fn transitions(schema: &Value, old: &Value, new: &Value, (path, flaws): &mut (String, &mut Vec<Flaw>)) {
    for message in rules::broken(schema, old, new) {
        let message =
            format!("Invalid value: {}: {message}", if new.is_object() { json!("object") } else { new.clone() });
        flaws.push(Flaw { path: path.clone(), reason: "FieldValueInvalid", message });
    }
    let known = schema.get("properties").and_then(Value::as_object);
    for (name, schema) in known.into_iter().flatten() {
        if let (Some(old), Some(new)) = (old.get(name), new.get(name)) {
            transitions(schema, old, new, &mut (join(path, name), flaws));
        }
    }
}
