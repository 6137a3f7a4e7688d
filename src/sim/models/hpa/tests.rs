//! The autoscaler: its arithmetic in tables, then in a cluster with users.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::tests::{Bench, bench};
use super::Autoscaler;
use super::metrics::{Seen, propose};
use super::pace::{Past, held_back};
use crate::api::Time;
use crate::sim::traffic::{Load, Loads, Profile};

fn at(seconds: i64) -> Time {
    Time::from_seconds(1_700_000_000 + seconds)
}

fn external(value: f64, target: &Value, current: i64) -> i64 {
    let pod =
        json!({ "status": { "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": at(0) }] } });
    let pods: Vec<Arc<Value>> = (0..current).map(|_| Arc::new(pod.clone())).collect();
    let metric = json!({ "type": "External", "external": { "metric": { "name": "queue" }, "target": target } });
    let (loads, external) = (Loads::default(), BTreeMap::from([("queue".to_owned(), value)]));
    propose(&metric, &Seen { pods: &pods, loads: &loads, external: &external, current, there: current, now: at(0) })
        .unwrap()
        .replicas
}

#[test]
fn a_tenth_more_or_less_is_tolerated() {
    let total = json!({ "type": "Value", "value": "100" });
    for (value, wanted) in [(100.0, 4), (110.0, 4), (90.0, 4), (111.0, 5), (89.0, 4), (200.0, 8), (50.0, 2), (0.0, 0)] {
        assert_eq!(external(value, &total, 4), wanted, "{value}");
    }
    let average = json!({ "type": "AverageValue", "averageValue": "30" });
    for (value, wanted) in [(120.0, 4), (130.0, 4), (135.0, 5), (300.0, 10)] {
        assert_eq!(external(value, &average, 4), wanted, "{value}");
    }
}

fn hpa(behaviour: &Value) -> Value {
    json!({ "spec": { "minReplicas": 2, "maxReplicas": 50, "behavior": behaviour } })
}

#[test]
fn bounds_and_policies_hold_back() {
    let decide = |hpa: &Value, current, wanted| held_back(hpa, (current, wanted), &mut Past::default(), at(0)).replicas;
    let plain = hpa(&Value::Null);
    assert_eq!(decide(&plain, 3, 100), 7, "four pods are more than twice");
    assert_eq!(decide(&plain, 10, 100), 20);
    assert_eq!(decide(&plain, 40, 100), 50);
    assert_eq!(decide(&plain, 60, 60), 50, "back to the bounds at once");
    assert_eq!(decide(&plain, 10, 0), 2);
    let least = hpa(&json!({ "scaleUp": { "selectPolicy": "Min", "policies": [
        { "type": "Pods", "value": 2, "periodSeconds": 60 }, { "type": "Percent", "value": 100, "periodSeconds": 60 }] } }));
    assert_eq!(decide(&least, 10, 100), 12);
    let never = hpa(&json!({ "scaleDown": { "selectPolicy": "Disabled" } }));
    assert_eq!(decide(&never, 10, 2), 10);
}

#[test]
fn policies_count_what_was_done_within_their_period() {
    let slow = hpa(&json!({ "scaleUp": { "policies": [{ "type": "Pods", "value": 3, "periodSeconds": 60 }] } }));
    let mut past = Past::default();
    assert_eq!(held_back(&slow, (10, 40), &mut past, at(0)).replicas, 13);
    past.scaled(3, at(0));
    assert_eq!(held_back(&slow, (13, 40), &mut past, at(15)).replicas, 13);
    assert_eq!(held_back(&slow, (13, 40), &mut past, at(60)).replicas, 16);
}

#[test]
fn the_way_down_waits_for_the_highest_of_five_minutes() {
    let plain = hpa(&Value::Null);
    let mut past = Past::default();
    assert_eq!(held_back(&plain, (10, 10), &mut past, at(0)).replicas, 10);
    let held = held_back(&plain, (10, 4), &mut past, at(15));
    assert_eq!((held.replicas, held.able.0), (10, "ScaleDownStabilized"));
    held_back(&plain, (10, 6), &mut past, at(200));
    assert_eq!(held_back(&plain, (10, 4), &mut past, at(310)).replicas, 6);
    let cautious = hpa(&json!({ "scaleUp": { "stabilizationWindowSeconds": 60 } }));
    let mut past = Past::default();
    held_back(&cautious, (4, 5), &mut past, at(0));
    let held = held_back(&cautious, (4, 8), &mut past, at(15));
    assert_eq!((held.replicas, held.able.0), (5, "ScaleUpStabilized"));
}

