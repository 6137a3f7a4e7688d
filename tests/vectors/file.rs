//! Reading the files, comparing, reporting.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;

/// Differences that are shown of one file.
const SHOWN: usize = 10;
/// The list of intended differences.
const COMPATIBILITY: &str = include_str!("../../docs/compatibility.md");

/// A file of recorded cases, and what answers them.
#[derive(Clone, Copy)]
pub struct Recorded {
    /// The file, without ending.
    pub name: &'static str,
    /// Brings a line into the form `{n, kind, in, out}`; the first value is what the file's `_meta` line says.
    pub shape: fn(&Value, &Value) -> Value,
    /// Answers a case of a kind: what the core gives, or `None` where it has no answer, which counts as failed.
    pub answer: fn(&str, &Value) -> Option<Value>,
    /// What is compared of an answer, or of what is recorded, in a case.
    pub compared: fn(&Value, Value) -> Value,
}

impl Recorded {
    /// Lines of the usual form, of which all is compared.
    pub const fn new(name: &'static str, answer: fn(&str, &Value) -> Option<Value>) -> Self {
        Self { name, shape: |_, line| line.clone(), answer, compared: |_, value| value }
    }

    /// A file of which nothing is answered.
    fn unknown() -> Self {
        Self::new("", |_, _| None)
    }
}

/// What became of the cases of one kind.
#[derive(Default)]
struct Tally {
    passed: usize,
    total: usize,
    intended: usize,
}

/// Runs the files, says what came of them, and returns how many cases differ that are not meant to.
pub fn run(files: &[Recorded]) -> usize {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let names: Vec<String> = files.iter().map(|file| file.name.to_owned()).collect();
    let (folder, names) = match std::env::var_os("SISKIN_VECTORS") {
        None => (own, names),
        Some(folder) => (PathBuf::from(&folder), listed(&PathBuf::from(folder))),
    };
    assert!(!names.is_empty(), "{}: no .jsonl file", folder.display());
    let mut wrong = 0;
    for name in names {
        let text = std::fs::read_to_string(folder.join(format!("{name}.jsonl"))).expect("the file of recorded cases");
        wrong += judge(&name, &text, files.iter().find(|known| known.name == name));
    }
    wrong
}

/// The names of a folder's files, without ending.
fn listed(folder: &PathBuf) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder of recorded cases");
    let paths = entries.map(|entry| entry.expect("an entry of the folder").path());
    let found = paths.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    let mut names: Vec<String> =
        found.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect();
    names.sort();
    names
}

/// Runs one file. Lines end at `\n` only.
fn judge(name: &str, text: &str, file: Option<&Recorded>) -> usize {
    let answered = file.is_some();
    let file = file.copied().unwrap_or_else(Recorded::unknown);
    let intended = intended(name);
    let mut tally: BTreeMap<String, Tally> = BTreeMap::new();
    let mut differences = Vec::new();
    let mut meta = Value::Null;
    for (line, text) in text.split('\n').enumerate().filter(|(_, text)| !text.is_empty()) {
        let case: Value = serde_json::from_str(text).unwrap_or_default();
        if let Some(told) = case.get("_meta") {
            meta = told.clone();
            continue;
        }
        let case = (file.shape)(&meta, &case);
        let kind = case["kind"].as_str().unwrap_or(name);
        let counts = tally.entry(kind.to_owned()).or_default();
        counts.total += 1;
        // A quirk is a defect of the reference: differing there is right.
        let meant = case["n"].as_u64().is_some_and(|n| intended.contains(&n)) || case.get("quirk").is_some();
        let got = answer(file, kind, &case["in"]).map(|got| (file.compared)(&case, got));
        match got {
            Some(got) if same(&got, &(file.compared)(&case, case["out"].clone())) => counts.passed += 1,
            _ if meant => counts.intended += 1,
            got => differences.push(told(name, (line, kind), &case, got.as_ref())),
        }
    }
    report(name, &tally, &differences, answered);
    differences.len()
}

/// An answer; a panic of the core is a difference like any other.
fn answer(file: Recorded, kind: &str, input: &Value) -> Option<Value> {
    std::panic::catch_unwind(|| (file.answer)(kind, input)).ok().flatten()
}

fn told(name: &str, (line, kind): (usize, &str), case: &Value, got: Option<&Value>) -> String {
    let n = case["n"].as_u64().map_or_else(|| format!("line {}", line + 1), |n| format!("n={n}"));
    let got = got.map_or_else(|| "no answer".to_owned(), |got| format!("got {got}"));
    format!("{name} {kind} {n}: {got}, recorded {}", case.get("out").unwrap_or(&Value::Null))
}

/// Prints past the capture of the test's output, so that the numbers are seen where all is well, too.
fn report(name: &str, tally: &BTreeMap<String, Tally>, differences: &[String], answered: bool) {
    let mut out = std::io::stdout().lock();
    let mut line = |text: String| writeln!(out, "{text}").expect("standard output");
    line(format!("{name}.jsonl{}", if answered { "" } else { ": nothing here answers it" }));
    for (kind, Tally { passed, total, intended }) in tally {
        let meant = if *intended > 0 { format!(", {intended} differ on purpose") } else { String::new() };
        line(format!("{kind}: {passed}/{total}{meant}"));
    }
    for difference in differences.iter().take(if answered { SHOWN } else { 0 }) {
        line(difference.clone());
    }
}

/// The cases of a file that are meant to differ: each `n=<number>` in the row of its name.
fn intended(name: &str) -> BTreeSet<u64> {
    let start = format!("| `{name}.jsonl` |");
    let rows = COMPATIBILITY.lines().filter(|row| row.starts_with(&start));
    let words = rows.flat_map(|row| row.split(|c: char| c.is_whitespace() || c == ',' || c == ':'));
    words.filter_map(|word| word.strip_prefix("n=")?.parse().ok()).collect()
}

/// Equal by value: 1 and 1.0 are the same number.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}
