//! The methods of times, durations, months, weekdays and zones: their types, and what they give.

use jiff::Zoned;

use super::super::error::RuntimeError;
use super::super::format;
use super::super::number::to_float;
use super::super::types::Type;
use super::super::value::Value;
use super::{between, format as layout, shifted};
use crate::api::duration::GoDuration;

/// The type of a method: what it takes, and what it gives.
pub(in super::super) struct Method {
    pub name: &'static str,
    pub parameters: &'static [Type],
    pub result: Type,
}

const fn method(name: &'static str, parameters: &'static [Type], result: Type) -> Method {
    Method { name, parameters, result }
}

static TIME: &[Method] = &[
    method("Year", &[], Type::Int),
    method("Month", &[], Type::Month),
    method("Day", &[], Type::Int),
    method("Hour", &[], Type::Int),
    method("Minute", &[], Type::Int),
    method("Second", &[], Type::Int),
    method("Nanosecond", &[], Type::Int),
    method("YearDay", &[], Type::Int),
    method("Weekday", &[], Type::Weekday),
    method("Unix", &[], Type::Int64),
    method("UnixMilli", &[], Type::Int64),
    method("UnixMicro", &[], Type::Int64),
    method("UnixNano", &[], Type::Int64),
    method("IsZero", &[], Type::Bool),
    method("String", &[], Type::Str),
    method("UTC", &[], Type::Time),
    method("Local", &[], Type::Time),
    method("Location", &[], Type::Zone),
    method("In", &[Type::Zone], Type::Time),
    method("Add", &[Type::Duration], Type::Time),
    method("AddDate", &[Type::Int, Type::Int, Type::Int], Type::Time),
    method("Sub", &[Type::Time], Type::Duration),
    method("Before", &[Type::Time], Type::Bool),
    method("After", &[Type::Time], Type::Bool),
    method("Equal", &[Type::Time], Type::Bool),
    method("Compare", &[Type::Time], Type::Int),
    method("Format", &[Type::Str], Type::Str),
];

static DURATION: &[Method] = &[
    method("Hours", &[], Type::Float),
    method("Minutes", &[], Type::Float),
    method("Seconds", &[], Type::Float),
    method("Milliseconds", &[], Type::Int64),
    method("Microseconds", &[], Type::Int64),
    method("Nanoseconds", &[], Type::Int64),
    method("String", &[], Type::Str),
    method("Abs", &[], Type::Duration),
    method("Truncate", &[Type::Duration], Type::Duration),
    method("Round", &[Type::Duration], Type::Duration),
];

static NAMED: &[Method] = &[method("String", &[], Type::Str)];

fn methods_of(base: &Type) -> &'static [Method] {
    match base {
        Type::Time => TIME,
        Type::Duration => DURATION,
        Type::Month | Type::Weekday | Type::Zone => NAMED,
        _ => &[],
    }
}

/// The method `name` of values of type `base`.
pub(in super::super) fn find(base: &Type, name: &str) -> Option<&'static Method> {
    methods_of(base).iter().find(|method| method.name == name)
}

/// The static type of a value that has methods.
pub(in super::super) fn receiver(value: &Value) -> Option<Type> {
    Some(match value {
        Value::Time(_) => Type::Time,
        Value::Duration(_) => Type::Duration,
        Value::Month(_) => Type::Month,
        Value::Weekday(_) => Type::Weekday,
        Value::Zone(_) => Type::Zone,
        _ => return None,
    })
}

/// Calls the method `name` of `base`.
pub(in super::super) fn call(base: &Value, name: &str, arguments: &[Value]) -> Result<Value, RuntimeError> {
    let found = match base {
        Value::Time(time) => of_time(time, name, arguments),
        Value::Duration(duration) => of_duration(*duration, name, arguments),
        _ if name == "String" && arguments.is_empty() => Some(Value::text(&format::value(base))),
        _ => None,
    };
    found.ok_or_else(|| {
        RuntimeError::new(format!("cannot call method {name} of {} with these arguments", base.go_type()))
    })
}

