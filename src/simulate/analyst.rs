//! The AnalysisRun controller: the controller's own steps and the Prometheus source's own judgement, over the model's
//! Prometheus, in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::analysis::run::{Finished, Input, Task, refuse_arguments, step};
use crate::analysis::substitute;
use crate::analysis::support::unsupported;
use crate::api::analysis::Measurement;
use crate::api::{AnalysisRun, Time};
use crate::provider::{Clients, MetricSource as _, Prometheus as Source};
use crate::rollout::status::record::difference;
use crate::sim::api_server::Hand;
use crate::sim::clock::ManualClock;
use crate::sim::object;
use crate::sim::prometheus::{Gap, Prometheus};

/// The server of metrics that name none: in a cluster it is a setting of the controller.
const DEFAULT_ADDRESS: &str = "http://prometheus";
/// The only endpoint that the model has.
const INSTANT: &str = "/api/v1/query";
/// Looks at one run without time passing.
const MAX_LOOKS: usize = 20;

/// A measurement that was taken, or a run that has ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum News {
    /// Metric, phase, what came back.
    Measured { metric: String, phase: String, value: String },
    /// Phase and message.
    Ended { run: String, phase: String, message: String },
}

/// A query that the model has not wholly understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unanswered {
    pub metric: String,
    pub query: String,
    pub gap: Gap,
    /// Phase of the measurement.
    pub counts_as: String,
}

/// Whether somebody answers queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    Up,
    Down,
}

pub(super) struct Analyst {
    hand: Hand,
    source: Source,
    prometheus: Prometheus,
    clock: ManualClock,
    wake: BTreeMap<(String, String), Option<Time>>,
    seen: u64,
    pub server: Server,
    pub news: Vec<News>,
    pub unanswered: BTreeSet<Unanswered>,
    /// Secrets that are not in the files.
    pub assumed_secrets: BTreeSet<String>,
}

impl Analyst {
    pub fn new(hand: Hand, prometheus: Prometheus, clock: ManualClock) -> Self {
        let source = Source::new(Arc::new(Clients::default()), DEFAULT_ADDRESS.to_owned(), clock.now());
        Self {
            hand,
            source,
            prometheus,
            clock,
            wake: BTreeMap::new(),
            seen: 0,
            server: Server::Up,
            news: Vec::new(),
            unanswered: BTreeSet::new(),
            assumed_secrets: BTreeSet::new(),
        }
    }

    /// Looks at every run that has changed or is due; returns when there is more to do.
    pub fn tick(&mut self) -> Option<Time> {
        let now = self.clock.time();
        let version = self.hand.server().version_of(&["AnalysisRun"]);
        let due = self.wake.values().flatten().any(|at| *at <= now);
        if version != self.seen || due {
            for value in self.hand.list("AnalysisRun", "") {
                self.attend(&value);
            }
            self.seen = self.hand.server().version_of(&["AnalysisRun"]);
        }
        self.wake.values().flatten().copied().filter(|at| *at > now).min()
    }

    fn attend(&mut self, value: &Value) {
        let key = (object::namespace(value).to_owned(), object::name(value).to_owned());
        let mut finished = Vec::new();
        for _ in 0..MAX_LOOKS {
            let Some(run) = self.hand.get("AnalysisRun", &key.0, &key.1).and_then(|value| read(&value)) else {
                self.wake.remove(&key);
                return;
            };
            let now = self.clock.time();
            let input = Input { run: &run, finished: std::mem::take(&mut finished), in_flight: &[], unsupported, now };
            let mut decided = step(input);
            let tasks = std::mem::take(&mut decided.start);
            self.write(&key, &run, &decided.status);
            self.wake.insert(key.clone(), decided.wake_at.filter(|_| run.status.completed_at.is_none()));
            if tasks.is_empty() {
                return;
            }
            match self.carry_out(&run, tasks) {
                Ok(measured) => finished = measured,
                Err(error) => {
                    let refused = refuse_arguments(&run, &error);
                    self.write(&key, &run, &refused.status);
                    return;
                }
            }
        }
    }

