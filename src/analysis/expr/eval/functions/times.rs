//! `now`, `date`, `duration`, `timezone`.

use jiff::tz::TimeZone;

use super::super::super::error::RuntimeError;
use super::super::super::time::{load_zone, parse, utc};
use super::super::super::value::Value;
use super::super::fail;
use super::as_text;
use crate::api::Time;
use crate::api::duration::GoDuration;

/// Calls a function about time; `now` is the time of the evaluation.
pub(super) fn call(name: &str, arguments: &[Value], now: Time) -> Result<Value, RuntimeError> {
    match (name, arguments) {
        ("now", []) => Ok(utc(now.nanos().into())),
        ("now", [Value::Zone(zone)]) => match utc(now.nanos().into()) {
            Value::Time(time) => Ok(Value::Time(std::sync::Arc::new(time.with_time_zone(zone.clone())))),
            other => Ok(other),
        },
        ("duration", [text]) => {
            let text = as_text(text)?;
            GoDuration::parse(text).map(Value::Duration).map_err(|error| RuntimeError::new(error.to_string()))
        }
        ("timezone", [name]) => Ok(Value::Zone(load_zone(as_text(name)?).map_err(RuntimeError::new)?)),
        ("date", [Value::Zone(zone), rest @ ..]) => date(rest, zone),
        ("date", _) => date(arguments, &TimeZone::UTC),
        _ => fail(format!("invalid number of arguments for {name}")),
    }
}

/// `date(text)`, `date(text, layout)`, `date(text, layout, zone)`.
fn date(arguments: &[Value], zone: &TimeZone) -> Result<Value, RuntimeError> {
    let texts = arguments.iter().map(as_text).collect::<Result<Vec<_>, _>>()?;
    match texts.as_slice() {
        [text] => parse::by_usual_layouts(text, zone),
        [text, layout] => parse::by_layout(text, layout, zone),
        [text, layout, zone] => load_zone(zone).and_then(|zone| parse::by_layout(text, layout, &zone)),
        _ => Err("invalid number of arguments for date".to_owned()),
    }
    .map_err(RuntimeError::new)
}
