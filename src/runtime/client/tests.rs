use serde_json::Value;

use super::*;
use crate::runtime::testing::{Answer, Asked, api, json_response};

fn target() -> Target {
    Target::new(Resource::new("apps", "v1", "replicasets"), ObjectKey::new("shop", "web-1"))
}

fn ok(_: &Asked) -> Answer {
    Answer::Json(200, json!({"metadata": {"name": "web-1", "resourceVersion": "8"}}))
}

#[tokio::test(start_paused = true)]
async fn each_verb_is_the_request_that_kubernetes_wants() {
    let (api, log, _, metrics) = api(ok);
    let (class, target) = (Class::Decision, target());
    let patch: json_patch::Patch =
        serde_json::from_value(json!([{"op": "test", "path": "/spec/replicas", "value": 1}])).unwrap();
    let preconditions = Preconditions { uid: "u1".to_owned(), resource_version: "7".to_owned() };
    let got: Value = api.get(class, &target).await.unwrap();
    assert_eq!(got["metadata"]["resourceVersion"], "8");
    let _: Value = api.create(class, &target, &json!({"kind": "ReplicaSet"})).await.unwrap();
    let _: Value = api.merge_patch(class, &target.clone().part("status"), &json!({"a": null})).await.unwrap();
    let _: Value = api.json_patch(class, &target, &patch).await.unwrap();
    let _: Value = api.replace(class, &target, &json!({})).await.unwrap();
    api.delete(class, &target, &preconditions).await.unwrap();
    let one = "/apis/apps/v1/namespaces/shop/replicasets/web-1";
    let status = format!("{one}/status");
    let manager = "fieldManager=tester";
    let expected = [
        ("GET", one, "", ""),
        ("POST", "/apis/apps/v1/namespaces/shop/replicasets", manager, "application/json"),
        ("PATCH", &status, manager, "application/merge-patch+json"),
        ("PATCH", one, manager, "application/json-patch+json"),
        ("PUT", one, manager, "application/json"),
        ("DELETE", one, "", "application/json"),
    ];
    let log = log.lock();
    let sent: Vec<_> = log.iter().map(|a| (&*a.method, &*a.path, &*a.query, &*a.content_type)).collect();
    assert_eq!(sent, expected);
    assert_eq!(log[5].body["preconditions"], json!({"uid": "u1", "resourceVersion": "7"}));
    let text = metrics.render().unwrap();
    let line = r#"{kind="replicasets",name="N/A",namespace="shop",status_code="200",verb="Patch"} 2"#;
    assert!(text.contains(line), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_name_can_mean_nothing_but_one_object() {
    let (api, log, ..) = api(ok);
    let resource = Resource::new("", "v1", "services");
    for name in ["", ".", ".."] {
        let target = Target::new(resource.clone(), ObjectKey::new("shop", name));
        let error = api.delete(Class::Route, &target, &Preconditions::default()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{name:?}");
    }
    assert!(log.lock().is_empty());
    let target = Target::new(resource, ObjectKey::new("shop", "a/../../b?x#y"));
    let _: Value = api.get(Class::Route, &target).await.unwrap();
    assert_eq!(log.lock()[0].path, "/api/v1/namespaces/shop/services/a%2F..%2F..%2Fb%3Fx%23y");
}

#[tokio::test(start_paused = true)]
async fn answers_become_errors_once() {
    for (answer, expected) in [
        ((409, json!({"reason": "Conflict", "message": "modified"})), ErrorKind::Conflict),
        ((404, json!({"reason": "NotFound"})), ErrorKind::NotFound),
        ((422, json!({"reason": "Invalid", "message": "spec.replicas: must be positive"})), ErrorKind::Invalid),
    ] {
        let (api, ..) = api(move |_| Answer::Json(answer.0, answer.1.clone()));
        let error = api.merge_patch::<Value>(Class::Decision, &target(), &json!({})).await.unwrap_err();
        assert_eq!(error.kind, expected);
        assert!(error.to_string().starts_with("cannot patch replicasets shop/web-1: "), "{error}");
    }
    let (plain, ..) = api(|_| {
        let mut response = json_response(429, &json!("too many"));
        response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("3"));
        Answer::Raw(response)
    });
    let error = plain.get::<Value>(Class::Decision, &target()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
    assert!(error.message.contains("too many"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn silence_ends_after_the_limit_of_the_verb() {
    let (api, _, clock, metrics) = api(|_| Answer::Silence);
    let error = api.get::<Value>(Class::Decision, &target()).await.unwrap_err();
    assert_eq!((error.kind, clock.monotonic()), (ErrorKind::Transient, READ_TIMEOUT));
    let error = api.create::<Value>(Class::Decision, &target(), &json!({})).await.unwrap_err();
    assert_eq!((error.kind, clock.monotonic()), (ErrorKind::UnknownOutcome, READ_TIMEOUT + WRITE_TIMEOUT));
    assert!(metrics.render().unwrap().contains(r#"status_code="0",verb="Create"} 1"#));
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_leaves_a_write_unknown() {
    let (api, ..) = api(|_| Answer::Broken);
    let error = api.delete(Class::Decision, &target(), &Preconditions::default()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::UnknownOutcome);
    let error = api.get::<Value>(Class::Decision, &target()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Transient);
}

#[tokio::test(start_paused = true)]
async fn a_closed_fence_stops_writes_and_not_reads() {
    let (api, log, clock, _) = api(ok);
    let api = api.fenced(Fence::closed(clock));
    let error = api.create::<Value>(Class::Decision, &target(), &json!({})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotLeading);
    assert!(api.get::<Value>(Class::Decision, &target()).await.is_ok());
    assert_eq!(log.lock().len(), 1);
}

#[tokio::test]
async fn a_newcomer_is_told_what_to_do() {
    let missing = ClusterFlags { kubeconfig: Some("/nowhere/config".into()), ..ClusterFlags::default() };
    let error = connect::cluster_config(&missing).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere/config"), "{error}");
    assert!(error.to_string().contains("--context"), "{error}");
    let clock = Clock::real();
    let (refusing, _) =
        crate::runtime::testing::client(|_| Answer::Json(401, json!({"code": 401, "message": "Unauthorized"})));
    let error = Clients::shared(refusing).check(&clock).await.unwrap_err();
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    let (broken, _) = crate::runtime::testing::client(|_| Answer::Broken);
    let error = Clients::shared(broken).check(&clock).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }) && error.to_string().contains("kubectl"), "{error}");
}
