use super::*;
use crate::api::Time;

fn object(name: &str) -> ObjectRef {
    ObjectRef { kind: "ReplicaSet", key: ObjectKey::new("shop", name) }
}

fn seen(uid: &str, version: &str) -> Seen {
    Seen { uid: uid.to_owned(), resource_version: version.to_owned() }
}

fn room() -> (Expectations<&'static str>, Clock) {
    let clock = Clock::scaled(Time::from_seconds(0), 1.0);
    (Expectations::new(clock.clone()), clock)
}

#[tokio::test(start_paused = true)]
async fn a_key_waits_for_its_own_writes() {
    let (expectations, _) = room();
    assert_eq!(expectations.check(&"web", |_| None), Readiness::Ready);
    expectations.wrote(&"web", object("a"), seen("u1", "10"));
    let behind = Readiness::Behind { check_after: STALE_AFTER };
    for cached in [None, Some(seen("u1", "9"))] {
        assert_eq!(expectations.check(&"web", |_| cached.clone()), behind, "{cached:?}");
    }
    assert_eq!(expectations.check(&"other", |_| None), Readiness::Ready);
    assert_eq!(expectations.check(&"web", |_| Some(seen("u1", "11"))), Readiness::Ready);
    assert_eq!(expectations.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_namesake_meets_every_expectation() {
    let (expectations, _) = room();
    expectations.wrote(&"web", object("a"), seen("u1", "10"));
    assert_eq!(expectations.check(&"web", |_| Some(seen("u2", "3"))), Readiness::Ready);
    expectations.deleted(&"web", object("a"), "u2");
    assert!(matches!(expectations.check(&"web", |_| Some(seen("u2", "99"))), Readiness::Behind { .. }));
    assert_eq!(expectations.check(&"web", |_| Some(seen("u3", "100"))), Readiness::Ready);
    expectations.deleted(&"web", object("a"), "u3");
    assert_eq!(expectations.check(&"web", |_| None), Readiness::Ready);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_lowers_nothing() {
    let (expectations, _) = room();
    expectations.wrote(&"web", object("a"), seen("u1", "12"));
    expectations.wrote(&"web", object("a"), seen("u1", "9"));
    assert!(matches!(expectations.check(&"web", |_| Some(seen("u1", "10"))), Readiness::Behind { .. }));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_needs_a_read() {
    let (expectations, _) = room();
    expectations.unknown(&"web", object("a"));
    expectations.wrote(&"web", object("b"), seen("u9", "50"));
    let cached = |object: &ObjectRef| (object.key.name == "b").then(|| seen("u9", "50"));
    assert_eq!(expectations.check(&"web", cached), Readiness::ReadLive(vec![object("a")]));
    // It has happened after all: the cache has to see it.
    expectations.read(&"web", object("a"), Some(seen("u1", "60")));
    assert!(matches!(expectations.check(&"web", cached), Readiness::Behind { .. }));
    expectations.unknown(&"web", object("a"));
    expectations.read(&"web", object("a"), None);
    assert_eq!(expectations.check(&"web", cached), Readiness::Ready);
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_stays_behind_is_checked_against_the_server() {
    let (expectations, clock) = room();
    expectations.wrote(&"web", object("a"), seen("u1", "10"));
    clock.sleep(Duration::from_secs(20)).await;
    let left = Duration::from_secs(10);
    assert_eq!(expectations.check(&"web", |_| None), Readiness::Behind { check_after: left });
    clock.sleep(left).await;
    assert_eq!(expectations.check(&"web", |_| None), Readiness::ReadLive(vec![object("a")]));
    // The server says that it is gone: nothing is left to wait for.
    expectations.read(&"web", object("a"), None);
    assert_eq!(expectations.check(&"web", |_| None), Readiness::Ready);
    expectations.wrote(&"web", object("a"), seen("u1", "10"));
    expectations.clear(&"web");
    assert_eq!(expectations.check(&"web", |_| None), Readiness::Ready);
}
