//! Reading the files, comparing, reporting.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// Differences that are shown.
const SHOWN: usize = 10;

/// What one case comes to: the answer, or `None` where the kind (or the feature) is not carried out yet.
pub type Answer = Option<Value>;

fn folder() -> PathBuf {
    std::env::var_os("SISKIN_VECTORS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors"), PathBuf::from)
}

/// Runs a file: every case whose kind is answered must give the recorded outcome.
pub fn run(name: &str, answer: impl Fn(&str, &Value) -> Answer) {
    let text = std::fs::read_to_string(folder().join(format!("{name}.jsonl"))).expect("the file of recorded cases");
    let mut tally: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    let mut differences = Vec::new();
    for line in text.split('\n').filter(|line| !line.is_empty()) {
        let case: Value = serde_json::from_str(line).expect("one JSON object a line");
        if case.get("_meta").is_some() {
            continue;
        }
        let kind = case["kind"].as_str().unwrap_or_default();
        let (passed, total, open) = tally.entry(kind.to_owned()).or_default();
        *total += 1;
        match answer(kind, &case["in"]) {
            None => *open += 1,
            Some(got) if same(&got, &case["out"]) => *passed += 1,
            Some(got) => {
                differences.push(format!("{name} {kind} n={}: got {got}, recorded {}", case["n"], case["out"]));
            }
        }
    }
    for (kind, (passed, total, open)) in &tally {
        println!("{name}/{kind}: {passed}/{total} passed, {open} not carried out yet");
    }
    for difference in differences.iter().take(SHOWN) {
        println!("{difference}");
    }
    assert!(differences.is_empty(), "{} cases of {name} differ", differences.len());
    assert!(tally.values().any(|(passed, ..)| *passed > 0), "{name}: no case ran");
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
