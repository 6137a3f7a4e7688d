//! Budgets, and evictions under them.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::tests::{Bench, bench};
use super::Disruption;
use crate::sim::object;

fn guarded(spec: &Value) -> Bench {
    let mut bench = bench();
    let model = Disruption::new(&bench.cluster.server, Duration::from_millis(20));
    bench.cluster.add(model);
    bench.replica_set("v1", 4, &json!({}));
    let mut spec = spec.clone();
    spec["selector"] = json!({ "matchLabels": { "app": "web" } });
    bench.hand.create("PodDisruptionBudget", json!({ "metadata": { "name": "web" }, "spec": spec })).unwrap();
    bench.run(2000);
    bench
}

fn status(bench: &Bench) -> Value {
    bench.hand.get("PodDisruptionBudget", "default", "web").unwrap()["status"].clone()
}

#[test]
fn budgets_count() {
    for (spec, desired, allowed) in [
        (json!({ "minAvailable": 3 }), 3, 1),
        (json!({ "maxUnavailable": 1 }), 3, 1),
        (json!({ "maxUnavailable": "50%" }), 2, 2),
        (json!({ "minAvailable": "30%" }), 2, 2),
        (json!({ "minAvailable": 4 }), 4, 0),
    ] {
        let status = status(&guarded(&spec));
        assert_eq!(
            (&status["desiredHealthy"], &status["disruptionsAllowed"]),
            (&json!(desired), &json!(allowed)),
            "{spec}"
        );
        assert_eq!((&status["expectedPods"], &status["currentHealthy"]), (&json!(4), &json!(4)));
    }
}

#[test]
fn evictions_wait_for_their_turn() {
    let mut bench = guarded(&json!({ "minAvailable": 3 }));
    let names: Vec<String> = bench.pods().iter().map(|pod| object::name(pod).to_owned()).collect();
    bench.hand.evict(("default", &names[0]), &Value::Null).unwrap();
    // At once, before the controller has looked again.
    let refused = bench.hand.evict(("default", &names[1]), &Value::Null).unwrap_err();
    assert_eq!((refused.code, &refused.details["retryAfterSeconds"]), (429, &json!(10)));
    assert!(refused.details["causes"][0]["message"].as_str().unwrap().contains("needs 3 healthy pods"));
    bench.run(2000);
    assert_eq!(bench.pods().len(), 4);
    assert_eq!(status(&bench).get("disruptedPods"), None);
    bench.hand.evict(("default", &names[1]), &Value::Null).unwrap();
}

#[test]
fn pods_that_do_not_serve_anyway_may_go() {
    let mut bench = guarded(&json!({ "minAvailable": 4 }));
    let name = object::name(&bench.pods()[0]).to_owned();
    assert_eq!(bench.hand.evict(("default", &name), &Value::Null).unwrap_err().code, 429);
    let broken = json!({ "metadata": { "annotations": { "sim.siskin.dev/behaviour": "never-ready" } } });
    bench.hand.merge("Pod", ("default", &name), &broken).unwrap();
    bench.run(500);
    assert_eq!(
        bench.hand.evict(("default", &name), &Value::Null).unwrap_err().code,
        429,
        "fewer than wanted are healthy"
    );
    let always = json!({ "spec": { "unhealthyPodEvictionPolicy": "AlwaysAllow" } });
    bench.hand.merge("PodDisruptionBudget", ("default", "web"), &always).unwrap();
    bench.hand.evict(("default", &name), &Value::Null).unwrap();
}

#[test]
fn two_budgets_over_one_pod_are_refused() {
    let bench = guarded(&json!({ "minAvailable": 1 }));
    let second = json!({ "metadata": { "name": "other" }, "spec": { "minAvailable": 1, "selector": {} } });
    bench.hand.create("PodDisruptionBudget", second).unwrap();
    assert_eq!(bench.hand.evict(("default", object::name(&bench.pods()[0])), &Value::Null).unwrap_err().code, 500);
}
