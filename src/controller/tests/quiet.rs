//! How often a Rollout is looked at of which nothing changes: once a resync, and an invalid one every 20 seconds.

use std::time::Duration;

use serde_json::{Value, json};

use super::rest::looks;
use super::{Rig, asked, definition, rig_set, rollout, template, until};
use crate::controller::caches::Scope;
use crate::rollout::Settings;

const KEY: (&str, &str) = ("default", "shop");
const RESYNC: Duration = Duration::from_mins(1);
const INVALID_REST: Duration = Duration::from_secs(20);

async fn shop(strategy: &Value) -> Rig {
    let settings = Settings { resync: RESYNC, ..Settings::default() };
    let rig = rig_set(definition(), vec![("rollouts-controller", Scope::default())], &settings, |user| {
        let mut rollout = rollout();
        rollout["spec"]["strategy"] = strategy.clone();
        for name in ["active", "preview"] {
            let spec = json!({"selector": {"app": "shop"}, "ports": [{"port": 80}]});
            user.create("Service", json!({"metadata": {"name": name, "namespace": "default"}, "spec": spec})).unwrap();
        }
        user.create("Rollout", rollout).unwrap();
    });
    until(&rig, "Healthy").await;
    rig
}

fn patch(rig: &Rig, change: &Value) {
    rig.user.merge("Rollout", KEY, change).unwrap();
}

fn command(rig: &Rig, status: &Value) {
    rig.user.merge_status("Rollout", KEY, &json!({ "status": status })).unwrap();
}

fn release(rig: &Rig, image: &str) {
    patch(rig, &json!({"spec": {"template": {"spec": template(image)["spec"]}}}));
}

/// In five minutes there is nothing to ask or to write, and hardly anything to look at.
async fn quiet(rig: &Rig, (what, phase): (&str, &str), period: Duration) {
    // Grace of routes, delays of former revisions.
    tokio::time::sleep(Duration::from_mins(1)).await;
    until(rig, phase).await;
    let (counts, before) = (rig.cluster.lock().server.counts(), looks(rig));
    let span = Duration::from_mins(5);
    tokio::time::sleep(span).await;
    let looked = looks(rig) - before;
    let most = u64::try_from(span.as_nanos() / period.as_nanos()).unwrap();
    assert!((1..=most).contains(&looked), "{what}: {looked} looks in {span:?}");
    assert_eq!(asked(&rig.cluster.lock().server.counts().since(&counts)), [], "{what}");
    until(rig, phase).await;
}

fn strategies() -> [Value; 2] {
    let canary = json!({"canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}});
    let blue_green = json!({"blueGreen": {
        "activeService": "active", "previewService": "preview", "autoPromotionEnabled": false,
    }});
    [canary, blue_green]
}

#[tokio::test(start_paused = true)]
async fn a_completed_rollout_is_left_alone_whatever_it_is_told() {
    for strategy in strategies() {
        let rig = shop(&strategy).await;
        quiet(&rig, ("completed", "Healthy"), RESYNC).await;
        command(&rig, &json!({"abort": true}));
        quiet(&rig, ("completed, then aborted", "Healthy"), RESYNC).await;
        let forged = json!({"abort": true, "abortedAt": "2026-11-21T12:00:00Z", "promoteFull": true});
        command(&rig, &forged);
        quiet(&rig, ("completed, aborted and promoted", "Healthy"), RESYNC).await;
        patch(&rig, &json!({"spec": {"paused": true}}));
        quiet(&rig, ("completed and paused", "Paused"), RESYNC).await;
        command(&rig, &json!({"abort": true}));
        quiet(&rig, ("completed, paused and aborted", "Paused"), RESYNC).await;
        rig.stop.cancel();
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_person_is_left_alone() {
    for strategy in strategies() {
        let rig = shop(&strategy).await;
        release(&rig, "shop:2");
        quiet(&rig, ("at a pause", "Paused"), RESYNC).await;
        command(&rig, &json!({"abort": true}));
        quiet(&rig, ("aborted", "Degraded"), RESYNC).await;
        patch(&rig, &json!({"spec": {"paused": true}}));
        quiet(&rig, ("aborted and paused", "Degraded"), RESYNC).await;
        rig.stop.cancel();
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalid_one_is_looked_at_every_twenty_seconds() {
    let rig = shop(&strategies()[0]).await;
    patch(&rig, &json!({"spec": {"strategy": {"canary": {"canaryService": "nowhere"}}}}));
    quiet(&rig, ("refers to nothing", "Degraded InvalidSpec"), INVALID_REST).await;
    patch(&rig, &json!({"spec": {"strategy": {"canary": {"steps": [{"setWeight": 150}]}}}}));
    quiet(&rig, ("invalid", "Degraded InvalidSpec"), INVALID_REST).await;
    command(&rig, &json!({"abort": true}));
    patch(&rig, &json!({"spec": {"paused": true}}));
    quiet(&rig, ("invalid, paused and aborted", "Degraded InvalidSpec"), INVALID_REST).await;
    rig.stop.cancel();
}
