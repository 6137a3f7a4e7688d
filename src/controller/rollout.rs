//! Rollouts: observe, decide, carry out.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;

use super::caches::Caches;
use super::execute::{Executed, Executor, occurrence, target};
use super::gauges::requests;
use super::observe::observe;
use crate::api::{Meta, Rollout};
use crate::plan::{Event, ObjectRef, Plan, Record};
use crate::rollout::memory::{Memory, stored};
use crate::rollout::status::{duration, undecoded};
use crate::rollout::{Settings, World, decide};
use crate::runtime::cache::{Cached as _, Entry, Invalid};
use crate::runtime::clock::Clock;
use crate::runtime::error::ApiError;
use crate::runtime::events::Regarding;
use crate::runtime::expectations::{self, Readiness, Seen};
use crate::runtime::limiter::Class;
use crate::runtime::object::{Json, ObjectKey};
use crate::runtime::worker::{Outcome, Reconcile};
use crate::traffic::gateway_api::RouteKind;

/// After a plan was dropped, the change that moved its basis brings the key back; this is for the case that it is known already.
const AFTER_DROP: Duration = Duration::from_millis(200);
/// Resyncs are spread over a tenth of their period.
const RESYNC_SPREAD: u32 = 10;

/// Rollouts that go before the counters of requests are swept: to look at all of them takes a while.
const SWEEP_AFTER: u32 = 100;

/// What is kept of a Rollout between looks.
#[derive(Clone, Debug, Default)]
struct Kept {
    memory: Memory,
    /// Identity of the object that the memory is about.
    uid: String,
    /// The undecodable object that was reported last: which one, which generation, what of it.
    reported: (String, i64, String),
}

/// Looks at Rollouts.
pub struct RolloutController {
    caches: Caches,
    executor: Arc<Executor>,
    clock: Clock,
    settings: Arc<Settings>,
    kept: Mutex<HashMap<ObjectKey, Kept>>,
    /// Rollouts that have gone since the counters of requests were swept.
    gone: AtomicU32,
}

impl RolloutController {
    /// A controller over these caches.
    pub fn new(caches: Caches, executor: Arc<Executor>, clock: Clock, settings: Arc<Settings>) -> Self {
        Self { caches, executor, clock, settings, kept: Mutex::default(), gone: AtomicU32::new(0) }
    }

    async fn look(&self, key: ObjectKey) -> Outcome {
        match self.caches.rollouts.entry(&key) {
            None => return self.gone(&key).await,
            Some(Entry::Invalid(invalid)) => return self.report_invalid(&key, &invalid).await,
            Some(Entry::Valid(_)) => {}
        }
        if let Some(outcome) = self.behind(&key).await {
            return outcome;
        }
        let Some(mut world) = observe(&self.caches, (&key.namespace, &key.name), &self.settings) else {
            return Outcome::Gone;
        };
        let now = self.clock.now();
        world.memory = self.memory_of(&key, &world).unwrap_or_else(|| stored::recall(&world, now));
        let decision = decide(&world, now);
        let rest = now + self.resync_of(&key);
        let wake_at = Some(decision.plan.wake_at.map_or(rest, |wake| wake.min(rest)));
        if decision.plan.is_empty() {
            self.keep(&key, &world, decision.memory);
            tracing::debug!(rollout = %key.name, namespace = %key.namespace, "nothing to do");
            return Outcome::Done { wake_at };
        }
        let object = ObjectRef::to(&*world.rollout);
        let read = world.rollout.metadata.resource_version.clone();
        let superseded = |versions: &std::collections::BTreeMap<ObjectRef, String>| {
            let cached = self.caches.rollouts.get(&key);
            let version = cached.map(|cached| cached.rollout.metadata.resource_version.clone()).unwrap_or_default();
            version != read && versions.get(&object).is_none_or(|own| *own != version)
        };
        let executed = self.executor.carry_out(&decision.plan, (&object, &world.rollout.metadata), &superseded).await;
        let recorded = !executed.dropped && executed.failures.iter().all(|failure| failure.object != object);
        if let Some(record) = decision.plan.record.as_ref().filter(|_| recorded) {
            self.measure(&world, &record.patch);
        }
        let mut memory = decision.memory;
        memory.failures.clone_from(&executed.failures);
        memory.dropped = executed.dropped;
        self.keep(&key, &world, memory);
        self.outcome(executed, wake_at)
    }