    fn write(&mut self, key: &(String, String), run: &AnalysisRun, status: &crate::api::analysis::AnalysisRunStatus) {
        let Some(patch) = difference(&json!(run.status), &json!(status)) else { return };
        // A run that somebody has deleted meanwhile needs no status.
        let _ = self.hand.merge_status("AnalysisRun", (&key.0, &key.1), &json!({"status": patch}));
        let ended = |phase: &str| matches!(phase, "Successful" | "Failed" | "Error" | "Inconclusive");
        if ended(&status.phase) && !ended(&run.status.phase) {
            let (phase, message) = (status.phase.clone(), status.message.clone());
            self.news.push(News::Ended { run: key.1.clone(), phase, message });
        }
    }

    fn carry_out(&mut self, run: &AnalysisRun, tasks: Vec<Task>) -> Result<Vec<Finished>, substitute::SubstituteError> {
        let secrets = self.secrets(run);
        let resolved = substitute::with_secrets(&run.spec.args, &secrets)?;
        let mut finished = Vec::new();
        for task in tasks {
            let Some(metric) = run.spec.metrics.get(task.index) else { continue };
            let metric = substitute::metric(metric, &resolved.args)?;
            let mut gaps = Vec::new();
            let measurement = self.measure(&metric, &run.metadata.namespace, &mut gaps);
            let query = metric.provider.prometheus.as_ref().map(|settings| settings.query.clone()).unwrap_or_default();
            self.unanswered.extend(gaps.into_iter().map(|gap| Unanswered {
                metric: metric.name.clone(),
                query: resolved.redactor.redact(query.trim()),
                gap,
                counts_as: measurement.phase.clone(),
            }));
            let shown = if measurement.value.is_empty() { &measurement.message } else { &measurement.value };
            self.news.push(News::Measured {
                metric: metric.name.clone(),
                phase: measurement.phase.clone(),
                value: resolved.redactor.redact(shown),
            });
            finished.push(Finished { task, measurement, metadata: self.source.metadata(&metric) });
        }
        Ok(finished)
    }

    fn measure(&self, metric: &crate::api::analysis::Metric, namespace: &str, gaps: &mut Vec<Gap>) -> Measurement {
        self.source.measure_by(metric, |endpoint, query| {
            if self.server == Server::Down {
                return Err("connection refused".to_owned());
            }
            if endpoint != INSTANT {
                gaps.push(Gap::Syntax("the model answers instant queries only, not rangeQuery".to_owned()));
                return Err("the simulated Prometheus has no range queries".to_owned());
            }
            let (status, body, found) = self.prometheus.query_in_any_dialect(query, namespace);
            gaps.extend(found);
            Ok((status, body.to_string().into_bytes()))
        })
    }

    /// The Secrets that a run reads. One that is not in the files is assumed: what the model answers does not hang on it.
    fn secrets(&mut self, run: &AnalysisRun) -> BTreeMap<String, BTreeMap<String, String>> {
        let mut found = BTreeMap::new();
        for name in substitute::secret_names(&run.spec.args) {
            let stored = self.hand.get("Secret", &run.metadata.namespace, name);
            let mut data = stored.as_deref().map(data).unwrap_or_default();
            for argument in &run.spec.args {
                let wanted = argument.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref());
                if let Some(wanted) = wanted.filter(|wanted| wanted.name == name && !data.contains_key(&wanted.key)) {
                    self.assumed_secrets.insert(format!("{name}/{}", wanted.key));
                    data.insert(wanted.key.clone(), "assumed".to_owned());
                }
            }
            found.insert(name.to_owned(), data);
        }
        found
    }
}

fn read(value: &Value) -> Option<AnalysisRun> {
    AnalysisRun::deserialize(value).ok()
}

/// The data of a Secret, with `stringData`.
fn data(secret: &Value) -> BTreeMap<String, String> {
    let encoded: BTreeMap<String, k8s_openapi::ByteString> =
        secret.get("data").and_then(|data| serde_json::from_value(data.clone()).ok()).unwrap_or_default();
    let mut texts: BTreeMap<String, String> =
        encoded.into_iter().filter_map(|(key, value)| Some((key, String::from_utf8(value.0).ok()?))).collect();
    let plain = secret.get("stringData").and_then(Value::as_object).into_iter().flatten();
    texts.extend(plain.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))));
    texts
}
