//! Go's `time` as conditions see it: instants, durations, zones, and their methods. No clock is read here;
//! `now` comes in with the evaluation. Zone rules come from the system's zone database, as in Go.

pub(super) mod format;
pub(super) mod methods;
pub(super) mod parse;

use std::sync::Arc;

use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::value::Value;
use crate::api::duration::GoDuration;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_MINUTE: u64 = 60;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The instant `nanos` nanoseconds after 1970, told in UTC; the nearest one that can be told.
pub(super) fn utc(nanos: i128) -> Value {
    let bounded = nanos.clamp(Timestamp::MIN.as_nanosecond(), Timestamp::MAX.as_nanosecond());
    at(Timestamp::from_nanosecond(bounded).unwrap_or_default(), &TimeZone::UTC)
}

fn at(timestamp: Timestamp, zone: &TimeZone) -> Value {
    Value::Time(Arc::new(timestamp.to_zoned(zone.clone())))
}

/// `time` moved by `nanos`; none beyond the years that can be told.
pub(super) fn shifted(time: &Zoned, nanos: i128) -> Option<Value> {
    let moved = time.timestamp().as_nanosecond().checked_add(nanos)?;
    Some(at(Timestamp::from_nanosecond(moved).ok()?, time.time_zone()))
}

/// How long from `earlier` to `later`; the longest duration where it does not fit.
pub(super) fn between(earlier: &Zoned, later: &Zoned) -> GoDuration {
    let nanos = later.timestamp().as_nanosecond() - earlier.timestamp().as_nanosecond();
    GoDuration(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
}

/// Go's `time.LoadLocation`. `Local` is UTC: a controller's container has no other zone.
pub(super) fn load_zone(name: &str) -> Result<TimeZone, String> {
    match name {
        "" | "UTC" | "Local" => Ok(TimeZone::UTC),
        _ => TimeZone::get(name).map_err(|_| format!("unknown time zone {name}")),
    }
}

pub(super) fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("").to_owned()
}

/// The English name of a month, 1 to 12.
pub(super) fn month_name(month: i8) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or("%!Month(0)")
}

/// The English name of a weekday, from 0 for Sunday.
pub(super) fn weekday_name(day: i8) -> &'static str {
    usize::try_from(day).ok().and_then(|index| WEEKDAYS.get(index)).copied().unwrap_or("%!Weekday(7)")
}

/// Go's text of a time: `2006-01-02 15:04:05.999999999 -0700 MST`.
pub(super) fn default_text(time: &Zoned) -> String {
    format::format(time, "2006-01-02 15:04:05.999999999 -0700 MST")
}

/// RFC 3339 with the fraction that there is, as Go writes times into JSON.
pub(super) fn rfc3339(time: &Zoned) -> String {
    format::format(time, "2006-01-02T15:04:05.999999999Z07:00")
}

/// Go's text of a duration: `1h30m0s`, `1.5s`, `250ms`.
pub(super) fn duration_text(duration: GoDuration) -> String {
    let total = duration.0.unsigned_abs();
    let sign = if duration.0 < 0 { "-" } else { "" };
    let text = match total {
        0 => "0s".to_owned(),
        1..1_000 => format!("{total}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(total, 1_000)),
        1_000_000..NANOS_PER_SECOND => format!("{}ms", decimal(total, 1_000_000)),
        _ => {
            let minutes = total / (NANOS_PER_SECOND * SECONDS_PER_MINUTE);
            let seconds = decimal(total % (NANOS_PER_SECOND * SECONDS_PER_MINUTE), NANOS_PER_SECOND);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

/// `total / unit` with as many decimals as it takes.
fn decimal(total: u64, unit: u64) -> String {
    let (whole, rest) = (total / unit, total % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let places = unit.ilog10() as usize;
    let digits = format!("{rest:0places$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}
