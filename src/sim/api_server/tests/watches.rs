use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use futures::{FutureExt, StreamExt, TryStreamExt};
use kube::api::{DynamicObject, WatchEvent, WatchParams};
use kube::runtime::watcher::{self, Event};
use serde_json::{Value, json};

use super::{Bench, bench, rollout};
use crate::sim::api_server::Cut;

fn scaled(bench: &Bench, name: &str, replicas: u64) -> Value {
    let patch = json!({ "spec": { "replicas": replicas } });
    (*bench.hand.merge("Rollout", ("default", name), &patch).unwrap()).clone()
}

/// One watch from `version` until its end, as (type, name or code) pairs.
async fn watch(bench: &Bench, params: &WatchParams, version: &str) -> Vec<(&'static str, String)> {
    let stream = bench.rollouts().watch(params, version).await.unwrap();
    let told = |event| match event {
        WatchEvent::Added(object) => ("added", name(&object)),
        WatchEvent::Modified(object) => ("modified", name(&object)),
        WatchEvent::Deleted(object) => ("deleted", name(&object)),
        WatchEvent::Bookmark(mark) => ("bookmark", mark.metadata.resource_version),
        WatchEvent::Error(status) => ("error", status.code.to_string()),
    };
    stream.map_ok(told).try_collect().await.unwrap()
}

fn name(object: &DynamicObject) -> String {
    object.metadata.name.clone().unwrap()
}

fn short() -> WatchParams {
    WatchParams::default().timeout(0).disable_bookmarks()
}

#[tokio::test]
async fn replays_from_a_version() {
    let bench = bench();
    bench.hand.create("Rollout", rollout("a")).unwrap();
    let from = bench.server.version().to_string();
    bench.hand.create("Rollout", rollout("b")).unwrap();
    scaled(&bench, "a", 5);
    bench.hand.delete("Rollout", "default", "b").unwrap();
    let pair = |kind, name: &str| (kind, name.to_owned());
    let told = watch(&bench, &short(), &from).await;
    assert_eq!(told, [pair("added", "b"), pair("modified", "a"), pair("deleted", "b")]);
    assert_eq!(watch(&bench, &short(), "0").await, [pair("added", "a")]);
    let selected = watch(&bench, &short().labels("app=b"), &from).await;
    assert_eq!(selected, [pair("added", "b"), pair("deleted", "b")]);
    let marks = watch(&bench, &WatchParams::default().timeout(0), &bench.server.version().to_string()).await;
    assert_eq!(marks, [pair("bookmark", &bench.server.version().to_string())]);
}

#[tokio::test]
async fn leaving_a_selector_is_a_deletion() {
    let bench = bench();
    bench.hand.create("Rollout", rollout("a")).unwrap();
    let from = bench.server.version().to_string();
    for label in ["x", "a"] {
        bench.hand.merge("Rollout", ("default", "a"), &json!({ "metadata": { "labels": { "app": label } } })).unwrap();
    }
    let told: Vec<_> = watch(&bench, &short().labels("app=a"), &from).await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(told, ["deleted", "added"]);
}

#[tokio::test]
async fn expired_versions_answer_410_in_the_stream() {
    let bench = bench();
    bench.server.set_window(2);
    bench.hand.create("Rollout", rollout("a")).unwrap();
    let from = bench.server.version().to_string();
    for replicas in 4..8 {
        scaled(&bench, "a", replicas);
    }
    assert_eq!(watch(&bench, &short(), &from).await, [("error", "410".to_owned())]);
}

