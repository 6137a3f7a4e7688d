//! Outcomes recorded from Argo Rollouts' own functions, as data in `tests/vectors/`.
//!
//! A difference is a failure unless it is listed here with its reason. Texts of errors are informative, except
//! that of a value that is no boolean.

use serde_json::{Value as Json, json};

use super::*;
use crate::analysis::condition::{Verdict, judge};

/// Cases that differ on purpose: none.
const INTENDED: &[(&str, u64)] = &[];

fn float(json: &Json) -> f64 {
    match json.as_str() {
        Some("NaN") => f64::NAN,
        Some("Inf") => f64::INFINITY,
        Some("-Inf") => f64::NEG_INFINITY,
        _ => json.as_f64().unwrap(),
    }
}

/// The result of a case: its JSON, of the Go type that `kind` names.
pub(super) fn result(kind: &str, json: &Json) -> Value {
    let items = || json.as_array().unwrap().iter();
    match kind {
        "f64" | "ptrf64" => Value::Float(float(json)),
        "f64s" => Value::floats(items().map(float)),
        "int" => Value::Int(json.as_i64().unwrap()),
        "maps" => Value::rows(items().map(|item| Value::from(item.clone()))),
        "nilf64" | "nilf64s" => Value::Nil,
        "json" => Value::from(json.clone()),
        other => panic!("unknown kind {other}"),
    }
}

fn lines(text: &str) -> Vec<Json> {
    let parse = |line| serde_json::from_str(line).unwrap();
    text.split('\n')
        .filter(|line| !line.is_empty())
        .map(parse)
        .filter(|case: &Json| case.get("_meta").is_none())
        .collect()
}

fn text<'a>(case: &'a Json, field: &str) -> &'a str {
    case[field].as_str().unwrap()
}

/// What `case` gives, to be compared with `out`; the second part is the text, for information.
fn run(case: &Json) -> (Json, String) {
    let input = &case["in"];
    let value = result(text(input, "kind"), &input["result"]);
    if case["kind"] == "measure" {
        let set = |field| Some(text(input, field)).filter(|condition| !condition.is_empty());
        let (verdict, message) = judge(set("success"), set("failure"), &value, NOW);
        let mut out = json!({ "phase": verdict.phase() });
        // The part that this crate words itself must be the same; causes are informative.
        let exact = case["out"]["message"].as_str().unwrap();
        if verdict != Verdict::Error || exact.contains("metric result is nil") || exact.contains("expected bool") {
            out["message"] = json!(message);
        }
        return (out, message);
    }
    let (outcome, error) = outcome(text(input, "expr"), &value);
    let mut out = json!({ "outcome": outcome });
    if outcome == "NOTBOOL" {
        out["error"] = json!(error);
    }
    (out, error)
}

fn compare(file: &str, cases: &[Json]) {
    let (mut failures, mut other_words) = (Vec::new(), Vec::new());
    for case in cases {
        let (got, words) = run(case);
        let wanted = &case["out"];
        let n = case["n"].as_u64().unwrap();
        let agrees = got.as_object().unwrap().iter().all(|(field, value)| wanted[field] == *value);
        if !agrees && !INTENDED.contains(&(file, n)) {
            failures.push(format!("{n}: {} gave {got} ({words}), wanted {wanted}", case["in"]));
        }
        let wanted_words = wanted["message"].as_str().or(wanted["error"].as_str()).unwrap_or_default();
        if wanted_words != words {
            other_words.push(format!("{n}: {words:?} for {wanted_words:?}"));
        }
    }
    println!("{file}: {}/{} pass, {} with other words", cases.len() - failures.len(), cases.len(), other_words.len());
    println!("{}", other_words.join("\n"));
    assert!(failures.is_empty(), "{file}:\n{}", failures.join("\n"));
}

#[test]
fn conditions_and_measurements_agree_with_argo() {
    let cases = lines(include_str!("../../../../tests/vectors/expr.jsonl"));
    assert!(cases.len() > 100, "the vectors are there");
    compare("expr", &cases);
}

#[test]
fn the_language_agrees_with_go() {
    let cases: Vec<Json> = lines(include_str!("../../../../tests/vectors/expr-language.jsonl"))
        .into_iter()
        .enumerate()
        .map(|(index, case)| json!({ "n": index + 1, "kind": "cond", "in": case, "out": { "outcome": case["outcome"], "error": "" } }))
        .map(|mut case| {
            // These vectors record no texts.
            if case["out"]["outcome"] == "NOTBOOL" {
                let input = &case["in"];
                case["out"]["error"] = json!(outcome(text(input, "expr"), &result(text(input, "kind"), &input["result"])).1);
            }
            case
        })
        .collect();
    assert!(cases.len() > 100, "the vectors are there");
    compare("expr-language", &cases);
}
