//! The Makefile is a table of contents: what takes more than three lines has a file of its own.

use super::source::{Finding, root};

/// Lines of a recipe.
const MAX_LINES: usize = 3;

pub fn check() -> Vec<Finding> {
    of_text(&std::fs::read_to_string(root().join("Makefile")).unwrap_or_default())
}

fn of_text(text: &str) -> Vec<Finding> {
    let finding = |line: usize, remedy: &str| Finding { path: "Makefile".to_owned(), line, remedy: remedy.to_owned() };
    let (mut findings, mut lines) = (Vec::new(), 0);
    for (index, line) in text.lines().enumerate() {
        lines = if line.starts_with('\t') { lines + 1 } else { 0 };
        if lines == MAX_LINES + 1 {
            findings.push(finding(index + 1, "a recipe has at most three lines: move the rest to a script in tools/"));
        }
    }
    if findings.is_empty() && text.is_empty() {
        findings.push(finding(1, "there is none: it is the only way in"));
    }
    findings
}

#[test]
fn counts_lines_of_a_recipe() {
    assert!(of_text("a:\n\tx\n\ty\n\tz\nb:\n\tx\n").is_empty());
    assert_eq!(of_text("a:\n\tx\n\ty\n\tz\n\tw\n")[0].line, 5);
    assert_eq!(of_text("").len(), 1);
}
