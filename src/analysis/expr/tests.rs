//! Tests of the condition language as a whole.

mod bounds;
mod language;

use super::*;
use crate::api::Time;

/// 2026-01-02 03:04:05 UTC.
const NOW: Time = Time::from_seconds(1_767_323_045);

/// What a condition gives, in the words of the vectors, and the text of the error.
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
