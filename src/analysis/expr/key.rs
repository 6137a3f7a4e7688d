//! Keys of maps that Go would declare as `map[any]…`: two keys are one only if they have the same type too.

use std::cmp::Ordering;
use std::sync::Arc;

use super::error::RuntimeError;
use super::value::Value;

/// A number as a key. Go never finds a `NaN` again; here all `NaN`s of the same bits are one key.
#[derive(Clone, Copy, Debug)]
pub struct FloatKey(pub f64);

impl PartialEq for FloatKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for FloatKey {}

impl PartialOrd for FloatKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FloatKey {
    fn cmp(&self, other: &Self) -> Ordering {
        // Zero and negative zero are one key in Go.
        (self.0 + 0.0).total_cmp(&(other.0 + 0.0))
    }
}

/// A key of any hashable type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `nil`.
    Nil,
    /// `int`.
    Int(i64),
    /// `int64`.
    Int64(i64),
    /// `uint8`.
    Byte(u8),
    /// `float64`.
    Float(FloatKey),
    /// `bool`.
    Bool(bool),
    /// `string`.
    Str(Arc<str>),
    /// `time.Duration`, nanoseconds.
    Duration(i64),
    /// `time.Time`, nanoseconds since 1970.
    Time(i128),
    /// `time.Month`.
    Month(i8),
    /// `time.Weekday`.
    Weekday(i8),
}

impl Key {
    /// The key that stands for `value`; lists, maps and functions cannot be keys.
    pub fn of(value: &Value) -> Result<Self, RuntimeError> {
        Ok(match value {
            Value::Nil => Self::Nil,
            Value::Int(number) => Self::Int(*number),
            Value::Int64(number) => Self::Int64(*number),
            Value::Byte(byte) => Self::Byte(*byte),
            Value::Float(number) => Self::Float(FloatKey(*number)),
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Str(text) => Self::Str(Arc::clone(text)),
            Value::Duration(duration) => Self::Duration(duration.0),
            Value::Time(time) => Self::Time(time.timestamp().as_nanosecond()),
            Value::Month(month) => Self::Month(*month),
            Value::Weekday(day) => Self::Weekday(*day),
            Value::List(_) | Value::Map(_) | Value::Table(_) | Value::Zone(_) | Value::Function(_) => {
                return Err(RuntimeError::new(format!("hash of unhashable type: {}", value.go_type())));
            }
        })
    }

    /// The value that was made a key.
    pub fn value(&self) -> Value {
        match self {
            Self::Nil => Value::Nil,
            Self::Int(number) => Value::Int(*number),
            Self::Int64(number) => Value::Int64(*number),
            Self::Byte(byte) => Value::Byte(*byte),
            Self::Float(number) => Value::Float(number.0),
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Str(text) => Value::Str(Arc::clone(text)),
            Self::Duration(nanos) => Value::Duration(crate::api::duration::GoDuration(*nanos)),
            Self::Time(nanos) => super::time::utc(*nanos),
            Self::Month(month) => Value::Month(*month),
            Self::Weekday(day) => Value::Weekday(*day),
        }
    }
}
