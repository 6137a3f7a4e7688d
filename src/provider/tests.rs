#![allow(clippy::needless_pass_by_value, reason = "literals read better")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use wiremock::matchers::{body_string_contains, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::analysis::run::{Action, Finished, Task};
use crate::analysis::substitute::Redactor;
use crate::api::analysis::{Measurement, Metric};
use crate::api::text::LONGEST;
use crate::api::time::Time;

const NOW: &str = "2026-05-04T12:00:00Z";

fn sources(default_address: &str) -> Sources {
    // Whoever comes second finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock: Clock = Arc::new(|| NOW.parse().unwrap());
    Sources::new(Settings { prometheus_address: default_address.to_owned(), clock })
}

fn metric(prometheus: Value) -> Metric {
    serde_json::from_value(json!({
        "name": "m", "successCondition": "result[0] >= 0.95", "provider": {"prometheus": prometheus},
    }))
    .unwrap()
}

async fn carried_out(metric: &Metric, action: Action, redactor: &Redactor, default_address: &str) -> Finished {
    let request = Request { metric, run: "r", namespace: "ns", uid: "u" };
    let task = Task { metric: metric.name.clone(), index: 0, action };
    sources(default_address).carry_out(task, request, redactor).await
}

async fn measured(prometheus: Value) -> Measurement {
    carried_out(&metric(prometheus), Action::Measure, &Redactor::default(), "").await.measurement
}

fn error(measurement: &Measurement) -> &str {
    assert_eq!(measurement.phase, "Error", "{measurement:?}");
    let times = (measurement.started_at, measurement.finished_at);
    assert_eq!(times, (Some(NOW.parse().unwrap()), Some(NOW.parse().unwrap())));
    assert_eq!(measurement.value, "");
    &measurement.message
}

fn success(kind: &str, result: Value) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(json!({"status": "success", "data": {"resultType": kind, "result": result}}))
}

async fn server(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path("/api/v1/query")).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn a_vector_is_judged() {
    let vector = |value: &str| json!([{"metric": {}, "value": [1, value]}]);
    for (value, phase) in [("0.95", "Successful"), ("0.94", "Failed"), ("NaN", "Failed"), ("+Inf", "Successful")] {
        let server = server(success("vector", vector(value))).await;
        let got = measured(json!({"address": server.uri(), "query": "up{a=\"b\"}"})).await;
        assert_eq!((got.phase.as_str(), got.value, got.message), (phase, format!("[{value}]"), String::new()));
        let sent = String::from_utf8(server.received_requests().await.unwrap()[0].body.clone()).unwrap();
        assert_eq!(sent, "query=up%7Ba%3D%22b%22%7D&time=1777896000");
    }
}

#[tokio::test]
async fn an_empty_vector_is_an_error() {
    let server = server(success("vector", json!([]))).await;
    let got = measured(json!({"address": server.uri(), "query": "up"})).await;
    assert!(error(&got).starts_with("could not evaluate successCondition"), "{got:?}");
}

#[tokio::test]
async fn warnings_and_the_query_are_told() {
    let body = json!({"status": "success", "warnings": ["w1", "w2"],
        "data": {"resultType": "vector", "result": [{"value": [1, "1"]}]}});
    let server = server(ResponseTemplate::new(200).set_body_json(body)).await;
    let metric = metric(json!({"query": "up"}));
    let got = carried_out(&metric, Action::Measure, &Redactor::default(), &server.uri()).await;
    assert_eq!(got.measurement.metadata["warnings"], "\"w1\", \"w2\"");
    assert_eq!(got.metadata, BTreeMap::from([("ResolvedPrometheusQuery".to_owned(), "up".to_owned())]));
}

