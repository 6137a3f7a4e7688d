//! A Rollout with a value of a wrong type says which, and is looked after again once it is mended.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Scope, definition, phase, rests, rig_with, rollout, until};

/// Values of wrong types, each with the path that the condition names.
fn misfits() -> Vec<(Value, &'static str)> {
    vec![
        (json!({"spec": {"replicas": "3"}}), "spec.replicas: Invalid value: \"3\": must be a whole number of 32 bits"),
        (json!({"spec": {"paused": 1}}), "spec.paused: Invalid value: 1: must be true or false"),
        (
            json!({"spec": {"strategy": {"canary": {"steps": {"pause": {}}}}}}),
            "spec.strategy.canary.steps: Invalid value: {\"pause\":{}}: must be a list",
        ),
        (
            json!({"spec": {"restartAt": "now"}}),
            "spec.restartAt: Invalid value: \"now\": must be a time such as 2024-01-31T12:00:00Z",
        ),
        // A template is read as it stands; what is wrong in it is found by validation.
        (
            json!({"spec": {"template": {"spec": {"containers": [
                {"name": "shop", "image": "shop:1", "resources": {"limits": {"cpu": "much"}}},
            ]}}}}),
            "spec.template.spec.containers[0].resources.limits[cpu]: Invalid value: \"much\": must be a quantity such \
             as 500m or 1Gi",
        ),
        (json!({"status": {"replicas": "five"}}), "status.replicas: expected a whole number, found the text \"five\""),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_does_not_decode_says_so_and_comes_back() {
    // Under our own schema none of it could be stored: under one that takes everything it can.
    let mut open = definition();
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    open["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = json!({
        "type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"status": anything},
    });
    let rig = rig_with(open, vec![("rollouts-controller", Scope::default())]);
    let key = ("default", "shop");
    rig.user.create("Rollout", rollout()).unwrap();
    until(&rig, "Healthy").await;
    let healthy = rig.user.get("Rollout", key.0, key.1).unwrap();
    for (misfit, expected) in misfits() {
        rig.user.merge("Rollout", key, &misfit).unwrap();
        rig.user.merge_status("Rollout", key, &misfit).unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        let told = rig.user.get("Rollout", key.0, key.1).unwrap();
        let message = format!("The Rollout \"shop\" is invalid: {expected}");
        assert_eq!(phase(&rig.user), format!("Degraded InvalidSpec: {message}"));
        let conditions = told["status"]["conditions"].as_array().unwrap();
        let condition = conditions.iter().find(|condition| condition["type"] == "InvalidSpec").unwrap();
        assert_eq!((&condition["status"], &condition["reason"]), (&json!("True"), &json!("InvalidSpec")));
        assert_eq!(condition["message"], message);
        assert!(conditions.iter().any(|condition| condition["type"] == "Available"), "others stay");
        assert_eq!(told["status"]["observedGeneration"], told["metadata"]["generation"].to_string());
        rests(&rig).await;
        let mut whole = (*rig.user.get("Rollout", key.0, key.1).unwrap()).clone();
        whole["spec"] = healthy["spec"].clone();
        rig.user.replace("Rollout", whole).unwrap();
        rig.user.merge_status("Rollout", key, &json!({"status": {"replicas": null}})).unwrap();
        until(&rig, "Healthy").await;
        let back = rig.user.get("Rollout", key.0, key.1).unwrap()["status"]["conditions"].to_string();
        assert!(!back.contains("InvalidSpec"), "{back}");
    }
    let events = rig.user.list("Event", "default");
    let told = events.iter().filter(|event| event["reason"] == "InvalidSpec").count();
    assert!(told >= 4, "one event for each that does not decode: {told}");
    rig.stop.cancel();
}
