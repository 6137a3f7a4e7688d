//! Proxies follow each in its own time, and what overtakes on the way to them is lost.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::tests::{Bench, bench};
use super::{Lag, Manner, Mesh};
use crate::sim::traffic::{Load, Reason, Target};

const MILLI: fn(u64) -> Duration = Duration::from_millis;

fn lag(least: u64, most: u64) -> Lag {
    Lag { least: MILLI(least), most: MILLI(most) }
}

/// Service `web` over v1 and v2 with 100 requests per second through four proxies.
fn meshed(routes: Lag, clusters: Lag, seed: u64) -> Bench {
    let mut bench = bench();
    let manner = Manner { proxies: 4, routes, clusters, seed };
    let mesh = Mesh::new(&bench.cluster.server, bench.cluster.gateway.plane(), manner).unwrap();
    bench.cluster.add(mesh);
    bench.replica_set("v1", 2, &json!({}));
    bench.replica_set("v2", 2, &json!({}));
    let service =
        json!({ "metadata": { "name": "web" }, "spec": { "ports": [{ "port": 80 }], "selector": { "app": "web" } } });
    bench.hand.create("Service", service).unwrap();
    bench.run(10_000);
    bench
}

fn users(bench: &mut Bench) {
    bench.cluster.traffic.add(Load::to(Target::Mesh(("default".to_owned(), "web".to_owned())), 100.0));
    bench.run(10);
}

fn subsets(bench: &Bench, canary: &str) {
    let subset = |name: &str, hash: &str| json!({ "name": name, "labels": { "rollouts-pod-template-hash": hash } });
    let spec = json!({ "host": "web.default.svc.cluster.local", "subsets": [subset("stable", "v1"), subset("canary", canary)] });
    bench.hand.create("DestinationRule", json!({ "metadata": { "name": "web" }, "spec": spec })).unwrap();
}

fn route(bench: &Bench, canary: u64) {
    let to =
        |subset: &str, weight: u64| json!({ "destination": { "host": "web", "subset": subset }, "weight": weight });
    let tested = json!({ "match": [{ "headers": { "X-Test": { "exact": "yes" } } }], "route": [{ "destination": { "host": "web", "subset": "canary" } }] });
    let split = json!({ "route": [to("stable", 100 - canary), to("canary", canary)] });
    let spec = json!({ "hosts": ["web"], "http": [tested, split] });
    bench.put("VirtualService", json!({ "metadata": { "name": "web" }, "spec": spec }));
}

/// Requests of the next second that v1 and v2 answer, and how many are lost in it.
fn mix(bench: &mut Bench) -> (u64, u64, u64) {
    let record = bench.cluster.traffic.record();
    let counts = || {
        let record = record.lock();
        (record.of_version("v1").ok, record.of_version("v2").ok, record.total().lost)
    };
    let before = counts();
    bench.run(1000);
    let after = counts();
    (after.0 - before.0, after.1 - before.1, after.2 - before.2)
}

#[test]
fn a_route_splits_between_subsets_and_each_proxy_hears_of_it_in_its_own_time() {
    let mut bench = meshed(lag(100, 4000), lag(10, 20), 7);
    subsets(&bench, "v2");
    route(&bench, 0);
    bench.run(5000);
    users(&mut bench);
    let (_, canary, _) = mix(&mut bench);
    assert_eq!(canary, 0, "weight 0 is nobody");
    route(&bench, 100);
    let mut seen = Vec::new();
    for _ in 0..5 {
        let (stable, canary, lost) = mix(&mut bench);
        assert_eq!((stable + canary, lost), (100, 0));
        seen.push(canary);
    }
    assert!(seen.windows(2).all(|pair| pair[0] <= pair[1] + 15), "more and more proxies know: {seen:?}");
    assert!(seen.iter().any(|canary| (10..90).contains(canary)), "for a while they do not agree: {seen:?}");
    assert_eq!(seen[4], 100, "{seen:?}");
}

#[test]
fn a_route_that_overtakes_its_subset_loses_requests() {
    let story = |routes, clusters| {
        let mut bench = meshed(routes, clusters, 3);
        users(&mut bench);
        subsets(&bench, "v2");
        route(&bench, 50);
        bench.run(5000);
        let record = bench.cluster.traffic.record();
        let lost = record.lock().lost().get(&Reason::NoBackend).copied().unwrap_or(0);
        let (_, canary, _) = mix(&mut bench);
        assert!((30..70).contains(&canary), "{canary}");
        lost
    };
    assert_eq!(story(lag(2000, 2100), lag(10, 500)), 0, "the subset came first");
    let lost = story(lag(10, 100), lag(2000, 2100));
    assert!((150..250).contains(&lost), "two seconds without a cluster: {lost}");
    assert_eq!(story(lag(10, 100), lag(2000, 2100)), lost, "chance is a function of the seed");
}

#[test]
fn a_subset_of_pods_that_are_gone_has_no_endpoint_and_headers_choose_a_rule() {
    let mut bench = meshed(lag(10, 20), lag(10, 20), 1);
    subsets(&bench, "v2");
    route(&bench, 0);
    bench.run(100);
    let target = Target::Mesh(("default".to_owned(), "web".to_owned()));
    bench.cluster.traffic.add(Load::to(target, 100.0).with_header("x-test", "yes"));
    assert_eq!(mix(&mut bench), (0, 100, 0));
    bench.scale("v2", 0);
    bench.run(2000);
    let reasons = bench.cluster.traffic.record().lock().lost().clone();
    assert!(reasons[&Reason::NoEndpoint] > 100, "{reasons:?}");
    bench.hand.delete("VirtualService", "default", "web").unwrap();
    bench.run(100);
    assert_eq!(mix(&mut bench), (100, 0, 0), "without a route all of the Service");
}

#[test]
fn many_at_once_go_the_same_ways() {
    let mut bench = meshed(lag(10, 20), lag(10, 20), 1);
    subsets(&bench, "v2");
    route(&bench, 30);
    bench.run(100);
    users(&mut bench);
    bench.clock.advance(Duration::from_secs(100));
    bench.cluster.traffic.pass(bench.clock.time());
    let record = bench.cluster.traffic.record();
    let record = record.lock();
    let canary = record.of_version("v2").ok;
    assert!((2700..3300).contains(&canary), "{canary} of 10000");
    assert_eq!(record.total().lost, 0);
}

#[test]
fn what_is_not_of_the_mesh_is_as_it_was() {
    let mut bench = meshed(lag(10, 20), lag(10, 20), 1);
    let plain: Value =
        json!({ "metadata": { "name": "other" }, "spec": { "hosts": ["elsewhere.example.com"], "http": [] } });
    bench.hand.create("VirtualService", plain).unwrap();
    users(&mut bench);
    assert_eq!(mix(&mut bench).2, 0);
}
