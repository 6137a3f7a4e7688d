//! How long one decision takes: at rest, and in the middle of a canary.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot start says why")]

use std::sync::Arc;
use std::time::Duration;

use divan::Bencher;
use serde_json::json;
use siskin::api::Time;
use siskin::controller::observe::observe;
use siskin::rollout::{Settings, World, decide};
use siskin::sim::bare::Core;
use siskin::sim::bare::view::View;

mod shop;

const STEP: Duration = Duration::from_millis(200);

fn main() {
    divan::main();
}

fn core() -> Core {
    shop::core(&json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]))
}

fn run(core: &mut Core, seconds: u64) {
    core.run(Duration::from_secs(seconds), STEP).unwrap_or_else(|error| panic!("{error}"));
}

/// The world as the controller would see it, with what the last look left behind.
fn world(core: &Core) -> World {
    let (view, key, settings) = (View::new(&core.cluster.server), shop::KEY, Arc::new(Settings::default()));
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
    let patch = json!({"spec": {"template": shop::template("shop:2")}});
    core.user().merge("Rollout", shop::KEY, &patch).unwrap_or_else(|reject| panic!("{reject}"));
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