#[tokio::test]
async fn troubles_of_the_server_are_errors() {
    let refused = json!({"status": "error", "errorType": "bad_data", "error": "parse error at char 1"});
    let cases = [
        (ResponseTemplate::new(400).set_body_json(refused), "bad_data: parse error at char 1"),
        (ResponseTemplate::new(500), "server_error: server error: 500"),
        (ResponseTemplate::new(404), "client_error: client error: 404"),
        (ResponseTemplate::new(200).set_body_string("<html>"), "bad_response: expected value at line 1 column 1"),
        (success("string", json!([1, "x"])), "Prometheus metric type not supported"),
    ];
    for (answer, message) in cases {
        let server = server(answer).await;
        assert_eq!(error(&measured(json!({"address": server.uri(), "query": "up"})).await), message);
    }
}

#[tokio::test]
async fn a_slow_server_is_left() {
    let server = server(success("scalar", json!([1, "1"])).set_delay(Duration::from_secs(20))).await;
    let got = measured(json!({"address": server.uri(), "query": "up", "timeout": 1})).await;
    assert_eq!(error(&got), format!("Post \"{}/api/v1/query\": context deadline exceeded", server.uri()));
}

#[tokio::test]
async fn a_huge_answer_is_not_read() {
    let server = server(ResponseTemplate::new(200).set_body_bytes(vec![b' '; MAX_ANSWER_BYTES + 1])).await;
    let got = measured(json!({"address": server.uri(), "query": "up"})).await;
    assert!(error(&got).contains("answer is longer than"), "{got:?}");
}

#[tokio::test]
async fn long_texts_are_cut() {
    let result: Vec<Value> = (0..20_000).map(|n| json!({"value": [1, n.to_string()]})).collect();
    let vector = server(success("vector", json!(result))).await;
    let got = measured(json!({"address": vector.uri(), "query": "up"})).await;
    assert!(got.value.len() <= MAX_VALUE_BYTES && got.value.ends_with('…'), "{}", got.value.len());
    let refusal = json!({"status": "error", "errorType": "bad_data", "error": "no ".repeat(400_000)});
    let server = server(ResponseTemplate::new(400).set_body_json(refusal)).await;
    let got = measured(json!({"address": server.uri(), "query": "up"})).await;
    assert!(got.message.len() <= LONGEST && got.message.ends_with('…'), "{}", got.message.len());
}

#[tokio::test]
async fn nobody_listens() {
    let got = measured(json!({"address": "http://user:hush@127.0.0.1:1/x", "query": "up"})).await;
    let message = error(&got);
    assert!(message.starts_with("Post \"http://127.0.0.1:1/x/api/v1/query\": "), "{message}");
    assert!(message.contains("refused") && !message.contains("hush"), "{message}");
}

#[tokio::test]
async fn settings_that_cannot_be_used() {
    let oauth2 = json!({"oauth2": {"tokenUrl": "http://127.0.0.1:1", "clientId": "id"}});
    let cases = [
        (json!({"query": "q"}), "prometheus address is not configured"),
        (json!({"address": "prom:9090"}), "prometheus address is not is url format"),
        (json!({"address": "127.0.0.1:9090"}), "prometheus address is not is url format"),
        (json!({"address": "http://a", "timeout": -1}), "prometheus timeout should not be negative"),
        (
            json!({"address": "http://a", "authentication": oauth2}),
            "missing mandatory parameter in metric for OAuth2 setup",
        ),
        (
            json!({"address": "http://a", "headers": [{"key": "a b", "value": "hush"}]}),
            "header \"a b\" is not a valid HTTP header",
        ),
        (
            json!({"address": "http://a", "rangeQuery": {"start": "now()", "end": "now()", "step": "1"}}),
            "failed to parse rangeQuery.step as duration: time: missing unit in duration \"1\"",
        ),
    ];
    for (settings, message) in cases {
        assert_eq!(error(&measured(settings).await), message);
    }
}

