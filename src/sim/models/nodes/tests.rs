//! Nodes that are full, grow, are drained and get lost.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::tests::{Bench, bench};
use super::super::{Disruption, Placement};
use super::pool::Sizes;
use super::{NodeLifecycle, NodePool, Scheduler};
use crate::sim::object;
use crate::sim::traffic::Load;

const LAG: Duration = Duration::from_millis(10);

/// A cluster with no nodes but those of a pool: two to four of them, of 1 CPU each.
fn pooled(least: usize) -> Bench {
    let mut bench = bench();
    for node in bench.hand.list("Node", "") {
        bench.hand.delete("Node", "", object::name(&node)).unwrap();
    }
    bench.cluster.kubelet.set_placement(Placement::Scheduled);
    let server = bench.cluster.server.clone();
    let sizes = Sizes {
        least,
        most: 4,
        provision: Duration::from_mins(1),
        idle: Duration::from_mins(2),
        allocatable: json!({ "cpu": "1", "pods": "10" }),
    };
    bench.cluster.add(NodePool::new(&server, sizes));
    bench.cluster.add(Scheduler::new(&server, LAG));
    bench.cluster.add(NodeLifecycle::new(&server, bench.cluster.gateway.plane()));
    bench.cluster.add(Disruption::new(&server, LAG));
    bench.run(100);
    bench
}

/// Pods of half a CPU each.
fn halves(bench: &Bench, replicas: u64) {
    bench.replica_set("v1", replicas, &json!({}));
    let spec =
        json!({ "containers": [{ "name": "c", "image": "web:v1", "resources": { "requests": { "cpu": "500m" } } }] });
    bench.hand.merge("ReplicaSet", ("default", "v1"), &json!({ "spec": { "template": { "spec": spec } } })).unwrap();
}

fn places(bench: &Bench) -> Vec<String> {
    let mut places: Vec<String> =
        bench.pods().iter().map(|pod| object::text(pod, "/spec/nodeName").to_owned()).collect();
    places.sort();
    places
}

fn available(bench: &Bench) -> Value {
    bench.status("v1").get("availableReplicas").cloned().unwrap_or(json!(0))
}

#[test]
fn pods_spread_over_what_room_there_is() {
    let mut bench = pooled(2);
    halves(&bench, 5);
    bench.run(2000);
    assert_eq!(places(&bench), ["", "pool-1", "pool-1", "pool-2", "pool-2"]);
    let waiting = bench.pods().into_iter().find(|pod| object::text(pod, "/spec/nodeName").is_empty()).unwrap();
    let told = &waiting["status"]["conditions"][0];
    assert_eq!(
        (&told["reason"], &told["message"]),
        (&json!("Unschedulable"), &json!("0/2 nodes are available: 2 Insufficient cpu."))
    );
    bench.run(58_000);
    assert_eq!(available(&bench), json!(4));
    bench.run(5000);
    assert_eq!((available(&bench), bench.hand.list("Node", "").len()), (json!(5), 3), "a node has been added");
    bench.scale("v1", 9);
    bench.run(120_000);
    assert_eq!((available(&bench), bench.hand.list("Node", "").len()), (json!(8), 4), "the pool has an end");
    bench.scale("v1", 2);
    bench.run(300_000);
    assert!(bench.hand.list("Node", "").len() < 4, "empty nodes go");
    assert_eq!(available(&bench), json!(2));
}

#[test]
fn a_cordoned_or_tainted_node_takes_nothing_new() {
    let mut bench = pooled(2);
    bench.hand.merge("Node", ("", "pool-1"), &json!({ "spec": { "unschedulable": true } })).unwrap();
    halves(&bench, 2);
    bench.run(1000);
    assert_eq!(places(&bench), ["pool-2", "pool-2"]);
    let taint = json!([{ "key": "dedicated", "value": "db", "effect": "NoSchedule" }]);
    bench.hand.merge("Node", ("", "pool-1"), &json!({ "spec": { "unschedulable": null, "taints": taint } })).unwrap();
    bench.scale("v1", 3);
    bench.run(1000);
    assert_eq!(places(&bench), ["", "pool-2", "pool-2"]);
}

#[test]
fn a_drain_keeps_to_the_budget() {
    let mut bench = pooled(3);
    halves(&bench, 4);
    let budget = json!({ "metadata": { "name": "web" }, "spec": { "minAvailable": 3, "selector": { "matchLabels": { "app": "web" } } } });
    bench.hand.create("PodDisruptionBudget", budget).unwrap();
    bench.run(2000);
    bench.hand.merge("Node", ("", "pool-1"), &json!({ "spec": { "unschedulable": true } })).unwrap();
    let mut least = 4;
    for _ in 0..50 {
        for pod in bench.pods().iter().filter(|pod| object::text(pod, "/spec/nodeName") == "pool-1") {
            // What a drain does: again and again, until it is allowed.
            let _ = bench.hand.evict(("default", object::name(pod)), &Value::Null);
        }
        bench.run(100);
        least = least.min(available(&bench).as_i64().unwrap_or(0));
    }
    assert_eq!((least, places(&bench).contains(&"pool-1".to_owned())), (3, false), "{:?}", places(&bench));
    assert_eq!(available(&bench), json!(4));
}

#[test]
fn a_lost_node_is_noticed_late_and_replaced_later() {
    let mut bench = pooled(2);
    halves(&bench, 2);
    bench.service("web", "v1");
    bench.run(2000);
    assert_eq!(places(&bench), ["pool-1", "pool-2"]);
    bench.cluster.traffic.add(Load::of_service("default", "web", 100.0));
    bench.run(1000);
    let lost = |bench: &Bench| bench.cluster.traffic.record().lock().total().lost;
    assert_eq!(lost(&bench), 0);
    let silent = json!({ "metadata": { "annotations": { "sim.siskin.dev/lost": "true" } } });
    bench.hand.merge("Node", ("", "pool-2"), &silent).unwrap();
    bench.run(39_000);
    assert_eq!(available(&bench), json!(2), "nobody has noticed");
    let before = lost(&bench);
    assert!(before > 1500, "but every second request is lost: {before}");
    bench.run(2000);
    assert_eq!(available(&bench), json!(1));
    let noticed = lost(&bench);
    bench.run(10_000);
    assert_eq!(lost(&bench), noticed, "and the endpoints know");
    bench.run(300_000);
    assert_eq!((available(&bench), bench.pods().len()), (json!(2), 3), "the old pod cannot be seen to have gone");
    bench.hand.delete("Node", "", "pool-2").unwrap();
    bench.run(1000);
    assert_eq!(bench.pods().len(), 2);
}
