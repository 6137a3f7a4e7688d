//! Where requests end up.

use std::time::Duration;

use serde_json::json;

use super::{Load, Reason, Tally};
use crate::sim::models::tests::{Bench, bench};
use crate::sim::object;

fn total(bench: &Bench) -> Tally {
    bench.cluster.traffic.record().lock().total()
}

fn of(bench: &Bench, version: &str) -> Tally {
    bench.cluster.traffic.record().lock().of_version(version)
}

fn lost(bench: &Bench, reason: Reason) -> u64 {
    bench.cluster.traffic.record().lock().lost().get(&reason).copied().unwrap_or(0)
}

/// Two versions behind one route, ready, with users at 1000 requests a second.
fn pair(weights: (u64, u64)) -> Bench {
    let mut bench = bench();
    bench.replica_set("v1", 2, &json!({}));
    bench.replica_set("v2", 2, &json!({ "sim.siskin.dev/error-rate": "0.25" }));
    bench.service("stable", "v1");
    bench.service("canary", "v2");
    bench.route("r", &[("stable", weights.0), ("canary", weights.1)]);
    bench.run(1000);
    bench.cluster.traffic.add(Load::of_route("default", "r", 1000.0));
    bench
}

#[test]
fn weights_and_error_rates_show() {
    let mut bench = pair((80, 20));
    bench.run(10_000);
    assert_eq!(total(&bench).total(), 10_000);
    assert_eq!(total(&bench).lost, 0);
    let (stable, canary) = (of(&bench, "v1"), of(&bench, "v2"));
    assert_eq!(stable.errors, 0);
    assert!((1800..2200).contains(&canary.total()), "{canary:?}");
    assert!((420..580).contains(&canary.errors), "{canary:?}");
    let record = bench.cluster.traffic.record();
    let record = record.lock();
    assert_eq!(record.of_service("canary"), canary);
    let recent = record.recent((bench.clock.time(), Duration::from_secs(1)), |series| series.hash == "v2");
    assert!((150..260).contains(&recent.total()), "{recent:?}");
}

#[test]
fn nothing_is_lost_while_pods_stop_in_order() {
    let mut bench = pair((100, 0));
    bench.run(500);
    bench.scale("v1", 1);
    bench.run(2000);
    assert_eq!(total(&bench).lost, 0);
    assert_eq!(bench.pods().len(), 3);
}

#[test]
fn a_slow_data_plane_sends_to_dead_pods() {
    let mut bench = pair((100, 0));
    bench.cluster.gateway.set_endpoint_lag(Duration::from_secs(1));
    bench.run(500);
    bench.scale("v1", 1);
    bench.run(300);
    assert_eq!(total(&bench).lost, 0, "a terminating pod answers");
    bench.run(2000);
    assert!((250..450).contains(&lost(&bench, Reason::DeadPod)), "{:?}", total(&bench));
}

#[test]
fn reasons_of_loss() {
    let mut bench = pair((100, 0));
    bench.scale("v1", 0);
    bench.run(2000);
    assert!(lost(&bench, Reason::NoEndpoint) > 1000);
    bench.hand.delete("Service", "default", "stable").unwrap();
    bench.run(1000);
    let before = lost(&bench, Reason::NoBackend);
    assert!(before > 800);
    bench.hand.delete("HTTPRoute", "default", "r").unwrap();
    bench.run(1000);
    assert!(lost(&bench, Reason::NoBackend) >= before + 1000);
}

#[test]
fn a_crashing_pod_does_not_answer_through_a_stale_view() {
    let mut bench = pair((100, 0));
    bench.cluster.gateway.set_endpoint_lag(Duration::from_mins(10));
    let crash = json!({ "metadata": { "annotations": { "sim.siskin.dev/behaviour": "crash-loop" } } });
    let pods = bench.pods();
    for pod in pods.iter().filter(|pod| object::name(pod).starts_with("v1-")) {
        bench.hand.merge("Pod", ("default", object::name(pod)), &crash).unwrap();
    }
    bench.run(1000);
    assert!(lost(&bench, Reason::DeadPod) >= 950, "{:?}", total(&bench));
}

#[test]
fn headers_choose_the_more_specific_rule() {
    let mut bench = pair((100, 0));
    let header = json!({ "matches": [{ "headers": [{ "name": "X-Canary", "value": "yes" }] }], "backendRefs": [{ "name": "canary", "weight": 1 }] });
    let rest = json!({ "backendRefs": [{ "name": "stable", "weight": 1 }] });
    bench.hand.merge("HTTPRoute", ("default", "r"), &json!({ "spec": { "rules": [rest, header] } })).unwrap();
    bench.run(200);
    bench.cluster.traffic.clear();
    let before = of(&bench, "v2").total();
    bench.cluster.traffic.add(Load::of_route("default", "r", 100.0).with_header("X-Canary", "yes"));
    bench.cluster.traffic.add(Load::of_service("default", "stable", 50.0));
    let stable = of(&bench, "v1").total();
    bench.run(1000);
    assert_eq!((of(&bench, "v2").total() - before, of(&bench, "v1").total() - stable), (100, 50));
}