#[tokio::test]
async fn headers_and_basic_auth_are_sent() {
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Basic dTpw"))
        .and(header("x-scope-orgid", "tenant"))
        .respond_with(success("vector", json!([{"value": [1, "1"]}])))
        .mount(&server)
        .await;
    let basic = json!({"basicAuth": {"username": "u", "password": "p"}});
    let headers = json!([{"key": "X-Scope-OrgID", "value": "tenant"}]);
    let with = json!({"address": server.uri(), "query": "up", "authentication": basic, "headers": headers});
    assert_eq!(measured(with).await.phase, "Successful");
    let half = json!({"basicAuth": {"username": "u", "password": ""}});
    let without = json!({"address": server.uri(), "query": "up", "authentication": half, "headers": headers});
    assert_eq!(error(&measured(without).await), "client_error: client error: 404");
}

#[tokio::test]
async fn a_token_is_fetched_by_header_or_by_form() {
    for by_form in [false, true] {
        let server = MockServer::start().await;
        let token = ResponseTemplate::new(200).set_body_json(json!({"access_token": "t0k"}));
        let grant = body_string_contains("grant_type=client_credentials&scope=a+b");
        if by_form {
            let form = body_string_contains("client_id=id&client_secret=s%26t");
            Mock::given(path("/token")).and(grant).and(form).respond_with(token).mount(&server).await;
        } else {
            // id:s%26t
            let basic = header("authorization", "Basic aWQ6cyUyNnQ=");
            Mock::given(path("/token")).and(grant).and(basic).respond_with(token).mount(&server).await;
        }
        Mock::given(path("/api/v1/query"))
            .and(header("authorization", "Bearer t0k"))
            .respond_with(success("vector", json!([{"value": [1, "1"]}])))
            .mount(&server)
            .await;
        let oauth2 = json!({"oauth2": {"tokenUrl": format!("{}/token", server.uri()), "clientId": "id",
            "clientSecret": "s&t", "scopes": ["a", "b"]}});
        let got = measured(json!({"address": server.uri(), "query": "up", "authentication": oauth2})).await;
        assert_eq!(got.phase, "Successful", "{}", got.message);
    }
}

#[tokio::test]
async fn a_token_that_is_refused_names_no_secret() {
    let server = MockServer::start().await;
    let refused = ResponseTemplate::new(401).set_body_string("hush is wrong");
    Mock::given(path("/token")).respond_with(refused).mount(&server).await;
    let oauth2 = json!({"oauth2": {"tokenUrl": format!("{}/token", server.uri()), "clientId": "id",
        "clientSecret": "hush"}});
    let got = measured(json!({"address": server.uri(), "query": "up", "authentication": oauth2})).await;
    assert_eq!(error(&got), "oauth2: cannot fetch token: status 401");
}

#[tokio::test]
async fn a_server_without_post_is_asked_with_get() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(405)).mount(&server).await;
    let answer = success("vector", json!([{"value": [1, "1"]}]));
    Mock::given(method("GET")).and(path("/prom/api/v1/query")).respond_with(answer).mount(&server).await;
    let got = measured(json!({"address": format!("{}/prom/", server.uri()), "query": "up"})).await;
    assert_eq!(got.phase, "Successful", "{}", got.message);
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests[1].url.query(), Some("query=up&time=1777896000"));
}

#[tokio::test]
async fn redirects_stay_on_the_host_and_end() {
    let server = MockServer::start().await;
    let to = |place: &str| ResponseTemplate::new(307).insert_header("location", place);
    Mock::given(path("/a/api/v1/query")).respond_with(to("/api/v1/query")).mount(&server).await;
    Mock::given(path("/b/api/v1/query")).respond_with(to("http://localhost:1/")).mount(&server).await;
    Mock::given(path("/c/api/v1/query")).respond_with(to("/c/api/v1/query")).mount(&server).await;
    let answer = success("vector", json!([{"value": [1, "1"]}]));
    Mock::given(method("POST")).and(path("/api/v1/query")).respond_with(answer).mount(&server).await;
    let at = |base: &str| measured(json!({"address": format!("{}/{base}", server.uri()), "query": "up"}));
    assert_eq!(at("a").await.phase, "Successful");
    assert_eq!(error(&at("b").await), "bad_response: bad response code 307");
    assert!(error(&at("c").await).ends_with("too many redirects"));
    assert!(server.received_requests().await.unwrap().len() <= 4 + MAX_REDIRECTS);
}

