//! Jobs that succeed, fail and take too long.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::tests::{Bench, bench};
use super::Jobs;

fn run(spec: &Value, annotations: &Value, millis: u64) -> (Value, Bench) {
    let mut bench = bench();
    let model = Jobs::new(&bench.cluster.server, Duration::from_millis(10));
    bench.cluster.add(model);
    let mut spec = spec.clone();
    spec["template"] = json!({
        "metadata": { "annotations": annotations },
        "spec": { "restartPolicy": "Never", "containers": [{ "name": "c", "image": "x:1" }] },
    });
    bench.hand.create("Job", json!({ "metadata": { "name": "j" }, "spec": spec })).unwrap();
    bench.run(millis);
    (bench.hand.get("Job", "default", "j").unwrap()["status"].clone(), bench)
}

#[test]
fn a_job_completes() {
    let (status, bench) =
        run(&json!({ "completions": 3, "parallelism": 2 }), &json!({ "sim.siskin.dev/exit-after": "2" }), 20_000);
    assert_eq!((&status["succeeded"], &status["conditions"][0]["type"]), (&json!(3), &json!("Complete")), "{status}");
    assert_eq!((status.get("active"), bench.pods().len()), (None, 3));
    assert_eq!(bench.pods()[0]["status"]["containerStatuses"][0]["state"]["terminated"]["reason"], json!("Completed"));
}

#[test]
fn a_job_gives_up() {
    let fails = json!({ "sim.siskin.dev/exit-after": "1", "sim.siskin.dev/exit-code": "3" });
    let (status, _) = run(&json!({ "backoffLimit": 1 }), &fails, 10_000);
    assert_eq!(
        (&status["failed"], &status["conditions"][0]["reason"]),
        (&json!(2), &json!("BackoffLimitExceeded")),
        "{status}"
    );
}

#[test]
fn a_job_runs_out_of_time() {
    let (status, bench) = run(&json!({ "activeDeadlineSeconds": 5 }), &json!({}), 4000);
    assert_eq!((&status["active"], status.get("conditions")), (&json!(1), None), "{status}");
    drop(bench);
    let (status, bench) = run(&json!({ "activeDeadlineSeconds": 5 }), &json!({}), 8000);
    assert_eq!(status["conditions"][0]["reason"], json!("DeadlineExceeded"), "{status}");
    assert!(bench.pods().is_empty());
}

#[test]
fn what_is_not_modelled_is_said() {
    let (status, _) = run(&json!({ "completionMode": "Indexed" }), &json!({}), 1000);
    assert_eq!(status["conditions"][0]["reason"], json!("Unsupported"), "{status}");
}
