//! Regular expressions: Go's RE2 syntax on the `regex` crate. Both take time linear in the text.

use regex::{Regex, RegexBuilder};

use super::limits::MAX_PATTERN_BYTES;

/// Compiles a pattern as Go's `regexp.Compile` understands it.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = translated(pattern).map_err(|cause| format!("error parsing regexp: {cause}"))?;
    RegexBuilder::new(&translated).size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES).build().map_err(
        |error| {
            let text = error.to_string();
            let cause = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("error parsing regexp: {cause}: `{pattern}`")
        },
    )
}

/// The same pattern for the `regex` crate, where `\d`, `\w`, `\s` and `\b` would be about all of Unicode,
/// where classes nest and know set operations, and where repetitions may be repeated.
fn translated(pattern: &str) -> Result<String, String> {
    let mut translation = Translation { out: String::with_capacity(pattern.len()), in_class: false, repeated: 0 };
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            '\\' => translation.escape(rest),
            _ if translation.in_class => translation.class(c, rest),
            '[' => translation.open_class(rest),
            '*' | '+' | '?' | '{' => translation.repetition(c, rest)?,
            _ => {
                translation.repeated = 0;
                translation.out.push(c);
                // The marks of a group are no repetition: `(?i)`.
                match rest.strip_prefix('?').filter(|_| c == '(') {
                    Some(marks) => {
                        translation.out.push('?');
                        marks
                    }
                    None => rest,
                }
            }
        };
    }
    Ok(translation.out)
}

struct Translation {
    out: String,
    in_class: bool,
    /// How many repetition operators stand right before: the second may only be a `?`.
    repeated: u8,
}

impl Translation {
    /// What follows a backslash; gives what is left of the pattern.
    fn escape<'a>(&mut self, rest: &'a str) -> &'a str {
        self.repeated = 0;
        if let Some(quoted) = rest.strip_prefix('Q').filter(|_| !self.in_class) {
            let end = quoted.find("\\E").unwrap_or(quoted.len());
            self.out.push_str(&regex::escape(quoted.get(..end).unwrap_or_default()));
            return quoted.get(end + 2..).unwrap_or_default();
        }
        let Some(escaped) = rest.chars().next() else {
            self.out.push('\\');
            return rest;
        };
        match ascii_class(escaped, self.in_class) {
            Some(class) => self.out.push_str(class),
            None => self.out.extend(['\\', escaped]),
        }
        rest.get(escaped.len_utf8()..).unwrap_or_default()
    }

    fn open_class<'a>(&mut self, rest: &'a str) -> &'a str {
        (self.in_class, self.repeated) = (true, 0);
        self.out.push('[');
        let inner = rest.strip_prefix('^').unwrap_or(rest);
        if inner.len() < rest.len() {
            self.out.push('^');
        }
        // A bracket that closes at once stands for itself.
        let Some(after) = inner.strip_prefix(']') else { return inner };
        self.out.push_str("\\]");
        after
    }

    /// A character of a class.
    fn class<'a>(&mut self, c: char, rest: &'a str) -> &'a str {
        let named = rest.strip_prefix(':').and_then(|name| name.find(":]")).filter(|_| c == '[').map(|end| end + 3);
        if let Some(end) = named {
            self.out.push('[');
            self.out.push_str(rest.get(..end).unwrap_or_default());
            return rest.get(end..).unwrap_or_default();
        }
        if matches!(c, '[' | '&' | '~') {
            self.out.push('\\');
        }
        self.in_class = c != ']';
        self.out.push(c);
        rest
    }

    /// `*`, `+`, `?` or `{2,5}`; a brace that counts nothing stands for itself.
    fn repetition<'a>(&mut self, c: char, rest: &'a str) -> Result<&'a str, String> {
        let counted = rest.split_once('}').filter(|(counts, _)| c == '{' && is_count(counts));
        if c == '{' && counted.is_none() {
            self.repeated = 0;
            self.out.push_str("\\{");
            return Ok(rest);
        }
        let lazy = c == '?' && self.repeated == 1;
        if self.repeated > 0 && !lazy {
            return Err(format!("invalid nested repetition operator: `{c}`"));
        }
        self.repeated += 1;
        self.out.push(c);
        let Some((counts, after)) = counted else { return Ok(rest) };
        if counts.split(',').any(|count| count.parse::<u32>().is_ok_and(|count| count > MAX_REPEAT_COUNT)) {
            return Err(format!("invalid repeat count: `{{{counts}}}`"));
        }
        self.out.push_str(counts);
        self.out.push('}');
        Ok(after)
    }
}

/// Highest count of a repetition in Go.
const MAX_REPEAT_COUNT: u32 = 1000;

/// Whether this between braces is a count: `2`, `2,` or `2,5`.
fn is_count(text: &str) -> bool {
    let (least, most) = text.split_once(',').unwrap_or((text, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

fn ascii_class(escaped: char, in_class: bool) -> Option<&'static str> {
    Some(match (escaped, in_class) {
        ('d', false) => "[0-9]",
        ('D', _) => "[^0-9]",
        ('w', false) => "[0-9A-Za-z_]",
        ('W', _) => "[^0-9A-Za-z_]",
        ('s', false) => "[\\t\\n\\f\\r ]",
        ('S', _) => "[^\\t\\n\\f\\r ]",
        ('b', false) => "(?-u:\\b)",
        ('d', true) => "0-9",
        ('w', true) => "0-9A-Za-z_",
        ('s', true) => "\\t\\n\\f\\r ",
        _ => return None,
    })
}