fn of_time(time: &Zoned, name: &str, arguments: &[Value]) -> Option<Value> {
    let nanos = time.timestamp().as_nanosecond();
    let unix = |unit: i128| i64::try_from(nanos.div_euclid(unit)).ok().map(Value::Int64);
    let told = |zone: jiff::tz::TimeZone| Value::Time(std::sync::Arc::new(time.with_time_zone(zone)));
    match (name, arguments) {
        ("Year", []) => Some(Value::Int(time.year().into())),
        ("Month", []) => Some(Value::Month(time.month())),
        ("Day", []) => Some(Value::Int(time.day().into())),
        ("Hour", []) => Some(Value::Int(time.hour().into())),
        ("Minute", []) => Some(Value::Int(time.minute().into())),
        ("Second", []) => Some(Value::Int(time.second().into())),
        ("Nanosecond", []) => Some(Value::Int(time.subsec_nanosecond().into())),
        ("YearDay", []) => Some(Value::Int(time.day_of_year().into())),
        ("Weekday", []) => Some(Value::Weekday(time.weekday().to_sunday_zero_offset())),
        ("Unix", []) => unix(1_000_000_000),
        ("UnixMilli", []) => unix(1_000_000),
        ("UnixMicro", []) => unix(1_000),
        ("UnixNano", []) => unix(1),
        ("IsZero", []) => Some(Value::Bool(nanos == ZERO_TIME_NANOS)),
        ("String", []) => Some(Value::text(&super::default_text(time))),
        ("UTC" | "Local", []) => Some(told(jiff::tz::TimeZone::UTC)),
        ("Location", []) => Some(Value::Zone(time.time_zone().clone())),
        ("In", [Value::Zone(zone)]) => Some(told(zone.clone())),
        ("Format", [Value::Str(text)]) => Some(Value::text(&layout::format(time, text))),
        ("Add", [Value::Duration(duration)]) => shifted(time, duration.0.into()),
        ("AddDate", [Value::Int(years), Value::Int(months), Value::Int(days)]) => {
            add_date(time, [*years, *months, *days])
        }
        ("Sub", [Value::Time(other)]) => Some(Value::Duration(between(other, time))),
        ("Before", [Value::Time(other)]) => Some(Value::Bool(time.timestamp() < other.timestamp())),
        ("After", [Value::Time(other)]) => Some(Value::Bool(time.timestamp() > other.timestamp())),
        ("Equal", [Value::Time(other)]) => Some(Value::Bool(time.timestamp() == other.timestamp())),
        ("Compare", [Value::Time(other)]) => Some(Value::Int(time.timestamp().cmp(&other.timestamp()) as i64)),
        _ => None,
    }
}

/// The first day of year 1, which Go calls the zero time.
const ZERO_TIME_NANOS: i128 = -62_135_596_800_000_000_000;

/// Go lets days overflow into the next month: 31 January plus a month is 3 March (or 2).
fn add_date(time: &Zoned, [years, months, days]: [i64; 3]) -> Option<Value> {
    let month_index = i64::from(time.month()).checked_add(months)?.checked_sub(1)?;
    let year = i64::from(time.year()).checked_add(years)?.checked_add(month_index.div_euclid(12))?;
    let month = i8::try_from(month_index.rem_euclid(12) + 1).ok()?;
    let first = jiff::civil::Date::new(i16::try_from(year).ok()?, month, 1).ok()?;
    let span = jiff::Span::new().try_days(days.checked_add(i64::from(time.day()) - 1)?).ok()?;
    let date = first.checked_add(span).ok()?;
    let moved = date.to_datetime(time.time()).to_zoned(time.time_zone().clone()).ok()?;
    Some(Value::Time(std::sync::Arc::new(moved)))
}

fn of_duration(duration: GoDuration, name: &str, arguments: &[Value]) -> Option<Value> {
    let nanos = duration.0;
    // Go adds the whole and the fraction as floats; so the result has the same last bit.
    let float = |unit: i64| Value::Float(to_float(nanos / unit) + to_float(nanos % unit) / to_float(unit));
    Some(match (name, arguments) {
        ("Hours", []) => float(3_600_000_000_000),
        ("Minutes", []) => float(60_000_000_000),
        ("Seconds", []) => float(1_000_000_000),
        ("Milliseconds", []) => Value::Int64(nanos / 1_000_000),
        ("Microseconds", []) => Value::Int64(nanos / 1_000),
        ("Nanoseconds", []) => Value::Int64(nanos),
        ("String", []) => Value::text(&super::duration_text(duration)),
        ("Abs", []) => Value::Duration(GoDuration(nanos.saturating_abs())),
        ("Truncate" | "Round", [Value::Duration(unit)]) if unit.0 <= 0 => Value::Duration(duration),
        ("Truncate", [Value::Duration(unit)]) => Value::Duration(GoDuration(nanos - nanos % unit.0)),
        ("Round", [Value::Duration(unit)]) => {
            let rest = nanos % unit.0;
            let down = nanos - rest;
            let away = if nanos < 0 { down.saturating_sub(unit.0) } else { down.saturating_add(unit.0) };
            let up = rest.unsigned_abs().saturating_mul(2) >= unit.0.unsigned_abs();
            Value::Duration(GoDuration(if up { away } else { down }))
        }
        _ => return None,
    })
}
