//! How long functions are.

use super::source::{Finding, Source, Tree, block_end};

/// Lines of a function, from its name to its last brace.
const MAX_LINES: usize = 70;

pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().flat_map(too_long).collect()
}

fn too_long(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, first, last) in functions(&source.code) {
        let lines = last - first + 1;
        if lines > MAX_LINES {
            let remedy = format!("fn {name} has {lines} lines; split it so that each part has at most {MAX_LINES}");
            findings.push(source.finding(first, remedy));
        }
    }
    findings
}

/// Functions with a body: name, first and last line from 0.
fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let line = |at: usize| code[..at].matches('\n').count();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|before| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if let (false, Some(open)) = (name.is_empty(), body(code, at)) {
            found.push((name, line(at), line(block_end(code, open))));
        }
    }
    found
}

/// Where the body of the function at `at` opens; `None`: it has none, as in a trait.
fn body(code: &str, at: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (index, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(index),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn counts_from_name_to_brace() {
    let code = "trait T {\n  fn a(&self, x: [u8; 2]);\n  fn b() {\n    if c {\n    }\n  }\n}\nlet f: fn (u8) = g;";
    assert_eq!(functions(code), [("b".to_owned(), 2, 5)]);
    let long = format!("fn long() {{\n{}}}", "x;\n".repeat(MAX_LINES - 1));
    let source = Source::new("src/a.rs", &long, super::source::Whole::Code);
    assert_eq!(too_long(&source).len(), 1);
}
