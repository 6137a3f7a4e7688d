//! Carrying out a plan on the simulated store, by the rules that every executor follows (`controller::execute`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::strike::{Failed, Strike, Strikes};
use crate::controller::execute::{eviction, expected_ref as expected};
use crate::plan::{Effect, Event, ObjectRef, Phase, Plan, Record, Verb};
use crate::rollout::memory::{Cause, Failure};
use crate::runtime::expectations::{Expectations, Seen};
use crate::runtime::lease::Fence;
use crate::runtime::object::ObjectKey;
use crate::sim::api_server::{Hand, Reject};
use crate::sim::object;

/// What came of a plan.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// Events, in the order in which clients see them.
    pub events: Vec<Event>,
    /// Writes that were refused.
    pub failures: Vec<Failure>,
    /// How the first of them failed.
    pub failed: Option<Failed>,
    /// Whether an object that the plan rests on had moved, so that the rest was dropped.
    pub dropped: bool,
    /// Whether the process died on the way.
    pub crashed: bool,
}

/// What a plan is carried out with.
pub struct Means<'m> {
    /// The store, in the controller's name.
    pub hand: &'m Hand,
    /// What goes wrong.
    pub strikes: &'m mut Strikes,
    /// What the caches have to see afterwards.
    pub expectations: &'m Expectations<ObjectKey>,
    /// Until when writes may be sent.
    pub fence: &'m Fence,
}

/// A plan on its way: it stands still between two writes where the process does.
#[derive(Clone)]
pub struct Run {
    plan: Plan,
    owner: ObjectKey,
    next: usize,
    failed: Option<Phase>,
    versions: BTreeMap<ObjectRef, String>,
    applied: Applied,
    /// The write that the process was about to send when it stood still.
    thawed: bool,
}

/// How far a run has come.
pub enum Progress {
    /// To its end.
    Done(Applied),
    /// The process stands still for so many milliseconds before its next write.
    Frozen(Box<Run>, u64),
}

enum Sent {
    Answered(Option<String>),
    Crashed,
    Frozen(u64),
}

/// Why a write has no answer, or a bad one.
struct Refusal {
    failed: Failed,
    /// The HTTP status; 0 where there is none.
    code: u16,
    message: String,
    cause: Cause,
}

impl Run {
    /// A plan for the object of `owner`, before its first write.
    pub fn new(plan: Plan, owner: ObjectKey) -> Self {
        let (versions, applied) = (BTreeMap::new(), Applied::default());
        Self { plan, owner, next: 0, failed: None, versions, applied, thawed: false }
    }

    /// Carries the rest of the plan out. A failed phase stops the later ones, but not the record.
    pub fn go_on(mut self, means: &mut Means<'_>) -> Progress {
        while let Some(effect) = self.plan.effects.get(self.next).cloned() {
            if self.failed.is_some_and(|failed| failed < effect.phase) {
                break;
            }
            let skips = crate::mutant!("live-reads-skipped");
            if !skips && effect.rests_on.iter().any(|basis| self.moved(&basis.object, &basis.resource_version, means)) {
                self.applied.dropped = true;
                return Progress::Done(self.applied);
            }
            match self.send(&effect.object, means, |run, hand| run.effect(&effect, hand)) {
                Ok(Sent::Answered(version)) => {
                    match effect.verb {
                        Verb::Delete => {
                            let uid = effect.precondition.uid.as_str();
                            means.expectations.deleted(&self.owner, expected(&effect.object), uid);
                        }
                        // The answer does not show the pod: what has become of it is read before the next decision.
                        Verb::Evict => means.expectations.unknown(&self.owner, expected(&effect.object)),
                        _ => self.answered(&effect.object, version, means),
                    }
                    self.applied.events.extend(effect.events.iter().cloned());
                }
                Ok(Sent::Crashed) => return self.crash(),
                Ok(Sent::Frozen(millis)) => return Progress::Frozen(Box::new(self), millis),
                // A pod that has gone, or that is another by now, needs nothing any more.
                Err(refusal) if effect.is_about_a_pod() && matches!(refusal.code, 404 | 409) => {}
                // A disruption budget's refusal is an answer, and stops nothing.
                Err(refusal) if effect.verb == Verb::Evict && refusal.code == 429 => {
                    let (object, message) = (effect.object.clone(), refusal.message);
                    self.applied.failures.push(Failure { object, message, cause: Cause::Budget });
                }
                Err(refusal) => {
                    self.failed.get_or_insert(effect.phase);
                    self.refused(&effect.object, refusal, means);
                }
            }
            self.next += 1;
        }
        self.next = self.plan.effects.len();
        self.record(means)
    }