#[tokio::test]
async fn a_running_watch_that_falls_behind_is_told() {
    let bench = bench();
    bench.hand.create("Rollout", rollout("a")).unwrap();
    let rollouts = bench.rollouts();
    let mut stream = pin!(rollouts.watch(&WatchParams::default(), &bench.server.version().to_string()).await.unwrap());
    assert!(stream.next().now_or_never().is_none());
    bench.server.compact();
    scaled(&bench, "a", 4);
    let next = stream.next().await;
    assert!(matches!(next, Some(Ok(WatchEvent::Modified(_)))), "who has seen everything loses nothing: {next:?}");
    bench.server.set_window(1);
    scaled(&bench, "a", 5);
    scaled(&bench, "a", 6);
    let next = stream.next().await;
    assert!(matches!(&next, Some(Ok(WatchEvent::Error(status))) if status.code == 410), "{next:?}");
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn delays_hold_events_back_until_their_time() {
    let bench = bench();
    let rollouts = bench.rollouts();
    bench.server.delay_watch("Rollout", Duration::from_millis(300)).unwrap();
    let mut stream = pin!(rollouts.watch(&WatchParams::default(), &bench.server.version().to_string()).await.unwrap());
    bench.hand.create("Rollout", rollout("a")).unwrap();
    bench.advance(299);
    assert!(stream.next().now_or_never().is_none());
    bench.advance(1);
    assert!(matches!(stream.next().await, Some(Ok(WatchEvent::Added(_)))));
    bench.advance(60_000);
    assert!(matches!(stream.next().await, Some(Ok(WatchEvent::Bookmark(_)))));
    bench.server.cut_watches("Rollout", Cut::Clean).unwrap();
    assert!(stream.next().await.is_none());
}

/// Follows kube's watcher and keeps the set of (name, replicas) that a cache would hold.
struct Follower<S> {
    stream: std::pin::Pin<Box<S>>,
    seen: BTreeSet<(String, u64)>,
    inits: usize,
}

impl<S: futures::Stream<Item = watcher::Result<Event<DynamicObject>>>> Follower<S> {
    fn new(stream: S) -> Self {
        Self { stream: Box::pin(stream), seen: BTreeSet::new(), inits: 0 }
    }

    async fn until(&mut self, wanted: &[(&str, u64)]) {
        let wanted: BTreeSet<_> = wanted.iter().map(|(name, replicas)| ((*name).to_owned(), *replicas)).collect();
        let mut initial = BTreeSet::new();
        while self.seen != wanted {
            let event =
                tokio::time::timeout(Duration::from_secs(20), self.stream.next()).await.expect("the watcher goes on");
            let row = |object: &DynamicObject| (name(object), object.data["spec"]["replicas"].as_u64().unwrap());
            match event.unwrap() {
                Ok(Event::Init) => initial.clear(),
                Ok(Event::InitApply(object)) => drop(initial.insert(row(&object))),
                Ok(Event::InitDone) => {
                    self.seen = std::mem::take(&mut initial);
                    self.inits += 1;
                }
                Ok(Event::Apply(object)) => {
                    self.seen.retain(|(other, _)| *other != name(&object));
                    self.seen.insert(row(&object));
                }
                Ok(Event::Delete(object)) => self.seen.retain(|(other, _)| *other != name(&object)),
                Err(_) => {}
            }
        }
    }
}

async fn follows(config: watcher::Config) {
    let bench = bench();
    bench.hand.create("Rollout", rollout("a")).unwrap();
    let mut follower = Follower::new(watcher::watcher(bench.rollouts(), config));
    follower.until(&[("a", 3)]).await;
    bench.hand.create("Rollout", rollout("b")).unwrap();
    scaled(&bench, "a", 4);
    follower.until(&[("a", 4), ("b", 3)]).await;
    bench.server.cut_watches("Rollout", Cut::Broken).unwrap();
    bench.hand.delete("Rollout", "default", "b").unwrap();
    follower.until(&[("a", 4)]).await;
    assert_eq!(follower.inits, 1, "a broken connection is resumed, not relisted");
    bench.server.cut_watches("Rollout", Cut::Clean).unwrap();
    bench.server.set_window(1);
    for replicas in 5..9 {
        scaled(&bench, "a", replicas);
    }
    bench.hand.create("Rollout", rollout("c")).unwrap();
    follower.until(&[("a", 8), ("c", 3)]).await;
    assert_eq!(follower.inits, 2, "an expired version is relisted");
}

#[tokio::test]
async fn the_watcher_survives_cuts_and_expiry() {
    follows(watcher::Config::default()).await;
}

#[tokio::test]
async fn the_watcher_streams_its_lists() {
    follows(watcher::Config::default().streaming_lists()).await;
}

#[tokio::test]
async fn paged_lists_under_change_lead_to_the_live_state() {
    let bench = bench();
    for name in ["a", "b", "c", "d", "e"] {
        bench.hand.create("Rollout", rollout(name)).unwrap();
    }
    let mut follower = Follower::new(watcher::watcher(bench.rollouts(), watcher::Config::default().page_size(2)));
    let first = follower.stream.next().await;
    assert!(matches!(first, Some(Ok(Event::Init))));
    bench.hand.delete("Rollout", "default", "d").unwrap();
    scaled(&bench, "e", 7);
    follower.until(&[("a", 3), ("b", 3), ("c", 3), ("e", 7)]).await;
}
