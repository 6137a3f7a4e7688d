//! Numbers: conversions, aggregates, bits.

use super::super::super::ast::BinaryOp;
use super::super::super::error::RuntimeError;
use super::super::super::meter::Meter;
use super::super::super::number::{parse_float, parse_int, to_float, truncate};
use super::super::super::value::Value;
use super::super::arithmetic::Number;
use super::super::compare::order;
use super::super::fail;

/// `abs`, `ceil`, `floor`, `round`, `int`, `float`.
pub(super) fn convert(name: &str, value: &Value) -> Result<Value, RuntimeError> {
    match (name, value) {
        ("int", Value::Str(text)) => {
            return parse_int(text)
                .map(Value::Int)
                .map_err(|_| RuntimeError::new(format!("invalid operation: int({text})")));
        }
        ("float", Value::Str(text)) => {
            return parse_float(text)
                .map(Value::Float)
                .map_err(|_| RuntimeError::new(format!("invalid operation: float({text})")));
        }
        // Go converts what is an integer underneath.
        ("int", Value::Duration(duration)) => return Ok(Value::Int(duration.0)),
        ("int", Value::Month(number) | Value::Weekday(number)) => return Ok(Value::Int(i64::from(*number))),
        _ => {}
    }
    let Some(number) = Number::of(value) else {
        return match name {
            "int" | "float" => fail(format!("invalid operation: {name}({})", value.go_type())),
            _ => fail(format!("invalid argument for {name} (type {})", value.go_type())),
        };
    };
    Ok(match (name, number) {
        ("abs", _) => absolute(value),
        ("int", Number::Int(number)) => Value::Int(number),
        ("int", Number::Float(number)) => Value::Int(truncate(number)),
        ("ceil", _) => Value::Float(number.float().ceil()),
        ("floor", _) => Value::Float(number.float().floor()),
        ("round", _) => Value::Float(number.float().round()),
        _ => Value::Float(number.float()),
    })
}

fn absolute(value: &Value) -> Value {
    match value {
        Value::Int(number) => Value::Int(number.wrapping_abs()),
        Value::Int64(number) => Value::Int64(number.wrapping_abs()),
        Value::Float(number) if *number < 0.0 => Value::Float(-number),
        other => other.clone(),
    }
}

/// `max`, `min`, `mean`, `median` of numbers and of lists of them.
pub(super) fn aggregate(name: &str, arguments: &[Value], meter: &mut Meter) -> Result<Value, RuntimeError> {
    match name {
        "max" => extreme((name, BinaryOp::Less), arguments, meter),
        "min" => extreme((name, BinaryOp::More), arguments, meter),
        _ => {
            let mut numbers = Vec::new();
            collect(name, arguments, (&mut numbers, meter))?;
            Ok(Value::Float(if name == "mean" { mean(&numbers) } else { median(numbers) }))
        }
    }
}

/// The value that no other beats; nil of nothing. `beaten` is the order in which the current best loses.
fn extreme((name, beaten): (&str, BinaryOp), arguments: &[Value], meter: &mut Meter) -> Result<Value, RuntimeError> {
    let mut best = Value::Nil;
    for argument in arguments {
        meter.look(1)?;
        match argument {
            Value::List(list) => {
                for item in list.items() {
                    let found = extreme((name, beaten), std::slice::from_ref(item), meter)?;
                    if Number::of(&found).is_none() {
                        return fail(format!("invalid argument for {name} (type {})", found.go_type()));
                    }
                    improve(&mut best, found, beaten)?;
                }
            }
            number if Number::of(number).is_some() => improve(&mut best, number.clone(), beaten)?,
            // Integers underneath, though not in a list.
            Value::Duration(_) | Value::Month(_) | Value::Weekday(_) => improve(&mut best, argument.clone(), beaten)?,
            only if arguments.len() == 1 => return Ok(only.clone()),
            other => return fail(format!("invalid argument for {name} (type {})", other.go_type())),
        }
    }
    Ok(best)
}

fn improve(best: &mut Value, found: Value, beaten: BinaryOp) -> Result<(), RuntimeError> {
    if matches!(best, Value::Nil) || order(beaten, best, &found)? {
        *best = found;
    }
    Ok(())
}

fn collect(name: &str, values: &[Value], (out, meter): (&mut Vec<f64>, &mut Meter)) -> Result<(), RuntimeError> {
    for value in values {
        meter.look(1)?;
        match (value, Number::of(value)) {
            (_, Some(number)) => out.push(number.float()),
            (Value::List(list), _) => collect(name, list.items(), (out, meter))?,
            (Value::Duration(duration), _) => out.push(to_float(duration.0)),
            (Value::Month(number) | Value::Weekday(number), _) => out.push(f64::from(*number)),
            (other, _) => return fail(format!("invalid argument for {name} (type {})", other.go_type())),
        }
    }
    Ok(())
}

fn mean(numbers: &[f64]) -> f64 {
    let total = numbers.iter().fold(0.0, |total, number| total + number);
    let count = to_float(i64::try_from(numbers.len()).unwrap_or(i64::MAX));
    if numbers.is_empty() { 0.0 } else { total / count }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    // NaN comes first, as in Go's sort.
    numbers.sort_by(|a, b| b.is_nan().cmp(&a.is_nan()).then(a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)));
    let middle = numbers.len() / 2;
    let upper = numbers.get(middle).copied().unwrap_or(0.0);
    match middle.checked_sub(1).and_then(|lower| numbers.get(lower)) {
        Some(lower) if numbers.len().is_multiple_of(2) => f64::midpoint(*lower, upper),
        _ => upper,
    }
}

/// An operand of a bit function, which takes integers only.
pub(super) fn bits(name: &str, value: &Value) -> Result<i64, RuntimeError> {
    match Number::of(value) {
        Some(Number::Int(number)) => Ok(number),
        _ => fail(format!("cannot use {} as argument (type int) to call {name}", value.go_type())),
    }
}

/// The functions of two integers. Shifts beyond 63 empty the number, as in Go.
pub(super) fn bitwise(name: &str, x: i64, y: i64) -> Result<Value, RuntimeError> {
    if name.starts_with("bitsh") || name == "bitushr" {
        let Ok(places) = u32::try_from(y.min(64)) else {
            return fail(format!("invalid operation: negative shift count {y} (type int)"));
        };
        return Ok(Value::Int(match name {
            "bitshl" => x.checked_shl(places).unwrap_or(0),
            "bitshr" => x >> places.min(63),
            _ => x.cast_unsigned().checked_shr(places).unwrap_or(0).cast_signed(),
        }));
    }
    Ok(Value::Int(match name {
        "bitand" => x & y,
        "bitor" => x | y,
        "bitxor" => x ^ y,
        _ => x & !y,
    }))
}
