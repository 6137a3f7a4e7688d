//! Texts.

use std::sync::Arc;

use super::super::super::error::RuntimeError;
use super::super::super::meter::Meter;
use super::super::super::value::{List, ListKind, Value};
use super::super::arithmetic::to_int;
use super::super::fail;
use super::as_text;

mod base64;

/// Most repetitions that Go allows `repeat`.
const MAX_REPEAT: i64 = 1_000_000;

/// Calls a function on texts.
pub(super) fn call(name: &str, arguments: &[Value], meter: &mut Meter) -> Result<Value, RuntimeError> {
    if name == "join" {
        return join(arguments, meter);
    }
    let Some(first) = arguments.first() else { return fail(format!("invalid number of arguments for {name}")) };
    let text: &str = as_text(first)?;
    let second = arguments.get(1).filter(|_| name != "repeat").map(as_text).transpose()?.map(AsRef::<str>::as_ref);
    meter.text(text.len())?;
    let made = |text: &str| Ok(Value::text(text));
    match (name, second) {
        ("trim", None) => made(text.trim()),
        ("trim", Some(set)) => made(text.trim_matches(|c| set.contains(c))),
        ("trimPrefix", prefix) => made(text.strip_prefix(prefix.unwrap_or(" ")).unwrap_or(text)),
        ("trimSuffix", suffix) => made(text.strip_suffix(suffix.unwrap_or(" ")).unwrap_or(text)),
        ("upper", _) => made(&text.to_uppercase()),
        ("lower", _) => made(&text.to_lowercase()),
        ("hasPrefix", Some(prefix)) => Ok(Value::Bool(text.starts_with(prefix))),
        ("hasSuffix", Some(suffix)) => Ok(Value::Bool(text.ends_with(suffix))),
        ("indexOf", Some(part)) => Ok(index(text.find(part))),
        ("lastIndexOf", Some(part)) => Ok(index(text.rfind(part))),
        ("split" | "splitAfter", Some(separator)) => {
            let limit = arguments.get(2).map(to_int).transpose()?.unwrap_or(-1);
            split((text, separator), limit, (name == "splitAfter", meter))
        }
        ("replace", Some(old)) => replace((text, old), arguments.get(2..).unwrap_or_default(), meter),
        ("repeat", _) => repeat(text, arguments.get(1), meter),
        ("fromJSON", _) => from_json(text, meter),
        ("toBase64", _) => made(&base64::encode(text.as_bytes())),
        ("fromBase64", _) => made(&String::from_utf8_lossy(&base64::decode(text).map_err(RuntimeError::new)?)),
        _ => fail(format!("invalid number of arguments for {name}")),
    }
}

/// A place in a text in bytes, or -1.
fn index(found: Option<usize>) -> Value {
    Value::Int(found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))
}

/// Go's `SplitN` and `SplitAfterN`: at most `limit` parts, all if it is negative, nil if it is zero.
fn split(
    (text, separator): (&str, &str),
    limit: i64,
    (keep, meter): (bool, &mut Meter),
) -> Result<Value, RuntimeError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts: Vec<&str> = Vec::new();
    let mut rest = text;
    while limit > 0 && !(separator.is_empty() && rest.is_empty()) {
        let last = parts.len() + 1 >= limit;
        let found = match separator {
            _ if last => None,
            "" => rest.chars().next().map(char::len_utf8).filter(|at| *at < rest.len()),
            _ => rest.find(separator),
        };
        meter.grow(1)?;
        let Some(at) = found else {
            parts.push(rest);
            break;
        };
        let next = at + separator.len();
        parts.push(rest.get(..if keep { next } else { at }).unwrap_or_default());
        rest = rest.get(next..).unwrap_or_default();
    }
    let kind = if limit == 0 { ListKind::NilStr } else { ListKind::Str };
    Ok(Value::List(List::new(kind, parts.into_iter().map(Value::text).collect())))
}

/// Go's `Replace`: the first `limit` places, all if it is left out or negative.
fn replace((text, old): (&str, &str), rest: &[Value], meter: &mut Meter) -> Result<Value, RuntimeError> {
    let Some(new) = rest.first() else {
        return fail("invalid number of arguments for replace (expected 3 or 4, got 2)");
    };
    let new: &str = as_text(new)?;
    let limit = rest.get(1).map(to_int).transpose()?.unwrap_or(-1);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let places = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old).count() }.min(limit);
    meter.text(text.len().saturating_add(places.saturating_mul(new.len())))?;
    Ok(Value::text(&text.replacen(old, new, limit)))
}

fn repeat(text: &str, count: Option<&Value>, meter: &mut Meter) -> Result<Value, RuntimeError> {
    let count = to_int(count.unwrap_or(&Value::Nil))?;
    let Ok(times) = usize::try_from(count) else {
        return fail(format!("invalid argument for repeat (expected positive integer, got {count})"));
    };
    if count > MAX_REPEAT {
        return fail("memory budget exceeded");
    }
    let bytes = text.len().saturating_mul(times);
    // Go counts the bytes of the outcome as if they were elements.
    meter.grow(bytes)?;
    meter.text(bytes)?;
    Ok(Value::text(&text.repeat(times)))
}

fn join(arguments: &[Value], meter: &mut Meter) -> Result<Value, RuntimeError> {
    let glue = arguments.get(1).map(as_text).transpose()?.map_or("", AsRef::as_ref);
    let list = match arguments.first() {
        Some(Value::List(list))
            if matches!(list.kind, ListKind::Any | ListKind::NilAny | ListKind::Str | ListKind::NilStr) =>
        {
            list
        }
        other => return fail(format!("invalid argument for join (type {})", other.map_or("<nil>", Value::go_type))),
    };
    let parts = list.items().iter().map(as_text).collect::<Result<Vec<&Arc<str>>, _>>()?;
    meter.look(parts.len())?;
    meter.text(parts.iter().fold(0, |total: usize, part| total.saturating_add(part.len() + glue.len())))?;
    let parts: Vec<&str> = parts.into_iter().map(AsRef::as_ref).collect();
    Ok(Value::text(&parts.join(glue)))
}

fn from_json(text: &str, meter: &mut Meter) -> Result<Value, RuntimeError> {
    // An element takes at least two bytes of JSON.
    meter.look(text.len() / 2)?;
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| RuntimeError::new(error.to_string()))?;
    Meter::nested(Value::from(value))
}