    /// Durations of the attempt that a write of the status has ended.
    fn measure(&self, world: &World, patch: &Value) {
        let old = world.rollout.status.duration.as_ref();
        let Some(change) = patch.pointer("/status/duration") else { return };
        let mut stored = old.and_then(|old| serde_json::to_value(old).ok()).unwrap_or_default();
        json_patch::merge(&mut stored, change);
        let new = serde_json::from_value(stored).ok();
        let Some(attempt) = duration::ended(old, new.as_ref()) else { return };
        let metrics = &self.executor.metrics;
        let observe = |histogram: &prometheus::HistogramVec, span: Duration| {
            histogram.with_label_values(&[attempt.status.as_str()]).observe(span.as_secs_f64());
        };
        observe(&metrics.rollout_duration, attempt.total);
        observe(&metrics.rollout_progression, attempt.total.saturating_sub(attempt.held));
        observe(&metrics.rollout_manual_pause, attempt.held);
    }

    fn outcome(&self, executed: Executed, wake_at: Option<crate::api::Time>) -> Outcome {
        if executed.dropped && executed.error.is_none() {
            return Outcome::Done { wake_at: Some(self.clock.now() + AFTER_DROP) };
        }
        match executed.error {
            None => Outcome::Done { wake_at },
            Some(error) => Outcome::Retry { after: error.retry_after(), error: Box::new(error) },
        }
    }

    /// Whether the caches have not seen our own writes yet, and what that means for the key.
    async fn behind(&self, key: &ObjectKey) -> Option<Outcome> {
        let cached = |object: &expectations::ObjectRef| {
            let meta = self.caches.meta(&cached_ref(object)?)?;
            Some(Seen::of(&meta))
        };
        match self.executor.expectations.check(key, cached) {
            Readiness::Ready => None,
            Readiness::Behind { check_after } => Some(Outcome::Behind { check_after }),
            Readiness::ReadLive(objects) => {
                for object in objects {
                    if let Err(error) = self.read_live(key, &object).await {
                        return Some(Outcome::Retry { after: error.retry_after(), error: Box::new(error) });
                    }
                }
                Some(Outcome::Behind { check_after: AFTER_DROP })
            }
        }
    }

