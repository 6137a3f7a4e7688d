//! Conditions on the results of providers: the language, and the measurements that come of it.
//!
//! Texts of errors are informative, but for that of a value that is no boolean and those that are worded here.

use serde_json::{Value as Json, json};
use siskin::analysis::condition::judge;
use siskin::analysis::expr::{Environment, EvalError, Shape, Value, compile};
use siskin::api::time::Time;

use crate::file::Recorded;

/// Conditions and measurements.
pub const FILE: Recorded = Recorded { compared, ..Recorded::new("expr", answer) };

/// The language itself, `{expr, result, kind, outcome}` a line.
pub const LANGUAGE: Recorded = Recorded { shape, compared, ..Recorded::new("expr-language", answer) };

/// 2026-01-02 03:04:05 UTC.
const NOW: Time = Time::from_seconds(1_767_323_045);

fn shape(_: &Json, line: &Json) -> Json {
    json!({"kind": "cond", "out": {"outcome": line["outcome"]}, "in": line})
}

fn answer(kind: &str, input: &Json) -> Option<Json> {
    let value = result(text(input, "kind"), &input["result"])?;
    match kind {
        "measure" => {
            let set = |field| Some(text(input, field)).filter(|condition| !condition.is_empty());
            let (verdict, message) = judge(set("success"), set("failure"), &value, NOW);
            Some(json!({"phase": verdict.phase(), "message": message}))
        }
        "cond" => {
            let (outcome, error) = outcome(text(input, "expr"), &value);
            Some(json!({"outcome": outcome, "error": error}))
        }
        _ => None,
    }
}

/// Without texts that are informative.
fn compared(case: &Json, mut value: Json) -> Json {
    let out = &case["out"];
    let message = text(out, "message");
    let worded_here = message.contains("metric result is nil") || message.contains("expected bool");
    let exact = match case["kind"].as_str() {
        Some("measure") => out["phase"] != "Error" || worded_here,
        _ => out["outcome"] == "NOTBOOL" && !out["error"].is_null(),
    };
    if let Some(fields) = value.as_object_mut().filter(|_| !exact) {
        fields.retain(|field, _| field != "message" && field != "error");
    }
    value
}

/// What a condition gives, in the words of the file, and the text of the error.
fn outcome(source: &str, result: &Value) -> (String, String) {
    let program = match compile(source, Shape::of(result)) {
        Ok(program) => program,
        Err(error) => return ("CERR".to_owned(), error.to_string()),
    };
    match program.evaluate_bool(Environment { result, now: NOW }) {
        Ok(flag) => (flag.to_string(), String::new()),
        Err(error @ EvalError::WrongType { .. }) => ("NOTBOOL".to_owned(), error.to_string()),
        Err(error) => ("RERR".to_owned(), error.to_string()),
    }
}

fn text<'a>(case: &'a Json, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_default()
}

fn float(json: &Json) -> f64 {
    match json.as_str() {
        Some("NaN") => f64::NAN,
        Some("Inf") => f64::INFINITY,
        Some("-Inf") => f64::NEG_INFINITY,
        _ => json.as_f64().unwrap(),
    }
}

/// The result of a case: its JSON, of the Go type that `kind` names.
fn result(kind: &str, json: &Json) -> Option<Value> {
    let items = || json.as_array().unwrap().iter();
    Some(match kind {
        "f64" | "ptrf64" => Value::Float(float(json)),
        "f64s" => Value::floats(items().map(float)),
        "int" => Value::Int(json.as_i64()?),
        "maps" => Value::rows(items().map(|item| Value::from(item.clone()))),
        "nilf64" | "nilf64s" => Value::Nil,
        "json" => Value::from(json.clone()),
        _ => return None,
    })
}
