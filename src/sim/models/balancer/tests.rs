//! Targets come late, leave early, and take their turn.

use std::time::Duration;

use serde_json::json;

use super::super::tests::{Bench, bench};
use super::{LoadBalancer, Manner, Order};
use crate::sim::traffic::{Load, Reason, Target};

fn balanced(order: Order, throttle: u64) -> Bench {
    let mut bench = bench();
    let manner = Manner { registration: Duration::from_secs(5), throttle: Duration::from_millis(throttle), order };
    let model = LoadBalancer::new(&bench.cluster.server, bench.cluster.gateway.plane(), manner);
    bench.cluster.add(model);
    bench.replica_set("v1", 3, &json!({}));
    bench.replica_set("v2", 3, &json!({}));
    bench.service("web", "v1");
    let kind = json!({ "spec": { "type": "LoadBalancer" } });
    bench.hand.merge("Service", ("default", "web"), &kind).unwrap();
    bench.run(12_000);
    bench.cluster.traffic.add(Load::to(Target::Balancer(("default".to_owned(), "web".to_owned())), 100.0));
    bench.run(1000);
    bench
}

fn targets(bench: &Bench) -> usize {
    bench.cluster.gateway.plane().lock().balancers[&("default".to_owned(), "web".to_owned())].len()
}

fn lost(bench: &Bench) -> u64 {
    bench.cluster.traffic.record().lock().total().lost
}

fn switch(bench: &mut Bench) {
    let moved = json!({ "spec": { "selector": { "rollouts-pod-template-hash": "v2" } } });
    bench.hand.merge("Service", ("default", "web"), &moved).unwrap();
    bench.run(15_000);
}

#[test]
fn targets_are_healthy_some_time_after_their_registration() {
    let mut bench = balanced(Order::RegisterFirst, 0);
    assert_eq!((targets(&bench), lost(&bench)), (3, 0));
    let service = bench.hand.get("Service", "default", "web").unwrap();
    assert_eq!(service["status"]["loadBalancer"]["ingress"][0]["hostname"], json!("web.default.lb.sim.siskin.dev"));
    bench.scale("v1", 5);
    bench.run(4000);
    assert_eq!(targets(&bench), 3);
    bench.run(2000);
    assert_eq!(targets(&bench), 5);
}

#[test]
fn a_selector_that_moves_at_once_loses_until_targets_are_healthy() {
    let mut bench = balanced(Order::DeregisterFirst, 0);
    switch(&mut bench);
    let record = bench.cluster.traffic.record();
    let empty = record.lock().lost().get(&Reason::NoEndpoint).copied().unwrap_or(0);
    assert!((450..600).contains(&empty), "five seconds without a target: {empty}");
    assert_eq!(targets(&bench), 3);
}

#[test]
fn throttled_calls_take_their_turn_in_any_order() {
    let mut bench = balanced(Order::RegisterFirst, 2000);
    switch(&mut bench);
    assert_eq!(lost(&bench), 0, "the new ones are healthy before the last old one has left");
    let story = |seed| {
        let mut bench = balanced(Order::Shuffled(seed), 1000);
        switch(&mut bench);
        lost(&bench)
    };
    assert_eq!(story(3), story(3), "chance is a function of the seed");
}
