//! Equality and order.

use super::super::ast::BinaryOp;
use super::super::error::RuntimeError;
use super::super::meter::Meter;
use super::super::value::{List, ListKind, Value};
use super::arithmetic::Number;

/// Go's `runtime.Equal`: numbers by value, lists element by element, everything else only with its own type.
pub(super) fn equal(a: &Value, b: &Value, meter: &mut Meter) -> Result<bool, RuntimeError> {
    if let (Some(a), Some(b)) = (Number::of(a), Number::of(b)) {
        return Ok(a.equals(b));
    }
    match (a, b) {
        (Value::Time(a), Value::Time(b)) => Ok(a.timestamp() == b.timestamp()),
        (Value::List(a), Value::List(b)) if compares_by_element(a.kind, b.kind) => equal_lists(a, b, meter),
        _ if a.is_nil() && b.is_nil() => Ok(true),
        _ => deep_equal(a, b, meter),
    }
}

/// Lists of plain elements compare with `[]any` and with their own type.
fn compares_by_element(a: ListKind, b: ListKind) -> bool {
    let plain = |kind| !matches!(kind, ListKind::Maps | ListKind::Pairs | ListKind::Pair);
    let any = |kind: ListKind| kind.same_type(ListKind::Any);
    plain(a) && plain(b) && (any(a) || any(b) || a.same_type(b))
}

fn equal_lists(a: &List, b: &List, meter: &mut Meter) -> Result<bool, RuntimeError> {
    if a.items().len() != b.items().len() {
        return Ok(false);
    }
    meter.step(1)?;
    for (a, b) in a.items().iter().zip(b.items()) {
        meter.look(1)?;
        if !equal(a, b, meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Go's `reflect.DeepEqual`: the same types all the way down.
fn deep_equal(a: &Value, b: &Value, meter: &mut Meter) -> Result<bool, RuntimeError> {
    meter.look(1)?;
    Ok(match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) | (Value::Int64(a), Value::Int64(b)) => a == b,
        (Value::Byte(a), Value::Byte(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b).is_eq() && !a.is_nan() || (*a == 0.0 && *b == 0.0),
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Time(a), Value::Time(b)) => a.timestamp() == b.timestamp() && a.time_zone() == b.time_zone(),
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Month(a), Value::Month(b)) | (Value::Weekday(a), Value::Weekday(b)) => a == b,
        (Value::Zone(a), Value::Zone(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            if a.kind != b.kind || a.items().len() != b.items().len() {
                return Ok(false);
            }
            // Two names of one slice are equal even if it holds a NaN.
            if std::sync::Arc::ptr_eq(&a.items, &b.items) {
                return Ok(true);
            }
            meter.step(1)?;
            return all_equal(a.items().iter().zip(b.items()), meter);
        }
        (Value::Map(a), Value::Map(b)) => {
            if std::sync::Arc::ptr_eq(a, b) {
                return Ok(true);
            }
            meter.step(1)?;
            if !a.entries.keys().eq(b.entries.keys()) {
                return Ok(false);
            }
            return all_equal(a.entries.values().zip(b.entries.values()), meter);
        }
        (Value::Table(a), Value::Table(b)) => {
            if std::sync::Arc::ptr_eq(a, b) {
                return Ok(true);
            }
            meter.step(1)?;
            if a.kind != b.kind || !a.entries.keys().eq(b.entries.keys()) {
                return Ok(false);
            }
            return all_equal(a.entries.values().zip(b.entries.values()), meter);
        }
        _ => false,
    })
}

fn all_equal<'a>(
    mut pairs: impl Iterator<Item = (&'a Value, &'a Value)>,
    meter: &mut Meter,
) -> Result<bool, RuntimeError> {
    pairs.try_fold(true, |same, (a, b)| if same { deep_equal(a, b, meter) } else { Ok(false) })
}

/// `a < b` and its like: numbers, texts, times and durations, each with their own.
pub(super) fn order(operator: BinaryOp, a: &Value, b: &Value) -> Result<bool, RuntimeError> {
    let ordering = match (a, b) {
        (Value::Str(a), Value::Str(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Value::Time(a), Value::Time(b)) => Some(a.timestamp().cmp(&b.timestamp())),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        _ => {
            let (Some(x), Some(y)) = (Number::of(a), Number::of(b)) else {
                let (a, b) = (a.go_type(), b.go_type());
                return Err(RuntimeError::new(format!("invalid operation: {a} {} {b}", operator.symbol())));
            };
            x.compare(y)
        }
    };
    // A NaN is in no order with anything.
    Ok(ordering.is_some_and(|ordering| match operator {
        BinaryOp::Less => ordering.is_lt(),
        BinaryOp::More => ordering.is_gt(),
        BinaryOp::LessOrEqual => ordering.is_le(),
        _ => ordering.is_ge(),
    }))
}
