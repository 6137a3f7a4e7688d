//! The gateway: HTTP requests in, each led to a pod of the model by `Host` and headers, and answered in its name.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, Response, StatusCode};
use siskin::sim::traffic::flow::PodFacts;
use siskin::sim::traffic::{Door, Outcome, Reply, Target};

/// What the workload of `e2e/app` says of every answer.
const TEXT: &str = "text/plain; version=0.0.4";

/// Answers all paths and methods.
pub fn router(door: Door) -> Router {
    Router::new().fallback(move |headers: HeaderMap| {
        let answer = answer(&door, &headers);
        async move { answer }
    })
}

fn answer(door: &Door, headers: &HeaderMap) -> Response<Body> {
    let texts =
        headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let headers: BTreeMap<String, String> = texts.collect();
    let host = headers.get(HOST.as_str()).map(|host| host.split(':').next().unwrap_or_default()).unwrap_or_default();
    // As Envoy does for a host that no route names.
    let Some(route) = door.route_of(host) else { return own(StatusCode::NOT_FOUND, "") };
    let Reply { outcome, pod } = door.ask(&Target::Route(route), &headers);
    match outcome {
        Outcome::Ok { pod: facts, .. } => of_pod(StatusCode::OK, &facts, &pod),
        Outcome::VersionError { pod: facts, .. } => of_pod(StatusCode::INTERNAL_SERVER_ERROR, &facts, &pod),
        Outcome::Lost { reason, .. } => own(StatusCode::SERVICE_UNAVAILABLE, reason.as_text()),
    }
}

fn of_pod(status: StatusCode, facts: &PodFacts, pod: &str) -> Response<Body> {
    let body = format!("{} {pod}\n", facts.version);
    let response = Response::builder().status(status).header(CONTENT_TYPE, TEXT);
    let response = response.header("X-Version", &facts.version).header("X-Pod", pod).body(body.into());
    // A version that no header can hold has none; whoever asked counts the answer as lost.
    response.unwrap_or_else(|_| own(StatusCode::BAD_GATEWAY, "the version is no header"))
}

/// An answer that no pod gave.
fn own(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
}