    async fn read_live(&self, key: &ObjectKey, object: &expectations::ObjectRef) -> Result<(), ApiError> {
        self.executor.metrics.cache_lag.inc();
        let Some(at) = cached_ref(object) else {
            self.executor.expectations.read(key, object.clone(), None);
            return Ok(());
        };
        let seen = match self.executor.api.get::<Json>(Class::Decision, &target(&at)).await {
            Ok(live) => Some(Seen::of(live.object_meta())),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        self.executor.expectations.read(key, object.clone(), seen);
        Ok(())
    }

    /// What earlier looks left behind, if they were at this very object.
    fn memory_of(&self, key: &ObjectKey, world: &World) -> Option<Memory> {
        let kept = self.kept.lock();
        kept.get(key).filter(|kept| kept.uid == world.rollout.metadata.uid).map(|kept| kept.memory.clone())
    }

    fn keep(&self, key: &ObjectKey, world: &World, memory: Memory) {
        let uid = world.rollout.metadata.uid.clone();
        self.kept.lock().insert(key.clone(), Kept { memory, uid, reported: Default::default() });
    }

    /// The period of looks at rest, spread by name so that ten thousand Rollouts do not wake together.
    fn resync_of(&self, key: &ObjectKey) -> Duration {
        let hash =
            key.to_string().bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
        let spread = self.settings.resync / RESYNC_SPREAD;
        self.settings.resync + spread.mul_f64(f64::from(hash % 1_000) / 1_000.0)
    }

    /// The Rollout does not exist any more: all that is kept of it goes.
    async fn gone(&self, key: &ObjectKey) -> Outcome {
        self.executor.expectations.clear(key);
        let kept = self.kept.lock().remove(key);
        self.executor.metrics.forget_rollout(&key.namespace, &key.name);
        // A scrape sweeps too; but perhaps nobody scrapes.
        if self.gone.fetch_add(1, Ordering::Relaxed) % SWEEP_AFTER == SWEEP_AFTER - 1 {
            requests::sweep(&self.caches, &self.executor.metrics);
        }
        if let Some(kept) = kept {
            let message = format!("Rollout {}/{} is deleted.", key.name, key.namespace);
            let meta = Meta { uid: kept.uid, ..Meta::default() };
            let event = Event::normal("RolloutDeleted", message);
            self.executor.recorder.record(&occurrence(&event, &regarding(key, &meta))).await;
        }
        Outcome::Gone
    }

    /// An object that does not decode is told so in its status, once a generation; nothing else of it is touched, and
    /// it stops nobody else.
    async fn report_invalid(&self, key: &ObjectKey, invalid: &Invalid) -> Outcome {
        let meta = &invalid.meta;
        let report = (meta.uid.clone(), meta.generation, invalid.error.clone());
        if self.kept.lock().get(key).is_some_and(|kept| kept.reported == report) {
            return Outcome::Done { wake_at: None };
        }
        let object = ObjectRef::named::<Rollout>(&key.namespace, &key.name);
        // The cache keeps nothing but the metadata of it; the conditions that others wrote have to stay.
        let live = match self.executor.api.get::<Json>(Class::Decision, &target(&object)).await {
            Ok(live) => live,
            Err(error) if error.is_not_found() => return Outcome::Done { wake_at: None },
            Err(error) => return Outcome::Retry { after: error.retry_after(), error: Box::new(error) },
        };
        if live.object_meta().resource_version != meta.resource_version {
            return Outcome::Done { wake_at: Some(self.clock.now() + AFTER_DROP) };
        }
        if let Some(patch) = undecoded::patch(&live.value(), &invalid.error, self.clock.now()) {
            let message = format!("The Rollout {:?} is invalid: {}", key.name, invalid.error);
            tracing::warn!(rollout = %key.name, namespace = %key.namespace, %message);
            let record = Record {
                object: object.clone(),
                resource_version: meta.resource_version.clone(),
                patch,
                subresource: Some("status"),
                reason: message.clone(),
            };
            let events = vec![Event::warning("InvalidSpec", message)];
            let plan = Plan { events, record: Some(record), ..Plan::default() };
            let executed = self.executor.carry_out(&plan, (&object, live.object_meta()), &|_| false).await;
            if let Some(error) = executed.error {
                return Outcome::Retry { after: error.retry_after(), error: Box::new(error) };
            }
        }
        self.kept.lock().entry(key.clone()).or_default().reported = report;
        Outcome::Done { wake_at: None }
    }
}

fn regarding(key: &ObjectKey, meta: &Meta) -> Regarding {
    Regarding {
        api_version: crate::api::names::API_VERSION.to_owned(),
        kind: "Rollout".to_owned(),
        key: key.clone(),
        uid: meta.uid.clone(),
        resource_version: meta.resource_version.clone(),
    }
}

/// The object behind an expectation.
fn cached_ref(object: &expectations::ObjectRef) -> Option<ObjectRef> {
    use crate::api::{AnalysisRun, EndpointSlice, Pod, ReplicaSet, Service};
    let (namespace, name) = (object.key.namespace.as_str(), object.key.name.as_str());
    Some(match object.kind {
        "Rollout" => ObjectRef::named::<Rollout>(namespace, name),
        "ReplicaSet" => ObjectRef::named::<ReplicaSet>(namespace, name),
        "Service" => ObjectRef::named::<Service>(namespace, name),
        "AnalysisRun" => ObjectRef::named::<AnalysisRun>(namespace, name),
        "Pod" => ObjectRef::named::<Pod>(namespace, name),
        "EndpointSlice" => ObjectRef::named::<EndpointSlice>(namespace, name),
        "Deployment" => ObjectRef {
            resource: crate::rollout::workload::DEPLOYMENT,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        },
        kind => ObjectRef {
            resource: RouteKind::named(kind)?.resource(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        },
    })
}

impl Reconcile<ObjectKey> for RolloutController {
    async fn reconcile(&self, key: ObjectKey) -> Outcome {
        self.look(key).await
    }

    fn finished(&self, key: &ObjectKey, outcome: &Outcome, took: Duration) {
        if matches!(outcome, Outcome::Gone) {
            return;
        }
        let metrics = &self.executor.metrics.rollouts;
        metrics.took(&key.namespace, &key.name, took);
        if matches!(outcome, Outcome::Retry { .. } | Outcome::GiveUp { .. }) {
            metrics.failed(&key.namespace, &key.name);
        }
    }
}
