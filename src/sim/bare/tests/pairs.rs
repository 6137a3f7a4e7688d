//! Two fields that change in one apply, in every phase of a release: it never comes to a dead end.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, service, spec, template};
use crate::sim::checker::facts::{hash, wanted};

/// Without `SISKIN_CASES` only every so many of the pairs without the template.
const STRIDE: usize = 6;
/// Promotions by a person, at most.
const PROMOTIONS: usize = 6;
const FIELDS: [&str; 8] = [
    "template",
    "replicas",
    "paused",
    "steps",
    "maxSurge",
    "services",
    "revisionHistoryLimit",
    "progressDeadlineSeconds",
];
const PHASES: [&str; 5] = ["healthy", "paused", "scaling", "aborted", "degraded"];

fn strategies() -> [Value; 3] {
    let steps = json!([{"setWeight": 40}, {"pause": {}}]);
    [
        json!({"canary": {"canaryService": "shop-canary", "stableService": "shop-stable", "steps": steps}}),
        json!({"canary": {
            "canaryService": "shop-canary", "stableService": "shop-stable", "steps": steps,
            "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}}, "scaleDownDelaySeconds": 3, "abortScaleDownDelaySeconds": 3,
        }}),
        json!({"blueGreen": {
            "activeService": "shop-active", "previewService": "shop-preview", "autoPromotionEnabled": false,
            "scaleDownDelaySeconds": 3,
        }}),
    ]
}

/// What a change of a field says, as a merge patch of `spec`.
fn change(field: &str, strategy: &Value) -> Value {
    let blue_green = strategy.get("blueGreen").is_some();
    let canary = |more: Value| json!({"strategy": {"canary": more}});
    match field {
        "template" => json!({"template": template("shop:3", "", "0.5")}),
        "replicas" => json!({"replicas": 8}),
        "steps" if blue_green => json!({"strategy": {"blueGreen": {"autoPromotionSeconds": 4}}}),
        "steps" => canary(json!({"steps": [{"setWeight": 10}, {"pause": {"duration": 2}}, {"setWeight": 70}]})),
        "maxSurge" if blue_green => json!({"strategy": {"blueGreen": {"previewReplicaCount": 2}}}),
        "maxSurge" => canary(json!({"maxSurge": 1, "maxUnavailable": 0})),
        "services" if blue_green => {
            json!({"strategy": {"blueGreen": {"activeService": "other-active", "previewService": "other-preview"}}})
        }
        "services" => {
            let mut more = json!({"canaryService": "other-canary", "stableService": "other-stable"});
            if strategy.pointer("/canary/trafficRouting").is_some() {
                more["trafficRouting"] = json!({"gatewayAPI": {"httpRoute": "other"}});
            }
            canary(more)
        }
        "revisionHistoryLimit" => json!({"revisionHistoryLimit": 0}),
        "progressDeadlineSeconds" => json!({"progressDeadlineSeconds": 45}),
        _ => json!({"paused": true}),
    }
}

/// A release in a phase.
fn at(phase: &str, strategy: &Value) -> Rig {
    let mut spec = spec(strategy);
    spec["progressDeadlineSeconds"] = json!(60);
    let mut rig = Rig::bare(1, Some(()));
    let user = rig.core.user();
    for name in ["other-active", "other-preview", "other-canary", "other-stable"] {
        user.create("Service", service(name)).unwrap();
    }
    let mut route = (*user.get("HTTPRoute", KEY.0, "shop").unwrap()).clone();
    let backends = json!([{"name": "other-stable", "port": 80}, {"name": "other-canary", "port": 80}]);
    route["metadata"] = json!({"name": "other", "namespace": KEY.0});
    route["spec"]["rules"] = json!([{"backendRefs": backends}]);
    user.create("HTTPRoute", route).unwrap();
    rig.create(&spec);
    rig.run(30).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    let update = |image: &str, behaviour: &str| json!({"spec": {"template": template(image, behaviour, "0.5")}});
    match phase {
        "healthy" => {}
        "scaling" => {
            rig.edit(&update("shop:2", ""));
            rig.run_until(rig.core.now() + Duration::from_millis(300)).unwrap();
        }
        "degraded" => {
            rig.edit(&update("shop:2", "never-ready"));
            rig.run(90).unwrap();
            assert!(rig.shown().starts_with("Degraded ProgressDeadlineExceeded"), "{}", rig.shown());
        }
        _ => {
            rig.edit(&update("shop:2", ""));
            rig.run(20).unwrap();
            assert!(rig.shown().starts_with("Paused"), "{}", rig.shown());
            if phase == "aborted" {
                rig.command(&json!({"abort": true}));
                rig.run(20).unwrap();
                assert!(rig.shown().starts_with("Degraded RolloutAborted"), "{}", rig.shown());
            }
        }
    }
    rig
}

