#![allow(clippy::disallowed_methods, reason = "tests wait on the clock that tokio pauses, and end with their tasks")]

use std::time::Duration;

use kube::api::PostParams;

use super::{bench, dynamic, refusal, rollout};
use crate::sim::api_server::{Fault, RequestInfo, Verb};

#[tokio::test]
async fn a_status_refuses_without_a_write() {
    let bench = bench();
    bench.server.set_faults(|request: &RequestInfo| {
        (request.verb == Verb::Create && request.kind == "Rollout")
            .then_some(Fault::Status { code: 429, retry_after: Some(2) })
    });
    let created = bench.rollouts().create(&PostParams::default(), &dynamic(rollout("web"))).await;
    assert_eq!(refusal(created), (429, "TooManyRequests".to_owned()));
    assert_eq!(refusal(bench.rollouts().get("web").await).0, 404);
    bench.server.clear_faults();
    bench.rollouts().create(&PostParams::default(), &dynamic(rollout("web"))).await.unwrap();
}

#[tokio::test]
async fn a_dropped_request_commits_nothing_and_a_lost_response_does() {
    let bench = bench();
    for (fault, committed) in [(Fault::DropBefore, false), (Fault::LoseResponse, true)] {
        let struck = fault.clone();
        bench.server.set_faults(move |_: &RequestInfo| Some(struck.clone()));
        let created = bench.rollouts().create(&PostParams::default(), &dynamic(rollout("web"))).await;
        assert!(matches!(created, Err(kube::Error::Service(_))), "{created:?}");
        assert_eq!(bench.hand.get("Rollout", "default", "web").is_some(), committed, "{fault:?}");
    }
}

#[tokio::test]
async fn a_delay_is_in_the_time_of_the_server() {
    let bench = bench();
    bench.hand.create("Rollout", rollout("web")).unwrap();
    bench.server.set_faults(|_: &RequestInfo| Some(Fault::Delay(Duration::from_hours(1))));
    let rollouts = bench.rollouts();
    let get = tokio::spawn(async move { rollouts.get("web").await });
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!get.is_finished());
    bench.advance(3_600_000);
    get.await.unwrap().unwrap();
}
