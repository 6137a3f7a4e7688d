//! Labels, annotations and anti-affinity of pods by the part that their revision plays.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec};
use crate::api::names::EPHEMERAL_METADATA;
use crate::rollout::Settings;
use crate::sim::checker::facts::{HASH, hash};
use crate::sim::object;

/// The image of each pod that stays, with its role and its annotation.
fn pods(rig: &Rig) -> Vec<(String, String, String)> {
    let pods = rig.core.user().list("Pod", KEY.0);
    let staying = pods.iter().filter(|pod| !object::is_terminating(pod));
    let mut shown: Vec<_> = staying
        .map(|pod| {
            let text = |text: Option<&str>| text.unwrap_or("-").to_owned();
            let image = object::text(pod, "/spec/containers/0/image").to_owned();
            (image, text(object::label(pod, "role")), text(object::annotation(pod, "example.org/look")))
        })
        .collect();
    shown.sort();
    shown
}

fn uids(rig: &Rig) -> BTreeSet<String> {
    rig.core.user().list("Pod", KEY.0).iter().map(|pod| object::uid(pod).to_owned()).collect()
}

fn expected(parts: &[(&str, usize, &str, &str)]) -> Vec<(String, String, String)> {
    let pods = parts.iter().flat_map(|(image, count, role, look)| {
        std::iter::repeat_n(((*image).to_owned(), (*role).to_owned(), (*look).to_owned()), *count)
    });
    pods.collect()
}

fn roles(updating: &str, stable: &str, strategy: &Value) -> Value {
    let mut strategy = strategy.clone();
    strategy[updating] = json!({"labels": {"role": "new"}, "annotations": {"example.org/look": "here"}});
    strategy[stable] = json!({"labels": {"role": "old"}});
    strategy
}

fn canary() -> Value {
    let steps = json!([{"setWeight": 40}, {"pause": {}}]);
    json!({"canary": roles("canaryMetadata", "stableMetadata", &json!({"steps": steps, "maxSurge": 1}))})
}

fn blue_green() -> Value {
    let strategy = json!({"activeService": "shop-active", "previewService": "shop-preview", "autoPromotionEnabled": false, "scaleDownDelaySeconds": 20});
    json!({"blueGreen": roles("previewMetadata", "activeMetadata", &strategy)})
}

fn rig(strategy: &Value) -> Rig {
    let mut rig = Rig::new(&spec(strategy));
    rig.core.settings = Arc::new(Settings { pods_per_plan: 2, ..Settings::default() });
    rig.rest().unwrap();
    assert_eq!(pods(&rig), expected(&[("shop:1", 5, "old", "-")]));
    rig
}

