//! Prometheus: an instant query, or a query over a range of time. Argo: `metricproviders/prometheus`.
//!
//! An answer that cannot be read as numbers is an error, never a number: no news is not success.

mod answer;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use reqwest::{Client, Method, StatusCode, Url};

use super::http::{Clients, HttpError, read_body, shown};
use super::judgement::{instant, judge};
use super::oauth2::{TokenError, token};
use super::source::{Clock, MeasureFuture, MetricSource, Request, in_error};
use super::target::{SettingsError, Target, Who};
use crate::api::analysis::{Measurement, Metric};
use crate::api::duration::GoDuration;
use crate::api::metric_provider::PrometheusMetric;
use crate::api::time::Time;
use answer::{Answer, AnswerError, read_answer};

/// Key of the metric's metadata that shows the query as it was sent.
const RESOLVED_QUERY: &str = "ResolvedPrometheusQuery";
/// Key of a measurement's metadata that shows the server's warnings.
const WARNINGS: &str = "warnings";

/// Why a query gave no numbers.
#[derive(Debug, thiserror::Error)]
enum QueryError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("failed to parse rangeQuery.{0} as {1}: {2}")]
    Range(&'static str, &'static str, String),
    #[error("{verb} \"{url}\": {cause}")]
    Exchange { verb: &'static str, url: String, cause: HttpError },
    #[error("Post \"{0}\": context deadline exceeded")]
    TimedOut(String),
    #[error("Post \"{url}\": {cause}")]
    Unreachable { url: String, cause: String },
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Client(#[from] HttpError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
    #[error("{0}")]
    Condition(String),
}

/// The Prometheus source.
pub struct Prometheus {
    clients: Arc<Clients>,
    default_address: String,
    clock: Clock,
}

/// A query as it is sent.
struct Query {
    path: &'static str,
    form: Vec<(&'static str, String)>,
}

impl Prometheus {
    /// A source that asks `default_address` where a metric names no server; empty for none.
    pub fn new(clients: Arc<Clients>, default_address: String, clock: Clock) -> Self {
        Self { clients, default_address, clock }
    }

    async fn query(&self, settings: &PrometheusMetric) -> Result<Answer, QueryError> {
        let target = Target::of(settings, &self.default_address)?;
        let query = Query::of(settings, (self.clock)())?;
        let client = self.clients.of(target.trust)?;
        let url = target.endpoint(query.path);
        let exchange = exchange(client, &target, &url, &query);
        match tokio::time::timeout(target.timeout, exchange).await {
            Ok(result) => result,
            Err(_) => Err(QueryError::TimedOut(shown(&url))),
        }
    }

    async fn outcome(&self, metric: &Metric, begun: Measurement) -> Result<Measurement, QueryError> {
        let settings = metric.provider.prometheus.clone().unwrap_or_default();
        let answer = self.query(&settings).await?;
        self.judged(metric, &answer, begun)
    }

    /// The measurement that `ask` makes, where a server is asked in another way than over HTTP: it is given the
    /// endpoint (`/api/v1/query`) and the query, and gives status and body, or why nobody answered. Settings are checked
    /// and answers are read and judged as ever.
    pub fn measure_by<F>(&self, metric: &Metric, ask: F) -> Measurement
    where
        F: FnOnce(&str, &str) -> Result<(u16, Vec<u8>), String>,
    {
        let begun = Measurement { started_at: Some((self.clock)()), ..Measurement::default() };
        let settings = metric.provider.prometheus.clone().unwrap_or_default();
        let outcome = self.asked_by(&settings, ask).and_then(|answer| self.judged(metric, &answer, begun.clone()));
        outcome.unwrap_or_else(|error| in_error(begun, error.to_string(), (self.clock)()))
    }

    fn asked_by<F>(&self, settings: &PrometheusMetric, ask: F) -> Result<Answer, QueryError>
    where
        F: FnOnce(&str, &str) -> Result<(u16, Vec<u8>), String>,
    {
        let target = Target::of(settings, &self.default_address)?;
        let query = Query::of(settings, (self.clock)())?;
        let answered = ask(query.path, &settings.query);
        let url = || shown(&target.endpoint(query.path));
        let (status, body) = answered.map_err(|cause| QueryError::Unreachable { url: url(), cause })?;
        Ok(read_answer(status, &body)?)
    }

    fn judged(&self, metric: &Metric, answer: &Answer, begun: Measurement) -> Result<Measurement, QueryError> {
        let now = (self.clock)();
        let phase = judge(metric, &answer.sample, now).map_err(QueryError::Condition)?;
        let mut metadata = BTreeMap::new();
        if !answer.warnings.is_empty() {
            let quoted: Vec<String> = answer.warnings.iter().map(|warning| format!("\"{warning}\"")).collect();
            metadata.insert(WARNINGS.to_owned(), quoted.join(", "));
        }
        let (phase, value) = (phase.to_string(), answer.value.clone());
        Ok(Measurement { phase, value, metadata, finished_at: Some(now), ..begun })
    }
}

impl MetricSource for Prometheus {
    fn kind(&self) -> &'static str {
        "Prometheus"
    }

    fn metadata(&self, metric: &Metric) -> BTreeMap<String, String> {
        let query = metric.provider.prometheus.as_ref().map(|settings| settings.query.clone());
        query.filter(|query| !query.is_empty()).map(|query| (RESOLVED_QUERY.to_owned(), query)).into_iter().collect()
    }

    fn measure<'a>(&'a self, request: Request<'a>) -> MeasureFuture<'a> {
        Box::pin(async move {
            let begun = Measurement { started_at: Some((self.clock)()), ..Measurement::default() };
            match self.outcome(request.metric, begun.clone()).await {
                Ok(measurement) => measurement,
                Err(error) => in_error(begun, error.to_string(), (self.clock)()),
            }
        })
    }
}

impl Query {
    fn of(settings: &PrometheusMetric, now: Time) -> Result<Self, QueryError> {
        let query = ("query", settings.query.clone());
        let Some(range) = &settings.range_query else {
            return Ok(Self { path: "/api/v1/query", form: vec![query, ("time", unix(now))] });
        };
        let at = |field, text: &str| instant(text, now).map_err(|cause| QueryError::Range(field, "time", cause));
        let (start, end) = (at("start", &range.start)?, at("end", &range.end)?);
        let step =
            GoDuration::parse(&range.step).map_err(|cause| QueryError::Range("step", "duration", cause.to_string()))?;
        let form = vec![query, ("start", unix(start)), ("end", unix(end)), ("step", seconds(step.0))];
        Ok(Self { path: "/api/v1/query_range", form })
    }
}

/// Seconds since the epoch as Prometheus reads them.
fn unix(time: Time) -> String {
    seconds(time.nanos())
}

#[allow(clippy::cast_precision_loss, reason = "the API takes a float; microseconds survive")]
fn seconds(nanos: i64) -> String {
    (nanos as f64 / 1e9).to_string()
}

/// Sends the query as a form; a server that refuses the method is asked with GET, as Prometheus' own client does.
async fn exchange(client: &Client, target: &Target, url: &Url, query: &Query) -> Result<Answer, QueryError> {
    let bearer = match &target.who {
        Who::Oauth2(settings) => Some(token(client, settings).await?),
        Who::Nobody | Who::Basic(..) => None,
    };
    let request = |method: Method| {
        let mut request = client.request(method, url.clone());
        if let Who::Basic(user, password) = &target.who
            && !target.headers.contains_key(AUTHORIZATION)
        {
            request = request.basic_auth(user, Some(password));
        }
        if let Some(bearer) = &bearer {
            request = request.bearer_auth(bearer);
        }
        request.headers(target.headers.clone())
    };
    let broken = |verb| move |cause| QueryError::Exchange { verb, url: shown(url), cause };
    let posted = request(Method::POST).form(&query.form).send().await;
    let mut response = posted.map_err(|error| broken("Post")(HttpError::exchange(error)))?;
    let mut verb = "Post";
    if matches!(response.status(), StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED) {
        verb = "Get";
        let got = request(Method::GET).query(&query.form).send().await;
        response = got.map_err(|error| broken("Get")(HttpError::exchange(error)))?;
    }
    let status = response.status();
    let body = read_body(response).await.map_err(broken(verb))?;
    Ok(read_answer(status.as_u16(), &body)?)
}
