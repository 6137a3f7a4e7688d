//! Two writers of one field, through the whole shell: the other one is named.

use std::time::Duration;

use http::Request;
use http::header::CONTENT_TYPE;
use http::request::Builder;
use serde_json::{Value, json};

use super::routed::{furnish, gateway, rollout};
use super::{Rig, rig, until};

const ROUTES: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes";

async fn send(rig: &Rig, request: Builder, body: &Value) {
    let client = rig.cluster.lock().server.client("somebody");
    let _: Value = client.request(request.body(serde_json::to_vec(body).unwrap()).unwrap()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_writes_our_weights_again_and_again_is_named() {
    let rig = rig();
    gateway(&rig.user);
    furnish(&rig.user, "shop");
    // Who writes what is tracked from a creation by request.
    let route = rig.user.get("HTTPRoute", "default", "shop").unwrap();
    rig.user.delete("HTTPRoute", "default", "shop").unwrap();
    let json = "application/json";
    let create = Request::post(format!("{ROUTES}?fieldManager=helm")).header(CONTENT_TYPE, json);
    let metadata = json!({"name": "shop", "namespace": "default"});
    let route =
        json!({"apiVersion": route["apiVersion"], "kind": "HTTPRoute", "metadata": metadata, "spec": route["spec"]});
    send(&rig, create, &route).await;
    rig.user.create("Rollout", rollout("shop", &json!([{"setWeight": 50}, {"pause": {}}]))).unwrap();
    until(&rig, "Healthy").await;
    let weights = [("shop-stable", 70), ("shop-canary", 30)];
    let backends = weights.map(|(name, weight)| json!({"name": name, "port": 80, "weight": weight}));
    for _ in 0..60 {
        let patch = Request::patch(format!("{ROUTES}/shop?fieldManager=terraform"));
        let patch = patch.header(CONTENT_TYPE, "application/merge-patch+json");
        send(&rig, patch, &json!({"spec": {"rules": [{"backendRefs": backends}]}})).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let events = rig.user.list("Event", "default");
    let told: Vec<&str> = events
        .iter()
        .filter(|event| event["reason"] == "FieldOwnershipConflict")
        .filter_map(|event| event["message"].as_str().or_else(|| event["note"].as_str()))
        .collect();
    assert!(told.len() == 1 && told[0].contains("HTTPRoute/shop: written by terraform again and again"), "{told:?}");
    let blockers = rig.user.get("Rollout", "default", "shop").unwrap()["status"]["siskin"]["blockers"].clone();
    assert!(blockers.to_string().contains("written by terraform"), "{blockers}");
    rig.stop.cancel();
}
