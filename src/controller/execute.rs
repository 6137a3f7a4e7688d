//! Carrying out a plan: in order, guarded, with live reads before anything is taken away.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::Meta;
use crate::plan::{Effect, Event, EventType, ObjectRef, Phase, Plan, Precondition, Record, Verb};
use crate::rollout::memory::{Cause, Failure};
use crate::runtime::cache::Cached as _;
use crate::runtime::client::{Api, Preconditions, Target};
use crate::runtime::error::{ApiError, ErrorKind};
use crate::runtime::events::{EventType as Kind, Occurrence, Pending, Recorder, Regarding};
use crate::runtime::expectations::{Expectations, Seen};
use crate::runtime::limiter::Class;
use crate::runtime::object::{Json, ObjectKey};
use crate::telemetry::metrics::Metrics;

mod request;
use request::{class, guarded};
pub use request::{eviction, expected_ref, target};

/// Carries out plans for one kind of owner.
pub struct Executor {
    /// Requests; fenced by the lease.
    pub api: Api,
    /// Events.
    pub recorder: Recorder,
    /// What the caches have to see before an owner is decided again.
    pub expectations: Arc<Expectations<ObjectKey>>,
    /// Counters.
    pub metrics: Metrics,
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Executed {
    /// Writes that failed.
    pub failures: Vec<Failure>,
    /// The first error, for the back-off.
    pub error: Option<ApiError>,
    /// Whether the rest of the plan was dropped, because something that it rests on had moved.
    pub dropped: bool,
}

/// One plan on its way: the versions that its own writes have returned.
struct Run<'a> {
    owner: ObjectKey,
    regarding: Regarding,
    versions: BTreeMap<ObjectRef, String>,
    /// Whether somebody else has changed the owner since the plan was made.
    superseded: &'a (dyn Fn(&BTreeMap<ObjectRef, String>) -> bool + Send + Sync),
}

impl Executor {
    /// Carries out `plan` for the object of `owner`. `superseded` is asked before each effect, with the versions that the
    /// plan's own writes have made.
    pub async fn carry_out(
        &self,
        plan: &Plan,
        owner: (&ObjectRef, &Meta),
        superseded: &(dyn Fn(&BTreeMap<ObjectRef, String>) -> bool + Send + Sync),
    ) -> Executed {
        let (object, meta) = owner;
        let regarding = Regarding {
            api_version: object.resource.api_version(),
            kind: object.resource.kind.to_string(),
            key: ObjectKey::of(meta),
            uid: meta.uid.clone(),
            resource_version: meta.resource_version.clone(),
        };
        let mut run = Run { owner: ObjectKey::of(meta), regarding, versions: BTreeMap::new(), superseded };
        let mut done = Executed::default();
        let mut failed: Option<Phase> = None;
        // Told beside the effects, which wait for no event; only the record does.
        let mut told = Vec::new();
        for effect in &plan.effects {
            if failed.is_some_and(|phase| phase < effect.phase) {
                break;
            }
            // The owner last: an answer may take long, and a person may have changed their mind meanwhile.
            if self.basis_moved(effect, &run, &mut done).await || (run.superseded)(&run.versions) {
                done.dropped = true;
                return done;
            }
            match self.effect(effect, &mut run).await {
                Ok(()) => told.extend(self.tell(&effect.events, &run)),
                // A pod that has gone, or that is another by now, needs nothing any more.
                Err(error)
                    if effect.is_about_a_pod() && (error.is_not_found() || error.kind == ErrorKind::Conflict) =>
                {
                    tracing::debug!(object = %effect.object, %error, "pod has gone");
                }
                Err(error) if effect.verb == Verb::Evict && matches!(error.kind, ErrorKind::Throttled { .. }) => {
                    done.refused(&effect.object, &error);
                }
                Err(error) => {
                    failed.get_or_insert(effect.phase);
                    done.fail(&effect.object, error);
                }
            }
        }
        told.extend(self.tell(&plan.events, &run));
        self.recorder.settle(told).await;
        if let Some(record) = &plan.record
            && let Err(error) = self.record(record, &mut run).await
        {
            done.fail(&record.object, error);
        }
        done
    }

