//! The shapes of queries that analysis templates use.

#![allow(clippy::disallowed_methods, reason = "tests wait on the clock that tokio pauses, and end with their tasks")]

use serde_json::{Value, json};

use super::Prometheus;
use crate::sim::models::tests::{Bench, bench};
use crate::sim::traffic::Load;

/// One version without errors and one that always fails, at 50 requests a second each.
fn served() -> (Bench, Prometheus) {
    let mut bench = bench();
    bench.replica_set("v1", 1, &json!({}));
    bench.replica_set("v2", 1, &json!({ "sim.siskin.dev/error-rate": "1" }));
    for (service, hash) in [("stable", "v1"), ("canary", "v2")] {
        bench.service(service, hash);
    }
    bench.run(1000);
    for service in ["stable", "canary"] {
        bench.cluster.traffic.add(Load::of_service("default", service, 50.0));
    }
    bench.run(10_000);
    let prometheus = bench.cluster.prometheus();
    (bench, prometheus)
}

fn rows(prometheus: &Prometheus, query: &str) -> Vec<(Value, String)> {
    let (code, body) = prometheus.query(query);
    assert_eq!((code, &body["status"]), (200, &json!("success")), "{query}: {body}");
    let row = |row: &Value| (row["metric"].clone(), row["value"][1].as_str().unwrap().to_owned());
    body["data"]["result"].as_array().unwrap().iter().map(row).collect()
}

fn one(prometheus: &Prometheus, query: &str) -> String {
    let rows = rows(prometheus, query);
    assert_eq!(rows.len(), 1, "{query}: {rows:?}");
    rows.into_iter().next().unwrap().1
}

