use std::sync::atomic::AtomicUsize;

use super::*;
use crate::runtime::testing::{Answer, Asked, Log, api};
use crate::telemetry::metrics::Metrics;

fn occurrence(message: &str) -> Occurrence {
    Occurrence {
        regarding: Regarding {
            api_version: "argoproj.io/v1alpha1".to_owned(),
            kind: "Rollout".to_owned(),
            key: ObjectKey::new("shop", "web"),
            uid: "u1".to_owned(),
            resource_version: "7".to_owned(),
        },
        event_type: EventType::Warning,
        reason: "RolloutAborted".to_owned(),
        message: message.to_owned(),
    }
}

fn room(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> (Recorder, Log, Clock, Metrics) {
    let (api, log, clock, metrics) = api(answer);
    let dropped = metrics.events_dropped.clone();
    (Recorder::new(api, clock.clone(), "rollouts-controller", dropped), log, clock, metrics)
}

fn stored(_: &Asked) -> Answer {
    Answer::Json(201, json!({}))
}

#[tokio::test(start_paused = true)]
async fn each_occurrence_is_an_object_of_its_own() {
    let (recorder, log, ..) = room(stored);
    for _ in 0..3 {
        assert_eq!(recorder.record(&occurrence("it failed")).await, Recorded::Stored);
    }
    let log = log.lock();
    let mut names: Vec<_> = log.iter().map(|asked| asked.body["metadata"]["name"].to_string()).collect();
    assert!(names.iter().all(|name| name.starts_with("\"web.")), "{names:?}");
    names.dedup();
    assert_eq!(names.len(), 3);
    let first = &log[0];
    assert_eq!(first.path, "/api/v1/namespaces/shop/events");
    assert_eq!(first.body["source"], json!({"component": "rollouts-controller"}));
    assert_eq!(first.body["involvedObject"]["uid"], "u1");
    assert_eq!(first.body["firstTimestamp"], "2026-11-21T12:00:00Z");
    assert_eq!((&first.body["type"], &first.body["reason"]), (&json!("Warning"), &json!("RolloutAborted")));
}

#[tokio::test(start_paused = true)]
async fn a_slow_server_holds_nobody_up_and_loses_nothing() {
    let asked = AtomicUsize::new(0);
    let (recorder, log, clock, metrics) = room(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::Silence,
        1 => Answer::Json(503, json!({"message": "starting"})),
        // The first request has been carried out after all.
        _ => Answer::Json(409, json!({"reason": "AlreadyExists"})),
    });
    assert_eq!(recorder.record(&occurrence("slow")).await, Recorded::InBackground);
    assert_eq!(clock.monotonic(), PATIENCE);
    assert_eq!(recorder.flush(Duration::from_secs(5)).await, 1);
    assert_eq!(recorder.flush(Duration::from_mins(2)).await, 0);
    assert_eq!(log.lock().len(), 3);
    assert!(!metrics.render().unwrap().contains("siskin_events_dropped_total{"));
}

/// Seen on a busy API server: `RolloutNotCompleted` was stored before the `NewReplicaSetCreated` that came first.
#[tokio::test(start_paused = true)]
async fn a_later_event_of_an_object_does_not_overtake() {
    let asked = AtomicUsize::new(0);
    let (recorder, log, _, metrics) = room(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::Silence,
        _ => Answer::Json(201, json!({})),
    });
    for message in ["first", "second", "third"] {
        assert_eq!(recorder.record(&occurrence(message)).await, Recorded::InBackground);
    }
    let mut other = occurrence("elsewhere");
    other.regarding.key.name = "api".to_owned();
    assert_eq!(recorder.record(&other).await, Recorded::Stored);
    assert_eq!(recorder.flush(Duration::from_mins(2)).await, 0);
    let sent: Vec<_> = log.lock().iter().map(|asked| asked.body["message"].as_str().unwrap().to_owned()).collect();
    assert_eq!(sent, ["first", "elsewhere", "first", "second", "third"]);
    assert!(recorder.shared.turns.lock().is_empty());
    assert!(!metrics.render().unwrap().contains("siskin_events_dropped_total{"));
}

#[tokio::test(start_paused = true)]
async fn many_slow_events_are_waited_for_once() {
    let (recorder, _, clock, _) = room(|_| Answer::Silence);
    let begun: Vec<_> = ["first", "second", "third"].map(|text| recorder.begin(&occurrence(text))).into();
    assert_eq!(clock.monotonic(), Duration::ZERO);
    recorder.settle(begun).await;
    assert_eq!(clock.monotonic(), PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_stored_is_counted() {
    let (recorder, log, _, metrics) = room(|_| Answer::Json(403, json!({"reason": "Forbidden"})));
    assert_eq!(recorder.record(&occurrence("no")).await, Recorded::Dropped);
    assert_eq!(log.lock().len(), 1);
    assert!(metrics.render().unwrap().contains("siskin_events_dropped_total{reason=\"refused\"} 1"));
}

#[tokio::test(start_paused = true)]
async fn a_full_buffer_drops_and_counts() {
    let (recorder, _, _, metrics) = room(|_| Answer::Silence);
    let all = recorder.shared.places.acquire_many(BUFFER).await.unwrap();
    assert_eq!(recorder.record(&occurrence("no room")).await, Recorded::Dropped);
    assert!(metrics.render().unwrap().contains("siskin_events_dropped_total{reason=\"full\"} 1"));
    drop(all);
}

#[test]
fn cutting_keeps_characters_whole() {
    assert_eq!(cut("weiß", 4), "wei");
    assert_eq!(cut("weiß", 5), "weiß");
}
