//! Wall-clock instants as the API stores them.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// An instant: nanoseconds since the Unix epoch, UTC.
///
/// On the wire it is RFC 3339 at *second* precision (`2026-11-21T02:39:09Z`), as Go's `metav1.Time`:
/// compare values that went through [`Time::truncated`], or a status flaps by fractions of a second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

impl Time {
    /// The instant `nanos` nanoseconds after the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The instant `seconds` seconds after the Unix epoch; saturates at the ends of the range (years 1677–2262).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SECOND)
    }

    /// The same instant without its fraction of a second: what a reader of the API sees.
    #[must_use]
    pub const fn truncated(self) -> Self {
        Self::from_seconds(self.seconds())
    }

    /// How long after `earlier` this instant is; zero where it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        u64::try_from(self.0.saturating_sub(earlier.0)).map_or(Duration::ZERO, Duration::from_nanos)
    }

    /// How long until `later`; zero where `later` has passed.
    pub fn until(self, later: Self) -> Duration {
        later.since(self)
    }

    /// RFC 3339 with microseconds (`metav1.MicroTime`), for Leases.
    pub fn to_micro(self) -> String {
        let micros = self.0.rem_euclid(NANOS_PER_SECOND) / 1_000;
        let whole = self.truncated().to_string();
        format!("{}.{micros:06}Z", whole.trim_end_matches('Z'))
    }
}

fn nanos_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Time {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos_of(duration)))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(nanos_of(duration)))
    }
}

/// A text that is no RFC 3339 instant between the years 1677 and 2262.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time: expected RFC 3339 such as 2026-11-21T02:39:09Z")]
pub struct ParseTimeError {
    text: String,
}

impl FromStr for Time {
    type Err = ParseTimeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ParseTimeError { text: text.to_owned() };
        let parsed: jiff::Timestamp = text.parse().map_err(|_| refused())?;
        i64::try_from(parsed.as_nanosecond()).map(Self).map_err(|_| refused())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every i64 of nanoseconds lies inside the range that jiff prints.
        let shown = jiff::Timestamp::from_second(self.seconds()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{}", shown.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_micro())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl schemars::JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date-time"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_seconds() {
        let time: Time = "2026-11-21T02:39:09.75Z".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-21T02:39:09Z");
        assert_eq!(time.to_micro(), "2026-11-21T02:39:09.750000Z");
        assert_eq!(serde_json::to_string(&time).unwrap(), "\"2026-11-21T02:39:09Z\"");
        assert_eq!(time.truncated().nanos() % NANOS_PER_SECOND, 0);
        let offset: Time = "2026-11-21T03:39:09+01:00".parse().unwrap();
        assert_eq!(offset, time.truncated());
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in ["", "yesterday", "2026-11-21", "2026-11-21T25:00:00Z", "9999-01-01T00:00:00Z"] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }

    #[test]
    fn differences_never_go_below_zero() {
        let (early, late) = (Time::from_seconds(10), Time::from_seconds(25));
        assert_eq!(late.since(early), Duration::from_secs(15));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(early.until(late), Duration::from_secs(15));
        assert_eq!(early + Duration::from_secs(15), late);
    }
}
