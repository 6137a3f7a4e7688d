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

/// An Ingress that forwards to `stable` (v1) and `canary` (v2) by these weights.
fn ingress(bench: &Bench, weights: (u64, u64)) {
    let group = |name: &str, weight: u64| json!({ "serviceName": name, "servicePort": "80", "weight": weight });
    let groups = json!([group("stable", weights.0), group("canary", weights.1)]);
    let action = json!({ "type": "forward", "forwardConfig": { "targetGroups": groups } }).to_string();
    let backend = json!({ "service": { "name": "stable", "port": { "name": "use-annotation" } } });
    let paths = json!([{ "path": "/", "pathType": "Prefix", "backend": backend }]);
    let object = json!({
        "metadata": { "name": "web", "annotations": { "alb.ingress.kubernetes.io/actions.stable": action } },
        "spec": { "ingressClassName": "alb", "rules": [{ "http": { "paths": paths } }] },
    });
    bench.put("Ingress", object);
}

fn weighed(order: Order, throttle: u64) -> Bench {
    let mut bench = balanced(order, throttle);
    bench.service("stable", "v1");
    bench.service("canary", "v2");
    ingress(&bench, (100, 0));
    bench.run(40_000);
    bench.cluster.traffic.clear();
    bench.cluster.traffic.add(Load::to(Target::Ingress(("default".to_owned(), "web".to_owned())), 100.0));
    bench.run(1000);
    bench
}

fn answered(bench: &Bench, service: &str) -> u64 {
    bench.cluster.traffic.record().lock().of_service(service).ok
}

#[test]
fn an_ingress_forwards_by_weight_to_the_targets_of_its_services() {
    let mut bench = weighed(Order::RegisterFirst, 0);
    assert_eq!((lost(&bench), answered(&bench, "canary")), (0, 0));
    assert!(answered(&bench, "stable") >= 99);
    let found = bench.hand.get("Ingress", "default", "web").unwrap();
    assert_eq!(found["status"]["loadBalancer"]["ingress"][0]["hostname"], json!("web.default.lb.sim.siskin.dev"));
    ingress(&bench, (50, 50));
    bench.run(2000);
    assert!((60..140).contains(&answered(&bench, "canary")), "{}", answered(&bench, "canary"));
    assert_eq!(lost(&bench), 0);
    bench.hand.delete("Ingress", "default", "web").unwrap();
    bench.run(100);
    let plane = bench.cluster.gateway.plane();
    let left: Vec<String> = plane.lock().balancers.keys().map(|key| key.1.clone()).collect();
    assert_eq!(left, ["web"], "only the Service of type LoadBalancer has targets");
}

#[test]
fn a_weight_that_is_applied_before_its_targets_loses_requests() {
    let story = |order: Order| {
        let mut bench = weighed(order, 1000);
        bench.scale("v2", 0);
        bench.run(10_000);
        // Pods and weight in one moment; the balancer takes its turn with each.
        bench.scale("v2", 3);
        bench.run(1500);
        ingress(&bench, (0, 100));
        bench.run(12_000);
        lost(&bench)
    };
    assert!(story(Order::DeregisterFirst) > 0, "the weight moved to targets that were not healthy yet");
    assert_eq!(story(Order::Shuffled(5)), story(Order::Shuffled(5)), "chance is a function of the seed");
}
