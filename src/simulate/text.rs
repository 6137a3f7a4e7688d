//! Reading and writing the small texts of options and reports: times, shares, rates.

use std::time::Duration;

use crate::api::GoDuration;
use crate::cli::view::number::grouped;

/// A time with a unit, as Go writes it: `30s`, `5m`, `1h30m`. A bare number counts as seconds.
///
/// # Errors
/// What is expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let with_unit = if text.parse::<f64>().is_ok() { format!("{text}s") } else { text.to_owned() };
    let parsed = GoDuration::parse(&with_unit)
        .map_err(|_| format!("{text:?} is no time: write a number with a unit, such as 30s, 5m or 1h30m"))?;
    if parsed.0 < 0 { Err(format!("{text:?} is below zero")) } else { Ok(parsed.to_std()) }
}

/// A share from 0 to 1, written as `5%` or `0.05`.
///
/// # Errors
/// What is expected.
pub fn share(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let number = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|number| number / 100.0),
        None => text.parse(),
    };
    let number = number.ok().filter(|share| (0.0..=1.0).contains(share));
    number.ok_or_else(|| format!("{text:?} is no share: write a percentage such as 5%, or a number from 0 to 1"))
}

/// Requests per second, written as `500rps`, `500/s` or `500`.
///
/// # Errors
/// What is expected.
pub fn rate(text: &str) -> Result<f64, String> {
    let bare = text.trim();
    let bare = ["rps", "/s"].iter().find_map(|unit| bare.strip_suffix(unit)).unwrap_or(bare).trim();
    let number = bare.parse::<f64>().ok().filter(|rate| rate.is_finite() && (0.0..=1e6).contains(rate));
    number.ok_or_else(|| format!("{text:?} is no rate: write requests per second, such as 500rps (at most 1000000rps)"))
}

/// `0 s`, `850 ms`, `42 s`, `12 min 30 s`, `1 h 05 min`.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if span.is_zero() {
        "0 s".to_owned()
    } else if seconds == 0 {
        format!("{} ms", span.as_millis())
    } else if hours > 0 {
        format!("{hours} h {minutes:02} min")
    } else if minutes > 0 && rest > 0 {
        format!("{minutes} min {rest} s")
    } else if minutes > 0 {
        format!("{minutes} min")
    } else {
        format!("{rest} s")
    }
}

/// A place on the time axis: `0:42`, `12:30`, `1:05:00`.
pub fn clock(at: Duration) -> String {
    let seconds = at.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{rest:02}") } else { format!("{minutes}:{rest:02}") }
}

/// `12.5 %`, without a fraction where there is none.
pub fn percent(share: f64) -> String {
    let tenths = (share * 1000.0).round() / 10.0;
    format!("{tenths} %")
}

/// A word with its number: `1 pod`, `3 pods`.
pub fn counted(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{} {word}s", grouped(count)) }
}

/// A count as a fraction's part.
#[allow(clippy::cast_precision_loss, reason = "counts of a simulation stay far below 2^53")]
pub const fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_mins(90)));
        assert!(duration("-5s").is_err() && duration("soon").is_err());
        assert_eq!((share("5%"), share("0.25")), (Ok(0.05), Ok(0.25)));
        assert!(share("150%").is_err() && share("x").is_err());
        assert_eq!((rate("500rps"), rate("2.5/s"), rate("7")), (Ok(500.0), Ok(2.5), Ok(7.0)));
        assert!(rate("-1").is_err() && rate("many").is_err());
    }

    #[test]
    fn writes_what_people_read() {
        let secs = Duration::from_secs;
        assert_eq!([span(secs(42)), span(secs(750)), span(secs(3900))], ["42 s", "12 min 30 s", "1 h 05 min"]);
        assert_eq!([clock(secs(42)), clock(secs(750)), clock(secs(3900))], ["0:42", "12:30", "1:05:00"]);
        assert_eq!([percent(0.125), percent(0.2)], ["12.5 %", "20 %"]);
        assert_eq!([counted(1, "pod"), counted(2000, "pod")], ["1 pod", "2 000 pods"]);
    }
}
