//! How Go prints values (`fmt`'s `%v`), and how it writes them as JSON.

use super::error::RuntimeError;
use super::limits::MAX_TEXT_BYTES;
use super::time;
use super::value::Value;
use crate::analysis::golang::json_text;

/// `%v` of a number: the shortest digits that read back, with an exponent from a million on and below 0.0001.
pub(super) fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// `%v` of a value.
pub(super) fn value(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

fn write_value(out: &mut String, value: &Value) {
    // Shared parts are written each time, so a small value can have an endless text; it is cut here, and refused
    // as too long by whoever makes a value of it.
    if out.len() > MAX_TEXT_BYTES {
        return;
    }
    match value {
        Value::Nil => out.push_str("<nil>"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) | Value::Int64(number) => out.push_str(&number.to_string()),
        Value::Byte(byte) => out.push_str(&byte.to_string()),
        Value::Float(number) => out.push_str(&float(*number)),
        Value::Str(text) => out.push_str(text),
        Value::List(list) => {
            out.push('[');
            for (index, item) in list.items().iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Map(map) => {
            let entries = map.entries.iter().map(|(key, item)| (Value::Str(key.clone()), item));
            write_map(out, entries);
        }
        Value::Table(table) => write_map(out, table.entries.iter().map(|(key, item)| (key.value(), item))),
        Value::Time(time) => out.push_str(&time::default_text(time)),
        Value::Duration(duration) => out.push_str(&time::duration_text(*duration)),
        Value::Month(month) => out.push_str(time::month_name(*month)),
        Value::Weekday(day) => out.push_str(time::weekday_name(*day)),
        Value::Zone(zone) => out.push_str(&time::zone_name(zone)),
        Value::Function(function) => out.push_str(function.go_name()),
    }
}

fn write_map<'a>(out: &mut String, entries: impl Iterator<Item = (Value, &'a Value)>) {
    out.push_str("map[");
    for (index, (key, item)) in entries.enumerate() {
        if index > 0 {
            out.push(' ');
        }
        write_value(out, &key);
        out.push(':');
        write_value(out, item);
    }
    out.push(']');
}

/// Go's `json.MarshalIndent(value, "", "  ")`.
pub(super) fn json(value: &Value) -> Result<String, RuntimeError> {
    let mut text = String::new();
    write_json(&mut text, value, 0)?;
    Ok(text)
}

fn write_json(out: &mut String, value: &Value, level: usize) -> Result<(), RuntimeError> {
    if out.len() > MAX_TEXT_BYTES {
        return Err(RuntimeError::new("memory budget exceeded"));
    }
    match value {
        Value::Nil => out.push_str("null"),
        Value::Str(text) => json_text(out, text),
        Value::Float(number) => out.push_str(&json_float(*number)?),
        Value::Time(time) => json_text(out, &time::rfc3339(time)),
        Value::Duration(duration) => out.push_str(&duration.0.to_string()),
        Value::Month(number) | Value::Weekday(number) => out.push_str(&number.to_string()),
        Value::Zone(_) => out.push_str("{}"),
        Value::Table(_) | Value::Function(_) => {
            return Err(RuntimeError::new(format!("json: unsupported type: {}", value.go_type())));
        }
        Value::List(_) if value.is_nil() => out.push_str("null"),
        Value::List(list) => {
            let write = |out: &mut String, item: &Value| write_json(out, item, level + 1);
            json_block(out, ['[', ']'], level, list.items().iter().map(|item| (item, write)))?;
        }
        Value::Map(map) => {
            let fields = map.entries.iter().map(|(key, item)| {
                let write = move |out: &mut String, item: &Value| {
                    json_text(out, key);
                    out.push_str(": ");
                    write_json(out, item, level + 1)
                };
                (item, write)
            });
            json_block(out, ['{', '}'], level, fields)?;
        }
        Value::Bool(_) | Value::Int(_) | Value::Int64(_) | Value::Byte(_) => write_value(out, value),
    }
    Ok(())
}

/// Elements between brackets, one a line.
fn json_block<'a, F>(
    out: &mut String,
    brackets: [char; 2],
    level: usize,
    items: impl Iterator<Item = (&'a Value, F)>,
) -> Result<(), RuntimeError>
where
    F: Fn(&mut String, &Value) -> Result<(), RuntimeError>,
{
    let [open, close] = brackets;
    out.push(open);
    let mut empty = true;
    for (item, write) in items {
        out.push_str(if empty { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(level + 1));
        write(out, item)?;
        empty = false;
    }
    if !empty {
        out.push('\n');
        out.push_str(&"  ".repeat(level));
    }
    out.push(close);
    Ok(())
}

fn json_float(number: f64) -> Result<String, RuntimeError> {
    if !number.is_finite() {
        return Err(RuntimeError::new(format!("json: unsupported value: {}", float(number))));
    }
    if number != 0.0 && !(1e-6..1e21).contains(&number.abs()) {
        let scientific = format!("{number:e}");
        return Ok(if scientific.contains("e-") { scientific } else { scientific.replace('e', "e+") });
    }
    Ok(format!("{number}"))
}
