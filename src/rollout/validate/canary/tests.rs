use super::*;
use serde_json::json;

#[test]
fn shares_are_read_as_argo_reads_them_here() {
    let cases = [
        (json!(3), 3),
        (json!("25"), 25),
        (json!("25%"), 25),
        (json!("0%"), 0),
        (json!("+5"), 5),
        (json!("-5"), -5),
        (json!("-5%"), 0),
        (json!("1.5"), 0),
        (json!("abc"), 0),
        (json!(""), 0),
        (json!("%"), 0),
        (json!("5%%"), 0),
        (json!("99999999999999999999"), i64::MAX),
        (json!("99999999999999999999%"), i64::MAX),
    ];
    for (value, want) in cases {
        assert_eq!(share(Some(&value)), want, "{value}");
    }
    assert_eq!(share(None), DEFAULT_SHARE);
}