/// What people do until a release is over: lift what they have paused, retry what they have aborted, replace what is
/// broken, and promote.
fn finish(rig: &mut Rig, what: &str) {
    rig.run(60).unwrap_or_else(|story| panic!("{what}: {story}"));
    let rollout = rig.rollout().unwrap();
    if rollout.spec.paused {
        rig.edit(&json!({"spec": {"paused": false}}));
        rig.run(60).unwrap_or_else(|story| panic!("{what}: {story}"));
    }
    if rollout.spec.template.value().to_string().contains("never-ready") {
        let good = json!({"metadata": {"annotations": {"sim.siskin.dev/behaviour": null}}, "spec": {"containers": [{"name": "shop", "image": "shop:4"}]}});
        rig.edit(&json!({"spec": {"template": good}}));
        rig.run(60).unwrap_or_else(|story| panic!("{what}: {story}"));
    }
    if rig.rollout().unwrap().status.abort {
        rig.command(&json!({"abort": false}));
        rig.run(60).unwrap_or_else(|story| panic!("{what}: {story}"));
    }
    for _ in 0..PROMOTIONS {
        if rig.shown() == "Healthy" {
            break;
        }
        rig.command(&json!({"pauseConditions": null}));
        rig.run(60).unwrap_or_else(|story| panic!("{what}: {story}"));
    }
    assert_eq!(rig.shown(), "Healthy", "{what}: {}", rig.story("a dead end"));
    rig.rest().unwrap_or_else(|story| panic!("{what}: {story}"));
    let rollout = rig.rollout().unwrap();
    let sets = rig.core.user().list("ReplicaSet", KEY.0);
    let current = sets.iter().find(|rs| hash(rs) == rollout.status.current_pod_hash).map(|rs| wanted(rs));
    assert_eq!(current, rollout.spec.replicas.map(i64::from), "{what}");
}

/// All pairs with the template, and of the others as many as there is time for.
fn pairs() -> Vec<(&'static str, &'static str)> {
    let all = std::env::var("SISKIN_CASES").is_ok();
    let of = |(number, first): (usize, &'static str)| FIELDS[number + 1..].iter().map(move |second| (first, *second));
    let pairs = FIELDS.into_iter().enumerate().flat_map(of).enumerate();
    pairs
        .filter(|(number, (first, _))| all || *first == "template" || number % STRIDE == 0)
        .map(|(_, pair)| pair)
        .collect()
}

fn every_pair(strategy: &Value) {
    for phase in PHASES {
        for (first, second) in pairs() {
            let what = format!("{first} and {second} while {phase}: {strategy}");
            let mut rig = at(phase, strategy);
            let mut both = change(first, strategy);
            json_patch::merge(&mut both, &change(second, strategy));
            rig.edit(&json!({"spec": both}));
            finish(&mut rig, &what);
        }
    }
}

#[test]
fn a_canary_survives_every_pair_of_changes() {
    every_pair(&strategies()[0]);
}

#[test]
fn a_routed_canary_survives_every_pair_of_changes() {
    every_pair(&strategies()[1]);
}

#[test]
fn a_blue_green_survives_every_pair_of_changes() {
    every_pair(&strategies()[2]);
}
