//! The project speaks of itself only: no text names the place where it was written, or how.

use super::source::{Finding, root, shown, walk};

/// Words that no text has, in two parts so that this file may be read by itself.
const NOWHERE: &[(&str, &str)] = &[
    ("/wo", "rk/"),
    ("/home", "/"),
    ("work", "tree"),
    ("help", "er-"),
    ("sub", "agent"),
    ("scratch", "pad"),
    ("language ", "model"),
    ("this se", "ssion"),
    ("artifactory", "."),
];
/// Kinds of files that are text.
const TEXTS: &[&str] = &["rs", "md", "toml", "yaml", "yml", "sh", "py", "go", "mk", "json"];
/// Texts without a kind.
const NAMED: &[&str] = &["Makefile", "Dockerfile", "run", "cluster"];

pub fn check() -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in walk(root()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let text = path.extension().is_some_and(|kind| TEXTS.iter().any(|text| kind == *text)) || NAMED.contains(&name);
        if let (true, Ok(text)) = (text, std::fs::read_to_string(&path)) {
            findings.extend(of_text(&shown(&path), &text));
        }
    }
    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    findings
}

fn of_text(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for (word, rest) in NOWHERE {
            let word = format!("{word}{rest}");
            if line.to_lowercase().contains(&word) {
                let remedy = format!("\"{word}\": say what the code does, not where or how it was written");
                findings.push(Finding { path: path.to_owned(), line: index + 1, remedy });
            }
        }
    }
    findings
}

#[test]
fn finds_the_place() {
    let text = format!("fine\nsee /wo{}", "rk/notes.md");
    assert_eq!(of_text("docs/a.md", &text)[0].line, 2);
}