#[test]
fn a_namesake_does_not_answer_for_a_pod_that_is_gone() {
    let mut bench = bench();
    let labels = json!({ "app": "web", "rollouts-pod-template-hash": "v1" });
    let pod = json!({ "metadata": { "name": "p", "labels": labels }, "spec": { "containers": [{ "name": "c", "image": "x:1" }] } });
    bench.hand.create("Pod", pod.clone()).unwrap();
    bench.service("stable", "v1");
    bench.run(1000);
    bench.cluster.gateway.set_endpoint_lag(Duration::from_mins(10));
    bench.hand.delete_now("Pod", "default", "p").unwrap();
    bench.hand.create("Pod", pod).unwrap();
    bench.run(1000);
    bench.cluster.traffic.add(Load::of_service("default", "stable", 100.0));
    bench.run(1000);
    assert_eq!((total(&bench).total(), lost(&bench, Reason::DeadPod)), (100, 100));
}

#[test]
fn a_pod_that_drains_or_is_full_loses_what_comes() {
    let mut bench = bench();
    bench.replica_set(
        "v1",
        1,
        &json!({ "sim.siskin.dev/capacity": "50", "sim.siskin.dev/stop": "5", "sim.siskin.dev/refuse-after": "0" }),
    );
    bench.service("web", "v1");
    bench.run(1000);
    bench.cluster.traffic.add(Load::of_service("default", "web", 100.0));
    bench.run(10_000);
    let overload = lost(&bench, Reason::Overload);
    assert!((430..520).contains(&overload), "{overload}");
    bench.cluster.gateway.set_endpoint_lag(Duration::from_secs(2));
    bench.scale("v1", 0);
    bench.run(1500);
    let draining = lost(&bench, Reason::Draining);
    assert!(draining > 100, "the endpoints still name it: {draining}");
    bench.run(3000);
    assert!(lost(&bench, Reason::NoEndpoint) > 0);
}

#[test]
fn connections_stay_where_they_were_opened() {
    let mut bench = bench();
    bench.replica_set("v1", 1, &json!({}));
    bench.replica_set("v2", 1, &json!({}));
    bench.service("web", "v1");
    bench.run(1000);
    let kept = super::Connections::KeepAlive { count: 4, lifetime: Duration::ZERO };
    bench.cluster.traffic.add(Load::of_service("default", "web", 100.0).over(kept));
    bench.run(1000);
    let moved = json!({ "spec": { "selector": { "rollouts-pod-template-hash": "v2" } } });
    bench.hand.merge("Service", ("default", "web"), &moved).unwrap();
    bench.run(5000);
    assert_eq!((of(&bench, "v1").total(), of(&bench, "v2").total()), (600, 0), "the selector says otherwise");
    bench.scale("v1", 0);
    bench.run(2000);
    assert!(of(&bench, "v2").total() > 150);
    assert_eq!(total(&bench).lost, 0, "a pod that stops in order says so");
    let now = bench.pods().iter().find(|pod| object::name(pod).starts_with("v2-")).cloned().unwrap();
    bench.hand.delete_now("Pod", "default", object::name(&now)).unwrap();
    bench.run(100);
    assert!(lost(&bench, Reason::DeadPod) >= 4, "each connection finds out by itself");
}

#[test]
fn profiles_have_their_course() {
    use super::Profile;
    use crate::api::Time;
    let day = Profile::Diurnal { low: 0.2, period: Duration::from_secs(100) };
    let factor = |profile: Profile, at: i64| format!("{:.2}", profile.factor(Time::from_seconds(at)));
    assert_eq!([0, 25, 50, 75, 100].map(|at| factor(day, at)), ["0.20", "0.60", "1.00", "0.60", "0.20"]);
    let spike = Profile::Spike { at: Time::from_seconds(10), lasting: Duration::from_secs(5), factor: 4.0 };
    assert_eq!([9, 10, 14, 15].map(|at| factor(spike, at)), ["1.00", "4.00", "4.00", "1.00"]);
}

#[test]
fn requests_from_outside_go_the_same_way_and_are_counted() {
    let mut bench = pair((50, 50));
    bench.cluster.traffic.clear();
    let hosts = json!({ "spec": { "hostnames": ["shop.example"] } });
    bench.hand.merge("HTTPRoute", ("default", "r"), &hosts).unwrap();
    bench.run(1000);
    let door = bench.cluster.traffic.door(7);
    assert_eq!(door.route_of("elsewhere.example"), None);
    let target = super::Target::Route(door.route_of("shop.example").unwrap());
    let mut by = std::collections::BTreeMap::new();
    for _ in 0..400 {
        let reply = door.ask(&target, &std::collections::BTreeMap::new());
        assert!(reply.pod.starts_with('v'), "{reply:?}");
        *by.entry(reply.pod[..2].to_owned()).or_insert(0_u64) += 1;
    }
    assert!((150..250).contains(&by["v2"]), "{by:?}");
    assert_eq!((total(&bench).total(), of(&bench, "v2").total()), (400, by["v2"]));
    bench.scale("v1", 0);
    bench.weigh("r", &[("stable", 100), ("canary", 0)]);
    bench.run(2000);
    let reply = door.ask(&target, &std::collections::BTreeMap::new());
    let lost = super::Outcome::Lost { reason: Reason::NoEndpoint, service: "stable".to_owned() };
    assert_eq!((reply.outcome, reply.pod.as_str()), (lost, ""));
}
