//! Reading times by Go's layouts, and the `date` function on top of it.

use std::sync::Arc;

use jiff::{Zoned, civil, tz::Offset, tz::TimeZone};

use super::super::value::Value;
use super::format::{Part, parts};
use super::{MONTHS, WEEKDAYS};

/// The layouts that `date` tries when it is given none.
const LAYOUTS: [&str; 7] = [
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    "2006-01-02T15:04:05Z07:00",
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
];

/// Reads `text` by the first of the usual layouts that fits.
pub(in super::super) fn by_usual_layouts(text: &str, zone: &TimeZone) -> Result<Value, String> {
    LAYOUTS.iter().find_map(|layout| by_layout(text, layout, zone).ok()).ok_or_else(|| format!("invalid date {text}"))
}

/// Reads `text` by `layout`; where it names no zone it is told in `zone` (Go: `time.ParseInLocation`).
pub(in super::super) fn by_layout(text: &str, layout: &str, zone: &TimeZone) -> Result<Value, String> {
    let cannot = || format!("parsing time {text:?} as {layout:?}: cannot parse {text:?} as {layout:?}");
    let mut found = Found { year: 0, month: 1, day: 1, ..Found::default() };
    let mut rest = text;
    for part in parts(layout) {
        rest = found.read(part, rest).ok_or_else(cannot)?;
    }
    if !rest.is_empty() {
        return Err(format!("parsing time {text:?}: extra text: {rest:?}"));
    }
    let time = found.build(zone).ok_or_else(|| format!("parsing time {text:?}: value out of range"))?;
    Ok(Value::Time(Arc::new(time)))
}

#[derive(Default)]
struct Found {
    year: i16,
    month: i8,
    day: i8,
    day_of_year: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    afternoon: Option<bool>,
    offset: Option<i32>,
    utc: bool,
    named: bool,
}

impl Found {
    /// Reads one part of the layout from the beginning of `text`, and gives what follows it.
    fn read<'a>(&mut self, part: Part<'_>, text: &'a str) -> Option<&'a str> {
        match part {
            Part::Text(literal) => return skip_literal(literal, text),
            Part::LongYear => return set(&mut self.year, fixed(text, 4)?),
            Part::ShortYear => {
                let (year, rest) = fixed::<i16>(text, 2)?;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
                return Some(rest);
            }
            Part::LongMonth => return set(&mut self.month, name(text, &MONTHS, usize::MAX)?),
            Part::ShortMonth => return set(&mut self.month, name(text, &MONTHS, 3)?),
            Part::PaddedMonth => return set(&mut self.month, fixed(text, 2)?),
            Part::Month => return set(&mut self.month, number(text, 2)?),
            Part::LongWeekday => return Some(name::<i8>(text, &WEEKDAYS, usize::MAX)?.1),
            Part::ShortWeekday => return Some(name::<i8>(text, &WEEKDAYS, 3)?.1),
            Part::PaddedDay => return set(&mut self.day, fixed(text, 2)?),
            Part::SpacedDay => return set(&mut self.day, number(text.strip_prefix(' ').unwrap_or(text), 2)?),
            Part::Day => return set(&mut self.day, number(text, 2)?),
            Part::DayOfYear => {
                let (day, rest) = fixed(text, 3)?;
                self.day_of_year = Some(day);
                return Some(rest);
            }
            Part::Hour24 => return set(&mut self.hour, number(text, 2)?),
            Part::PaddedHour12 => return set(&mut self.hour, fixed(text, 2)?).filter(|_| self.hour <= 12),
            Part::Hour12 => return set(&mut self.hour, number(text, 2)?).filter(|_| self.hour <= 12),
            Part::PaddedMinute => return set(&mut self.minute, fixed(text, 2)?),
            Part::Minute => return set(&mut self.minute, number(text, 2)?),
            Part::PaddedSecond => return set(&mut self.second, fixed(text, 2)?).map(|rest| self.fraction(rest)),
            Part::Second => return set(&mut self.second, number(text, 2)?).map(|rest| self.fraction(rest)),
            Part::Fraction(digits, _, keep) => {
                let before = text.len();
                let rest = self.fraction(text);
                // The seconds may have taken the fraction already.
                return (!keep || before - rest.len() == digits + 1 || self.nanos != 0).then_some(rest);
            }
            Part::Meridiem(upper) => {
                let (am, pm) = if upper { ("AM", "PM") } else { ("am", "pm") };
                self.afternoon = Some(text.starts_with(pm));
                return text.strip_prefix(pm).or_else(|| text.strip_prefix(am));
            }
            Part::ZoneName => {
                self.utc = text.starts_with("UTC");
                self.named = true;
            }
            Part::Offset(colon, minutes, zulu) => return self.read_offset(text, (colon, minutes, zulu)),
        }
        let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
        (3..=5).contains(&letters).then(|| text.get(letters..))?
    }

