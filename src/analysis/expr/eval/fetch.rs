//! Access to parts of values: elements, fields, slices, membership.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::error::RuntimeError;
use super::super::format;
use super::super::key::Key;
use super::super::meter::Meter;
use super::super::time::methods;
use super::super::types::Function;
use super::super::value::{List, ListKind, TableKind, Value};
use super::arithmetic::to_int;
use super::compare::equal;
use super::fail;

/// Go's `runtime.Fetch`: missing keys of maps are nil, missing elements an error.
pub(super) fn fetch(base: &Value, at: &Value) -> Result<Value, RuntimeError> {
    if let (Some(receiver), Value::Str(name)) = (methods::receiver(base), at)
        && let Some(method) = methods::find(&receiver, name)
    {
        return Ok(Value::Function(Function::Method(method.name)));
    }
    match base {
        Value::List(list) => match element(list.items().len(), at)? {
            Ok(index) => Ok(list.items().get(index).cloned().unwrap_or(Value::Nil)),
            Err(missing) => fail(missing),
        },
        Value::Str(text) => match element(text.len(), at)? {
            Ok(index) => Ok(text.as_bytes().get(index).copied().map_or(Value::Nil, Value::Byte)),
            Err(missing) => fail(missing),
        },
        Value::Map(_) | Value::Table(_) => Ok(entry(base, at)?.unwrap_or_else(|| zero_of(base))),
        _ => fail(format!("cannot fetch {} from {}", format::value(at), base.go_type())),
    }
}

/// The built-in `get`: as [`fetch`], but what is missing is nil.
pub(super) fn get(base: &Value, at: &Value) -> Result<Value, RuntimeError> {
    match base {
        Value::List(list) => Ok(element(list.items().len(), at)?
            .ok()
            .and_then(|index| list.items().get(index).cloned())
            .unwrap_or(Value::Nil)),
        Value::Str(text) => Ok(element(text.len(), at)?
            .ok()
            .and_then(|index| text.as_bytes().get(index).copied())
            .map_or(Value::Nil, Value::Byte)),
        Value::Map(_) | Value::Table(_) => Ok(entry(base, at)?.unwrap_or(Value::Nil)),
        Value::Time(_) | Value::Zone(_) | Value::Duration(_) | Value::Month(_) | Value::Weekday(_)
            if matches!(at, Value::Str(_)) =>
        {
            fetch(base, at).or(Ok(Value::Nil))
        }
        _ => Ok(Value::Nil),
    }
}

/// The index that `at` means in something of `length`, counted from the end if negative; or what is wrong with it.
fn element(length: usize, at: &Value) -> Result<Result<usize, String>, RuntimeError> {
    let size = i64::try_from(length).unwrap_or(i64::MAX);
    let given = to_int(at)?;
    let index = if given < 0 { given.wrapping_add(size) } else { given };
    Ok(usize::try_from(index)
        .ok()
        .filter(|index| *index < length)
        .ok_or_else(|| format!("index out of range: {index} (array length is {length})")))
}

/// The entry of a map under a key; `nil` stands for the zero key.
fn entry(map: &Value, key: &Value) -> Result<Option<Value>, RuntimeError> {
    match (map, key) {
        (Value::Map(map), Value::Str(name)) => Ok(map.entries.get(name).cloned()),
        (Value::Map(map), Value::Nil) => Ok(map.entries.get("").cloned()),
        (Value::Map(_), other) => not_a_key(other, "string"),
        (Value::Table(table), key) => Ok(table.entries.get(&Key::of(key)?).cloned()),
        _ => Ok(None),
    }
}

fn not_a_key<T>(value: &Value, wanted: &str) -> Result<T, RuntimeError> {
    fail(format!("reflect.Value.MapIndex: value of type {} is not assignable to type {wanted}", value.go_type()))
}

fn zero_of(map: &Value) -> Value {
    match map {
        Value::Table(table) if table.kind == TableKind::Groups => Value::List(List::new(ListKind::NilAny, Vec::new())),
        _ => Value::Nil,
    }
}

/// Go's `runtime.Slice`: bounds from the end if negative, and cut to what there is.
pub(super) fn slice(base: &Value, from: &Value, to: Option<&Value>, meter: &mut Meter) -> Result<Value, RuntimeError> {
    let length = match base {
        Value::List(list) => list.items().len(),
        Value::Str(text) => text.len(),
        _ if to.is_none() => return fail(format!("invalid argument for len (type {})", base.go_type())),
        _ => return fail(format!("cannot slice {}", format::value(from))),
    };
    let size = i64::try_from(length).unwrap_or(i64::MAX);
    let bound = |value: &Value| -> Result<usize, RuntimeError> {
        let given = to_int(value)?;
        let index = if given < 0 { given.saturating_add(size) } else { given };
        Ok(usize::try_from(index.clamp(0, size)).unwrap_or(0))
    };
    let end = to.map_or(Ok(length), bound)?;
    let start = bound(from)?.min(end);
    match base {
        Value::List(list) => {
            meter.look(end - start)?;
            let items = list.items().get(start..end).unwrap_or_default().to_vec();
            Ok(Value::List(List::new(list.kind, items)))
        }
        Value::Str(text) => {
            meter.text(end - start)?;
            let bytes = text.as_bytes().get(start..end).unwrap_or_default();
            Ok(Value::text(&String::from_utf8_lossy(bytes)))
        }
        _ => Ok(Value::Nil),
    }
}

/// `needle in haystack`: an element of a list, a key of a map.
pub(super) fn is_in(needle: &Value, haystack: &Value, meter: &mut Meter) -> Result<bool, RuntimeError> {
    match haystack {
        Value::Nil => Ok(false),
        Value::List(list) => {
            for item in list.items() {
                meter.look(1)?;
                if equal(item, needle, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Map(_) | Value::Table(_) => Ok(entry(haystack, needle)?.is_some()),
        Value::Time(_) if matches!(needle, Value::Str(_)) => Ok(false),
        Value::Time(_) => fail(format!("cannot use {} as field name of time.Time", needle.go_type())),
        _ => fail(format!("operator \"in\" not defined on {}", haystack.go_type())),
    }
}

/// Membership in a set of integer literals.
pub(super) fn in_integers(needle: &Value, set: &BTreeSet<i64>) -> Result<bool, RuntimeError> {
    match needle {
        Value::Int(number) => Ok(set.contains(number)),
        Value::Nil => Ok(set.contains(&0)),
        other => not_a_key(other, "int"),
    }
}

/// Membership in a set of text literals.
pub(super) fn in_texts(needle: &Value, set: &BTreeSet<Arc<str>>) -> Result<bool, RuntimeError> {
    match needle {
        Value::Str(text) => Ok(set.contains(text)),
        Value::Nil => Ok(set.contains("")),
        other => not_a_key(other, "string"),
    }
}
