use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;
use crate::api::lite::Service;
use crate::runtime::testing::{Answer, Asked, Log, client};
use crate::telemetry::metrics::Metrics;

fn service(name: &str, version: u64) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": version.to_string()}})
}

fn broken(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "resourceVersion": "5"}, "spec": "none"})
}

fn event(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}

fn initial_end() -> Value {
    let metadata = json!({"resourceVersion": "50", "annotations": {"k8s.io/initial-events-end": "true"}});
    event("BOOKMARK", &json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata}))
}

fn list(items: &[Value]) -> Answer {
    let list =
        json!({"kind": "ServiceList", "apiVersion": "v1", "metadata": {"resourceVersion": "50"}, "items": items});
    Answer::Json(200, list)
}

fn status(code: u16, message: &str) -> Answer {
    Answer::Json(code, json!({"kind": "Status", "status": "Failure", "code": code, "message": message}))
}

fn streaming(asked: &Asked) -> bool {
    asked.query.contains("sendInitialEvents=true")
}

fn watching(asked: &Asked) -> bool {
    asked.query.contains("watch=true") || asked.query.contains("watch=1")
}

struct Room {
    watches: Watches,
    store: Arc<Store<Service>>,
    changes: Arc<Mutex<Vec<String>>>,
    log: Log,
    clock: Clock,
    metrics: Metrics,
}

impl Room {
    fn new(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let clock = Clock::scaled(crate::api::Time::from_seconds(0), 1.0);
        let metrics = Metrics::new().unwrap();
        let (client, log) = client(answer);
        let changes: Arc<Mutex<Vec<String>>> = Arc::default();
        let ears = Arc::clone(&changes);
        let store = Arc::new(Store::new(Vec::new(), move |change| {
            let sign = if change.new.is_none() { '-' } else { '+' };
            ears.lock().push(format!("{sign}{}", change.key().name));
        }));
        let watches = Watches::new(client, clock.clone(), metrics.watches.clone(), 1);
        Self { watches, store, changes, log, clock, metrics }
    }

    fn watch(&self) -> Watch<Service> {
        Watch::all(Arc::clone(&self.store))
    }

