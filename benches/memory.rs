//! What a cached object costs: objects as a busy cluster has them go through the decoder and into the caches of the
//! controller, and the memory that the process then holds is read from the kernel.
//!
//! The allocator is the program's own. Nothing that was cached is given back before the end, so that no kind is
//! measured in the memory that another has left.

#![allow(clippy::panic, clippy::expect_used, reason = "a benchmark that cannot go on says why")]

use serde_json::Value;
use serde_json::value::RawValue;

use serde::de::DeserializeOwned;
use siskin::api::Time;
use siskin::controller::caches::{Caches, Queues};
use siskin::runtime::cache::{Cached, Entry, Store};
use siskin::runtime::clock::Clock;
use siskin::runtime::object::Json;
use siskin::runtime::queue::Queue;
use siskin::telemetry::metrics::Metrics;
use siskin::traffic::gateway_api::RouteKind;

mod objects;
use objects::Nth;

#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Objects of each kind.
const EACH: usize = 2_000;
/// The large cluster.
const ROLLOUTS: usize = 10_000;
const REVISIONS: usize = 10;
const PODS: usize = 3;

/// Bytes that the process holds; 0 where the kernel does not say.
fn resident() -> usize {
    const PAGE: usize = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * PAGE
}

/// Decodes an object's text as the watch does, and puts it into its cache; the length of the text.
fn cache<K: Cached + DeserializeOwned>(store: &Store<K>, object: &Value) -> usize {
    let text = object.to_string();
    let length = text.len();
    let raw = RawValue::from_string(text).expect("what was printed parses");
    let entry = Entry::<K>::decode(&raw);
    if let Entry::Invalid(invalid) = &entry {
        panic!("{}: {}", invalid.meta.path(), invalid.error);
    }
    store.apply(&entry);
    length
}

fn caches() -> Caches {
    let metrics = Metrics::new().expect("metrics");
    let clock = Clock::scaled(Time::default(), 1.0);
    let queue = |name: &str| Queue::new(clock.clone(), metrics.queue(name), 1);
    Caches::new(&Queues {
        rollouts: queue("Rollouts"),
        runs: queue("AnalysisRuns"),
        services: queue("Services"),
        deployments: queue("Deployments"),
    })
}

fn http_routes(caches: &Caches) -> &Store<Json> {
    caches.routes.get(&RouteKind::Http).expect("a cache of each kind")
}

/// Caches objects, and says what one of them costs.
fn line(name: &str, put: impl Fn(Nth) -> usize) {
    // The first pages of the allocator, and what the decoder keeps.
    let json = put(Nth { app: 0, part: 0 });
    let before = resident();
    for app in 1..=EACH {
        put(Nth { app, part: 0 });
    }
    let cached = resident().saturating_sub(before) / EACH;
    println!("{name:<18}{json:>12}{cached:>12}{:>12}", json / cached.max(1));
}

fn kinds() -> Caches {
    let caches = caches();
    println!("\nbytes of one object, mean of {EACH}\n");
    println!("{:<18}{:>12}{:>12}{:>12}", "kind", "JSON", "cached", "times less");
    line("Pod", |nth| cache(&caches.pods, &objects::pod(nth)));
    line("ReplicaSet", |nth| cache(&caches.replica_sets, &objects::replica_set(nth)));
    line("Rollout", |nth| cache(&caches.rollouts, &objects::rollout(nth)));
    line("Service", |nth| cache(&caches.services, &objects::service(nth)));
    line("EndpointSlice", |nth| cache(&caches.slices, &objects::slice(nth)));
    line("HTTPRoute", |nth| cache(http_routes(&caches), &objects::route(nth)));
    line("AnalysisRun", |nth| cache(&caches.runs, &objects::run(nth)));
    caches
}

fn cluster() -> Caches {
    let before = resident();
    let caches = caches();
    let mut json = 0;
    for app in 0..ROLLOUTS {
        let nth = |part| Nth { app, part };
        json += cache(&caches.rollouts, &objects::rollout(nth(0)));
        json += (0..REVISIONS).map(|part| cache(&caches.replica_sets, &objects::replica_set(nth(part)))).sum::<usize>();
        for part in 0..2 {
            json += cache(&caches.services, &objects::service(nth(part)));
            json += cache(&caches.slices, &objects::slice(nth(part)));
        }
        json += cache(http_routes(&caches), &objects::route(nth(0)));
        json += (0..PODS).map(|part| cache(&caches.pods, &objects::pod(nth(part)))).sum::<usize>();
    }
    println!(
        "\n{ROLLOUTS} Rollouts with {REVISIONS} ReplicaSets, {PODS} pods, 2 Services and a route each: {} MB of JSON, {} MB resident",
        json >> 20,
        resident().saturating_sub(before) >> 20
    );
    println!("in its caches: {:?}, {:?}, {:?}", caches.rollouts, caches.replica_sets, caches.pods);
    caches
}

fn main() {
    if resident() == 0 {
        println!("SKIPPED: this system does not say what a process holds");
        return;
    }
    let kept = kinds();
    let large = cluster();
    drop((kept, large));
}
