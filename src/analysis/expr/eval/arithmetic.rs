//! Arithmetic on numbers, texts, times and durations.

use std::cmp::Ordering;

use super::super::ast::BinaryOp;
use super::super::error::RuntimeError;
use super::super::meter::Meter;
use super::super::number::{to_float, truncate};
use super::super::time;
use super::super::value::Value;
use crate::api::duration::GoDuration;

/// A number of either kind.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    pub fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Int(number) | Value::Int64(number) => Self::Int(*number),
            Value::Byte(byte) => Self::Int(i64::from(*byte)),
            Value::Float(number) => Self::Float(*number),
            _ => return None,
        })
    }

    pub fn float(self) -> f64 {
        match self {
            Self::Int(number) => to_float(number),
            Self::Float(number) => number,
        }
    }

    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            _ => self.float().partial_cmp(&other.float()),
        }
    }

    pub fn equals(self, other: Self) -> bool {
        self.compare(other) == Some(Ordering::Equal)
    }
}

/// Go's `runtime.ToInt`.
pub(super) fn to_int(value: &Value) -> Result<i64, RuntimeError> {
    match Number::of(value) {
        Some(Number::Int(number)) => Ok(number),
        Some(Number::Float(number)) => Ok(truncate(number)),
        None => Err(RuntimeError::new(format!("invalid operation: int({})", value.go_type()))),
    }
}

/// `-x`.
pub(super) fn negate(value: &Value) -> Result<Value, RuntimeError> {
    Ok(match value {
        Value::Int(number) => Value::Int(number.wrapping_neg()),
        Value::Int64(number) => Value::Int64(number.wrapping_neg()),
        Value::Byte(byte) => Value::Byte(byte.wrapping_neg()),
        Value::Float(number) => Value::Float(-number),
        other => return Err(RuntimeError::new(format!("invalid operation: - {}", other.go_type()))),
    })
}

/// An arithmetic operator on two values.
pub(super) fn binary(operator: BinaryOp, a: &Value, b: &Value, meter: &mut Meter) -> Result<Value, RuntimeError> {
    let impossible = || {
        let (a, b) = (a.go_type(), b.go_type());
        RuntimeError::new(format!("invalid operation: {a} {} {b}", operator.symbol()))
    };
    if let (Some(x), Some(y)) = (Number::of(a), Number::of(b)) {
        return numbers(operator, x, y)?.ok_or_else(impossible);
    }
    match (operator, a, b) {
        (BinaryOp::Power, ..) => {
            let wrong = if Number::of(a).is_none() { a } else { b };
            Err(RuntimeError::new(format!("invalid operation: float({})", wrong.go_type())))
        }
        (BinaryOp::Add, Value::Str(a), Value::Str(b)) => {
            meter.text(a.len() + b.len())?;
            Ok(Value::text(&[a.as_ref(), b.as_ref()].concat()))
        }
        (BinaryOp::Multiply, Value::Duration(duration), other)
        | (BinaryOp::Multiply, other, Value::Duration(duration)) => multiplied(*duration, other).ok_or_else(impossible),
        _ => times(operator, a, b).ok_or_else(impossible),
    }
}

/// Arithmetic on numbers; none where the operator does not know floats.
fn numbers(operator: BinaryOp, a: Number, b: Number) -> Result<Option<Value>, RuntimeError> {
    let (x, y) = (a.float(), b.float());
    Ok(Some(match (operator, a, b) {
        (BinaryOp::Divide, ..) => Value::Float(x / y),
        (BinaryOp::Power, ..) => Value::Float(x.powf(y)),
        (BinaryOp::Add, Number::Int(a), Number::Int(b)) => Value::Int(a.wrapping_add(b)),
        (BinaryOp::Subtract, Number::Int(a), Number::Int(b)) => Value::Int(a.wrapping_sub(b)),
        (BinaryOp::Multiply, Number::Int(a), Number::Int(b)) => Value::Int(a.wrapping_mul(b)),
        (BinaryOp::Modulo, Number::Int(_), Number::Int(0)) => {
            return Err(RuntimeError::new("runtime error: integer divide by zero"));
        }
        (BinaryOp::Modulo, Number::Int(a), Number::Int(b)) => Value::Int(a.wrapping_rem(b)),
        (BinaryOp::Add, ..) => Value::Float(x + y),
        (BinaryOp::Subtract, ..) => Value::Float(x - y),
        (BinaryOp::Multiply, ..) => Value::Float(x * y),
        _ => return Ok(None),
    }))
}

/// A duration times a whole number, or a duration, is a duration; times a float it is a plain number, as in Go.
fn multiplied(duration: GoDuration, factor: &Value) -> Option<Value> {
    match (factor, Number::of(factor)) {
        (Value::Duration(factor), _) => Some(Value::Duration(GoDuration(duration.0.wrapping_mul(factor.0)))),
        (_, Some(Number::Int(factor))) => Some(Value::Duration(GoDuration(duration.0.wrapping_mul(factor)))),
        (_, Some(Number::Float(factor))) => Some(Value::Float(to_float(duration.0) * factor)),
        _ => None,
    }
}

fn times(operator: BinaryOp, a: &Value, b: &Value) -> Option<Value> {
    match (operator, a, b) {
        (BinaryOp::Add, Value::Time(time), Value::Duration(duration))
        | (BinaryOp::Add, Value::Duration(duration), Value::Time(time)) => time::shifted(time, duration.0.into()),
        (BinaryOp::Subtract, Value::Time(time), Value::Duration(duration)) => {
            time::shifted(time, -i128::from(duration.0))
        }
        (BinaryOp::Subtract, Value::Time(a), Value::Time(b)) => Some(Value::Duration(time::between(b, a))),
        (BinaryOp::Add, Value::Duration(a), Value::Duration(b)) => {
            Some(Value::Duration(GoDuration(a.0.wrapping_add(b.0))))
        }
        (BinaryOp::Subtract, Value::Duration(a), Value::Duration(b)) => {
            Some(Value::Duration(GoDuration(a.0.wrapping_sub(b.0))))
        }
        _ => None,
    }
}
