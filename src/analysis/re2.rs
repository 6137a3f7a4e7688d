//! Regular expressions as Go's `regexp` reads them, on the engine of this crate's `regex`. Both take time linear in the text.
//!
//! The two dialects nearly agree. Translated here: Perl classes and word boundaries are ASCII in Go; inside brackets Go
//! knows neither nested brackets nor set operators; `\Q…\E` quotes; a repetition of a repetition is an error in Go.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// Bytes that one compiled expression may take.
pub(crate) const MAX_COMPILED_BYTES: usize = 1 << 20;
/// Longest expression that is read, in bytes.
const MAX_LENGTH: usize = 4_096;
/// Highest count of a repetition in Go.
const MAX_REPEAT_COUNT: u32 = 1000;

/// The expression, compiled.
///
/// # Errors
/// What is wrong with it, in the words of Go's `regexp.Compile`; the cause is Go's own only for the commonest mistakes.
pub(crate) fn compile(expression: &str) -> Result<Regex, String> {
    if expression.len() > MAX_LENGTH {
        return Err(format!("error parsing regexp: expression is longer than {MAX_LENGTH} bytes"));
    }
    let translated = translate(expression).map_err(|cause| format!("error parsing regexp: {cause}"))?;
    let mut builder = RegexBuilder::new(&translated);
    builder.size_limit(MAX_COMPILED_BYTES).dfa_size_limit(MAX_COMPILED_BYTES).build().map_err(|error| {
        let text = error.to_string();
        let cause = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("error parsing regexp: {cause}: `{expression}`")
    })
}

fn translate(expression: &str) -> Result<String, String> {
    let mut out = String::with_capacity(expression.len());
    let mut chars = expression.chars().peekable();
    // Whether the piece before is a repetition, which Go does not let repeat.
    let mut repeated = false;
    while let Some(c) = chars.next() {
        let repeats = match c {
            '\\' => {
                escape(&mut chars, &mut out)?;
                false
            }
            '[' => {
                class(&mut chars, &mut out).ok_or_else(|| format!("missing closing ]: `{expression}`"))??;
                false
            }
            '*' | '+' | '?' => {
                out.push(c);
                true
            }
            '{' => counted(&mut chars, &mut out)?,
            '}' => {
                out.push_str("\\}");
                false
            }
            c => {
                out.push(c);
                false
            }
        };
        if repeats && repeated {
            return Err(format!("invalid nested repetition operator: `{c}`"));
        }
        if repeats && let Some(lazy) = chars.next_if_eq(&'?') {
            out.push(lazy);
        }
        repeated = repeats;
    }
    Ok(out)
}

