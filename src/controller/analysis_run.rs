//! AnalysisRuns: measure what is due, write down what came of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::caches::Caches;
use super::execute::{Executor, occurrence, target};
use crate::analysis::run::{Finished, Input, Severity, Step, Task, refuse_arguments, step};
use crate::analysis::substitute;
use crate::analysis::support::unsupported;
use crate::api::{AnalysisRun, Kind as _, Meta};
use crate::plan::{Event, ObjectRef, Plan, Record};
use crate::provider::{Request, Sources};
use crate::rollout::status::record::difference;
use crate::runtime::cache::{Entry, Invalid};
use crate::runtime::client::{Preconditions, Resource, Target};
use crate::runtime::clock::Clock;
use crate::runtime::error::ApiError;
use crate::runtime::events::Regarding;
use crate::runtime::expectations::{Readiness, Seen};
use crate::runtime::limiter::Class;
use crate::runtime::object::ObjectKey;
use crate::runtime::queue::{Lane, Queue};
use crate::runtime::worker::{Outcome, Reconcile};

/// Measurements of one run that are under way, and those that nobody has written down yet.
#[derive(Default)]
struct Flight {
    uid: String,
    under_way: Vec<String>,
    finished: Vec<Finished>,
}

/// Looks at AnalysisRuns.
pub struct RunController {
    caches: Caches,
    executor: Arc<Executor>,
    clock: Clock,
    sources: Arc<Sources>,
    queue: Queue<ObjectKey>,
    flights: Arc<Mutex<HashMap<ObjectKey, Flight>>>,
    /// Versions of runs that do not decode, as they were told.
    unreadable: Mutex<HashMap<ObjectKey, String>>,
}

impl RunController {
    /// A controller over these caches; finished measurements come back through `queue`.
    pub fn new(
        caches: Caches,
        executor: Arc<Executor>,
        (clock, queue): (Clock, Queue<ObjectKey>),
        sources: Sources,
    ) -> Self {
        Self {
            caches,
            executor,
            clock,
            sources: Arc::new(sources),
            queue,
            flights: Arc::default(),
            unreadable: Mutex::default(),
        }
    }

    async fn look(&self, key: ObjectKey) -> Outcome {
        let run = match self.caches.runs.entry(&key) {
            Some(Entry::Valid(run)) => run,
            Some(Entry::Invalid(invalid)) => return self.report_invalid(&key, &invalid).await,
            None => {
                self.flights.lock().remove(&key);
                self.unreadable.lock().remove(&key);
                self.executor.expectations.clear(&key);
                self.executor.metrics.forget_run(&key.namespace, &key.name);
                return Outcome::Gone;
            }
        };
        if run.metadata.deletion_timestamp.is_some() {
            return Outcome::Done { wake_at: None };
        }
        let cached = |_: &_| self.caches.runs.get(&key).map(|run| Seen::of(&run.metadata));
        if let Readiness::Behind { check_after } = self.executor.expectations.check(&key, cached) {
            return Outcome::Behind { check_after };
        }
        let (finished, under_way) = self.flight_of(&key, &run);
        let written = finished.len();
        let input = Input { run: &run, finished, in_flight: &under_way, unsupported, now: self.clock.now() };
        let decided = step(input);
        if decided.start.is_empty() && expired(&run, &decided, self.clock.now()) {
            return self.delete(&run).await;
        }
        if let Err(error) = self.write(&run, &decided).await {
            return Outcome::Retry { after: error.retry_after(), error: Box::new(error) };
        }
        self.written(&key, written);
        match self.start(&key, &run, decided.start).await {
            Ok(()) => Outcome::Done { wake_at: decided.wake_at },
            Err(error) => {
                let refused = refuse_arguments(&run, &error);
                match self.write(&run, &refused).await {
                    Ok(()) => Outcome::Done { wake_at: None },
                    Err(error) => Outcome::Retry { after: error.retry_after(), error: Box::new(error) },
                }
            }
        }
    }

    /// A run that does not decode is not measured; an event says why, once a version. Nothing of it is written: whoever
    /// wrote it has to mend it.
    async fn report_invalid(&self, key: &ObjectKey, invalid: &Invalid) -> Outcome {
        let Meta { uid, resource_version, .. } = invalid.meta.clone();
        let told = self.unreadable.lock().insert(key.clone(), resource_version.clone());
        if told.as_ref() != Some(&resource_version) {
            let message = format!("The AnalysisRun {:?} cannot be read: {}", key.name, invalid.error);
            let api_version = crate::api::names::API_VERSION.to_owned();
            let kind = AnalysisRun::KIND.to_owned();
            let regarding = Regarding { api_version, kind, key: key.clone(), uid, resource_version };
            let event = Event::warning("AnalysisRunUnreadable", message);
            self.executor.recorder.record(&occurrence(&event, &regarding)).await;
        }
        Outcome::Done { wake_at: None }
    }

    /// What has finished since the status was written, and what is under way. A namesake begins anew.
    fn flight_of(&self, key: &ObjectKey, run: &AnalysisRun) -> (Vec<Finished>, Vec<String>) {
        let mut flights = self.flights.lock();
        let flight = flights.entry(key.clone()).or_default();
        if flight.uid != run.metadata.uid {
            *flight = Flight { uid: run.metadata.uid.clone(), ..Flight::default() };
        }
        (flight.finished.clone(), flight.under_way.clone())
    }

