//! How long one decision takes: at rest, and in the middle of a canary.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot start says why")]

use std::sync::Arc;
use std::time::Duration;

use divan::Bencher;
use serde_json::{Value, json};
use siskin::api::Time;
use siskin::controller::observe::observe;
use siskin::rollout::{Settings, World, decide};
use siskin::sim::bare::Core;
use siskin::sim::bare::view::View;
use siskin::sim::clock::ManualClock;
use siskin::sim::cluster::{self, Cluster};

const STEP: Duration = Duration::from_millis(200);

fn main() {
    divan::main();
}

fn template(image: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": "shop"}},
        "spec": {"containers": [{
            "name": "shop", "image": image, "ports": [{"containerPort": 8080}],
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        }]},
    })
}

fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80}]},
    })
}

fn core() -> Core {
    let clock = ManualClock::at("2026-11-21T12:00:00Z".parse::<Time>().unwrap_or_default());
    let core = Core::new(Cluster::new(clock.now(), cluster::Settings::default()), clock, ("default", "shop"));
    let user = core.user();
    let group = "gateway.networking.k8s.io/v1";
    let backends = json!([{"name": "shop-stable", "port": 80}, {"name": "shop-canary", "port": 80}]);
    let objects = [
        ("Service", service("shop-stable")),
        ("Service", service("shop-canary")),
        (
            "Gateway",
            json!({"apiVersion": group, "kind": "Gateway", "metadata": {"name": "web", "namespace": "default"}, "spec": {"gatewayClassName": "sim", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}}),
        ),
        (
            "HTTPRoute",
            json!({"apiVersion": group, "kind": "HTTPRoute", "metadata": {"name": "shop", "namespace": "default"}, "spec": {"parentRefs": [{"name": "web"}], "rules": [{"backendRefs": backends}]}}),
        ),
        (
            "Rollout",
            json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "shop", "namespace": "default"},
                "spec": {"replicas": 5, "selector": {"matchLabels": {"app": "shop"}}, "template": template("shop:1"), "strategy": {"canary": {
                    "canaryService": "shop-canary", "stableService": "shop-stable",
                    "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
                    "steps": [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}],
                }}},
            }),
        ),
    ];
    for (kind, object) in objects {
        user.create(kind, object).unwrap_or_else(|reject| panic!("{kind}: {reject}"));
    }
    core
}

fn run(core: &mut Core, seconds: u64) {
    core.run(Duration::from_secs(seconds), STEP).unwrap_or_else(|error| panic!("{error}"));
}

/// The world as the controller would see it, with what the last look left behind.
fn world(core: &Core) -> World {
    let (view, key, settings) = (View(core.user()), ("default", "shop"), Arc::new(Settings::default()));
    let mut world = observe(&view, key, &settings).unwrap_or_else(|| panic!("no Rollout"));
    world.memory = decide(&world, core.now()).memory;
    world
}

/// Five healthy pods, one old ReplicaSet, a route at rest.
fn at_rest() -> (World, Time) {
    let mut core = core();
    run(&mut core, 20);
    (world(&core), core.now() + Duration::from_mins(1))
}

/// Two revisions, 20 % of the traffic on the new one, pausing.
fn paused() -> (World, Time) {
    let mut core = core();
    run(&mut core, 20);
    let patch = json!({"spec": {"template": template("shop:2")}});
    core.user().merge("Rollout", ("default", "shop"), &patch).unwrap_or_else(|reject| panic!("{reject}"));
    run(&mut core, 20);
    (world(&core), core.now() + Duration::from_mins(1))
}

#[divan::bench]
fn routed_canary_at_rest(bencher: Bencher<'_, '_>) {
    let (world, now) = at_rest();
    bencher.bench_local(|| decide(divan::black_box(&world), now));
}

#[divan::bench]
fn routed_canary_paused_at_a_step(bencher: Bencher<'_, '_>) {
    let (world, now) = paused();
    bencher.bench_local(|| decide(divan::black_box(&world), now));
}
