//! Go's duration texts (`1h30m`, `500ms`, `1.5h`), as the API stores intervals and delays.

use std::time::Duration;

/// A signed length of time in nanoseconds: Go's `time.Duration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct GoDuration(pub i64);

/// Why a text is no duration. The wording is Go's, because it reaches users through validation messages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseDurationError {
    /// Empty, a bare sign, no digits, or a value that does not fit.
    #[error("time: invalid duration {0:?}")]
    Invalid(String),
    /// A number without a unit after it.
    #[error("time: missing unit in duration {0:?}")]
    MissingUnit(String),
    /// A unit that Go does not know.
    #[error("time: unknown unit {unit:?} in duration {text:?}")]
    UnknownUnit {
        /// The unit as written.
        unit: String,
        /// The whole text.
        text: String,
    },
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

impl GoDuration {
    /// Reads a duration by the rules of Go's `time.ParseDuration`: an optional sign, then one or more
    /// decimal numbers each with a unit of `ns us µs ms s m h`; `0` alone needs no unit.
    pub fn parse(text: &str) -> Result<Self, ParseDurationError> {
        let invalid = || ParseDurationError::Invalid(text.to_owned());
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or_default()),
            Some(b'+') => (false, text.get(1..).unwrap_or_default()),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (nanos, after) = Self::term(rest, text)?;
            total = total.checked_add(nanos).ok_or_else(invalid)?;
            rest = after;
        }
        let limit = i64::MAX.unsigned_abs() + u64::from(negative);
        if total > limit {
            return Err(invalid());
        }
        let signed =
            if negative { 0_i64.wrapping_sub_unsigned(total) } else { i64::try_from(total).map_err(|_| invalid())? };
        Ok(Self(signed))
    }

    /// One number with its unit, in nanoseconds, and what follows it.
    fn term<'a>(rest: &'a str, whole: &str) -> Result<(u64, &'a str), ParseDurationError> {
        let invalid = || ParseDurationError::Invalid(whole.to_owned());
        let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
        let (integer, mut after) = rest.split_at(digits(rest));
        let mut fraction = "";
        if let Some(decimals) = after.strip_prefix('.') {
            (fraction, after) = decimals.split_at(digits(decimals));
        }
        if integer.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err(ParseDurationError::MissingUnit(whole.to_owned()));
        }
        let scale = unit_nanos(unit)
            .ok_or_else(|| ParseDurationError::UnknownUnit { unit: unit.to_owned(), text: whole.to_owned() })?;
        let number: u64 = if integer.is_empty() { 0 } else { integer.parse().map_err(|_| invalid())? };
        let nanos = number.checked_mul(scale).ok_or_else(invalid)?;
        Ok((nanos.checked_add(fraction_nanos(fraction, scale)).ok_or_else(invalid)?, after))
    }

    /// The same length as an unsigned duration; zero where it is negative.
    pub fn to_std(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }

    /// Whole seconds, truncated towards zero.
    pub const fn seconds(self) -> i64 {
        self.0 / 1_000_000_000
    }
}

/// `0.<digits>` of `scale` nanoseconds, rounded down; digits beyond the nineteenth cannot matter.
fn fraction_nanos(digits: &str, scale: u64) -> u64 {
    let (mut nanos, mut divisor) = (0_u128, 1_u128);
    for digit in digits.bytes().take(18) {
        divisor *= 10;
        nanos = nanos * 10 + u128::from(digit - b'0');
    }
    u64::try_from(nanos * u128::from(scale) / divisor).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        let second = 1_000_000_000;
        let cases = [
            ("0", 0),
            ("-0", 0),
            ("30s", 30 * second),
            ("1h30m", 5400 * second),
            ("1.5h", 5400 * second),
            (".5s", second / 2),
            ("1.s", second),
            ("-1.5m", -90 * second),
            ("+5m", 300 * second),
            ("500ms", second / 2),
            ("3µs", 3_000),
            ("1h1m1s1ms1us1ns", 3_661_001_001_001),
            ("-9223372036854775808ns", i64::MIN),
        ];
        for (text, nanos) in cases {
            assert_eq!(GoDuration::parse(text), Ok(GoDuration(nanos)), "{text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in ["", "-", ".", "s", "1", "1d", "1.5.5s", "9223372036854775808ns", "3000000h", "1 s", "x"] {
            assert!(GoDuration::parse(text).is_err(), "{text}");
        }
        let message = GoDuration::parse("1d").unwrap_err().to_string();
        assert_eq!(message, "time: unknown unit \"d\" in duration \"1d\"");
    }
}