    /// Reads live what an effect rests on.
    async fn basis_moved(&self, effect: &Effect, run: &Run<'_>, done: &mut Executed) -> bool {
        for basis in &effect.rests_on {
            let expected = run.versions.get(&basis.object).unwrap_or(&basis.resource_version);
            match self.api.get::<Json>(class(effect), &target(&basis.object)).await {
                Ok(live) if live.object_meta().resource_version == *expected => {}
                Ok(live) => {
                    // The cache has to show this version before the owner is decided again.
                    self.expectations.wrote(&run.owner, expected_ref(&basis.object), Seen::of(live.object_meta()));
                    tracing::info!(object = %basis.object, "plan dropped: it rests on an object that has changed");
                    return true;
                }
                Err(error) => {
                    done.fail(&basis.object, error);
                    return true;
                }
            }
        }
        false
    }

    async fn effect(&self, effect: &Effect, run: &mut Run<'_>) -> Result<(), ApiError> {
        let at = target(&effect.object);
        let version = run.versions.get(&effect.object).unwrap_or(&effect.precondition.resource_version).clone();
        let uid = effect.precondition.uid.as_str();
        let written = match &effect.verb {
            Verb::Create(body) => self.create(effect, &at, body, run).await,
            Verb::Merge(patch) => self.merge(effect, &at, patch, &version).await,
            Verb::MergeSubresource(part, patch) => {
                self.api.merge_patch(class(effect), &at.clone().part(*part), &guarded(patch, uid, &version)).await
            }
            Verb::Json(patch) => self.json(effect, &at, (patch, &version)).await,
            Verb::Evict => {
                let evicted: Result<Value, ApiError> = self
                    .api
                    .create(class(effect), &at.part("eviction"), &eviction(&effect.object, &effect.precondition))
                    .await;
                evicted.map_err(|error| self.uncertain(error, &effect.object, run))?;
                // The answer does not show the pod: what has become of it is read before the next decision.
                self.expectations.unknown(&run.owner, expected_ref(&effect.object));
                log(effect, run);
                return Ok(());
            }
            Verb::Delete => {
                let preconditions = Preconditions { uid: uid.to_owned(), resource_version: version };
                let deleted = self.api.delete(class(effect), &at, &preconditions).await;
                match deleted {
                    Ok(()) => self.expectations.deleted(&run.owner, expected_ref(&effect.object), uid),
                    Err(error) if error.is_not_found() => {}
                    Err(error) => return Err(self.uncertain(error, &effect.object, run)),
                }
                log(effect, run);
                return Ok(());
            }
        };
        let written: Json = written.map_err(|error| self.uncertain(error, &effect.object, run))?;
        self.wrote(&effect.object, written.object_meta(), run);
        log(effect, run);
        Ok(())
    }

    /// A merge patch. Growth rests on nothing that a status says; where only the status has moved (the controller of a new
    /// `ReplicaSet` writes it at once) it is sent once more, with the version that is live.
    async fn merge(&self, effect: &Effect, at: &Target, patch: &Value, version: &str) -> Result<Json, ApiError> {
        let Precondition { uid, generation, .. } = &effect.precondition;
        let sent = self.api.merge_patch(class(effect), at, &guarded(patch, uid, version)).await;
        match sent {
            Err(error) if error.kind == ErrorKind::Conflict && effect.phase == Phase::ScaleUp && *generation > 0 => {
                let live: Json = self.api.get(class(effect), at).await?;
                let meta = live.object_meta();
                if meta.uid != *uid || meta.generation != *generation {
                    return Err(error);
                }
                self.api.merge_patch(class(effect), at, &guarded(patch, uid, &meta.resource_version)).await
            }
            other => other,
        }
    }

    /// A JSON patch, with the version as its first test: the absence of a field cannot be tested otherwise.
    async fn json(&self, effect: &Effect, at: &Target, (patch, version): (&Value, &str)) -> Result<Json, ApiError> {
        let mut operations = vec![json!({"op": "test", "path": "/metadata/resourceVersion", "value": version})];
        operations.extend(patch.as_array().into_iter().flatten().cloned());
        let patch: json_patch::Patch = serde_json::from_value(Value::Array(operations)).map_err(|error| {
            ApiError::new(ErrorKind::Invalid, format!("patch {}", effect.object), error.to_string())
        })?;
        self.api.json_patch(class(effect), at, &patch).await
    }

