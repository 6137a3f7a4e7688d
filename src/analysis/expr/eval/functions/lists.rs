//! Lists and maps.

use std::collections::BTreeMap;

use super::super::super::error::RuntimeError;
use super::super::super::key::Key;
use super::super::super::meter::Meter;
use super::super::super::value::{List, ListKind, TableKind, Value};
use super::super::arithmetic::Number;
use super::super::compare::equal;
use super::super::{fail, fetch};
use super::{Order, as_text, sort};

/// Go's word for the kind of a value that is no list.
fn kind_word(value: &Value) -> &'static str {
    match value {
        Value::Nil => "invalid",
        Value::Map(_) | Value::Table(_) => "map",
        Value::List(_) => "slice",
        Value::Time(_) => "struct",
        Value::Zone(_) => "ptr",
        Value::Duration(_) => "int64",
        Value::Month(_) | Value::Weekday(_) => "int",
        Value::Function(_) => "func",
        plain => plain.go_type(),
    }
}

fn as_list<'a>(name: &str, value: &'a Value) -> Result<&'a List, RuntimeError> {
    let word = if name == "take" { "take from" } else { name };
    match value {
        Value::List(list) => Ok(list),
        other => fail(format!("cannot {word} {}", kind_word(other))),
    }
}

/// `first`, `last`, `take`, `reverse`, `uniq`, `concat`, `flatten`, `sort`.
pub(super) fn call(name: &str, arguments: &[Value], meter: &mut Meter) -> Result<Value, RuntimeError> {
    match (name, arguments) {
        ("first", [value]) => Ok(fetch::fetch(value, &Value::Int(0)).unwrap_or(Value::Nil)),
        ("last", [value]) => Ok(fetch::fetch(value, &Value::Int(-1)).unwrap_or(Value::Nil)),
        ("take", [value, count]) => take(as_list(name, value)?, count, meter),
        ("reverse", [value]) => {
            let items: Vec<Value> = as_list(name, value)?.items().iter().rev().cloned().collect();
            made(items, meter)
        }
        ("uniq", [value]) => uniq(as_list(name, value)?, meter),
        ("concat", values) => {
            let mut items = Vec::new();
            for value in values {
                let list = as_list(name, value)?;
                meter.look(list.items().len())?;
                items.extend_from_slice(list.items());
            }
            made(items, meter)
        }
        ("flatten", [value]) => {
            let mut items = Vec::new();
            flatten(as_list(name, value)?, (&mut items, meter))?;
            Ok(Value::list(items))
        }
        ("sort", [value, rest @ ..]) => sorted(value, rest.first(), meter),
        _ => fail(format!("invalid number of arguments for {name}")),
    }
}

/// A list that counts towards the memory budget.
fn made(items: Vec<Value>, meter: &mut Meter) -> Result<Value, RuntimeError> {
    meter.grow(items.len())?;
    meter.look(items.len())?;
    Meter::nested(Value::list(items))
}

fn take(list: &List, count: &Value, meter: &mut Meter) -> Result<Value, RuntimeError> {
    let count = match count {
        Value::Int(number) | Value::Int64(number) => *number,
        // These are integers underneath.
        Value::Duration(duration) => duration.0,
        Value::Month(number) | Value::Weekday(number) => i64::from(*number),
        other => return fail(format!("cannot take {} elements", kind_word(other))),
    };
    let Ok(count) = usize::try_from(count) else { return fail("reflect.Value.Slice: slice index out of bounds") };
    let items = list.items().get(..count.min(list.items().len())).unwrap_or_default();
    meter.look(items.len())?;
    Ok(Value::List(List::new(list.kind, items.to_vec())))
}

fn uniq(list: &List, meter: &mut Meter) -> Result<Value, RuntimeError> {
    let mut kept: Vec<Value> = Vec::new();
    'items: for item in list.items() {
        for known in &kept {
            meter.look(1)?;
            if equal(item, known, meter)? {
                continue 'items;
            }
        }
        kept.push(item.clone());
    }
    Ok(Value::list(kept))
}

/// Nesting is bounded by [`super::super::super::limits::MAX_VALUE_DEPTH`], and each element is paid for.
fn flatten(list: &List, (out, meter): (&mut Vec<Value>, &mut Meter)) -> Result<(), RuntimeError> {
    for item in list.items() {
        meter.look(1)?;
        match item {
            Value::List(inner) => flatten(inner, (out, meter))?,
            other => {
                meter.grow(1)?;
                out.push(other.clone());
            }
        }
    }
    Ok(())
}

/// `sort(list)`, `sort(list, "desc")`. Go sorts four types of lists, and makes nil of any other.
fn sorted(value: &Value, order: Option<&Value>, meter: &mut Meter) -> Result<Value, RuntimeError> {
    let order = match order.map(as_text).transpose()?.map(AsRef::as_ref) {
        None | Some("asc") => Order::Ascending,
        Some("desc") => Order::Descending,
        Some(other) => return fail(format!("invalid order {other}, expected asc or desc")),
    };
    let items = match value {
        Value::List(list) if !matches!(list.kind, ListKind::Maps | ListKind::Pairs | ListKind::Pair) => list.items(),
        _ => return Ok(Value::List(List::new(ListKind::NilAny, Vec::new()))),
    };
    meter.look(items.len())?;
    let keyed = items.iter().map(|item| (item.clone(), Value::Nil)).collect();
    let items = sort(keyed, order, meter)?.into_iter().map(|(item, _)| item).collect();
    made(items, meter)
}

/// `keys`, `values`, `toPairs`, `fromPairs`. Go's order of map entries is random; here it is that of the keys.
pub(super) fn pairs(name: &str, value: &Value, meter: &mut Meter) -> Result<Value, RuntimeError> {
    if name == "fromPairs" {
        return from_pairs(value, meter);
    }
    let entries: Vec<(Value, Value)> = match value {
        Value::Map(map) => map.entries.iter().map(|(key, item)| (Value::Str(key.clone()), item.clone())).collect(),
        Value::Table(table) => table.entries.iter().map(|(key, item)| (key.value(), item.clone())).collect(),
        other if name == "toPairs" => return fail(format!("cannot transform {} to pairs", kind_word(other))),
        other => return fail(format!("cannot get {name} from {}", kind_word(other))),
    };
    meter.look(entries.len())?;
    let entries = entries.into_iter();
    Ok(match name {
        "keys" => Value::list(entries.map(|(key, _)| key).collect()),
        "values" => Value::list(entries.map(|(_, item)| item).collect()),
        _ => {
            let pair = |(key, item)| Value::List(List::new(ListKind::Pair, vec![key, item]));
            Meter::nested(Value::List(List::new(ListKind::Pairs, entries.map(pair).collect())))?
        }
    })
}

fn from_pairs(value: &Value, meter: &mut Meter) -> Result<Value, RuntimeError> {
    let Value::List(list) = value else { return fail(format!("cannot transform {} from pairs", kind_word(value))) };
    meter.look(list.items().len())?;
    let mut entries = BTreeMap::new();
    for pair in list.items() {
        let Value::List(pair) = pair else { return fail(format!("invalid pair {}", super::format::value(pair))) };
        let [key, item] = pair.items() else { return fail("invalid pair length") };
        // Of a list of numbers Go takes the numbers; their type is the key's type too.
        debug_assert!(pair.kind != ListKind::Float || Number::of(key).is_some(), "a list of numbers holds numbers");
        entries.insert(Key::of(key)?, item.clone());
    }
    Meter::nested(Value::table(TableKind::Any, entries))
}
