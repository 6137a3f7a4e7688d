//! How Go prints what reaches users and hashes: quoted strings, JSON strings and numbers. Knows nothing of analyses.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

/// What Go's `unicode.IsPrint` accepts beside the ASCII blank. `None` cannot happen: the pattern is a constant (a test builds it).
static PRINTABLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$").ok());

fn printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    let mut buffer = [0; 4];
    let text = c.encode_utf8(&mut buffer);
    PRINTABLE.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// The text between the quotes of Go's `strconv.Quote`.
pub(crate) fn quoted_body(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if printable(c) => out.push(c),
            c => {
                let code = u32::from(c);
                // Writing to a String cannot fail.
                let _ = if code < 0x80 {
                    write!(out, "\\x{code:02x}")
                } else if code < 0x1_0000 {
                    write!(out, "\\u{code:04x}")
                } else {
                    write!(out, "\\U{code:08x}")
                };
            }
        }
    }
    out
}

/// A number as Go's verb `%v` prints it: shortest form, with an exponent below 1e-4 and from 1e6 (Go's `2e+06`) on.
pub(crate) fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific.as_str(), "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 || (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// A JSON string as Go writes it: safe to put into HTML.
pub(crate) fn json_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_like_go() {
        assert!(PRINTABLE.is_some());
        assert_eq!(quoted_body("a\"b\\c\n\t"), "a\\\"b\\\\c\\n\\t");
        assert_eq!(quoted_body("\u{7}\u{b}\u{1}\u{7f}"), "\\a\\v\\x01\\x7f");
        assert_eq!(quoted_body("\u{2028}\u{a0}\u{e000}"), "\\u2028\\u00a0\\ue000");
        assert_eq!(quoted_body("é世😀'`"), "é世😀'`");
        assert_eq!(quoted_body("\u{f0000}"), "\\U000f0000");
    }

    #[test]
    fn prints_floats_like_go() {
        let cases = [
            (0.0, "0"),
            (5.0, "5"),
            (0.5, "0.5"),
            (100_000.0, "100000"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (2_000_000.0, "2e+06"),
            (12_345_678.0, "1.2345678e+07"),
            (1.5e300, "1.5e+300"),
            (-3.25, "-3.25"),
        ];
        for (value, text) in cases {
            assert_eq!(float_text(value), text);
        }
    }
}
