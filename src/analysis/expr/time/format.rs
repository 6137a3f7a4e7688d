//! Times by Go's layouts, in which the reference time `Mon Jan 2 15:04:05 MST 2006` shows how to write one.

use std::fmt::Write as _;

use jiff::Zoned;

use super::{MONTHS, WEEKDAYS};

/// A part of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// To be written as it is.
    Text(&'a str),
    LongYear,
    ShortYear,
    LongMonth,
    ShortMonth,
    PaddedMonth,
    Month,
    LongWeekday,
    ShortWeekday,
    PaddedDay,
    SpacedDay,
    Day,
    DayOfYear,
    Hour24,
    PaddedHour12,
    Hour12,
    PaddedMinute,
    Minute,
    PaddedSecond,
    Second,
    /// A fraction of as many digits, its separator, and whether trailing zeros stay.
    Fraction(usize, char, bool),
    /// `PM` or `pm`.
    Meridiem(bool),
    ZoneName,
    /// An offset: with a colon, with minutes, and `Z` for UTC.
    Offset(bool, bool, bool),
}

/// Words of a layout, longer ones before their beginnings.
const WORDS: &[(&str, Part<'static>)] = &[
    ("January", Part::LongMonth),
    ("Jan", Part::ShortMonth),
    ("Monday", Part::LongWeekday),
    ("Mon", Part::ShortWeekday),
    ("MST", Part::ZoneName),
    ("2006", Part::LongYear),
    ("002", Part::DayOfYear),
    ("01", Part::PaddedMonth),
    ("02", Part::PaddedDay),
    ("03", Part::PaddedHour12),
    ("04", Part::PaddedMinute),
    ("05", Part::PaddedSecond),
    ("06", Part::ShortYear),
    ("15", Part::Hour24),
    ("_2", Part::SpacedDay),
    ("PM", Part::Meridiem(true)),
    ("pm", Part::Meridiem(false)),
    ("-07:00", Part::Offset(true, true, false)),
    ("-0700", Part::Offset(false, true, false)),
    ("-07", Part::Offset(false, false, false)),
    ("Z07:00", Part::Offset(true, true, true)),
    ("Z0700", Part::Offset(false, true, true)),
    ("Z07", Part::Offset(false, false, true)),
    ("1", Part::Month),
    ("2", Part::Day),
    ("3", Part::Hour12),
    ("4", Part::Minute),
    ("5", Part::Second),
];

/// Splits a layout into its parts.
pub(super) fn parts(layout: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut literal, mut position) = (0, 0);
    while position < layout.len() {
        let rest = layout.get(position..).unwrap_or_default();
        let Some((length, part)) = word(rest) else {
            position += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        if literal < position {
            parts.push(Part::Text(layout.get(literal..position).unwrap_or_default()));
        }
        parts.push(part);
        position += length;
        literal = position;
    }
    if literal < layout.len() {
        parts.push(Part::Text(layout.get(literal..).unwrap_or_default()));
    }
    parts
}

/// The word that `rest` begins with.
fn word(rest: &str) -> Option<(usize, Part<'static>)> {
    let bytes = rest.as_bytes();
    if let Some(separator @ (b'.' | b',')) = bytes.first()
        && let Some(digit @ (b'0' | b'9')) = bytes.get(1)
    {
        let digits = bytes.iter().skip(1).take_while(|byte| *byte == digit).count();
        let ends = bytes.get(1 + digits).is_none_or(|byte| !byte.is_ascii_digit());
        return ends.then_some((1 + digits, Part::Fraction(digits, char::from(*separator), *digit == b'0')));
    }
    // Go: `Jan` and `Mon` count only where no lower-case letter follows, as in `Money`.
    let found = WORDS.iter().find(|(word, part)| {
        rest.starts_with(word)
            && !(matches!(part, Part::ShortMonth | Part::ShortWeekday)
                && bytes.get(word.len()).is_some_and(u8::is_ascii_lowercase))
    })?;
    Some((found.0.len(), found.1))
}

/// `time` by `layout` (Go: `time.Time.Format`).
pub(super) fn format(time: &Zoned, layout: &str) -> String {
    let mut out = String::new();
    for part in parts(layout) {
        // Writing to a String cannot fail.
        let _ = write_part(&mut out, time, part);
    }
    out
}

fn write_part(out: &mut String, time: &Zoned, part: Part<'_>) -> std::fmt::Result {
    let hour12 = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let month = usize::try_from(time.month() - 1).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or("");
    let weekday = usize::try_from(time.weekday().to_sunday_zero_offset())
        .ok()
        .and_then(|index| WEEKDAYS.get(index))
        .copied()
        .unwrap_or("");
    match part {
        Part::Text(text) => out.write_str(text),
        Part::LongYear => write!(out, "{:04}", time.year()),
        Part::ShortYear => write!(out, "{:02}", time.year().rem_euclid(100)),
        Part::LongMonth => out.write_str(month),
        Part::ShortMonth => out.write_str(month.get(..3).unwrap_or(month)),
        Part::PaddedMonth => write!(out, "{:02}", time.month()),
        Part::Month => write!(out, "{}", time.month()),
        Part::LongWeekday => out.write_str(weekday),
        Part::ShortWeekday => out.write_str(weekday.get(..3).unwrap_or(weekday)),
        Part::PaddedDay => write!(out, "{:02}", time.day()),
        Part::SpacedDay => write!(out, "{:2}", time.day()),
        Part::Day => write!(out, "{}", time.day()),
        Part::DayOfYear => write!(out, "{:03}", time.day_of_year()),
        Part::Hour24 => write!(out, "{:02}", time.hour()),
        Part::PaddedHour12 => write!(out, "{hour12:02}"),
        Part::Hour12 => write!(out, "{hour12}"),
        Part::PaddedMinute => write!(out, "{:02}", time.minute()),
        Part::Minute => write!(out, "{}", time.minute()),
        Part::PaddedSecond => write!(out, "{:02}", time.second()),
        Part::Second => write!(out, "{}", time.second()),
        Part::Fraction(digits, separator, keep) => {
            let all = format!("{:09}", time.subsec_nanosecond());
            let shown = all.get(..digits.min(9)).unwrap_or(&all);
            let shown = if keep { shown } else { shown.trim_end_matches('0') };
            if shown.is_empty() { Ok(()) } else { write!(out, "{separator}{shown}") }
        }
        Part::Meridiem(upper) => out.write_str(match (time.hour() < 12, upper) {
            (true, true) => "AM",
            (true, false) => "am",
            (false, true) => "PM",
            (false, false) => "pm",
        }),
        Part::ZoneName => write!(out, "{}", time.time_zone().to_offset_info(time.timestamp()).abbreviation()),
        Part::Offset(colon, minutes, zulu) => write_offset(out, time.offset().seconds(), (colon, minutes, zulu)),
    }
}

fn write_offset(out: &mut String, seconds: i32, (colon, minutes, zulu): (bool, bool, bool)) -> std::fmt::Result {
    if zulu && seconds == 0 {
        return out.write_char('Z');
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let total = seconds.abs() / 60;
    write!(out, "{sign}{:02}", total / 60)?;
    if minutes {
        write!(out, "{}{:02}", if colon { ":" } else { "" }, total % 60)?;
    }
    Ok(())
}
