//! Clusters that Argo Rollouts has really left, recorded by `e2e/takeover/record`: taking over writes nothing where
//! nothing is to do (I18), restarts no pod, and the release goes on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig};
use crate::api::Time;
use crate::rollout::Settings;
use crate::rollout::settings::OwnStatus;
use crate::rollout::status::record::difference;
use crate::sim::object;

/// Who writes in these tests' name.
const CONTROLLER: &str = "rollouts-controller";

macro_rules! recorded {
    ($version:literal, $state:literal) => {
        ($version, $state, include_str!(concat!("../../takeover/", $version, "/", $state, ".json")))
    };
}

/// Two versions that hash the same template in two ways.
const RECORDED: &[(&str, &str, &str)] = &[
    recorded!("v1.8.3", "aborted"),
    recorded!("v1.8.3", "blue-green"),
    recorded!("v1.8.3", "healthy"),
    recorded!("v1.8.3", "mid-canary"),
    recorded!("v1.8.3", "paused"),
    recorded!("v1.10.0", "aborted"),
    recorded!("v1.10.0", "blue-green"),
    recorded!("v1.10.0", "healthy"),
    recorded!("v1.10.0", "mid-canary"),
    recorded!("v1.10.0", "paused"),
];

/// The newest time in a recording.
fn newest(value: &Value) -> Option<Time> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Array(items) => items.iter().filter_map(newest).max(),
        Value::Object(map) => map.values().filter_map(newest).max(),
        _ => None,
    }
}

/// Every recording, with definitions that keep Siskin's own part of the status and with Argo's, which prune it.
fn recorded() -> impl Iterator<Item = (String, &'static str, &'static str, OwnStatus)> {
    let each = |own: OwnStatus| {
        RECORDED.iter().map(move |(version, state, text)| (format!("{version} {state} {own:?}"), *state, *text, own))
    };
    each(OwnStatus::Kept).chain(each(OwnStatus::Pruned))
}

/// The recorded cluster, a moment later; slices are made anew by the model.
fn restore(text: &str, own_status: OwnStatus) -> Rig {
    let objects: Vec<Value> = serde_json::from_str(text).unwrap();
    let now = objects.iter().filter_map(newest).max().unwrap() + Duration::from_secs(5);
    let mut rig = Rig::empty(1, now);
    rig.core.settings = Arc::new(Settings { own_status, ..Settings::default() });
    for mut object in objects {
        let kind = object::text(&object, "/kind").to_owned();
        if kind == "EndpointSlice" {
            continue;
        }
        object["metadata"]["namespace"] = json!(KEY.0);
        if kind == "Pod" && object::text(&object, "/status/phase") == "Pending" {
            object["metadata"]["annotations"]["sim.siskin.dev/behaviour"] = json!("never-ready");
        }
        rig.did(rig.core.user().restore(&kind, object));
    }
    rig
}

fn pods(rig: &Rig) -> BTreeSet<String> {
    rig.core.user().list("Pod", KEY.0).iter().map(|pod| object::uid(pod).to_owned()).collect()
}

/// What the controller has written since the beginning.
fn writes(rig: &Rig) -> Vec<String> {
    let entries = rig.core.cluster.server.journal();
    let ours = entries.iter().filter(|entry| entry.actor == CONTROLLER);
    ours.map(|entry| {
        let (before, after) = (entry.before.as_deref().unwrap_or(&Value::Null), entry.after.as_deref());
        let patch = difference(before, after.unwrap_or(&Value::Null)).unwrap_or_default();
        format!("{:?} {} {}: {patch}", entry.verb, entry.kind, entry.name)
    })
    .collect()
}

#[test]
fn taking_over_writes_nothing_and_restarts_no_pod() {
    for (what, _, text, own_status) in recorded() {
        let mut rig = restore(text, own_status);
        let (before, shown) = (pods(&rig), rig.shown());
        rig.run(60).unwrap_or_else(|story| panic!("{what}: {story}"));
        assert_eq!(writes(&rig), Vec::<String>::new(), "{what}");
        assert_eq!(pods(&rig), before, "{what}");
        assert_eq!(rig.shown(), shown, "{what}");
    }
}

/// What a person does so that the release comes to its end.
fn go_on(rig: &mut Rig, state: &str) {
    let image = |rig: &Rig, image: &str| {
        rig.edit(&json!({"spec": {"template": {"spec": {"containers": [{"name": "shop", "image": image}]}}}}));
    };
    match state {
        "healthy" => image(rig, "registry.example/shop:v11"),
        "mid-canary" => rig.edit(&json!({"spec": {"template": {"spec": {"nodeSelector": null}}}})),
        "aborted" => {
            rig.command(&json!({"abort": false}));
            rig.run(30).unwrap();
            assert_eq!(rig.shown(), "Paused CanaryPauseStep");
            rig.command(&json!({"pauseConditions": null}));
        }
        _ => rig.command(&json!({"pauseConditions": null})),
    }
}

#[test]
fn the_release_goes_on() {
    for (what, state, text, own_status) in recorded() {
        let mut rig = restore(text, own_status);
        rig.run(5).unwrap();
        go_on(&mut rig, state);
        rig.rest().unwrap_or_else(|story| panic!("{what}: {story}"));
        assert_eq!(rig.shown(), "Healthy", "{what}");
        let written = rig.rollout().unwrap().status.siskin.is_some();
        assert!(own_status == OwnStatus::Kept || !written, "{what}: nothing that the definition prunes is written");
    }
}
