use super::*;

#[test]
fn texts_are_those_of_kubernetes() {
    let path = Path::new("spec").child("list").index(2).key("a/b");
    let mut report = Report::default();
    report.required(&path, "");
    report.required(&path, "why");
    report.invalid(&path, 3, "too small");
    report.not_found(&path, "x", "");
    report.not_supported(&path, "x", &["a", "b"]);
    report.forbidden(&path, "no");
    report.too_long(&path, 5);
    report.internal(&path, "broken");
    report.duplicate(&path, "x");
    let texts: Vec<_> = report.0.iter().map(ToString::to_string).collect();
    let want = [
        "spec.list[2][a/b]: Required value",
        "spec.list[2][a/b]: Required value: why",
        "spec.list[2][a/b]: Invalid value: 3: too small",
        "spec.list[2][a/b]: Not found: \"x\"",
        "spec.list[2][a/b]: Unsupported value: \"x\": supported values: \"a\", \"b\"",
        "spec.list[2][a/b]: Forbidden: no",
        "spec.list[2][a/b]: Too long: may not be more than 5 bytes",
        "spec.list[2][a/b]: Internal error: broken",
        "spec.list[2][a/b]: Duplicate value: \"x\"",
    ];
    assert_eq!(texts, want);
}

#[test]
fn text_is_quoted_as_go_does() {
    let cases = [
        ("a\"b\\", r#""a\"b\\""#),
        ("\n\t\u{7}\u{1}\u{7f}", r#""\n\t\a\x01\x7f""#),
        ("é😀\u{a0}\u{200b}\u{feff}\u{10ffff}", r#""é😀\u00a0\u200b\ufeff\U0010ffff""#),
    ];
    for (text, want) in cases {
        assert_eq!(quote(text), want);
    }
}
