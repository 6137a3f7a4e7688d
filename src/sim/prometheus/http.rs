//! The HTTP API: `GET` and `POST /api/v1/query`.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use http::{StatusCode, Uri};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::dialect::{Gap, translate};
use super::eval::{Answer, evaluate};
use super::parse::{ParseError, parse};
use crate::api::Time;
use crate::sim::api_server::Now;
use crate::sim::traffic::Record;

/// The model's Prometheus. Clones are handles to the same one.
#[derive(Clone)]
pub struct Prometheus {
    record: Arc<Mutex<Record>>,
    now: Now,
}

impl Prometheus {
    /// Answers from `record`, as of `now`.
    pub fn new(record: Arc<Mutex<Record>>, now: Now) -> Self {
        Self { record, now }
    }

    /// The answer to an instant query: the HTTP status and the body. The parameter `time` is not looked at.
    pub fn query(&self, query: &str) -> (u16, Value) {
        let now = (self.now)();
        match parse(query) {
            Err(error) => refused(&error),
            Ok(expr) => {
                let answer = evaluate(&expr, &self.record.lock(), now);
                (200, json!({ "status": "success", "data": data(answer, now) }))
            }
        }
    }

    /// The same for a query in the words of another system ([`super::dialect`]), of users in `namespace`; and what the
    /// model has not.
    pub fn query_in_any_dialect(&self, query: &str, namespace: &str) -> (u16, Value, Vec<Gap>) {
        let now = (self.now)();
        match translate(query, namespace) {
            Err(error) => {
                let (code, body) = refused(&error);
                (code, body, vec![Gap::Syntax(error.to_string())])
            }
            Ok((expr, gaps)) => {
                let answer = evaluate(&expr, &self.record.lock(), now);
                (200, json!({ "status": "success", "data": data(answer, now) }), gaps)
            }
        }
    }

    /// The routes, for a listener of their own; under the API server's listener nest them below `/prometheus`.
    pub fn router(&self) -> Router {
        Router::new().route("/api/v1/query", get(by_get).post(by_post)).with_state(self.clone())
    }
}

fn refused(error: &ParseError) -> (u16, Value) {
    let error = format!("invalid parameter \"query\": {error}");
    (400, json!({ "status": "error", "errorType": "bad_data", "error": error }))
}

async fn by_get(State(prometheus): State<Prometheus>, uri: Uri) -> Response {
    respond(&prometheus, &uri)
}

/// The parameters stand in the body as a form, or in the path as with GET.
async fn by_post(State(prometheus): State<Prometheus>, uri: Uri, body: Bytes) -> Response {
    let form = String::from_utf8_lossy(&body);
    match format!("/?{form}").parse::<Uri>() {
        Ok(form) if !body.is_empty() => respond(&prometheus, &form),
        _ => respond(&prometheus, &uri),
    }
}

fn respond(prometheus: &Prometheus, uri: &Uri) -> Response {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
    let query = pairs.into_iter().find(|(key, _)| key == "query").map(|(_, value)| value).unwrap_or_default();
    let (code, body) = prometheus.query(&query);
    (StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Json(body)).into_response()
}

fn data(answer: Answer, now: Time) -> Value {
    let at = json!(seconds(now));
    match answer {
        Answer::Scalar(number) => json!({ "resultType": "scalar", "result": [at, text(number)] }),
        Answer::Vector(rows) => {
            let row = |(labels, value)| json!({ "metric": labels, "value": [at, text(value)] });
            json!({ "resultType": "vector", "result": rows.into_iter().map(row).collect::<Vec<_>>() })
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 stay below 2^53")]
fn seconds(now: Time) -> f64 {
    now.nanos().div_euclid(1_000_000) as f64 / 1000.0
}

/// Numbers as Go prints them.
fn text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        number.to_string()
    }
}
