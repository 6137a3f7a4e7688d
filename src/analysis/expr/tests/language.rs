//! Rules of Go's `expr-lang` that are easy to get wrong, each checked against the real library.

use super::*;

fn json(text: &str) -> Value {
    Value::from(serde_json::from_str::<serde_json::Value>(text).unwrap())
}

/// Cases as `expression`, `JSON result`, `outcome`.
fn check(cases: &[(&str, &str, &str)]) {
    for (source, result, wanted) in cases {
        let (got, error) = outcome(source, &json(result));
        assert_eq!(got, *wanted, "{source} on {result}: {error}");
    }
}

#[test]
fn times_of_range_queries() {
    let time = |source: &str| compile_time(source).map_err(EvalError::from).and_then(|program| program.evaluate_time(NOW));
    assert_eq!(time("now()"), Ok(NOW));
    assert_eq!(time("now() - duration(\"1h\")"), Ok(Time::from_seconds(NOW.seconds() - 3600)));
    let date = "date(\"2023-08-14 00:00:00\", \"2006-01-02 15:04:05\", \"UTC\") - duration(\"1h\")";
    assert_eq!(time(date), Ok(Time::from_seconds(1_691_967_600)));
    assert_eq!(time("1").unwrap_err().to_string(), "expected time.Time, but got int");
    assert_eq!(time("result").unwrap_err().to_string(), "unknown name result");
}