    fn record(mut self, means: &mut Means<'_>) -> Progress {
        if !self.thawed {
            self.applied.events.extend(self.plan.events.iter().cloned());
        }
        let Some(record) = self.plan.record.clone() else { return Progress::Done(self.applied) };
        match self.send(&record.object, means, |run, hand| run.status(&record, hand)) {
            Ok(Sent::Answered(version)) => {
                self.answered(&record.object, version, means);
            }
            Ok(Sent::Crashed) => return self.crash(),
            Ok(Sent::Frozen(millis)) => return Progress::Frozen(Box::new(self), millis),
            Err(refusal) => self.refused(&record.object, refusal, means),
        }
        Progress::Done(self.applied)
    }

    /// Sends one write, unless something happens to it.
    fn send(
        &mut self,
        object: &ObjectRef,
        means: &mut Means<'_>,
        write: impl Fn(&Self, &Hand) -> Result<Option<Arc<Value>>, Reject>,
    ) -> Result<Sent, Refusal> {
        let strike = if std::mem::take(&mut self.thawed) { None } else { means.strikes.meet() };
        let refuse = |code, retry_after| {
            let failed = Failed::Refused { retry_after };
            Err(Refusal { failed, code, message: format!("struck: {code}"), cause: Cause::Passing })
        };
        match strike {
            Some(Strike::Freeze(millis)) => {
                self.thawed = true;
                return Ok(Sent::Frozen(millis));
            }
            Some(Strike::CrashBefore) => return Ok(Sent::Crashed),
            Some(Strike::Conflict) => return refuse(409, None),
            Some(Strike::TooMany(seconds)) => return refuse(429, Some(std::time::Duration::from_secs(seconds))),
            Some(Strike::Internal) => return refuse(500, None),
            Some(Strike::Timeout) => return Err(unknown("timeout")),
            _ => {}
        }
        if !means.fence.permits() && !crate::mutant!("lease-unchecked") {
            let message = "the lease is too old".to_owned();
            let failed = Failed::Refused { retry_after: None };
            return Err(Refusal { failed, code: 0, message, cause: Cause::Passing });
        }
        if let Some((_, message)) = means.strikes.denied.filter(|(kind, _)| *kind == object.resource.kind) {
            let (failed, message) = (Failed::Refused { retry_after: None }, message.to_owned());
            return Err(Refusal { failed, code: 422, message, cause: Cause::Denied });
        }
        let written = write(self, means.hand);
        match (strike, written) {
            (Some(Strike::CrashAfter), _) => Ok(Sent::Crashed),
            (Some(Strike::LoseResponse), _) => Err(unknown("lost response")),
            (_, Ok(written)) => {
                let version = |value: Arc<Value>| object::text(&value, "/metadata/resourceVersion").to_owned();
                Ok(Sent::Answered(written.map(version)))
            }
            (_, Err(reject)) => Err(Refusal {
                failed: Failed::Refused { retry_after: None },
                code: reject.code,
                message: reject.to_string(),
                cause: cause(&reject),
            }),
        }
    }

    fn crash(mut self) -> Progress {
        self.applied.crashed = true;
        Progress::Done(self.applied)
    }

    fn answered(&mut self, object: &ObjectRef, version: Option<String>, means: &Means<'_>) {
        let Some(version) = version else { return };
        let live = means.hand.get(&object.resource.kind, &object.namespace, &object.name);
        let uid = live.map(|live| object::uid(&live).to_owned()).unwrap_or_default();
        let seen = Seen { uid, resource_version: version.clone() };
        self.versions.insert(object.clone(), version);
        if !crate::mutant!("own-writes-not-awaited") {
            means.expectations.wrote(&self.owner, expected(object), seen);
        }
    }