#[test]
fn pods_wear_their_part_and_change_without_a_restart() {
    let cases = [
        (canary(), expected(&[("shop:1", 3, "old", "-"), ("shop:2", 2, "new", "here")])),
        (blue_green(), expected(&[("shop:1", 5, "old", "-"), ("shop:2", 5, "new", "here")])),
    ];
    for (strategy, midway) in cases {
        let mut rig = rig(&strategy);
        rig.update("shop:2");
        rig.run(30).unwrap();
        assert_eq!(pods(&rig), midway, "{strategy}");
        let before = uids(&rig);
        rig.command(&json!({"pauseConditions": null}));
        rig.run(10).unwrap();
        rig.core.restart();
        if strategy.get("blueGreen").is_some() {
            let both = [("shop:1", 5, "-", "-"), ("shop:2", 5, "old", "-")];
            assert_eq!(pods(&rig), expected(&both), "pods that wait for their end play no part");
        }
        rig.rest().unwrap();
        assert_eq!((rig.shown().as_str(), pods(&rig)), ("Healthy", expected(&[("shop:2", 5, "old", "-")])));
        assert!(uids(&rig).intersection(&before).next().is_some(), "pods of the update stay");
        let sets = rig.core.user().list("ReplicaSet", KEY.0);
        assert_eq!(sets.len(), 2, "no revision is made of metadata");
        let stable = rig.rollout().unwrap().status.stable_rs;
        for rs in &sets {
            let known = object::annotation(rs, EPHEMERAL_METADATA);
            let wanted = (hash(rs) == stable).then_some(r#"{"labels":{"role":"old"}}"#);
            assert_eq!(known, wanted);
            let role = rs.pointer("/spec/template/metadata/labels/role").and_then(Value::as_str);
            assert_eq!(role, wanted.map(|_| "old"));
        }
        // The way back finds the revision although its template was changed meanwhile.
        rig.update("shop:1");
        rig.run(30).unwrap();
        assert_eq!(rig.core.user().list("ReplicaSet", KEY.0).len(), 2);
    }
}

#[test]
fn keys_that_are_not_wanted_any_more_leave_every_pod() {
    let mut rig = rig(&canary());
    let before = uids(&rig);
    rig.edit(&json!({"spec": {"strategy": {"canary": {"stableMetadata": {"labels": {"role": null, "part": "old"}}}}}}));
    rig.rest().unwrap();
    assert_eq!(pods(&rig), expected(&[("shop:1", 5, "-", "-")]));
    let pods = rig.core.user().list("Pod", KEY.0);
    assert!(pods.iter().all(|pod| object::label(pod, "part") == Some("old")));
    assert_eq!(uids(&rig), before);
    let sets = rig.core.user().list("ReplicaSet", KEY.0);
    assert_eq!(object::annotation(&sets[0], EPHEMERAL_METADATA), Some(r#"{"labels":{"part":"old"}}"#));
}

#[test]
fn a_label_of_the_template_comes_back() {
    let mut with_role = spec(&canary());
    with_role["template"]["metadata"]["labels"]["role"] = json!("own");
    let mut rig = Rig::new(&with_role);
    rig.rest().unwrap();
    assert_eq!(pods(&rig), expected(&[("shop:1", 5, "old", "-")]));
    rig.edit(&json!({"spec": {"strategy": {"canary": {"stableMetadata": {"labels": {"role": null}}}}}}));
    rig.rest().unwrap();
    assert_eq!(pods(&rig), expected(&[("shop:1", 5, "own", "-")]));
}

#[test]
fn a_pod_that_somebody_changes_is_put_right() {
    let mut rig = rig(&canary());
    let pod = rig.core.user().list("Pod", KEY.0)[0].clone();
    let key = (KEY.0, object::name(&pod));
    rig.core.user().merge("Pod", key, &json!({"metadata": {"labels": {"role": "new"}}})).unwrap();
    rig.rest().unwrap();
    assert_eq!(pods(&rig), expected(&[("shop:1", 5, "old", "-")]));
}

#[test]
fn labels_that_selectors_look_for_are_refused() {
    let mut strategy = canary();
    strategy["canary"]["canaryMetadata"] = json!({"labels": {"app": "other"}});
    let mut rig = Rig::new(&spec(&strategy));
    rig.run(5).unwrap();
    assert!(rig.shown().contains("spec.strategy.canary.canaryMetadata.labels"), "{}", rig.shown());
    assert!(rig.core.user().list("ReplicaSet", KEY.0).is_empty());
}

/// The stable revision that each ReplicaSet's pods keep away from, by image.
fn avoided(rig: &Rig, image: &str) -> Vec<String> {
    let sets = rig.core.user().list("ReplicaSet", KEY.0);
    let rs = sets.iter().find(|rs| object::text(rs, "/spec/template/spec/containers/0/image") == image).unwrap();
    let anti = "/spec/template/spec/affinity/podAntiAffinity";
    let required = object::list(rs, &format!("{anti}/requiredDuringSchedulingIgnoredDuringExecution"));
    let preferred = object::list(rs, &format!("{anti}/preferredDuringSchedulingIgnoredDuringExecution"));
    let terms = required.iter().chain(preferred.iter().map(|term| &term["podAffinityTerm"]));
    terms
        .map(|term| {
            assert_eq!(term["namespaces"], json!([KEY.0]));
            let expression = &term["labelSelector"]["matchExpressions"][0];
            assert_eq!(expression["key"], json!(HASH));
            expression["values"][0].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn updates_keep_off_the_nodes_of_the_stable_revision() {
    let required = json!({"requiredDuringSchedulingIgnoredDuringExecution": {}});
    let preferred = json!({"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 7}});
    for (strategy, term) in [(canary(), required), (blue_green(), preferred)] {
        let mut strategy = strategy;
        for (_, settings) in strategy.as_object_mut().unwrap() {
            settings["antiAffinity"] = term.clone();
        }
        let mut rig = Rig::new(&spec(&strategy));
        rig.rest().unwrap();
        assert_eq!(avoided(&rig, "shop:1"), [""; 0], "a first deploy has nobody to avoid");
        let first = rig.rollout().unwrap().status.stable_rs;
        rig.update("shop:2");
        rig.run(30).unwrap();
        assert_eq!(avoided(&rig, "shop:2"), [first.as_str()]);
        rig.command(&json!({"abort": true}));
        rig.run(60).unwrap();
        rig.update("shop:3");
        rig.run(30).unwrap();
        rig.command(&json!({"promoteFull": true}));
        rig.rest().unwrap();
        assert_eq!(avoided(&rig, "shop:3"), [first.as_str()], "promotion changes no template");
        let stable = rig.rollout().unwrap().status.stable_rs;
        rig.update("shop:2");
        rig.run(30).unwrap();
        assert_eq!(avoided(&rig, "shop:2"), [stable.as_str()], "out of date, and its pods are yet to come");
        assert_eq!(rig.core.user().list("ReplicaSet", KEY.0).len(), 3);
        rig.command(&json!({"promoteFull": true}));
        rig.rest().unwrap();
        assert_eq!(rig.shown(), "Healthy");
    }
}
