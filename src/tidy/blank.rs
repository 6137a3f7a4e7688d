//! Rust text with comments and the insides of literals blanked, so that braces and words left in it are code.

/// The text with each byte of a comment or literal (its quotes stay) as a space; lines stay where they are.
pub fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    while out.len() < bytes.len() {
        let at = out.len();
        let (keep, length) = span(bytes, at);
        let end = (at + length).min(bytes.len());
        let edge = |index: usize| keep && (index == at || index + 1 == end);
        out.extend((at..end).map(|index| match bytes[index] {
            b'\n' => b'\n',
            byte if edge(index) => byte,
            _ if length > 1 => b' ',
            byte => byte,
        }));
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Length of what starts at `at`: a comment, a literal (whose first and last byte are kept), or one byte.
fn span(bytes: &[u8], at: usize) -> (bool, usize) {
    let rest = &bytes[at..];
    let after_name = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest {
        [b'/', b'/', ..] => (false, find(rest, b"\n", 2).unwrap_or(rest.len())),
        [b'/', b'*', ..] => (false, block_comment(rest)),
        [b'"', ..] => (true, quoted(rest, b'"')),
        [b'r', b'"' | b'#', ..] if !after_name || is_byte_prefix(bytes, at) => {
            raw(rest).map_or((true, 1), |length| (true, length))
        }
        // 'a' and '\n' are characters, 'a alone is a lifetime.
        [b'\'', b'\\', ..] => (true, quoted(rest, b'\'')),
        [b'\'', ..] => (true, character(rest).unwrap_or(1)),
        _ => (true, 1),
    }
}

/// Whether the `r` at `at` follows the `b` of `br"…"`.
fn is_byte_prefix(bytes: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|index| bytes.get(index));
    before(1) == Some(&b'b') && !before(2).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    (from..=bytes.len().checked_sub(wanted.len())?).find(|at| bytes[*at..].starts_with(wanted))
}

/// Length of a comment in `/* … */`, which nests.
fn block_comment(bytes: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            (at, depth) = (at + 2, depth + 1);
        } else if bytes[at..].starts_with(b"*/") {
            (at, depth) = (at + 2, depth - 1);
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// Length of a literal between quotes, with escapes.
fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// Length of a raw string; `None`: the `r` begins something else.
fn raw(bytes: &[u8]) -> Option<usize> {
    let hashes = bytes[1..].iter().take_while(|byte| **byte == b'#').count();
    let end: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    (bytes.get(1 + hashes) == Some(&b'"'))
        .then(|| find(bytes, &end, 2 + hashes).map_or(bytes.len(), |at| at + end.len()))
}

/// Length of a character without escape, whatever its width; `None`: a lifetime.
fn character(bytes: &[u8]) -> Option<usize> {
    let end = (2..=5).find(|at| bytes.get(*at) == Some(&b'\''))?;
    let one = std::str::from_utf8(&bytes[1..end]).is_ok_and(|text| text.chars().count() == 1);
    one.then_some(end + 1)
}

#[test]
fn leaves_code_only() {
    for (text, left) in [
        ("a // { b\nc", "a       \nc"),
        ("a /* { /* x */ } */ b", "a                   b"),
        ("f(\"a{\\\"b\") {", "f(\"     \") {"),
        ("r#\"x\"{\"#;", "r      #;"),
        ("var\"x\"", "var\" \""),
        ("'{' 'a: &'b str", "' ' 'a: &'b str"),
        ("'\\'' '–' b", "'  ' '   ' b"),
        ("br\"{\" x", "br  \" x"),
    ] {
        assert_eq!(blank(text), left, "{text}");
    }
}