/// A set of two pods that serve 10 requests a second each, behind a Service, and an autoscaler at 50 %.
fn served(rate: f64) -> Bench {
    let mut bench = bench();
    bench.replica_set("v1", 2, &json!({ "sim.siskin.dev/capacity": "10" }));
    let template =
        json!({ "containers": [{ "name": "c", "image": "web:v1", "resources": { "requests": { "cpu": "200m" } } }] });
    bench
        .hand
        .merge("ReplicaSet", ("default", "v1"), &json!({ "spec": { "template": { "spec": template } } }))
        .unwrap();
    bench.service("web", "v1");
    let target = json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "v1" });
    let metric = json!({ "type": "Resource", "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 50 } } });
    let hpa = json!({ "metadata": { "name": "web" }, "spec": { "scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 8, "metrics": [metric] } });
    bench.hand.create("HorizontalPodAutoscaler", hpa).unwrap();
    bench.run(1000);
    let loads = bench.cluster.traffic.loads();
    let autoscaler = Autoscaler::new(&bench.cluster.server, loads);
    bench.cluster.add(autoscaler);
    bench.cluster.traffic.add(Load::of_service("default", "web", rate));
    bench
}

fn desired(bench: &Bench) -> Value {
    bench.hand.get("HorizontalPodAutoscaler", "default", "web").unwrap()["status"].clone()
}

#[test]
fn users_make_the_target_grow_and_it_shrinks_late() {
    let mut bench = served(19.0);
    bench.run(120_000);
    // 19 requests a second at 5 for each pod.
    assert_eq!(bench.status("v1")["availableReplicas"], json!(4), "{}", desired(&bench));
    let conditions = desired(&bench)["conditions"].clone();
    assert_eq!((&conditions[0]["type"], &conditions[1]["reason"]), (&json!("AbleToScale"), &json!("ValidMetricFound")));
    bench.cluster.traffic.clear();
    bench.run(200_000);
    assert_eq!(bench.status("v1")["replicas"], json!(4), "the last five minutes count");
    bench.run(200_000);
    assert_eq!(bench.status("v1")["replicas"], json!(2));
}

#[test]
fn a_spike_overloads_until_there_are_more() {
    let mut bench = served(8.0);
    bench.cluster.traffic.clear();
    let spike = Profile::Spike {
        at: bench.clock.time() + Duration::from_secs(30),
        lasting: Duration::from_mins(5),
        factor: 5.0,
    };
    bench.cluster.traffic.add(Load::of_service("default", "web", 8.0).in_course(spike));
    bench.run(29_000);
    let lost = |bench: &Bench| bench.cluster.traffic.record().lock().total().lost;
    assert_eq!(lost(&bench), 0);
    bench.run(31_000);
    let during = lost(&bench);
    assert!(during > 100, "forty a second on twenty: {during}");
    bench.run(120_000);
    let before = lost(&bench);
    bench.run(60_000);
    assert!(lost(&bench) - before < 60, "eight pods carry it: {} {}", lost(&bench) - before, desired(&bench));
}

#[test]
fn what_cannot_be_measured_is_said() {
    let mut bench = served(1.0);
    let memory = json!([{ "type": "Resource", "resource": { "name": "memory", "target": { "type": "Utilization", "averageUtilization": 50 } } }]);
    bench.hand.merge("HorizontalPodAutoscaler", ("default", "web"), &json!({ "spec": { "metrics": memory } })).unwrap();
    bench.run(30_000);
    let status = desired(&bench);
    assert_eq!(status["conditions"][1]["reason"], json!("FailedGetResourceMetric"), "{status}");
    assert_eq!(bench.status("v1")["replicas"], json!(2));
}
