//! Regular expressions: Go's RE2 syntax on the `regex` crate. Both take time linear in the text.

use regex::{Regex, RegexBuilder};

use super::limits::MAX_PATTERN_BYTES;

/// Compiles a pattern as Go's `regexp.Compile` understands it.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(&translated(pattern))
        .size_limit(MAX_PATTERN_BYTES)
        .dfa_size_limit(MAX_PATTERN_BYTES)
        .build()
        .map_err(|error| {
            let text = error.to_string();
            let cause = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("error parsing regexp: {cause}: `{pattern}`")
        })
}

/// The same pattern for the `regex` crate, where `\d`, `\w`, `\s` and `\b` would be about all of Unicode,
/// and where classes nest and know set operations.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '\\' => {
                if let Some(quoted) = rest.strip_prefix('Q').filter(|_| !in_class) {
                    let end = quoted.find("\\E").unwrap_or(quoted.len());
                    out.push_str(&regex::escape(quoted.get(..end).unwrap_or_default()));
                    rest = quoted.get(end + 2..).unwrap_or_default();
                    continue;
                }
                let escaped = rest.chars().next();
                match escaped.and_then(|escaped| ascii_class(escaped, in_class)) {
                    Some(class) => out.push_str(class),
                    None => {
                        out.push('\\');
                        out.extend(escaped);
                    }
                }
                rest = rest.get(escaped.map_or(0, char::len_utf8)..).unwrap_or_default();
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if rest.starts_with('^') {
                    out.push('^');
                    rest = rest.get(1..).unwrap_or_default();
                }
                // A bracket that closes at once stands for itself.
                if rest.starts_with(']') {
                    out.push_str("\\]");
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
            '[' if rest.starts_with(':') && rest.contains(":]") => {
                let end = rest.find(":]").map_or(0, |end| end + 2);
                out.push('[');
                out.push_str(rest.get(..end).unwrap_or_default());
                rest = rest.get(end..).unwrap_or_default();
            }
            '[' | '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            ']' => {
                in_class = false;
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

fn ascii_class(escaped: char, in_class: bool) -> Option<&'static str> {
    Some(match (escaped, in_class) {
        ('d', false) => "[0-9]",
        ('D', false) => "[^0-9]",
        ('w', false) => "[0-9A-Za-z_]",
        ('W', false) => "[^0-9A-Za-z_]",
        ('s', false) => "[\\t\\n\\f\\r ]",
        ('S', false) => "[^\\t\\n\\f\\r ]",
        ('b', false) => "(?-u:\\b)",
        ('d', true) => "0-9",
        ('w', true) => "0-9A-Za-z_",
        ('s', true) => "\\t\\n\\f\\r ",
        ('D', true) => "[^0-9]",
        ('W', true) => "[^0-9A-Za-z_]",
        ('S', true) => "[^\\t\\n\\f\\r ]",
        _ => return None,
    })
}
