//! Somebody edits the template of a ReplicaSet: its pods stay what they were (pitfall B56).

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec, template};
use crate::api::names::MADE_FOR;
use crate::sim::checker::facts::{hash, wanted};
use crate::sim::object;

const IMAGE: &str = "/spec/template/spec/containers/0/image";

fn strategies() -> [Value; 3] {
    let routed = json!({
        "canaryService": "shop-canary", "stableService": "shop-stable", "steps": [{"setWeight": 50}],
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
    });
    [json!({"canary": {}}), json!({"canary": routed}), json!({"blueGreen": {"activeService": "shop-active"}})]
}

fn edit_stable(rig: &Rig, image: &str) -> String {
    let stable = rig.rollout().unwrap().status.stable_rs;
    let sets = rig.core.user().list("ReplicaSet", KEY.0);
    let set = sets.iter().find(|rs| hash(rs) == stable).unwrap();
    let patch = json!({"spec": {"template": template(image, "", "0.5")}});
    rig.core.user().merge("ReplicaSet", (KEY.0, object::name(set)), &patch).unwrap();
    stable
}

/// Images of the pods that are there.
fn images(rig: &Rig) -> Vec<String> {
    let pods = rig.core.user().list("Pod", KEY.0);
    let mut images: Vec<_> = pods.iter().map(|pod| object::text(pod, "/spec/containers/0/image").to_owned()).collect();
    images.dedup();
    images
}

#[test]
fn an_edited_template_is_no_revision_of_the_image_that_it_was_edited_to() {
    for strategy in strategies() {
        let mut rig = Rig::new(&spec(&strategy));
        rig.run(60).unwrap();
        let edited = edit_stable(&rig, "shop:2");
        rig.update("shop:2");
        rig.run(120).unwrap();
        assert_eq!(rig.shown(), "Healthy", "{strategy}");
        rig.rest().unwrap();
        assert_eq!(images(&rig), ["shop:2"], "{}", rig.story("edited"));
        assert_ne!(rig.rollout().unwrap().status.stable_rs, edited, "{strategy}");

        // Back to what it was made for, its template is that again before it gets pods.
        rig.update("shop:1");
        rig.run(120).unwrap();
        assert_eq!(rig.shown(), "Healthy", "{strategy}");
        rig.rest().unwrap();
        assert_eq!(rig.rollout().unwrap().status.stable_rs, edited, "{strategy}");
        assert_eq!(images(&rig), ["shop:1"], "{}", rig.story("back"));
    }
}

/// What an earlier controller has made carries no digest: equality alone answers for it.
#[test]
fn a_revision_without_a_digest_is_found_by_its_template() {
    let mut rig = Rig::new(&spec(&json!({"canary": {}})));
    rig.run(60).unwrap();
    let sets = rig.core.user().list("ReplicaSet", KEY.0);
    let undigested = json!({"metadata": {"annotations": {MADE_FOR: null}}});
    rig.core.user().merge("ReplicaSet", (KEY.0, object::name(&sets[0])), &undigested).unwrap();
    // The same template in other words: another hash, and no other revision.
    rig.edit(&json!({"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 30}}}}));
    rig.run(60).unwrap();
    let sets = rig.core.user().list("ReplicaSet", KEY.0);
    assert_eq!(sets.iter().map(|rs| (wanted(rs), object::text(rs, IMAGE))).collect::<Vec<_>>(), [(5, "shop:1")]);
}

#[test]
fn the_same_template_in_other_words_is_no_other_revision() {
    let mut rig = Rig::new(&spec(&json!({"canary": {}})));
    rig.run(60).unwrap();
    rig.edit(
        &json!({"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst"}}}}),
    );
    rig.run(60).unwrap();
    assert_eq!(rig.core.user().list("ReplicaSet", KEY.0).len(), 1);
    assert_eq!(rig.shown(), "Healthy");
}
