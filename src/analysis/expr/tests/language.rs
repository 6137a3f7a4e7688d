//! Rules of Go's `expr-lang` that are easy to get wrong, each with the outcome that the real library gives.

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
fn numbers() {
    check(&[
        ("1 / 2 == 0.5", "0", "true"),
        ("7 / 2 == 3.5 and 2 ** -1 == 0.5 and -2 ** 2 == -4", "0", "true"),
        ("9223372036854775807 + 1 < 0", "0", "true"),
        ("1 % 0 == 1", "0", "CERR"),
        ("int(result) % 0 == 1", "3", "RERR"),
        ("0xFFFFFFFFFFFFFFFF > 0", "0", "CERR"),
        ("float('1_0') == 10 and float('0x1p4') == 16", "0", "true"),
        ("asInt('1_000') > 0", "0", "RERR"),
        ("string(1e20) == '1e+20' and string(1234567.0) == '1.234567e+06' and string(0.0001) == '0.0001'", "0", "true"),
        ("isNaN(1 + 2)", "0", "false"),
        ("isNaN(asInt(result))", "3", "RERR"),
    ]);
}

#[test]
fn folding_decides_before_anything_fails() {
    check(&[
        ("result.zz.y > 1 || true", "{}", "true"),
        ("result.zz.y && false", "{}", "false"),
        ("'a' == 'a' && result.a", r#"{"a": 1}"#, "NOTBOOL"),
        ("result.a && true", r#"{"a": 1}"#, "NOTBOOL"),
        ("result.a && result.t", r#"{"a": 1, "t": true}"#, "RERR"),
        ("filter(result, .n > 1)[0].n == 2", r#"[{"n": 2}, {}]"#, "true"),
        ("filter(result, .n > 1)[1].n == 3", r#"[{"n": 2}, {}]"#, "RERR"),
        ("len(map(filter(result, .n > 1), .zz.y)) == 1", r#"[{"n": 2}]"#, "true"),
        ("sum([result.b, result.b]) == 'xx'", r#"{"b": "x"}"#, "true"),
    ]);
}

#[test]
fn sets_of_literals_are_strict() {
    check(&[
        ("result.a in ['x']", r#"{"a": 1}"#, "RERR"),
        ("result.d in ['x']", r#"{"d": null}"#, "false"),
        ("result.d in ['']", r#"{"d": null}"#, "true"),
        ("result in ['x']", "1", "CERR"),
        ("asInt(result) in [1, 2]", "\"2\"", "true"),
        ("2.0 in 1..3 and 2.5 not in 1..3", "0", "true"),
        ("int(result) in 1..10000000", "5", "true"),
        ("result in 1..10000000", "5", "RERR"),
    ]);
}

#[test]
fn equality_depends_on_static_types() {
    check(&[
        ("findIndex(result, # > 9) == -1", "[1]", "RERR"),
        ("findIndex(result, # > 9) == nil", "[1]", "true"),
        ("(false ? 'a' : nil) == 'a'", "0", "RERR"),
        ("max(2, result) == 2", "3", "RERR"),
        ("max(result, 2) == 2", "3", "false"),
        ("{'a': 1} == {'a': 1.0}", "0", "false"),
        ("[1, 'x'] == [1.0, 'x']", "0", "true"),
        ("result == {'a': 1}", r#"{"a": 1}"#, "false"),
        ("result == {'a': 1.0}", r#"{"a": 1}"#, "true"),
    ]);
}

#[test]
fn nil_and_chains() {
    check(&[
        ("result?.zz?.y == nil", "{}", "true"),
        ("result?.zz.y == nil", "{}", "RERR"),
        ("result?.zz[0] == nil", "{}", "RERR"),
        ("1 ?? 2 + 3 == 1", "0", "CERR"),
        ("groupBy([1, 2, 3], # % 2)[5] == nil", "0", "true"),
        ("len(groupBy(result, .n)[1]) == 0", r#"[{"n": 1}]"#, "true"),
        ("len(groupBy(result, .n)[1.0]) == 1", r#"[{"n": 1}]"#, "true"),
        ("get(result, 'zz') == nil", "{}", "true"),
    ]);
}

#[test]
fn times() {
    check(&[
        ("date('2024-02-03T10:11:12+02:00') == date('2024-02-03T08:11:12Z')", "0", "true"),
        ("date('2024-02-03', '2006-01-02', 'America/New_York').UTC().Hour() == 5", "0", "true"),
        ("date('2024-01-31').AddDate(0, 1, 0).Day() == 2", "0", "true"),
        ("date('2024-02-03').Month() == 2", "0", "CERR"),
        ("string(date('2024-02-03').Month()) == 'February'", "0", "true"),
        ("date('2024-02-03').Format('Jan 2, 2006 at 3:04pm (MST)') == 'Feb 3, 2024 at 12:00am (UTC)'", "0", "true"),
        ("duration('1h') * 2 == duration('2h') and string(duration('90m')) == '1h30m0s'", "0", "true"),
        ("date('2024-02-30') > now()", "0", "RERR"),
    ]);
}

#[test]
fn patterns_are_those_of_go() {
    check(&[
        (r"result matches '^\\w+$'", "\"é\"", "false"),
        (r"result matches '^[[]$'", "\"[\"", "true"),
        (r"result matches '^[a&&b]$'", "\"&\"", "true"),
        (r"result matches 'a**'", "\"a\"", "CERR"),
        (r"result matches 'a{1001}'", "\"a\"", "CERR"),
        (r"result matches 'a{'", "\"a{\"", "true"),
        (r"result matches '(?i)^A$'", "\"a\"", "true"),
        (r"result matches 'a(?=b)'", "\"ab\"", "CERR"),
    ]);
}

#[test]
fn times_of_range_queries() {
    let time =
        |source: &str| compile_time(source).map_err(EvalError::from).and_then(|program| program.evaluate_time(NOW));
    assert_eq!(time("now()"), Ok(NOW));
    assert_eq!(time("now() - duration(\"1h\")"), Ok(Time::from_seconds(NOW.seconds() - 3600)));
    let date = "date(\"2023-08-14 00:00:00\", \"2006-01-02 15:04:05\", \"UTC\") - duration(\"1h\")";
    assert_eq!(time(date), Ok(Time::from_seconds(1_691_967_600)));
    assert_eq!(time("1").unwrap_err().to_string(), "expected time.Time, but got int");
    assert_eq!(time("result").unwrap_err().to_string(), "unknown name result");
}