#[tokio::test]
async fn a_range_is_asked_for() {
    let server = MockServer::start().await;
    let matrix = json!([{"values": [[1, "0.96"], [2, "0.5"]]}]);
    Mock::given(path("/api/v1/query_range")).respond_with(success("matrix", matrix)).mount(&server).await;
    let range = json!({"start": "now() - duration(\"5m\")", "end": "now()", "step": "1m30s"});
    let got = measured(json!({"address": server.uri(), "query": "up", "rangeQuery": range})).await;
    assert_eq!((got.phase.as_str(), got.value.as_str()), ("Successful", "[0.96,0.5]"));
    let sent = String::from_utf8(server.received_requests().await.unwrap()[0].body.clone()).unwrap();
    assert_eq!(sent, "query=up&start=1777895700&end=1777896000&step=90");
    let odd = json!({"start": "1", "end": "now()", "step": "1m"});
    let got = measured(json!({"address": server.uri(), "query": "up", "rangeQuery": odd})).await;
    let message = "failed to parse rangeQuery.start as time: expected time.Time, but got int";
    assert!(error(&got).starts_with(message), "{got:?}");
}

#[tokio::test]
async fn secrets_are_hidden_in_what_people_read() {
    let body = json!({"status": "error", "errorType": "bad_data", "error": "no series for hush"});
    let server = server(ResponseTemplate::new(400).set_body_json(body)).await;
    let metric = metric(json!({"address": server.uri(), "query": "up{key=\"hush\"}"}));
    let mut redactor = Redactor::default();
    redactor.add("hush");
    let got = carried_out(&metric, Action::Measure, &redactor, "").await;
    assert_eq!(error(&got.measurement), "bad_data: no series for *****");
    assert_eq!(got.metadata["ResolvedPrometheusQuery"], "up{key=\"*****\"}");
}

#[tokio::test]
async fn an_unsupported_provider_is_an_error_that_says_so() {
    let web: Metric = serde_json::from_value(json!({"name": "m", "provider": {"web": {"url": "u"}}})).unwrap();
    let open = Measurement { started_at: Some(Time::from_seconds(5)), ..Measurement::default() };
    let got = carried_out(&web, Action::Resume(open), &Redactor::default(), "").await.measurement;
    assert_eq!((got.phase.as_str(), got.started_at), ("Error", Some(Time::from_seconds(5))));
    assert!(got.message.contains("provider.web is not supported"), "{}", got.message);
}

/// A TLS server with a certificate that nobody trusts; it answers one request a connection, and ends with the test process.
fn tls_server() -> String {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use std::io::{BufRead, BufReader, Read, Write};

    const PEM: &[u8] = include_bytes!("testdata/untrusted.pem");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let chain = vec![CertificateDer::from_pem_slice(PEM).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(PEM).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = |stream: std::net::TcpStream, config| -> std::io::Result<()> {
        let connection = rustls::ServerConnection::new(config).unwrap();
        let mut reader = BufReader::new(rustls::StreamOwned::new(connection, stream));
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line)? > 2 {
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        reader.read_exact(&mut vec![0; length])?;
        let body = r#"{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]}]}}"#;
        let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        reader.get_mut().write_all((head + body).as_bytes())?;
        reader.get_mut().conn.send_close_notify();
        reader.get_mut().flush()
    };
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that hangs up in the handshake is what one of the tests is about.
            let _ = answer(stream, Arc::clone(&config));
        }
    });
    format!("https://{address}")
}

#[tokio::test]
async fn a_certificate_must_be_trusted_unless_the_metric_says_otherwise() {
    let address = tls_server();
    let refused = measured(json!({"address": address, "query": "up"})).await;
    assert!(error(&refused).contains("certificate"), "{refused:?}");
    let accepted = measured(json!({"address": address, "query": "up", "insecure": true})).await;
    assert_eq!(accepted.phase, "Successful", "{}", accepted.message);
}