    fn refused(&mut self, object: &ObjectRef, refusal: Refusal, means: &Means<'_>) {
        if refusal.failed == Failed::TimedOut {
            means.expectations.unknown(&self.owner, expected(object));
        }
        self.applied.failed.get_or_insert(refusal.failed);
        let Refusal { message, cause, .. } = refusal;
        self.applied.failures.push(Failure { object: object.clone(), message, cause });
    }

    /// Whether an object is not at the version that was observed; the plan's own writes do not count.
    fn moved(&self, at: &ObjectRef, observed: &str, means: &Means<'_>) -> bool {
        let wanted = self.versions.get(at).map_or(observed, String::as_str);
        let live = means.hand.get(&at.resource.kind, &at.namespace, &at.name);
        let Some(live) = live else { return true };
        let version = object::text(&live, "/metadata/resourceVersion");
        if version != wanted {
            let seen = Seen { uid: object::uid(&live).to_owned(), resource_version: version.to_owned() };
            means.expectations.wrote(&self.owner, expected(at), seen);
        }
        version != wanted
    }

    fn effect(&self, effect: &Effect, hand: &Hand) -> Result<Option<Arc<Value>>, Reject> {
        let kind = effect.object.resource.kind.as_ref();
        let at = (effect.object.namespace.as_str(), effect.object.name.as_str());
        let version = self.versions.get(&effect.object).unwrap_or(&effect.precondition.resource_version);
        let uid = effect.precondition.uid.as_str();
        let written = match &effect.verb {
            Verb::Create(body) => Self::create(kind, at, body, hand)?,
            Verb::Merge(patch) => hand.merge(kind, at, &guarded(patch, uid, version))?,
            Verb::MergeSubresource(_, patch) => hand.merge_status(kind, at, &guarded(patch, uid, version))?,
            Verb::Json(patch) => {
                let mut operations = vec![json!({"op": "test", "path": "/metadata/resourceVersion", "value": version})];
                operations.extend(patch.as_array().into_iter().flatten().cloned());
                hand.json(kind, at, &Value::Array(operations))?
            }
            Verb::Evict => {
                hand.evict(at, &eviction(&effect.object, &effect.precondition))?;
                return Ok(None);
            }
            Verb::Delete => {
                let live = hand.get(kind, at.0, at.1);
                if let Some(live) = live {
                    let same = object::uid(&live) == uid && object::text(&live, "/metadata/resourceVersion") == version;
                    if !same {
                        return Err(Reject::new(409, "Conflict", "the object has been modified"));
                    }
                    hand.delete(kind, at.0, at.1)?;
                }
                return Ok(None);
            }
        };
        Ok(Some(written))
    }

    /// Creates; an object of that name which is ours already is what was wanted.
    fn create(kind: &str, at: (&str, &str), body: &Value, hand: &Hand) -> Result<Arc<Value>, Reject> {
        match hand.create(kind, body.clone()) {
            Err(reject) if reject.reason == "AlreadyExists" => {
                let live = hand.get(kind, at.0, at.1).ok_or_else(|| reject.clone())?;
                let ours = object::controller_uid(&live) == object::controller_uid(body);
                if ours { Ok(live) } else { Err(reject) }
            }
            other => other,
        }
    }

    fn status(&self, record: &Record, hand: &Hand) -> Result<Option<Arc<Value>>, Reject> {
        let version = self.versions.get(&record.object).unwrap_or(&record.resource_version);
        let at = (record.object.namespace.as_str(), record.object.name.as_str());
        let patch = guarded(&record.patch, "", version);
        hand.merge_status(&record.object.resource.kind, at, &patch).map(Some)
    }
}

fn unknown(why: &str) -> Refusal {
    Refusal { failed: Failed::TimedOut, code: 0, message: format!("struck: {why}"), cause: Cause::Passing }
}

fn cause(reject: &Reject) -> Cause {
    match reject.code {
        409 if reject.reason == "AlreadyExists" => Cause::NameTaken,
        400 | 403 | 422 if !reject.is_patch_failure() => Cause::Denied,
        _ => Cause::Passing,
    }
}

/// The patch with its preconditions in it.
fn guarded(patch: &Value, uid: &str, version: &str) -> Value {
    let mut patch = patch.clone();
    for (field, text) in [("uid", uid), ("resourceVersion", version)].into_iter().filter(|(_, text)| !text.is_empty()) {
        object::put(&mut patch, &["metadata", field], json!(text));
    }
    patch
}
