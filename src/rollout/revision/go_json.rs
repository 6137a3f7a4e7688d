//! The text that Go's `encoding/json` writes for a value of a known type.
//!
//! A value whose JSON type is not that of the table counts as absent: the API server does not store
//! such objects, and a hash must exist for whatever arrives. [`crate::rollout::validate`] names them.

use super::quantity::Quantity;
use super::table::{Field, Kind, Presence, Struct};
use crate::analysis::golang::json_text;
use serde_json::{Map, Number, Value};
use std::fmt::Write as _;

#[cfg(test)]
mod tests;

/// Beyond these exponents Go writes a float in scientific notation.
const PLAIN_FLOAT: std::ops::Range<f64> = 1e-6..1e21;

/// The JSON text of `value` as a Go value of the type `shape`.
pub fn to_text(shape: &Struct, value: &Value) -> String {
    let mut out = String::new();
    write_struct(&mut out, shape, value);
    out
}

/// The JSON text of a value of any kind; an absent one is written as the kind's zero.
pub fn kind_to_text(kind: Kind, value: Option<&Value>) -> String {
    let mut out = String::new();
    write_kind(&mut out, kind, value.filter(|v| !v.is_null()));
    out
}

/// `text` as Go writes a JSON string: `<`, `>`, `&` and the two separators of lines escaped.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    json_text(&mut out, text);
    out
}

fn write_struct(out: &mut String, shape: &Struct, value: &Value) {
    let object = value.as_object();
    out.push('{');
    let mut first = true;
    for field in shape.fields {
        let given = object.and_then(|o| o.get(field.key)).filter(|v| fits(field.kind, v));
        if is_left_out(field, given) {
            continue;
        }
        if !first {
            out.push(',');
        }
        first = false;
        json_text(out, field.key);
        out.push(':');
        match given {
            None if field.presence.is_pointer() => out.push_str("null"),
            _ => write_kind(out, field.kind, given),
        }
    }
    out.push('}');
}

fn is_left_out(field: &Field, given: Option<&Value>) -> bool {
    match field.presence {
        Presence::Always | Presence::OrNull => false,
        Presence::WhenSet => given.is_none(),
        Presence::UnlessZero => given.is_none_or(|v| is_zero(field.kind, v)),
        Presence::WhenFilled => match field.kind {
            Kind::Struct(_) | Kind::Quantity | Kind::IntOrString | Kind::Time => false,
            kind => given.is_none_or(|v| is_zero(kind, v)),
        },
    }
}

/// Whether a value of the right JSON type is one that `omitempty` leaves out.
pub(super) fn is_zero(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Text | Kind::Bytes | Kind::Time => value.as_str().is_none_or(str::is_empty),
        Kind::Bool => value != &Value::Bool(true),
        Kind::Int32 | Kind::Int64 => integer(value).is_none_or(|n| n == 0),
        Kind::List(_) => value.as_array().is_none_or(Vec::is_empty),
        Kind::Map(_) => value.as_object().is_none_or(Map::is_empty),
        Kind::Quantity | Kind::IntOrString | Kind::Raw | Kind::Struct(_) => false,
    }
}

/// Whether `value` is of the JSON type that the kind is decoded from. Null never is, except in free
/// JSON, where Go keeps it.
pub fn fits(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Text | Kind::Bytes => value.is_string(),
        Kind::Time => value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
        Kind::Bool => value.is_boolean(),
        Kind::Int32 => integer(value).is_some_and(|n| i32::try_from(n).is_ok()),
        Kind::Int64 => integer(value).is_some(),
        Kind::Quantity => Quantity::from_json(value).is_some(),
        Kind::IntOrString => value.is_string() || fits(Kind::Int32, value),
        Kind::Raw => true,
        Kind::Struct(_) | Kind::Map(_) => value.is_object(),
        Kind::List(_) => value.is_array(),
    }
}

/// A whole number, also when it is written as `1.0`.
pub fn integer(value: &Value) -> Option<i64> {
    let number = value.as_number()?;
    if let Some(whole) = number.as_i64() {
        return Some(whole);
    }
    let float = number.as_f64()?;
    // Between these bounds a float without a fraction is exactly an i64.
    #[expect(clippy::cast_possible_truncation, reason = "bounded and whole")]
    (float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0).then_some(float as i64)
}

fn write_kind(out: &mut String, kind: Kind, given: Option<&Value>) {
    match kind {
        Kind::Text => json_text(out, given.and_then(Value::as_str).unwrap_or_default()),
        Kind::Bool => out.push_str(if given == Some(&Value::Bool(true)) { "true" } else { "false" }),
        Kind::Int32 | Kind::Int64 => _ = write!(out, "{}", given.and_then(integer).unwrap_or(0)),
        Kind::Bytes => match given.and_then(Value::as_str) {
            Some(text) => json_text(out, text),
            None => out.push_str("null"),
        },
        Kind::Quantity => json_text(out, &given.and_then(Quantity::from_json).unwrap_or_default().to_string()),
        Kind::IntOrString => match given {
            Some(Value::String(text)) => json_text(out, text),
            other => _ = write!(out, "{}", other.and_then(integer).unwrap_or(0)),
        },
        Kind::Time => write_time(out, given),
        Kind::Raw => write_raw(out, given.unwrap_or(&Value::Null)),
        Kind::Struct(shape) => write_struct(out, shape, given.unwrap_or(&Value::Null)),
        Kind::List(element) => write_list(out, *element, given),
        Kind::Map(element) => write_map(out, *element, given),
    }
}

fn write_list(out: &mut String, element: Kind, given: Option<&Value>) {
    let Some(items) = given.and_then(Value::as_array) else {
        out.push_str("null");
        return;
    };
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_kind(out, element, Some(item).filter(|v| fits(element, v)));
    }
    out.push(']');
}

fn write_map(out: &mut String, element: Kind, given: Option<&Value>) {
    let Some(map) = given.and_then(Value::as_object) else {
        out.push_str("null");
        return;
    };
    // Go sorts the keys by bytes, whatever the order of arrival.
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| key.as_str());
    out.push('{');
    for (index, (key, item)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        json_text(out, key);
        out.push(':');
        write_kind(out, element, Some(item).filter(|v| fits(element, v)));
    }
    out.push('}');
}

/// `metav1.Time`: UTC, whole seconds, null when zero.
fn write_time(out: &mut String, given: Option<&Value>) {
    match given.and_then(Value::as_str).and_then(|text| text.parse::<jiff::Timestamp>().ok()) {
        Some(time) => _ = write!(out, "\"{}\"", time.strftime("%Y-%m-%dT%H:%M:%SZ")),
        None => out.push_str("null"),
    }
}

/// Free JSON, compact, keys in the order of arrival.
fn write_raw(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => json_text(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_raw(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json_text(out, key);
                out.push(':');
                write_raw(out, item);
            }
            out.push('}');
        }
    }
}

/// A number of free JSON. The API server has decoded and written it before it arrives here, so a
/// float stands in Go's form: `1` for `1.0`, `1e+21` beyond the plain range.
fn write_number(out: &mut String, number: &Number) {
    let float = match number.as_f64() {
        Some(float) if number.is_f64() => float,
        _ => {
            _ = write!(out, "{number}");
            return;
        }
    };
    if float == 0.0 || PLAIN_FLOAT.contains(&float.abs()) {
        _ = write!(out, "{float}");
        return;
    }
    let scientific = format!("{float:e}");
    match scientific.split_once('e') {
        Some((mantissa, exponent)) if !exponent.starts_with('-') => _ = write!(out, "{mantissa}e+{exponent}"),
        _ => out.push_str(&scientific),
    }
}