/// `{n}`, `{n,}` or `{n,m}` as it is; any other brace stands for itself. Tells which it was.
fn counted(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<bool, String> {
    let body: String = chars.clone().take_while(|c| *c != '}').collect();
    let length = body.chars().count();
    let closes = chars.clone().nth(length) == Some('}');
    let (least, most) = body.split_once(',').unwrap_or((&body, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !closes || least.is_empty() || !digits(least) || !digits(most) {
        out.push_str("\\{");
        return Ok(false);
    }
    if [least, most].iter().any(|count| !count.is_empty() && !count.parse().is_ok_and(|n: u32| n <= MAX_REPEAT_COUNT)) {
        return Err(format!("invalid repeat count: `{{{body}}}`"));
    }
    out.push('{');
    out.extend(chars.by_ref().take(length + 1));
    Ok(true)
}

/// What follows a backslash outside brackets.
fn escape(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    match chars.next().ok_or("trailing backslash at end of expression: ``")? {
        'b' => out.push_str("(?-u:\\b)"),
        'B' => out.push_str("(?-u:\\B)"),
        'Q' => quote(chars, out),
        c => return shared_escape(c, chars, out),
    }
    Ok(())
}

/// `\Q…\E`: all in between stands for itself.
fn quote(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.next_if_eq(&'E').is_some() {
            break;
        }
        text.push(c);
    }
    out.push_str(&regex::escape(&text));
}

/// Escapes that mean the same inside and outside brackets.
fn shared_escape(c: char, chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    match c {
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        's' => out.push_str("[\\t\\n\\f\\r ]"),
        'S' => out.push_str("[^\\t\\n\\f\\r ]"),
        'A' | 'z' | 'a' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | 'p' | 'P' => {
            out.push('\\');
            out.push(c);
            // The braces of `\x{…}` and `\p{…}` are no repetition.
            if matches!(c, 'x' | 'p' | 'P') && chars.peek() == Some(&'{') {
                for inner in chars.by_ref() {
                    out.push(inner);
                    if inner == '}' {
                        break;
                    }
                }
            }
        }
        c if c.is_ascii_punctuation() => out.push_str(&regex::escape(&c.to_string())),
        _ => return Err(format!("invalid escape sequence: `\\{c}`")),
    }
    Ok(())
}

/// The rest of a bracket expression; `None` where it does not end.
fn class(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<Result<(), String>> {
    out.push('[');
    if let Some(negation) = chars.next_if_eq(&'^') {
        out.push(negation);
    }
    let mut first = true;
    loop {
        match chars.next()? {
            ']' if !first => break,
            ']' => out.push_str("\\]"),
            '\\' => match chars.next()? {
                c @ ('b' | 'B' | 'A' | 'z' | 'Q') => return Some(Err(format!("invalid escape sequence: `\\{c}`"))),
                c => {
                    if let error @ Err(_) = shared_escape(c, chars, out) {
                        return Some(error);
                    }
                }
            },
            '[' if chars.peek() == Some(&':') => posix(chars, out)?,
            c @ ('[' | '&' | '~') => {
                out.push('\\');
                out.push(c);
            }
            // Two of them would be a set operator; one in the middle is a range.
            '-' if chars.peek() == Some(&'-') => out.push_str("\\-"),
            c => out.push(c),
        }
        first = false;
    }
    out.push(']');
    Some(Ok(()))
}

/// `[:name:]` as it is.
fn posix(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
    out.push('[');
    loop {
        let c = chars.next()?;
        out.push(c);
        if c == ']' {
            return Some(());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_match(expression: &str, text: &str) -> Option<bool> {
        compile(expression).ok().map(|pattern| pattern.is_match(text))
    }

    #[test]
    fn reads_what_go_reads() {
        let cases = [
            ("", "x", Some(true)),
            ("*", "x", None),
            ("[", "x", None),
            ("a**", "a", None),
            ("a{2}{3}", "a", None),
            ("a+?", "a", Some(true)),
            ("a{,2}", "a{,2}", Some(true)),
            ("a{2}", "aa", Some(true)),
            (r"^\d$", "٣", Some(false)),
            (r"^\w+$", "é", Some(false)),
            (r"^[\w-]+$", "a-b", Some(true)),
            (r"\bé", "é", Some(false)),
            (r"\Qa.b\E+", "a.b", Some(true)),
            (r"\Qa.b", "axb", Some(false)),
            ("[[a]", "[", Some(true)),
            ("^[a&&b]$", "&", Some(true)),
            ("^[]a]$", "]", Some(true)),
            ("^[[:alpha:]]+$", "ab", Some(true)),
            (r"^\x{61}$", "a", Some(true)),
            (r"\Z", "a", None),
            ("(?i)RATE", "rate", Some(true)),
            ("a(?=b)", "ab", None),
        ];
        for (expression, text, expected) in cases {
            assert_eq!(is_match(expression, text), expected, "{expression} on {text}");
        }
        assert!(compile(&"a".repeat(MAX_LENGTH + 1)).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(expression in r"[\[\]\\^a\-&~{}0-9,*+?:QEdwbxp().|]{0,12}") {
            let _ = compile(&expression);
        }

        #[test]
        fn escaped_text_matches_itself(text in "[ -~]{1,12}") {
            prop_assert_eq!(is_match(&format!("^{}$", regex::escape(&text)), &text), Some(true));
        }
    }
}
