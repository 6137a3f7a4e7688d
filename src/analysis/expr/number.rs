//! Go's ways with numbers: reading literals and texts, and cutting a float to an integer.

use std::num::{IntErrorKind, ParseIntError};

use super::ast::NodeKind;

/// Below it an `f64` is an exact `i64`; 2⁶³.
const INT_LIMIT: f64 = 9_223_372_036_854_775_808.0;

/// A number literal as a node.
pub(super) fn literal(token: &str) -> Result<NodeKind, String> {
    let written = token.replace('_', "");
    let text = written.to_ascii_lowercase();
    let radix = |digits: &str, radix: u32, name: &str| {
        let complain = |error: ParseIntError| format!("invalid {name} literal: {}", int_complaint(&written, &error));
        i64::from_str_radix(digits, radix).map(NodeKind::Int).map_err(complain)
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16, "hex");
    }
    if text.contains(['.', 'e']) {
        return parse_float(&text).map(NodeKind::Float).map_err(|error| format!("invalid float literal: {error}"));
    }
    match text.get(..2) {
        Some("0b") => radix(text.get(2..).unwrap_or_default(), 2, "binary"),
        Some("0o") => radix(text.get(2..).unwrap_or_default(), 8, "octal"),
        _ => radix(&text, 10, "integer"),
    }
}

/// Go's conversion `int(x)` on amd64: cut towards zero; what does not fit, and `NaN`, is the smallest integer.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked, and cutting is what is wanted")]
pub(super) fn truncate(number: f64) -> i64 {
    if (-INT_LIMIT..INT_LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

/// Go's conversion `float64(x)`.
#[expect(clippy::cast_precision_loss, reason = "Go rounds to the nearest float too")]
pub(super) fn to_float(number: i64) -> f64 {
    number as f64
}

/// Go's `strconv.ParseInt(text, 10, 64)`.
pub(super) fn parse_int(text: &str) -> Result<i64, String> {
    text.parse::<i64>().map_err(|error| int_complaint(text, &error))
}

fn int_complaint(text: &str, error: &ParseIntError) -> String {
    let cause = match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
        _ => "invalid syntax",
    };
    format!("strconv.ParseInt: parsing {text:?}: {cause}")
}

/// Go's `strconv.ParseFloat(text, 64)`: also `inf`, `nan`, `_` between digits, and hexadecimal with a `p` exponent.
pub(super) fn parse_float(text: &str) -> Result<f64, String> {
    let syntax = || format!("strconv.ParseFloat: parsing {text:?}: invalid syntax");
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    let word = unsigned.to_ascii_lowercase();
    let value = match word.as_str() {
        "inf" | "infinity" => return Ok(if negative { f64::NEG_INFINITY } else { f64::INFINITY }),
        "nan" if unsigned.len() == text.len() => return Ok(f64::NAN),
        _ if word.contains('_') && !underscores_separate_digits(&word) => return Err(syntax()),
        _ => {
            let digits = word.replace('_', "");
            match digits.strip_prefix("0x") {
                Some(hex) => parse_hex(hex).ok_or_else(syntax)?,
                None if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
                    digits.parse::<f64>().map_err(|_| syntax())?
                }
                None => return Err(syntax()),
            }
        }
    };
    if value.is_infinite() {
        return Err(format!("strconv.ParseFloat: parsing {text:?}: value out of range"));
    }
    Ok(if negative { -value } else { value })
}

/// Whether each `_` stands between two digits, or after the base prefix.
fn underscores_separate_digits(text: &str) -> bool {
    let hex = text.starts_with("0x");
    let is_digit = |c: Option<char>| c.is_some_and(|c| if hex { c.is_ascii_hexdigit() } else { c.is_ascii_digit() });
    let characters: Vec<char> = text.chars().collect();
    characters.iter().enumerate().filter(|(_, c)| **c == '_').all(|(index, _)| {
        let before = index.checked_sub(1).and_then(|before| characters.get(before)).copied();
        (is_digit(before) || (hex && index == 2)) && is_digit(characters.get(index + 1).copied())
    })
}

/// A hexadecimal float after `0x`: digits with at most one point, then `p` and a decimal exponent.
fn parse_hex(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if integer.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for digit in integer.chars().chain(fraction.chars()) {
        value = value.mul_add(16.0, f64::from(digit.to_digit(16)?));
    }
    let places = i32::try_from(fraction.len()).ok()?;
    let exponent = exponent.parse::<i32>().ok()?;
    Some(value * 2.0_f64.powi(exponent.saturating_sub(places.saturating_mul(4))))
}
