//! CEL, for tests: what an API server, or another reader of Rollouts, makes of an expression.

use serde_json::Value;

/// Numbers of a manifest are CEL's `int`.
fn converted(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(it) => (*it).into(),
        Value::Number(number) => number.as_i64().map_or_else(|| number.as_f64().unwrap_or_default().into(), Into::into),
        Value::String(text) => text.clone().into(),
        Value::Array(items) => items.iter().map(converted).collect::<Vec<_>>().into(),
        Value::Object(map) => {
            let map: std::collections::HashMap<String, cel::Value> =
                map.iter().map(|(key, value)| (key.clone(), converted(value))).collect();
            map.into()
        }
    }
}

/// Whether an expression holds with these variables; an error where it cannot be said.
pub fn holds<'v>(expression: &str, variables: impl IntoIterator<Item = (&'v str, &'v Value)>) -> Result<bool, String> {
    let program = cel::Program::compile(expression).map_err(|error| format!("{expression}: {error}"))?;
    let mut context = cel::Context::default();
    for (name, value) in variables {
        context.add_variable_from_value(name, converted(value));
    }
    match program.execute(&context) {
        Ok(cel::Value::Bool(holds)) => Ok(holds),
        other => Err(format!("{expression}: {other:?}")),
    }
}
