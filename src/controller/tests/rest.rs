//! What a Rollout costs: nothing at rest, and a step no more for its history.

use std::time::Duration;

use serde_json::{Value, json};

use super::routed::{analysis, furnish, gateway, one, prometheus, rollout};
use super::{Rig, Scope, asked, definition, rests_for, rig_set, template, until};
use crate::rollout::Settings;
use crate::sim::api_server::Verb;

const KEY: (&str, &str) = ("default", "shop");
/// Looks at rest come as often as this, and up to a tenth later.
const RESYNC: Duration = Duration::from_mins(1);

fn steps() -> Value {
    let run = json!({"analysis": {"templates": [{"templateName": "errors"}]}});
    json!([{"setWeight": 25}, run, {"pause": {}}, {"setWeight": 50}, {"pause": {}}])
}

async fn with_history(revisions: u32, address: &str) -> Rig {
    let settings = Settings { resync: RESYNC, ..Settings::default() };
    let rig = rig_set(definition(), vec![("rollouts-controller", Scope::default())], &settings, |user| {
        gateway(user);
        furnish(user, "shop");
        analysis(user, "errors", address);
        user.create("Rollout", rollout("shop", &steps())).unwrap();
    });
    until(&rig, "Healthy").await;
    for revision in 0..revisions {
        release(&rig, &format!("shop:old-{revision}"));
        until(&rig, "Progressing").await;
        rig.user.merge_status("Rollout", KEY, &json!({"status": {"promoteFull": true}})).unwrap();
        until(&rig, "Healthy").await;
    }
    rig
}

fn release(rig: &Rig, image: &str) {
    let containers = template(image)["spec"].clone();
    rig.user.merge("Rollout", KEY, &json!({"spec": {"template": {"spec": containers}}})).unwrap();
}

/// Looks at Rollouts so far.
pub fn looks(rig: &Rig) -> u64 {
    let text = rig.metrics.render().unwrap();
    let counts = text.lines().filter(|line| line.starts_with("rollout_reconcile_count{"));
    counts.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// Neither read nor written, while it is looked at once a resync.
async fn costs_nothing(rig: &Rig) {
    // Scale-down delays and graces first.
    tokio::time::sleep(Duration::from_mins(2)).await;
    let before = looks(rig);
    rests_for(rig, 6 * RESYNC).await;
    let looked = looks(rig) - before;
    assert!((5..=6).contains(&looked), "{looked} looks in six resyncs");
}

/// What a step to the next weight writes, by kind; events are one for each thing that happens.
async fn step(rig: &Rig) -> Vec<(Verb, String, u64)> {
    let before = rig.cluster.lock().server.counts();
    rig.user.merge_status("Rollout", KEY, &json!({"status": {"pauseConditions": null}})).unwrap();
    until(rig, "Progressing").await;
    until(rig, "Paused CanaryPauseStep").await;
    let grown = rig.cluster.lock().server.counts().since(&before);
    let written = asked(&grown).into_iter().filter(|(verb, kind, _)| !verb.is_read() && *kind != "Event");
    written.map(|(verb, kind, count)| (verb, kind.to_owned(), count)).collect()
}

#[tokio::test(start_paused = true)]
async fn rest_is_free_and_a_step_costs_the_same_whatever_the_history() {
    let measured = prometheus(&one()).await;
    let mut steps = Vec::new();
    for history in [1, 8] {
        let rig = with_history(history, &measured.uri()).await;
        costs_nothing(&rig).await;
        release(&rig, "shop:new");
        until(&rig, "Paused CanaryPauseStep").await;
        let sets = rig.user.list("ReplicaSet", "default").len();
        assert_eq!(sets, usize::try_from(history).unwrap() + 2, "the history is kept");
        let runs = rig.user.list("AnalysisRun", "default");
        assert!(runs.iter().any(|run| run["status"]["phase"] == "Successful"), "{runs:#?}");
        costs_nothing(&rig).await;
        steps.push(step(&rig).await);
        rig.stop.cancel();
    }
    assert_eq!(steps[0], steps[1]);
    let writes: u64 = steps[0].iter().map(|(.., count)| count).sum();
    assert!((1..=8).contains(&writes), "{:?}", steps[0]);
}
