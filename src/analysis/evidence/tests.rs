#![allow(clippy::needless_pass_by_value, reason = "literals read better")]

use serde_json::{Value, json};

use super::*;

fn run(metric: Value, result: Value) -> AnalysisRun {
    let mut metric = metric;
    metric["name"] = json!("m");
    metric["provider"] = json!({"prometheus": {"query": "q"}});
    let results = if result.is_null() { json!([]) } else { json!([result]) };
    serde_json::from_value(json!({
        "spec": {"metrics": [metric]},
        "status": {"phase": "Successful", "metricResults": results},
    }))
    .unwrap()
}

fn result(count: i32, successful: i32, in_a_row: i32) -> Value {
    json!({"name": "m", "phase": "Successful", "count": count, "successful": successful, "consecutiveSuccess": in_a_row})
}

fn passed(metric: Value, result: Value) -> bool {
    match verdict(&run(metric, result)) {
        Verdict::Passed => true,
        Verdict::Unproven(reason) => {
            assert!(reason.starts_with("metric 'm' proves nothing: "), "{reason}");
            false
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn success_needs_the_measurements_that_were_asked_for() {
    assert!(passed(json!({}), result(1, 1, 1)));
    assert!(passed(json!({"count": 5, "interval": "1s", "failureLimit": 2}), result(5, 3, 1)));
    assert!(passed(json!({"interval": "1s", "consecutiveSuccessLimit": 2}), result(3, 2, 2)));
    // Never measured; stopped on the way; without an end of its own; tolerated, and not one success.
    assert!(!passed(json!({}), Value::Null));
    assert!(!passed(json!({"count": 5, "interval": "1s"}), result(2, 2, 2)));
    assert!(!passed(json!({"interval": "1s"}), result(9, 9, 9)));
    assert!(!passed(json!({"count": 3, "interval": "1s", "failureLimit": 3}), result(3, 0, 0)));
    assert!(!passed(json!({"interval": "1s", "consecutiveSuccessLimit": 2}), result(3, 2, 1)));
    assert!(!passed(json!({"count": -3}), result(0, 0, 0)));
}

#[test]
fn a_metric_in_dry_run_proves_nothing_and_need_not() {
    let mut dry = run(json!({}), Value::Null);
    dry.spec.dry_run.push(serde_json::from_value(json!({"metricName": "m"})).unwrap());
    assert_eq!(verdict(&dry), Verdict::Passed);
}

#[test]
fn other_phases_are_what_they_say() {
    let texts = [
        ("", Verdict::Open),
        ("Running", Verdict::Open),
        ("Pending", Verdict::Open),
        ("Odd", Verdict::Open),
        ("Failed", Verdict::Failed),
        ("Error", Verdict::Error),
        ("Inconclusive", Verdict::Inconclusive),
    ];
    for (phase, wanted) in texts {
        let mut run = run(json!({}), result(1, 1, 1));
        run.status.phase = phase.to_owned();
        assert_eq!(verdict(&run), wanted, "{phase}");
    }
}

#[test]
fn a_specification_that_cannot_be_read_proves_nothing() {
    let mut run = run(json!({}), result(1, 1, 1));
    run.spec.metrics[0].success_condition = "{{args.nope}}".to_owned();
    assert!(matches!(verdict(&run), Verdict::Unproven(_)));
}