    /// Forgets the first `count` finished measurements: they are in the status now.
    fn written(&self, key: &ObjectKey, count: usize) {
        if let Some(flight) = self.flights.lock().get_mut(key) {
            flight.finished.drain(..count.min(flight.finished.len()));
        }
    }

    /// Events, then the status; nothing where nothing has changed.
    async fn write(&self, run: &AnalysisRun, decided: &Step) -> Result<(), ApiError> {
        let object = ObjectRef::to(run);
        let (old, new) = (json!(run.status), json!(decided.status));
        let record = difference(&old, &new).map(|patch| Record {
            object: object.clone(),
            resource_version: run.metadata.resource_version.clone(),
            patch: json!({"status": patch}),
            subresource: None,
            reason: decided.status.phase.clone(),
        });
        let events = decided.events.iter().map(|event| match event.severity {
            Severity::Normal => Event::normal(&event.reason, &event.message),
            Severity::Warning => Event::warning(&event.reason, &event.message),
        });
        let plan = Plan { events: events.collect(), record, ..Plan::default() };
        if plan.is_empty() {
            return Ok(());
        }
        let executed = self.executor.carry_out(&plan, (&object, &run.metadata), &|_| false).await;
        executed.error.map_or(Ok(()), Err)
    }

    async fn delete(&self, run: &AnalysisRun) -> Outcome {
        let preconditions =
            Preconditions { uid: run.metadata.uid.clone(), resource_version: run.metadata.resource_version.clone() };
        match self.executor.api.delete(Class::Upkeep, &target(&ObjectRef::to(run)), &preconditions).await {
            Ok(()) => Outcome::Done { wake_at: None },
            Err(error) => Outcome::Retry { after: error.retry_after(), error: Box::new(error) },
        }
    }

    /// Starts tasks beside each other. Secrets are read for this measurement only, and from the run's namespace.
    async fn start(&self, key: &ObjectKey, run: &Arc<AnalysisRun>, tasks: Vec<Task>) -> Result<(), StartError> {
        if tasks.is_empty() {
            return Ok(());
        }
        let secrets = self.secrets(run).await?;
        let resolved = substitute::with_secrets(&run.spec.args, &secrets)?;
        let redactor = Arc::new(resolved.redactor);
        for task in tasks {
            let Some(metric) = run.spec.metrics.get(task.index) else { continue };
            let metric = substitute::metric(metric, &resolved.args)?;
            if let Some(flight) = self.flights.lock().get_mut(key) {
                flight.under_way.push(task.metric.clone());
            }
            let (sources, flights, queue) = (Arc::clone(&self.sources), Arc::clone(&self.flights), self.queue.clone());
            let (key, run, redactor) = (key.clone(), Arc::clone(run), Arc::clone(&redactor));
            // Ends by the provider's own time limit; what it finds is picked up by the next look at the run.
            #[allow(clippy::disallowed_methods, reason = "bounded by the provider's time limit")]
            tokio::spawn(async move {
                let name = task.metric.clone();
                let request = Request {
                    metric: &metric,
                    run: &run.metadata.name,
                    namespace: &run.metadata.namespace,
                    uid: &run.metadata.uid,
                };
                let finished = sources.carry_out(task, request, &redactor).await;
                if let Some(flight) = flights.lock().get_mut(&key).filter(|flight| flight.uid == run.metadata.uid) {
                    flight.under_way.retain(|metric| *metric != name);
                    flight.finished.push(finished);
                }
                queue.add(key, Lane::Event);
            });
        }
        Ok(())
    }

    async fn secrets(&self, run: &AnalysisRun) -> Result<BTreeMap<String, BTreeMap<String, String>>, StartError> {
        let mut found = BTreeMap::new();
        for name in substitute::secret_names(&run.spec.args) {
            let key = ObjectKey::new(&run.metadata.namespace, name);
            let at = Target::new(Resource::new("", "v1", "secrets"), key);
            let secret: Value = self.executor.api.get(Class::Decision, &at).await?;
            found.insert(name.to_owned(), decoded(&secret));
        }
        Ok(found)
    }
}

/// Why measurements were not started.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Secret(#[from] ApiError),
    #[error(transparent)]
    Substitute(#[from] substitute::SubstituteError),
}

/// The data of a Secret. What is no base64 or no text counts as absent.
fn decoded(secret: &Value) -> BTreeMap<String, String> {
    let data: BTreeMap<String, k8s_openapi::ByteString> =
        secret.get("data").and_then(|data| serde_json::from_value(data.clone()).ok()).unwrap_or_default();
    data.into_iter().filter_map(|(key, value)| Some((key, String::from_utf8(value.0).ok()?))).collect()
}

/// Whether a finished run has outlived its time.
fn expired(run: &AnalysisRun, decided: &Step, now: crate::api::Time) -> bool {
    run.status.completed_at.is_some() && decided.wake_at.is_some_and(|at| at <= now) && run.status == decided.status
}

impl Reconcile<ObjectKey> for RunController {
    async fn reconcile(&self, key: ObjectKey) -> Outcome {
        self.look(key).await
    }

    fn finished(&self, key: &ObjectKey, outcome: &Outcome, took: Duration) {
        if matches!(outcome, Outcome::Gone) {
            return;
        }
        let metrics = &self.executor.metrics.analysis_runs;
        metrics.took(&key.namespace, &key.name, took);
        if matches!(outcome, Outcome::Retry { .. } | Outcome::GiveUp { .. }) {
            metrics.failed(&key.namespace, &key.name);
        }
    }
}
