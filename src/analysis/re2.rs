//! Regular expressions as Go's `regexp` reads them, on the engine of this crate's `regex`.
//!
//! The two dialects nearly agree. Translated here: Perl classes and word boundaries are ASCII in Go; inside brackets Go
//! knows neither nested brackets nor set operators; `\Q…\E` quotes; a repetition of a repetition is an error in Go.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// Bytes that one compiled expression may take.
const MAX_COMPILED_SIZE: usize = 1 << 20;
/// Longest expression that is read.
const MAX_LENGTH: usize = 4_096;

/// The expression, compiled; `None` where it is none.
pub(crate) fn compile(expression: &str) -> Option<Regex> {
    if expression.len() > MAX_LENGTH {
        return None;
    }
    RegexBuilder::new(&translate(expression)?).size_limit(MAX_COMPILED_SIZE).build().ok()
}

fn translate(expression: &str) -> Option<String> {
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
                class(&mut chars, &mut out)?;
                false
            }
            '*' | '+' | '?' => {
                if repeated {
                    return None;
                }
                out.push(c);
                lazy(&mut chars, &mut out);
                true
            }
            '{' => {
                let counted = counted(&mut chars, &mut out);
                if counted && repeated {
                    return None;
                }
                if counted {
                    lazy(&mut chars, &mut out);
                }
                counted
            }
            '}' => {
                out.push_str("\\}");
                false
            }
            c => {
                out.push(c);
                false
            }
        };
        repeated = repeats;
    }
    Some(out)
}

fn lazy(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    if let Some(mark) = chars.next_if_eq(&'?') {
        out.push(mark);
    }
}

/// `{n}`, `{n,}` or `{n,m}` as it is; any other brace stands for itself. Tells which it was.
fn counted(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> bool {
    let body: String = chars.clone().take_while(|c| *c != '}').collect();
    let number = |text: &str| !text.is_empty() && text.len() <= 4 && text.chars().all(|c| c.is_ascii_digit());
    let closes = chars.clone().nth(body.chars().count()) == Some('}');
    let valid = match body.split_once(',') {
        None => number(&body),
        Some((low, high)) => number(low) && (high.is_empty() || number(high)),
    };
    if !(closes && valid) {
        out.push_str("\\{");
        return false;
    }
    out.push('{');
    out.push_str(&body);
    out.push('}');
    for _ in 0..=body.chars().count() {
        chars.next();
    }
    true
}

/// What follows a backslash outside brackets.
fn escape(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
    match chars.next()? {
        'b' => out.push_str("(?-u:\\b)"),
        'B' => out.push_str("(?-u:\\B)"),
        'Q' => quote(chars, out),
        c => return shared_escape(c, chars, out),
    }
    Some(())
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
fn shared_escape(c: char, chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
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
        _ => return None,
    }
    Some(())
}

/// The rest of a bracket expression.
fn class(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
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
                'b' | 'B' | 'A' | 'z' | 'Q' => return None,
                c => shared_escape(c, chars, out)?,
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
    Some(())
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
        compile(expression).map(|pattern| pattern.is_match(text))
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
        assert!(compile(&"a".repeat(MAX_LENGTH + 1)).is_none());
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