    /// Creates; an object of that name which is ours already is what was wanted.
    async fn create(&self, effect: &Effect, at: &Target, body: &Value, run: &Run<'_>) -> Result<Json, ApiError> {
        match self.api.create(class(effect), at, body).await {
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                let live: Json = self.api.get(class(effect), at).await?;
                let ours = live.object_meta().controller().is_some_and(|owner| owner.uid == run.regarding.uid);
                if ours { Ok(live) } else { Err(error) }
            }
            other => other,
        }
    }

    async fn record(&self, record: &Record, run: &mut Run<'_>) -> Result<(), ApiError> {
        let version = run.versions.get(&record.object).unwrap_or(&record.resource_version).clone();
        let mut at = target(&record.object);
        if let Some(part) = record.subresource {
            at = at.part(part);
        }
        let written: Result<Json, ApiError> =
            self.api.merge_patch(Class::Decision, &at, &guarded(&record.patch, "", &version)).await;
        let written = written.map_err(|error| self.uncertain(error, &record.object, run))?;
        self.wrote(&record.object, written.object_meta(), run);
        tracing::info!(rollout = %run.owner.name, namespace = %run.owner.namespace, effect = "record", reason = %record.reason);
        Ok(())
    }

    fn wrote(&self, object: &ObjectRef, meta: &Meta, run: &mut Run<'_>) {
        run.versions.insert(object.clone(), meta.resource_version.clone());
        self.expectations.wrote(&run.owner, expected_ref(object), Seen::of(meta));
    }

    /// A write whose outcome nobody knows becomes a live read before the owner is decided again.
    fn uncertain(&self, error: ApiError, object: &ObjectRef, run: &Run<'_>) -> ApiError {
        if error.kind == ErrorKind::UnknownOutcome {
            self.expectations.unknown(&run.owner, expected_ref(object));
        }
        error
    }

    fn tell(&self, events: &[Event], run: &Run<'_>) -> Vec<Pending> {
        let begin = |event: &Event| {
            let key = &run.owner;
            let labels = [key.namespace.as_str(), key.name.as_str(), event.kind.text(), event.reason.as_str()];
            if run.regarding.kind == "Rollout" {
                self.metrics.rollout_events.with_label_values(&labels).inc();
            }
            self.recorder.begin(&occurrence(event, &run.regarding))
        };
        events.iter().map(begin).collect()
    }
}

/// The event as the recorder takes it.
pub fn occurrence(event: &Event, regarding: &Regarding) -> Occurrence {
    Occurrence {
        regarding: regarding.clone(),
        event_type: match event.kind {
            EventType::Normal => Kind::Normal,
            EventType::Warning => Kind::Warning,
        },
        reason: event.reason.clone(),
        message: event.message.clone(),
    }
}

impl Executed {
    fn fail(&mut self, object: &ObjectRef, error: ApiError) {
        tracing::warn!(%object, %error, "write failed");
        let cause = match error.kind {
            ErrorKind::AlreadyExists => Cause::NameTaken,
            ErrorKind::Forbidden | ErrorKind::Invalid => Cause::Denied,
            _ => Cause::Passing,
        };
        self.failures.push(Failure { object: object.clone(), message: error.to_string(), cause });
        self.error.get_or_insert(error);
    }
}

impl Executed {
    /// A disruption budget says no: a fact for the next look, and no error.
    fn refused(&mut self, object: &ObjectRef, error: &ApiError) {
        tracing::info!(%object, %error, "eviction refused");
        self.failures.push(Failure { object: object.clone(), message: error.to_string(), cause: Cause::Budget });
    }
}

fn log(effect: &Effect, run: &Run<'_>) {
    tracing::info!(
        rollout = %run.owner.name, namespace = %run.owner.namespace, effect = effect.phase.word(),
        object = %effect.object, reason = %effect.reason,
    );
}
