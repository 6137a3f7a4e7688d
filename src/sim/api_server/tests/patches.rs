use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::{bench, refusal, replica_set, rollout};

fn json_patch(operations: Value) -> Patch<Value> {
    Patch::Json(serde_json::from_value(operations).unwrap())
}

#[tokio::test]
async fn merge_patches_hold_their_preconditions() {
    let bench = bench();
    let created = bench.hand.create("Rollout", rollout("web")).unwrap();
    let rollouts = bench.rollouts();
    let send = |patch| {
        let rollouts = rollouts.clone();
        async move { rollouts.patch("web", &PatchParams::default(), &Patch::Merge(patch)).await }
    };
    let version = created["metadata"]["resourceVersion"].clone();
    let good = json!({ "metadata": { "resourceVersion": version, "uid": created["metadata"]["uid"] }, "spec": { "paused": true } });
    let after = send(good.clone()).await.unwrap();
    assert_eq!((after.metadata.generation, &after.data["spec"]["paused"]), (Some(2), &json!(true)));
    assert_eq!(refusal(send(good).await), (409, "Conflict".to_owned()));
    assert_eq!(refusal(send(json!({ "metadata": { "uid": "other" } })).await), (409, "Conflict".to_owned()));
    let removed = send(json!({ "spec": { "paused": null } })).await.unwrap();
    assert_eq!(removed.data["spec"].get("paused"), None);
    let missing = rollouts.patch("no", &PatchParams::default(), &Patch::Merge(json!({}))).await;
    assert_eq!(refusal(missing), (404, "NotFound".to_owned()));
}

#[tokio::test]
async fn status_patches_touch_status_alone() {
    let bench = bench();
    bench.hand.create("Rollout", rollout("web")).unwrap();
    let rollouts = bench.rollouts();
    let patch =
        json!({ "metadata": { "labels": { "x": "y" } }, "spec": { "replicas": 9 }, "status": { "phase": "Paused" } });
    let after = rollouts.patch_status("web", &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    assert_eq!((&after.data["spec"]["replicas"], &after.data["status"]["phase"]), (&json!(3), &json!("Paused")));
    assert_eq!((after.metadata.labels.unwrap().get("x"), after.metadata.generation), (None, Some(1)));
    let after = rollouts.patch("web", &PatchParams::default(), &Patch::Merge(json!({ "status": null }))).await.unwrap();
    assert_eq!(after.data["status"]["phase"], json!("Paused"));
}

#[tokio::test]
async fn a_failed_test_is_422() {
    let bench = bench();
    bench.hand.create("Rollout", rollout("web")).unwrap();
    let rollouts = bench.rollouts();
    let params = PatchParams::default();
    let good = json_patch(
        json!([{ "op": "test", "path": "/spec/replicas", "value": 3 }, { "op": "replace", "path": "/spec/replicas", "value": 4 }]),
    );
    assert_eq!(rollouts.patch("web", &params, &good).await.unwrap().data["spec"]["replicas"], json!(4));
    assert_eq!(refusal(rollouts.patch("web", &params, &good).await), (422, "Invalid".to_owned()));
    let missing = json_patch(json!([{ "op": "remove", "path": "/spec/nothing" }]));
    assert_eq!(refusal(rollouts.patch("web", &params, &missing).await), (422, "Invalid".to_owned()));
    let live = bench.hand.get("Rollout", "default", "web").unwrap();
    assert_eq!(live["spec"]["replicas"], json!(4));
}

#[tokio::test]
async fn strategic_patches_are_for_built_in_kinds() {
    let bench = bench();
    bench.hand.create("Rollout", rollout("web")).unwrap();
    bench.hand.create("ReplicaSet", replica_set("rs", None)).unwrap();
    let patch = Patch::Strategic(
        json!({ "spec": { "template": { "spec": { "containers": [{ "name": "c", "image": "x:2" }] } } } }),
    );
    let refused = bench.rollouts().patch("web", &PatchParams::default(), &patch).await;
    assert_eq!(refusal(refused).0, 415);
    let after = bench.api("apps", "v1", "ReplicaSet").patch("rs", &PatchParams::default(), &patch).await.unwrap();
    let container = &after.data["spec"]["template"]["spec"]["containers"][0];
    assert_eq!((&container["image"], &container["imagePullPolicy"]), (&json!("x:2"), &json!("IfNotPresent")));
    let applied = bench.rollouts().patch("web", &PatchParams::apply("m"), &Patch::Apply(rollout("web"))).await.unwrap();
    let entries = applied.metadata.managed_fields.unwrap();
    let named: Vec<_> = entries.iter().map(|entry| (entry.manager.clone(), entry.operation.clone())).collect();
    assert!(named.contains(&(Some("m".to_owned()), Some("Apply".to_owned()))), "{named:?}");
}
