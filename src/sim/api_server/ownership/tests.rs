//! Server-side apply as managers see it.

use serde_json::{Value, json};

use super::super::service::ACTOR_HEADER;
use super::super::tests::{Bench, bench};

async fn send(bench: &Bench, (method, path, content): (&str, &str, &str), body: &Value) -> (u16, Value) {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", content)
        .header("user-agent", "tests/1.0")
        .body(axum::body::Body::from(body.to_string()))
        .unwrap();
    assert!(!request.headers().contains_key(ACTOR_HEADER));
    let response = tower::Service::call(&mut bench.server.clone(), request).await.unwrap();
    let code = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (code, serde_json::from_slice(&bytes).unwrap())
}

const SETS: &str = "/apis/apps/v1/namespaces/default/replicasets";

async fn apply(bench: &Bench, (manager, force): (&str, &str), body: &Value) -> (u16, Value) {
    let path = format!("{SETS}/web?fieldManager={manager}{force}");
    send(bench, ("PATCH", &path, "application/apply-patch+yaml"), body).await
}

fn config(spec: &Value) -> Value {
    let mut spec = spec.clone();
    spec["selector"] = json!({ "matchLabels": { "app": "web" } });
    json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": { "name": "web" }, "spec": spec })
}

fn whole(replicas: u64, image: &str) -> Value {
    config(&json!({ "replicas": replicas, "template": {
        "metadata": { "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "c", "image": image, "env": [{ "name": "A", "value": "1" }] }] } } }))
}

fn entry<'a>(object: &'a Value, manager: &str) -> &'a Value {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    entries.iter().find(|entry| entry["manager"] == json!(manager)).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn what_is_applied_is_owned_and_nothing_changes_twice() {
    let bench = bench();
    let (code, made) = apply(&bench, ("a", ""), &whole(2, "x:1")).await;
    assert_eq!((code, &made["spec"]["replicas"]), (201, &json!(2)), "{made}");
    let mine = entry(&made, "a");
    assert_eq!((&mine["operation"], &mine["fieldsV1"]["f:spec"]["f:replicas"]), (&json!("Apply"), &json!({})));
    let container = &mine["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]["k:{\"name\":\"c\"}"];
    assert_eq!((&container["."], &container["f:image"]), (&json!({}), &json!({})), "{mine}");
    assert_eq!(container.get("f:imagePullPolicy"), None, "defaults are nobody's");
    bench.advance(5000);
    let (code, again) = apply(&bench, ("a", ""), &whole(2, "x:1")).await;
    assert_eq!((code, &again), (200, &made), "nothing is written");
}

#[tokio::test]
async fn others_values_are_conflicts_and_force_takes_them() {
    let bench = bench();
    apply(&bench, ("a", ""), &whole(2, "x:1")).await;
    let (code, same) = apply(&bench, ("b", ""), &config(&json!({ "replicas": 2 }))).await;
    assert_eq!(code, 200, "the same value is shared: {same}");
    let (code, refused) = apply(&bench, ("b", ""), &config(&json!({ "replicas": 5 }))).await;
    let message = "Apply failed with 1 conflict: conflict with \"a\" using apps/v1: .spec.replicas";
    assert_eq!((code, &refused["message"]), (409, &json!(message)));
    assert_eq!(refused["details"]["causes"][0]["field"], json!(".spec.replicas"));
    let (code, taken) = apply(&bench, ("b", "&force=true"), &config(&json!({ "replicas": 5 }))).await;
    assert_eq!((code, &taken["spec"]["replicas"]), (200, &json!(5)));
    assert_eq!(entry(&taken, "a")["fieldsV1"]["f:spec"].get("f:replicas"), None);
    let (code, _) = apply(&bench, ("a", ""), &whole(2, "x:1")).await;
    assert_eq!(code, 409, "now it is the other's");
}

#[tokio::test]
async fn what_is_no_longer_named_goes_unless_somebody_else_owns_it() {
    let bench = bench();
    apply(&bench, ("a", ""), &whole(2, "x:1")).await;
    let mut labelled = whole(2, "x:1");
    labelled["metadata"]["labels"] = json!({ "one": "1", "two": "2" });
    apply(&bench, ("a", ""), &labelled).await;
    let shared = config(&json!({}));
    let mut shared = shared;
    shared["metadata"]["labels"] = json!({ "two": "2" });
    apply(&bench, ("b", ""), &shared).await;
    let mut less = whole(2, "x:1");
    less["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("env");
    let (code, left) = apply(&bench, ("a", ""), &less).await;
    assert_eq!((code, &left["metadata"]["labels"]), (200, &json!({ "two": "2" })));
    assert_eq!(left["spec"]["template"]["spec"]["containers"][0].get("env"), None);
    assert_eq!(left["spec"]["template"]["spec"]["containers"][0]["terminationMessagePolicy"], json!("File"));
}

#[tokio::test]
async fn plain_writes_take_ownership_and_controllers_are_named() {
    let bench = bench();
    let (_, made) = apply(&bench, ("a", ""), &whole(2, "x:1")).await;
    assert!(made["metadata"]["uid"].is_string());
    bench.hand.merge("ReplicaSet", ("default", "web"), &json!({ "spec": { "replicas": 7 } })).unwrap();
    bench.hand.merge_status("ReplicaSet", ("default", "web"), &json!({ "status": { "replicas": 1 } })).unwrap();
    let now = bench.hand.get("ReplicaSet", "default", "web").unwrap();
    assert_eq!(entry(&now, "a")["fieldsV1"]["f:spec"].get("f:replicas"), None);
    let entries = now["metadata"]["managedFields"].as_array().unwrap();
    let subresources: Vec<Value> = entries.iter().map(|e| e.get("subresource").cloned().unwrap_or_default()).collect();
    assert_eq!(subresources, [Value::Null, Value::Null, json!("status")]);
    let (code, refused) = apply(&bench, ("a", ""), &whole(2, "x:1")).await;
    assert_eq!(code, 409);
    assert!(refused["message"].as_str().unwrap().contains("conflict with \"tester\" using apps/v1: .spec.replicas"));
}

#[tokio::test]
async fn untracked_objects_are_somebodys_from_before() {
    let bench = bench();
    bench.hand.create("ReplicaSet", whole(2, "x:1")).unwrap();
    let stored = bench.hand.get("ReplicaSet", "default", "web").unwrap();
    assert_eq!(stored["metadata"].get("managedFields"), None, "models pay nothing");
    let (code, refused) = apply(&bench, ("a", ""), &whole(3, "x:1")).await;
    assert_eq!(code, 409);
    assert!(refused["message"].as_str().unwrap().contains("before-first-apply"));
    let (_, created) = send(&bench, ("POST", SETS, "application/json"), &{
        let mut other = whole(1, "x:1");
        other["metadata"]["name"] = json!("other");
        other
    })
    .await;
    assert_eq!(entry(&created, "tests")["operation"], json!("Update"), "requests are tracked from the start");
}

#[tokio::test]
async fn an_apply_names_its_manager_its_kind_and_its_object() {
    let bench = bench();
    let (code, _) =
        send(&bench, ("PATCH", &format!("{SETS}/web"), "application/apply-patch+yaml"), &whole(1, "x")).await;
    assert_eq!(code, 422);
    let mut nameless = whole(1, "x");
    nameless.as_object_mut().unwrap().remove("kind");
    assert_eq!(apply(&bench, ("a", ""), &nameless).await.0, 400);
    let mut misnamed = whole(1, "x");
    misnamed["metadata"]["name"] = json!("other");
    assert_eq!(apply(&bench, ("a", ""), &misnamed).await.0, 400);
}
