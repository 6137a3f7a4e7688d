use super::*;
use serde_json::json;

#[test]
fn pauses_are_numbers_or_durations() {
    let cases = [
        (json!(30), 30),
        (json!(-1), -1),
        (json!("30"), 30),
        (json!("+30"), 30),
        (json!("1h30m"), 5400),
        (json!("1500ms"), 1),
        (json!("-10s"), -10),
        (json!("-500ms"), 0),
        (json!("5d"), -1),
        (json!(""), -1),
        (json!("9999999999"), -1),
        (json!("2562047h"), i32::MIN),
    ];
    for (value, want) in cases {
        assert_eq!(pause_seconds(&value), want, "{value}");
    }
}