    async fn pass(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    fn names(&self) -> Vec<String> {
        self.store.keys().into_iter().map(|key| key.name).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_fills_the_cache_and_goes_on() {
    let mut room = Room::new(|asked| {
        assert!(streaming(asked), "{asked:?}");
        Answer::Watch(vec![
            event("ADDED", &service("a", 1)),
            event("ADDED", &broken("bad")),
            initial_end(),
            event("MODIFIED", &service("a", 60)),
            event("ADDED", &service("b", 61)),
            event("DELETED", &service("a", 62)),
        ])
    });
    let watch = room.watch().labelled("app=web").within(Some("shop".to_owned()));
    room.watches.start(watch);
    assert_eq!(room.watches.readiness().missing(), ["services: the first list is not complete"]);
    room.watches.readiness().synced().await;
    room.pass(1).await;
    assert_eq!(room.names(), ["b", "bad"]);
    assert_eq!(room.store.invalid()[0].meta.name, "bad");
    assert_eq!(*room.changes.lock(), ["+a", "+bad", "+a", "+b", "-a"]);
    let asked = room.log.lock()[0].clone();
    assert_eq!(asked.path, "/api/v1/namespaces/shop/services");
    assert!(asked.query.contains("labelSelector=app%3Dweb"), "{}", asked.query);
    let text = room.metrics.render().unwrap();
    assert!(text.contains("siskin_watch_invalid_objects{kind=\"services\"} 1"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn where_streaming_is_refused_pages_are_listed() {
    let mut room = Room::new(|asked| {
        if streaming(asked) {
            return status(422, "sendInitialEvents is forbidden");
        }
        if watching(asked) { Answer::Watch(vec![event("ADDED", &service("b", 51))]) } else { list(&[service("a", 1)]) }
    });
    let watch = room.watch();
    room.watches.start(watch);
    room.pass(5).await;
    assert_eq!(room.names(), ["a", "b"]);
    assert!(room.watches.readiness().missing().is_empty());
    assert!(room.log.lock().iter().any(|asked| asked.query.contains("limit=100")));
}

#[tokio::test(start_paused = true)]
async fn where_streaming_is_not_understood_pages_are_listed_too() {
    let mut room = Room::new(|asked| {
        // The old server takes it for a plain watch, and never says that the list has ended.
        if watching(asked) { Answer::Watch(Vec::new()) } else { list(&[service("a", 1)]) }
    });
    let watch = room.watch();
    room.watches.start(watch);
    room.pass(40).await;
    assert_eq!(room.names(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_during_a_gap_is_found_out() {
    let lists = AtomicUsize::new(0);
    let mut room = Room::new(move |asked| {
        if streaming(asked) {
            return status(400, "no");
        }
        if !watching(asked) {
            let first = lists.fetch_add(1, Ordering::SeqCst) == 0;
            return if first { list(&[service("a", 1), service("b", 2)]) } else { list(&[service("b", 2)]) };
        }
        // The versions since then are gone: as an answer, not as an event.
        if lists.load(Ordering::SeqCst) == 1 { status(410, "too old") } else { Answer::Watch(Vec::new()) }
    });
    let watch = room.watch();
    room.watches.start(watch);
    room.pass(10).await;
    assert_eq!(room.names(), ["b"]);
    assert_eq!(*room.changes.lock(), ["+a", "+b", "-a"]);
    assert!(room.log.lock().len() < 8, "{:?}", room.log.lock().len());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_cannot_be_started_is_built_anew_and_does_not_spin() {
    let mut room = Room::new(|asked| {
        if streaming(asked) {
            return status(400, "no");
        }
        if watching(asked) { status(500, "no watch today") } else { list(&[service("a", 1)]) }
    });
    let watch = room.watch();
    room.watches.start(watch);
    room.pass(600).await;
    let log = room.log.lock();
    let lists = log.iter().filter(|asked| !watching(asked)).count();
    assert!((3..40).contains(&lists), "{lists} lists");
    assert!(log.len() < 200, "{} requests", log.len());
    let state = room.watches.readiness().kinds()["services"].clone();
    assert_eq!(state.phase, Phase::Synced);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_is_continued_and_does_not_spin() {
    let mut room = Room::new(|asked| {
        if streaming(asked) {
            return Answer::ClosedWatch(vec![event("ADDED", &service("a", 1)), initial_end()]);
        }
        let version = if asked.query.contains("resourceVersion=50") { 51 } else { 52 };
        Answer::ClosedWatch(vec![event("MODIFIED", &service("a", version))])
    });
    let watch = room.watch();
    room.watches.start(watch);
    room.pass(100).await;
    let log = room.log.lock();
    assert_eq!(log.iter().filter(|asked| streaming(asked)).count(), 1);
    assert!(log.iter().any(|asked| asked.query.contains("resourceVersion=51")));
    assert!((50..130).contains(&log.len()), "{} requests", log.len());
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_installed_is_looked_for() {
    let looks = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&looks);
    let mut room = Room::new(move |_| {
        if seen.fetch_add(1, Ordering::SeqCst) < 3 {
            return status(404, "the server could not find the requested resource");
        }
        Answer::Watch(vec![event("ADDED", &service("a", 1)), initial_end()])
    });
    let watch = room.watch().optional();
    room.watches.start(watch);
    room.watches.readiness().synced().await;
    assert_eq!(room.watches.readiness().kinds()["services"].phase, Phase::Absent);
    room.pass(100).await;
    assert_eq!(looks.load(Ordering::SeqCst), 2);
    room.pass(300).await;
    assert_eq!(room.watches.readiness().kinds()["services"].phase, Phase::Synced);
    assert_eq!(room.names(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_or_definition_is_shown() {
    for (code, hint) in [(403, "let the service account list and watch services"), (404, "install the Custom")] {
        let mut room = Room::new(move |_| status(code, "no"));
        let watch = room.watch();
        room.watches.start(watch);
        room.pass(20).await;
        let missing = room.watches.readiness().missing();
        assert!(missing.len() == 1 && missing[0].contains(hint), "{missing:?}");
        assert!(room.log.lock().len() < 20);
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_watch_task_is_reported() {
    let mut room = Room::new(|_| Answer::Watch(vec![event("ADDED", &service("a", 1)), initial_end()]));
    let store = Arc::new(Store::<Service>::new(Vec::new(), |_| panic!("the hook is broken")));
    room.watches.start(Watch::all(store));
    let ended = room.watches.ended().await;
    assert_eq!(ended.kind, "services");
    assert!(ended.cause.contains("panic"), "{ended}");
}

#[tokio::test(start_paused = true)]
async fn behind_a_gate_nothing_is_asked_until_somebody_opens_it() {
    let mut room = Room::new(|_| Answer::Watch(vec![event("ADDED", &service("a", 1)), initial_end()]));
    let gate = Gate::default();
    let watch = room.watch().labelled("!app").when(gate.clone());
    assert_eq!(watch.name(), "services (!app)");
    room.watches.start(watch);
    room.pass(60).await;
    assert!(room.log.lock().is_empty() && !gate.synced());
    assert!(room.watches.readiness().missing().is_empty(), "nobody waits for it");

    // From the same moment on it is waited for: whoever opened it may rely on that.
    gate.open();
    assert_eq!(room.watches.readiness().missing(), ["services (!app): the first list is not complete"]);
    room.watches.readiness().synced().await;
    assert!(gate.synced());
    assert_eq!(room.names(), ["a"]);
    gate.open();
    assert!(gate.synced(), "opening it again changes nothing");
}