#[test]
fn rates_and_ratios() {
    let (_, prometheus) = served();
    let good = r#"sum(rate(http_requests_total{version="v1",code!~"5.."}[5s]))"#;
    let all = r#"sum(rate(http_requests_total{version="v1"}[5s]))"#;
    assert_eq!(one(&prometheus, good), "50");
    assert_eq!(one(&prometheus, &format!("{good} / {all}")), "1");
    let failed = r#"sum(rate(http_requests_total{service="canary",code=~"5.."}[5s])) / sum(rate(http_requests_total{service="canary"}[5s])) * 100"#;
    assert_eq!(one(&prometheus, failed), "100");
    assert_eq!(one(&prometheus, r#"sum(increase(http_requests_total{rollouts_pod_template_hash="v2"}[2s]))"#), "100");
    let by = rows(&prometheus, "sum by (version) (rate(http_requests_total[5s]))");
    assert_eq!(by, [(json!({ "version": "v1" }), "50".to_owned()), (json!({ "version": "v2" }), "50".to_owned())]);
}

#[test]
fn what_never_counted_is_empty_and_not_zero() {
    let (_, prometheus) = served();
    assert!(rows(&prometheus, "sum(rate(unknown_total[1m]))").is_empty());
    let errors = r#"sum(rate(http_requests_total{version="v1",code=~"5.."}[5s]))"#;
    assert!(rows(&prometheus, errors).is_empty());
    assert!(rows(&prometheus, &format!("{errors} / sum(rate(http_requests_total[5s]))")).is_empty());
    assert_eq!(one(&prometheus, &format!("({errors} or vector(0)) / sum(rate(http_requests_total[5s]))")), "0");
    assert_eq!(one(&prometheus, &format!("{errors} or vector(1)")), "1");
    assert_eq!(one(&prometheus, "vector(0) / vector(0)"), "NaN");
}

#[test]
fn a_quiet_series_counts_zero_and_ratios_of_it_are_nan() {
    let (mut bench, prometheus) = served();
    bench.cluster.traffic.clear();
    bench.run(10_000);
    let all = r#"sum(rate(http_requests_total{version="v1"}[5s]))"#;
    assert_eq!(one(&prometheus, all), "0");
    assert_eq!(one(&prometheus, &format!("{all} / {all}")), "NaN");
    let (_, scalar) = prometheus.query("1 + 2 * 3");
    assert_eq!(scalar["data"], json!({ "resultType": "scalar", "result": [scalar["data"]["result"][0], "7"] }));
}

#[test]
fn quantiles_of_the_time_that_answers_took() {
    let mut bench = bench();
    bench.replica_set("v1", 1, &json!({ "sim.siskin.dev/latency": "0.04" }));
    bench.replica_set("v2", 1, &json!({ "sim.siskin.dev/latency": "0.4", "sim.siskin.dev/capacity": "60" }));
    for (service, hash) in [("stable", "v1"), ("canary", "v2")] {
        bench.service(service, hash);
    }
    bench.run(1000);
    for service in ["stable", "canary"] {
        bench.cluster.traffic.add(Load::of_service("default", service, 30.0));
    }
    bench.run(30_000);
    let prometheus = bench.cluster.prometheus();
    let quantile = |of: &str, service: &str| {
        let rate = format!(r#"sum by (le) (rate(http_request_duration_seconds_bucket{{service="{service}"}}[20s]))"#);
        one(&prometheus, &format!("histogram_quantile({of}, {rate})")).parse::<f64>().unwrap()
    };
    // Between half and one and a half times 40 ms.
    assert!((0.02..0.06).contains(&quantile("0.5", "stable")), "{}", quantile("0.5", "stable"));
    assert!(quantile("0.99", "stable") <= 0.1);
    // Half busy, so twice the idle time in the mean.
    assert!((0.5..1.2).contains(&quantile("0.5", "canary")), "{}", quantile("0.5", "canary"));
    let mean = r#"sum(rate(http_request_duration_seconds_sum{version="v1"}[20s])) / sum(rate(http_request_duration_seconds_count{version="v1"}[20s]))"#;
    let mean: f64 = one(&prometheus, mean).parse().unwrap();
    assert!((0.036..0.044).contains(&mean), "{mean}");
    let inside = rows(&prometheus, r#"http_request_duration_seconds_bucket{version="v1",le="+Inf"}"#);
    assert_eq!(inside.len(), 1);
    assert!(
        rows(&prometheus, r#"histogram_quantile(0.9, rate(http_request_duration_seconds_bucket{version="v9"}[20s]))"#)
            .is_empty()
    );
}

#[test]
fn the_rest_is_bad_data() {
    let (_, prometheus) = served();
    let bad = [
        "",
        "sum(",
        "quantile(0.9, x)",
        "histogram_quantile(x)",
        "rate(x[5x])",
        "x{a=b}",
        "x{a=\"b\"",
        "1 1",
        "x offset 5m",
        "rate(x)",
    ];
    for query in bad {
        let (code, body) = prometheus.query(query);
        assert_eq!((code, &body["errorType"]), (400, &json!("bad_data")), "{query}");
    }
    let (code, _) = prometheus.query(&"(".repeat(10_000));
    assert_eq!(code, 400);
}

#[tokio::test]
async fn over_http_beside_the_api_server() {
    let (bench, prometheus) = served();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/prometheus/api/v1/query", listener.local_addr().unwrap());
    let router = bench.cluster.server.router().nest("/prometheus", prometheus.router());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let query = [("query", r#"sum(rate(http_requests_total{version="v1"}[5s])) + 1"#), ("time", "0")];
    for request in [client.get(&base).query(&query), client.post(&base).form(&query)] {
        let body: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
        assert_eq!(body["data"]["result"][0]["value"][1], json!("51"), "{body}");
    }
    let bad = client.get(&base).query(&[("query", "(")]).send().await.unwrap();
    assert_eq!(bad.status(), 400);
}

#[test]
fn series_tell_the_namespaces_of_the_pods_that_answered() {
    let (_bench, prometheus) = served();
    let total = one(&prometheus, "sum(rate(http_requests_total{namespace=\"default\"}[5s]))");
    assert_eq!(total, one(&prometheus, "sum(rate(http_requests_total[5s]))"));
    assert_eq!(rows(&prometheus, "sum(rate(http_requests_total{namespace=\"other\"}[5s]))"), []);
}
