use super::*;
use serde_json::json;

#[test]
fn text_is_escaped_as_go_does() {
    let cases = [
        ("plain", r#""plain""#),
        ("<a>&\u{2028}\u{2029}", r#""\u003ca\u003e\u0026\u2028\u2029""#),
        ("\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}é", "\"\\\"\\\\\\n\\r\\t\\b\\f\\u0001\u{7f}é\""),
    ];
    for (text, want) in cases {
        assert_eq!(quote(text), want, "{text:?}");
    }
}

#[test]
fn free_json_keeps_its_keys_and_has_gos_numbers() {
    let cases = [
        (json!({"b": 1, "a": [true, null, "<"]}), r#"{"a":[true,null,"\u003c"],"b":1}"#),
        (json!([1.0, 0.5, 1e21, 1.5e-7, -2.25e30, 0.0]), "[1,0.5,1e+21,1.5e-7,-2.25e+30,0]"),
        (json!([123_456_789_012_345_678_i64, 1e20]), "[123456789012345678,100000000000000000000]"),
    ];
    for (value, want) in cases {
        assert_eq!(kind_to_text(Kind::Raw, Some(&value)), want);
    }
}

#[test]
fn times_are_written_in_utc_without_fractions() {
    let time = |text: &str| kind_to_text(Kind::Time, Some(&json!(text)));
    assert_eq!(time("2024-05-01T12:00:00.7+02:00"), r#""2024-05-01T10:00:00Z""#);
    assert_eq!(time("yesterday"), "null");
}

#[test]
fn zeros_of_every_kind() {
    let zeros = [
        (Kind::Text, r#""""#),
        (Kind::Bool, "false"),
        (Kind::Int32, "0"),
        (Kind::Quantity, r#""0""#),
        (Kind::IntOrString, "0"),
        (Kind::Time, "null"),
        (Kind::List(&Kind::Text), "null"),
        (Kind::Map(&Kind::Text), "null"),
    ];
    for (kind, want) in zeros {
        assert_eq!(kind_to_text(kind, None), want, "{kind:?}");
    }
}

#[test]
fn whole_numbers_may_be_written_as_floats() {
    assert_eq!(integer(&json!(3.0)), Some(3));
    assert_eq!(integer(&json!(3.5)), None);
    assert_eq!(integer(&json!("3")), None);
    assert!(!fits(Kind::Int32, &json!(3_000_000_000_i64)));
}
