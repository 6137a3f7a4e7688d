//! The built-in functions that take values only (Go: `builtin/builtin.go`, `builtin/lib.go`).

mod lists;
mod maths;
mod sort;
mod texts;
mod times;

use std::sync::Arc;

use super::super::error::RuntimeError;
use super::super::format;
use super::super::meter::Meter;
use super::super::value::Value;
use super::fail;
use crate::api::Time;

pub(super) use sort::{Order, sort};

/// Calls the built-in `name`.
pub(super) fn call(name: &str, arguments: &[Value], (now, meter): (Time, &mut Meter)) -> Result<Value, RuntimeError> {
    match (name, arguments) {
        ("len", [value]) => length(value),
        ("type", [value]) => Ok(Value::text(type_word(value))),
        ("string", [value]) => shown(format::value(value), meter),
        ("toJSON", [value]) => shown(format::json(value)?, meter),
        ("get", [base, at]) => super::fetch::get(base, at),
        ("abs" | "ceil" | "floor" | "round" | "int" | "float", [value]) => maths::convert(name, value),
        ("max" | "min" | "mean" | "median", _) => maths::aggregate(name, arguments, meter),
        ("bitnot", [value]) => Ok(Value::Int(!maths::bits(name, value)?)),
        ("bitand" | "bitor" | "bitxor" | "bitnand" | "bitshl" | "bitshr" | "bitushr", [x, y]) => {
            maths::bitwise(name, maths::bits(name, x)?, maths::bits(name, y)?)
        }
        ("now" | "date" | "duration" | "timezone", _) => times::call(name, arguments, now),
        ("first" | "last" | "take" | "reverse" | "uniq" | "concat" | "flatten" | "sort", _) => {
            lists::call(name, arguments, meter)
        }
        ("keys" | "values" | "toPairs" | "fromPairs", [value]) => lists::pairs(name, value, meter),
        _ => texts::call(name, arguments, meter),
    }
}

/// A text, or the complaint that Go makes of anything else.
pub(super) fn as_text(value: &Value) -> Result<&Arc<str>, RuntimeError> {
    match value {
        Value::Str(text) => Ok(text),
        other => Err(RuntimeError::conversion(other.go_type(), "string")),
    }
}

fn shown(text: String, meter: &mut Meter) -> Result<Value, RuntimeError> {
    meter.text(text.len())?;
    Ok(Value::Str(Arc::from(text)))
}

/// Elements of a list or map; characters of a text.
fn length(value: &Value) -> Result<Value, RuntimeError> {
    let length = match value {
        Value::Str(text) => text.chars().count(),
        Value::List(list) => list.items().len(),
        Value::Map(map) => map.entries.len(),
        Value::Table(table) => table.entries.len(),
        other => return fail(format!("invalid argument for len (type {})", other.go_type())),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// The word that `type` gives, which is coarser than Go's types.
fn type_word(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Int64(_) => "int",
        Value::Byte(_) => "uint",
        Value::Float(_) => "float",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) | Value::Table(_) => "map",
        Value::Function(_) => "func",
        Value::Zone(_) => "unknown",
        named => named.go_type(),
    }
}
