//! `x-kubernetes-validations`, as far as they are transition rules over equality: `self == oldSelf`,
//! `self.name == oldSelf.name`. Whatever else a rule says is not evaluated, and the definition's author is told so.

use serde_json::Value;

/// A rule that is understood: the names below `self` that must keep their value.
fn kept_path(rule: &str) -> Option<Vec<&str>> {
    let (left, right) = rule.split_once("==")?;
    let (left, right) = (left.trim().strip_prefix("self")?, right.trim().strip_prefix("oldSelf")?);
    if left != right {
        return None;
    }
    let names: Vec<&str> = left.split('.').skip(1).collect();
    let plain = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let whole = left.is_empty() || left.starts_with('.');
    (whole && names.iter().all(plain)).then_some(names)
}

/// The messages of the rules at one place that the step from `old` to `new` breaks.
pub(crate) fn broken(schema: &Value, old: &Value, new: &Value) -> Vec<String> {
    let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten();
    let breaks = |rule: &&Value| {
        let text = rule.get("rule").and_then(Value::as_str).unwrap_or_default();
        kept_path(text).is_some_and(|names| {
            let at = |value: &Value| names.iter().try_fold(value.clone(), |value, name| value.get(*name).cloned());
            at(old) != at(new)
        })
    };
    let message = |rule: &Value| {
        let text = |field: &str| rule.get(field).and_then(Value::as_str).map(str::to_owned);
        text("message").or_else(|| Some(format!("failed rule: {}", text("rule")?))).unwrap_or_default()
    };
    rules.filter(breaks).map(message).collect()
}

/// The rules anywhere in a schema that are not evaluated.
pub(crate) fn unknown(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(schema, &mut found);
    found
}

fn collect(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            for rule in map.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten() {
                let text = rule.get("rule").and_then(Value::as_str).unwrap_or_default();
                if kept_path(text).is_none() {
                    found.push(text.to_owned());
                }
            }
            map.values().for_each(|value| collect(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}