    /// Go takes a fraction after the seconds even where the layout has none.
    fn fraction<'a>(&mut self, text: &'a str) -> &'a str {
        let Some(digits) = text.strip_prefix(['.', ',']) else { return text };
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return text;
        }
        let shown: String = digits.chars().take(length.min(9)).collect();
        self.nanos = format!("{shown:0<9}").parse().unwrap_or(0);
        digits.get(length..).unwrap_or_default()
    }

    fn read_offset<'a>(&mut self, text: &'a str, (colon, minutes, zulu): (bool, bool, bool)) -> Option<&'a str> {
        if zulu && let Some(rest) = text.strip_prefix('Z') {
            self.utc = true;
            return Some(rest);
        }
        let sign = match text.as_bytes().first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let (hours, mut rest) = fixed::<i32>(text.get(1..)?, 2)?;
        let mut seconds = hours * 3600;
        if minutes {
            let digits = if colon { rest.strip_prefix(':')? } else { rest };
            let (extra, after) = fixed::<i32>(digits, 2)?;
            seconds += extra * 60;
            rest = after;
        }
        self.offset = Some(sign * seconds);
        Some(rest)
    }

    fn build(&self, zone: &TimeZone) -> Option<Zoned> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let date = match self.day_of_year {
            Some(day) => civil::date(self.year, 1, 1).with().day_of_year(day).build().ok()?,
            None => civil::Date::new(self.year, self.month, self.day).ok()?,
        };
        let time = civil::Time::new(hour, self.minute, self.second, self.nanos).ok()?;
        let told_in = match self.offset {
            Some(0) => TimeZone::UTC,
            Some(seconds) => TimeZone::fixed(Offset::from_seconds(seconds).ok()?),
            // Go knows no abbreviation but UTC and those of the zone, and takes others for UTC.
            None if self.utc || self.named => TimeZone::UTC,
            None => zone.clone(),
        };
        date.to_datetime(time).to_zoned(told_in).ok()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the outcome of reading a part, which can fail otherwise")]
fn set<'a, T>(field: &mut T, (value, rest): (T, &'a str)) -> Option<&'a str> {
    *field = value;
    Some(rest)
}

/// Exactly `count` digits.
fn fixed<T: std::str::FromStr>(text: &str, count: usize) -> Option<(T, &str)> {
    let digits = text.get(..count)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, text.get(count..)?))
}

/// One to `most` digits.
fn number<T: std::str::FromStr>(text: &str, most: usize) -> Option<(T, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count == 0 { None } else { fixed(text, count) }
}

/// One of `names`, each cut to `length`, in any case; gives its number from 1.
fn name<'a, T: TryFrom<usize>>(text: &'a str, names: &[&str], length: usize) -> Option<(T, &'a str)> {
    names.iter().enumerate().find_map(|(index, name)| {
        let name = name.get(..length.min(name.len()))?;
        let head = text.get(..name.len())?;
        let rest = text.get(name.len()..)?;
        if head.eq_ignore_ascii_case(name) { Some((T::try_from(index + 1).ok()?, rest)) } else { None }
    })
}

/// What follows `literal` in `text`; a run of spaces matches any run of spaces.
fn skip_literal<'a>(literal: &str, text: &'a str) -> Option<&'a str> {
    let mut rest = text;
    let mut wanted = literal;
    while let Some(c) = wanted.chars().next() {
        if c == ' ' {
            if !rest.is_empty() && !rest.starts_with(' ') {
                return None;
            }
            wanted = wanted.trim_start_matches(' ');
            rest = rest.trim_start_matches(' ');
        } else {
            rest = rest.strip_prefix(c)?;
            wanted = wanted.get(c.len_utf8()..)?;
        }
    }
    Some(rest)
}
