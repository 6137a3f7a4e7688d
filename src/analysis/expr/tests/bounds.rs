//! Whatever a tenant writes, evaluation ends, and within its bounds.

use proptest::prelude::*;

use super::*;

/// A stack as small as that of a worker thread, in a build without optimizations.
fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(run).unwrap().join().unwrap();
}

fn try_all(source: &str) {
    let results = [
        Value::Nil,
        Value::Float(1.5),
        Value::floats([0.5, f64::NAN, 2.0]),
        Value::text("abc"),
        Value::from(serde_json::json!({"a": [1, {"b": null}], "c": "x"})),
        Value::from(serde_json::json!([[1, 2], "x", {"n": 1}])),
    ];
    for result in &results {
        for shape in [Shape::of(result), Shape::Any] {
            if let Ok(program) = compile(source, shape) {
                let _ = program.evaluate(Environment { result, now: NOW });
            }
        }
    }
}

const WORDS: &[&str] = &[
    "result",
    "result",
    "#",
    "#acc",
    "#index",
    ".a",
    "?.b",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ",",
    ";",
    ":",
    "?",
    "??",
    "|",
    "not",
    "in",
    "and",
    "or",
    "&&",
    "||",
    "!",
    "==",
    "!=",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "..",
    "let x =",
    "x",
    "if",
    "else",
    "nil",
    "true",
    "1",
    "0",
    "2.5",
    "'a'",
    "'(['",
    "100000",
    "all(",
    "map(",
    "filter(",
    "reduce(",
    "sortBy(",
    "groupBy(",
    "sum(",
    "len(",
    "max(",
    "sort(",
    "first(",
    "flatten(",
    "repeat(",
    "split(",
    "now()",
    "duration('1h')",
    "date('2024-01-01')",
    ".Year()",
    ".Format(",
    "matches",
    "contains",
    "asInt(",
    "asFloat(",
    "isNaN(",
    "default(",
    "string(",
    "toJSON(",
    "fromJSON(",
    "toPairs(",
    "fromPairs(",
    "uniq(",
    "concat(",
    "take(",
    "get(",
    "int(",
    "bitshl(",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn random_text_never_panics(source in "\\PC{0,60}") {
        try_all(&source);
    }

    #[test]
    fn random_words_never_panic(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..14)) {
        try_all(&words.join(" "));
    }

    #[test]
    fn random_calls_never_panic(name in proptest::sample::select(WORDS), other in proptest::sample::select(WORDS),
        arguments in proptest::collection::vec(proptest::sample::select(&["result", "result.a", "#", "nil", "-1", "'x'",
            "[1, nil]", "{'a': 1}", "1..3", "now()", "9223372036854775807", "0.0 / 0"][..]), 0..4)) {
        let joined = arguments.join(", ");
        try_all(&format!("{name} {joined})"));
        try_all(&format!("{name} {other} {joined}), {joined})"));
        try_all(&format!("map([result, 1], {name} {joined}))"));
    }
}

#[test]
fn depth_is_bounded() {
    on_a_small_stack(|| {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("-", ""),
            ("not ", ""),
            ("{a: ", "}"),
            ("len(", ")"),
            ("if true {", "} else {1}"),
            ("let x = 1; ", ""),
        ] {
            for depth in [10, 60, 5000 / open.len()] {
                let source = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                try_all(&source);
            }
        }
        let text = compile(&"(".repeat(200), Shape::Nil).unwrap_err().to_string();
        assert_eq!(text, "expression nests deeper than 64");
    });
}

#[test]
fn chains_of_many_operators_work_up_to_the_height() {
    on_a_small_stack(|| {
        let chain = |count: usize| vec!["result > 0"; count].join(" || ");
        assert_eq!(outcome(&chain(150), &Value::Float(0.0)).0, "false");
        assert_eq!(outcome(&chain(900), &Value::Float(0.0)).0, "CERR");
        try_all(&format!("result{}", ".a".repeat(190)));
        try_all(&vec!["1"; 190].join(" < "));
    });
}

#[test]
fn source_and_nodes_are_bounded() {
    let long = format!("result == '{}'", "x".repeat(limits::MAX_SOURCE_BYTES));
    assert!(compile(&long, Shape::Float).unwrap_err().0.contains("longer than"));
    let many = format!("len([{}]) > 0", "1,".repeat(7_000));
    assert!(compile(&many, Shape::Float).is_ok());
    let too_many = format!("len([{}]) > 0", "[],".repeat(5_001) + &"1,".repeat(400));
    assert!(compile(&too_many, Shape::Float).is_ok());
    let nested = (0..20).fold("1".to_owned(), |inner, _| format!("(1 < ({inner}) < 2)"));
    assert!(compile(&nested, Shape::Float).unwrap_err().0.contains("maximum allowed nodes"));
}

#[test]
fn endless_work_is_stopped() {
    on_a_small_stack(|| {
        let cases = [
            "all(1..999, all(1..999, all(1..999, true == true)))",
            "let a = 1..400000; all(1..400000, a == a)",
            "let a = 1..400000; all(1..400000, -1 not in a)",
            "len(uniq(1..900000)) > 0",
            "reduce(1..60, [#acc, #acc], [1]) == reduce(1..60, [#acc, #acc], [1])",
            "len(string(reduce(1..60, [#acc, #acc], [1]))) > 0",
            "len(toJSON(reduce(1..60, [#acc, #acc], [1]))) > 0",
            "len(flatten(reduce(1..60, [#acc, #acc], [1]))) > 0",
            "max(reduce(1..60, [#acc, #acc], [1])) > 0",
            "mean(reduce(1..60, [#acc, #acc], [1])) > 0",
            "len(reduce(1..900000, [#acc], [])) > 0",
            "len(reduce(1..60, #acc + #acc, 'x')) > 0",
            "len(reduce(1..60, repeat(#acc, 1000), 'x')) > 0",
            "len(reduce(1..60, replace(#acc, 'x', 'xxxxxxxxxxxxxxxxxxxxxxxx'), 'x')) > 0",
            "len(reduce(1..60, concat(#acc, #acc), [1])) > 0",
            "len(map(1..100000, repeat('x', 100000))) > 0",
            "all(1..900000, 'x' matches string(#) or true == (1 == 1))",
            "asInt(reduce(1..60, [#acc, #acc], [1])) > 0",
        ];
        for source in cases {
            let (outcome, error) = outcome(source, &Value::Float(1.0));
            assert_eq!(outcome, "RERR", "{source}: {error}");
        }
    });
}

#[test]
fn a_program_is_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    let program = compile("result >= 0.95", Shape::Float).unwrap();
    shared(&program);
    let other = Value::text("x");
    assert!(program.evaluate(Environment { result: &other, now: NOW }).is_err(), "of another shape");
}
