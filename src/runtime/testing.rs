//! An API server for tests: a closure answers each request, and every request is written down.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::Value;

use super::client::Api;
use super::clock::Clock;
use super::limiter::{Limiter, Limits};
use crate::telemetry::metrics::Metrics;

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
    pub content_type: String,
    pub body: Value,
}

/// What the server does.
pub enum Answer {
    Json(u16, Value),
    Raw(Response<Content>),
    /// A watch: these events, and then silence on an open connection.
    Watch(Vec<Value>),
    /// A watch that the server closes after these events.
    ClosedWatch(Vec<Value>),
    /// The connection breaks.
    Broken,
    /// Never.
    Silence,
}

pub type Content = axum::body::Body;
pub type Log = Arc<Mutex<Vec<Asked>>>;

/// A client whose requests `answer` answers, and their log.
pub fn client(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> (kube::Client, Log) {
    let log = Log::default();
    let (answer, written) = (Arc::new(answer), Arc::clone(&log));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (answer, written) = (Arc::clone(&answer), Arc::clone(&written));
        async move {
            let (head, body) = request.into_parts();
            let bytes = body.collect().await?.to_bytes();
            let header = head.headers.get(http::header::CONTENT_TYPE);
            let asked = Asked {
                method: head.method.to_string(),
                path: head.uri.path().to_owned(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                content_type: header.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default(),
                body: serde_json::from_slice(&bytes).unwrap_or_default(),
            };
            written.lock().push(asked.clone());
            match answer(&asked) {
                Answer::Json(code, value) => Ok(json_response(code, &value)),
                Answer::Raw(response) => Ok(response),
                Answer::Watch(events) => Ok(watch_response(&events, false)),
                Answer::ClosedWatch(events) => Ok(watch_response(&events, true)),
                Answer::Broken => Err(tower::BoxError::from("connection closed before message completed")),
                Answer::Silence => std::future::pending().await,
            }
        }
    });
    (kube::Client::new(service, "default"), log)
}

pub fn json_response(code: u16, value: &Value) -> Response<Content> {
    Response::builder().status(code).body(Content::from(value.to_string())).unwrap()
}

/// The events as lines, then nothing more, on a connection that stays open or not.
fn watch_response(events: &[Value], ends: bool) -> Response<Content> {
    let lines: Vec<_> = events.iter().map(|event| Ok(Bytes::from(format!("{event}\n")))).collect();
    let lines = futures::stream::iter(lines);
    let forever = futures::stream::pending::<Result<Bytes, std::convert::Infallible>>();
    Response::new(if ends { Content::from_stream(lines) } else { Content::from_stream(lines.chain(forever)) })
}

/// Our verbs over such a client, and the clock that they go by.
pub fn api(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> (Api, Log, Clock, Metrics) {
    let clock = Clock::scaled("2026-11-21T12:00:00Z".parse().unwrap(), 1.0);
    let metrics = Metrics::new().unwrap();
    let (client, log) = client(answer);
    let limiter = Limiter::new(Limits::default(), clock.clone());
    (Api::new(client, limiter, clock.clone(), metrics.requests.clone(), "tester"), log, clock, metrics)
}
