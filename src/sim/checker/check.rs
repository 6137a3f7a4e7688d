//! Replays the journal and reports the first broken promise.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::facts::{Facts, Share, hash};
use super::state::{Past, State};
use super::{bounds, decisions, footprint, managed, pace, revisions, traffic, workload};
use crate::api::Time;
use crate::mutants::is_heard;
use crate::sim::api_server::journal::Entry;
use crate::sim::object;
use crate::traffic::gateway_api::RouteKind;

/// The actor whose writes are judged.
pub const CONTROLLER: &str = "rollouts-controller";
/// Actors that only answer what others write: their writes are no input from outside.
const BUILT_IN: &[&str] =
    &["replicaset-controller", "kubelet", "endpointslice-controller", "gateway", "deployment-controller", CONTROLLER];

/// Fields of the record that hold decisions.
const DECISIONS: &[&str] = &[
    "/status/currentStepIndex",
    "/status/stableRS",
    "/status/currentPodHash",
    "/status/abort",
    "/status/promoteFull",
    "/status/blueGreen/scaleUpPreviewCheckPoint",
];
/// Fields of the record whose change is progress.
const PROGRESS: &[&str] = &["/status/currentStepIndex", "/status/stableRS", "/status/currentPodHash"];
/// Kinds on which the shares of revisions rest.
const SHARES: &[&str] = &["Rollout", "ReplicaSet", "Service", "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"];

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Violation {
    /// Its ID.
    pub id: &'static str,
    /// What was written, where there was a write.
    pub write: String,
    /// When.
    pub time: Time,
    /// The numbers.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} by {}: {}", self.id, self.time, self.write, self.message)
    }
}

/// What an invariant says of a write: nothing, or its numbers.
pub type Found = Result<(), String>;

/// One write of ours, with the cluster as it was just before and just after.
pub struct Write<'s> {
    /// The write.
    pub entry: &'s Entry,
    /// Its Rollout, before.
    pub before: &'s Facts<'s>,
    /// Its Rollout, after; `None` where it has gone.
    pub after: &'s Facts<'s>,
    /// What is remembered of the Rollout.
    pub past: &'s Past,
}

impl Write<'_> {
    /// The written object before; null where there was none.
    pub fn left(&self) -> &Value {
        self.entry.before.as_deref().unwrap_or(&Value::Null)
    }

    /// The written object after; null where there is none.
    pub fn made(&self) -> &Value {
        self.entry.after.as_deref().unwrap_or(&Value::Null)
    }

    /// The latest that the clock of whoever wrote may have shown, compared with those that others have written down.
    pub fn latest(&self) -> Time {
        self.entry.time + self.before.state.clocks_apart
    }

    /// Whether the write is about a route of any kind.
    pub fn is_route(&self) -> bool {
        RouteKind::named(&self.entry.kind).is_some()
    }

    /// Whether the write is about a kind.
    pub fn is(&self, kind: &str) -> bool {
        self.entry.kind == kind
    }
}

type Invariant = fn(&Write<'_>) -> Found;

const INVARIANTS: &[(&str, Invariant)] = &[
    ("I01", traffic::i01),
    ("I02", traffic::i02),
    ("I03", traffic::i03),
    ("I04", traffic::i04),
    ("I05", traffic::i05),
    ("I06", traffic::i06),
    ("I07", traffic::i07),
    ("I08", pace::i08),
    ("I09", decisions::i09),
    ("I10", pace::i10),
    ("I12", footprint::i12),
    ("I14", managed::i14),
    ("I15", revisions::i15),
    ("I16", traffic::i16),
    ("I17", traffic::i17),
    ("I19", revisions::i19),
    ("I20", footprint::i20),
    ("I21", pace::i21),
    ("I22", revisions::i22),
    ("I23", pace::i23),
    ("I24", workload::i24),
    ("I25", pace::i25),
    ("I26", decisions::i26),
    ("I27", footprint::i27),
    ("I28", decisions::i28),
    ("I29", pace::i29),
    ("I30", decisions::i30),
    ("I31", decisions::i31),
    ("I32", decisions::i32),
    ("I33", pace::i33),
    ("I35", bounds::i35),
    ("I41", decisions::i41),
    ("I42", footprint::i42),
];

/// Replays a journal, entry by entry.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    /// The cluster after what was replayed.
    pub state: State,
    /// What is owed within a time.
    owed: Vec<bounds::Owed>,
}

impl Checker {
    /// Judges what has to happen within a time. Only where no view is late and no request fails: bounds count from
    /// the watch event, and hold while the API server accepts writes.
    ///
    /// # Errors
    /// The first promise whose time is over.
    pub fn tick(&mut self, now: Time) -> Result<(), Violation> {
        self.state.now = self.state.now.max(now);
        self.owed = bounds::judge(&self.state, &self.owed, now).map_err(|(id, message)| Violation {
            id,
            write: "nobody".to_owned(),
            time: now,
            message,
        })?;
        Ok(())
    }

    /// Takes one write in.
    ///
    /// # Errors
    /// The first promise that the write breaks.
    pub fn observe(&mut self, entry: &Entry) -> Result<(), Violation> {
        let moves_shares = moves_shares(entry);
        if moves_shares {
            self.note_exposure(entry);
        }
        let before = (entry.actor == CONTROLLER).then(|| self.state.clone());
        self.state.apply(entry);
        if moves_shares {
            self.note_exposure(entry);
        }
        let judged = before.map_or(Ok(()), |before| self.judge(before, entry));
        self.note_inputs(entry);
        self.note_field(entry);
        self.note_record(entry);
        self.note_disturbance(entry);
        judged
    }

    fn judge(&self, mut before: State, entry: &Entry) -> Result<(), Violation> {
        before.now = before.now.max(entry.time);
        for value in before.list("Rollout", &entry.namespace) {
            let Some(after) = self.state.get("Rollout", &entry.namespace, object::name(value)) else { continue };
            let (Some(old), Some(new)) = (Facts::of(&before, value), Facts::of(&self.state, after)) else { continue };
            if !concerns(&old, entry) {
                continue;
            }
            if !owns(&old, entry) {
                continue;
            }
            let past = self.state.past.get(object::uid(value)).map(Arc::clone).unwrap_or_default();
            let write = Write { entry, before: &old, after: &new, past: &past };
            for (id, invariant) in INVARIANTS.iter().filter(|(id, _)| is_heard(id)) {
                invariant(&write).map_err(|message| violation(id, entry, message))?;
            }
        }
        Ok(())
    }

    /// Remembers until when each revision had a share. A route may be in another namespace than its Rollout.
    fn note_exposure(&mut self, entry: &Entry) {
        let anywhere = RouteKind::named(&entry.kind).is_some();
        let near = |value: &&Arc<Value>| anywhere || object::namespace(value) == entry.namespace;
        let mut found = Vec::new();
        for value in self.state.rollouts().filter(near) {
            let Some(facts) = Facts::of(&self.state, value) else { continue };
            for rs in facts.sets().filter(|rs| facts.share_up(hash(rs)).exceeds(Share::NONE)) {
                found.push((object::uid(value).to_owned(), hash(rs).to_owned()));
            }
        }
        for (uid, hash) in found {
            self.state.past_of(&uid).exposed.insert(hash, entry.time);
        }
    }

    /// Counts what came from outside.
    fn note_inputs(&mut self, entry: &Entry) {
        // A selector of ours that has moved changes what a weight means, so the weight may follow it.
        let selector = entry.actor == CONTROLLER && entry.kind == "Service";
        // A pod that we evict is gone until another comes.
        let evicted = entry.actor == CONTROLLER && pace::takes_pod(entry);
        // Measurements are news, whoever writes them down.
        let status = |value: &Option<Arc<Value>>| value.as_ref().and_then(|value| value.get("status").cloned());
        let measured = entry.kind == "AnalysisRun" && status(&entry.before) != status(&entry.after);
        // A late view may have counted on just the pod that is chosen to go.
        let chosen = self.state.late_views && pace::takes_pod(entry);
        if selector || evicted || measured || chosen || !BUILT_IN.contains(&entry.actor.as_str()) {
            self.state.pasts(&entry.namespace).for_each(|past| past.inputs += 1);
        }
    }

    /// Remembers that somebody else has taken a revision or pods away, or changed what leads to them.
    fn note_disturbance(&mut self, entry: &Entry) {
        if matches!(entry.kind.as_str(), "Pod" | "Node" | "ReplicaSet" | "Service" | "HTTPRoute")
            && !BUILT_IN.contains(&entry.actor.as_str())
        {
            self.state.pasts(&entry.namespace).for_each(|past| past.disturbed = Some(entry.time));
        }
        let lost = entry.before.as_ref().filter(|_| entry.kind == "ReplicaSet" && entry.after.is_none());
        let owner = lost.filter(|_| entry.actor != CONTROLLER).and_then(|rs| object::controller_uid(rs));
        if let Some(owner) = owner {
            self.state.past_of(owner).disturbed = Some(entry.time);
        }
    }

    /// Remembers what we made of a field of ours.
    fn note_field(&mut self, entry: &Entry) {
        let Some((field, from, to)) = revisions::field(entry).filter(|_| entry.actor == CONTROLLER) else { return };
        // What is taken back because a revision has lost all of its pods may come again with them.
        let retreat = RouteKind::named(&entry.kind).is_some() && self.canary_has_gone(&entry.namespace);
        let leads = entry.kind == "Service" || RouteKind::named(&entry.kind).is_some();
        for past in self.state.pasts(&entry.namespace) {
            if leads {
                let (last, times) = past.repairs.entry(field.clone()).or_default();
                if *last == to {
                    times.push(entry.time);
                } else {
                    (*last, *times) = (to.clone(), Vec::new());
                }
            }
            // What came in since the value before was written excuses going back to it.
            let since = past.changed.insert(field.clone(), past.inputs).unwrap_or(past.inputs);
            let known = past.fields.get(&field).map(|(_, written, _)| *written == from);
            let since = match known {
                _ if retreat => u64::MAX,
                // Going back to what somebody else has written is no going back.
                Some(false) => u64::MAX,
                Some(true) => since,
                None => past.inputs,
            };
            past.fields.insert(field.clone(), (from.clone(), to.clone(), since));
        }
    }

    /// Whether the current revision of a routed canary of a namespace has no available pod.
    fn canary_has_gone(&self, namespace: &str) -> bool {
        let near = self.state.rollouts().filter(|value| object::namespace(value) == namespace);
        let facts = near.filter_map(|value| Facts::of(&self.state, value));
        let mut routed = facts.filter(|facts| facts.routed().is_some());
        routed.any(|facts| {
            let current = facts.by_hash(&facts.rollout.status.current_pod_hash);
            current.is_none_or(|rs| self.state.available(rs) == 0)
        })
    }

    /// Remembers what was specified, by the image of its first container; a workload may be older than its Rollout.
    fn note_image(&mut self, entry: &Entry) {
        let Some(after) = entry.after.as_ref().filter(|_| matches!(entry.kind.as_str(), "Rollout" | "Deployment"))
        else {
            return;
        };
        let older = entry.kind == "Rollout" && entry.before.is_none();
        let workloads = self.state.list("Deployment", &entry.namespace).filter(|_| older);
        let image = |value: &Arc<Value>| object::at(value, "/spec/template/spec/containers/0/image").cloned();
        let images: Vec<Value> = workloads.chain([after]).filter_map(image).collect();
        for uid in self.state.uids(&entry.namespace) {
            for image in &images {
                if self.state.past.get(&uid).is_none_or(|past| !past.images.contains(image)) {
                    self.state.past_of(&uid).images.push(image.clone());
                }
            }
        }
    }

    /// Remembers of what a ReplicaSet's pods are made.
    fn note_made(&mut self, entry: &Entry) {
        let Some(made) = entry.after.as_ref().filter(|_| entry.kind == "ReplicaSet" && entry.before.is_none()) else {
            return;
        };
        if let Some(owner) = object::controller_uid(made) {
            self.state.past_of(owner).made.insert(object::uid(made).to_owned(), Arc::clone(made));
        }
    }

    /// Remembers how often people have resumed after an inconclusive analysis, and what was replaced since.
    fn note_replacement(&mut self, entry: &Entry) {
        let Some(after) = &entry.after else { return };
        let null = Arc::new(Value::Null);
        let before = entry.before.as_ref().unwrap_or(&null);
        match entry.kind.as_str() {
            "Rollout"
                if entry.actor != CONTROLLER
                    && begun(after, before).any(|reason| reason == "InconclusiveAnalysisRun") =>
            {
                self.state.past_of(object::uid(after)).resumes += 1;
            }
            "AnalysisRun" if entry.before.is_none() && decisions::replaces(after).is_some() => {
                let Some(owner) = object::controller_uid(after) else { return };
                let past = self.state.past_of(owner);
                past.replaced.insert(decisions::gate(after), past.resumes);
            }
            _ => {}
        }
    }

    /// Remembers what the record says: former stable revisions, aborts, decisions.
    fn note_record(&mut self, entry: &Entry) {
        self.note_image(entry);
        self.note_made(entry);
        self.note_replacement(entry);
        let (Some(after), "Rollout") = (&entry.after, entry.kind.as_str()) else { return };
        let text = |pointer: &str| object::text(after, pointer).to_owned();
        let old = entry.before.as_deref().unwrap_or(&Value::Null);
        let past = self.state.past_of(object::uid(after));
        let (stable, current) = (text("/status/stableRS"), text("/status/currentPodHash"));
        let before = object::text(old, "/status/stableRS");
        if !before.is_empty() && before != stable {
            past.former.insert(before.to_owned(), entry.time);
        }
        past.former.remove(&stable);
        past.former.remove(&current);
        let aborted = object::at(after, "/status/abort").and_then(Value::as_bool) == Some(true);
        if past.aborted.is_some() && !aborted && entry.actor != CONTROLLER {
            // Somebody has taken an abort back that a late view still shows.
            past.disturbed = Some(entry.time);
        }
        past.aborted = match (&past.aborted, aborted) {
            (Some((hash, since)), true) if *hash == current => Some((hash.clone(), *since)),
            (_, true) => Some((current, entry.time)),
            (_, false) => None,
        };
        past.pauses.extend(begun(after, old).map(|reason| (reason.to_owned(), past.inputs)));
        if DECISIONS.iter().any(|pointer| object::at(old, pointer) != object::at(after, pointer)) {
            past.inputs += 1;
        }
        let size = |value: &Value| object::integer(value, "/spec/replicas").and_then(|size| i32::try_from(size).ok());
        if let Some(size) = size(old).filter(|former| size(after) != Some(*former)) {
            past.sizes.push((entry.time, size));
        }
        // A blue-green gets on by its selectors (contract, behaviour §18); what is stable follows them.
        let blue_green = object::at(after, "/spec/strategy/blueGreen").is_some();
        let counts = |pointer: &str| !(blue_green && pointer == "/status/stableRS");
        let moved = |pointer: &&&str| object::at(old, pointer) != object::at(after, pointer);
        if PROGRESS.iter().filter(moved).any(|pointer| counts(pointer)) {
            past.progress = Some(entry.time);
        }
    }
}

/// The reasons of the pauses that one state of a record has and another before it had not.
pub fn begun<'w>(before: &'w Value, after: &'w Value) -> impl Iterator<Item = &'w str> {
    let reasons = |record: &'w Value| {
        object::list(record, "/status/pauseConditions").iter().map(|pause| object::text(pause, "/reason"))
    };
    reasons(after).filter(move |reason| !reasons(before).any(|known| known == *reason))
}

/// Whether a write may change which revision has which share: a status alone does not, but for what it acknowledges.
fn moves_shares(entry: &Entry) -> bool {
    if !SHARES.contains(&entry.kind.as_str()) {
        return false;
    }
    let (Some(before), Some(after)) = (&entry.before, &entry.after) else { return true };
    match entry.kind.as_str() {
        "ReplicaSet" => object::at(before, "/metadata/labels") != object::at(after, "/metadata/labels"),
        "Rollout" => before.get("spec") != after.get("spec"),
        _ => true,
    }
}

/// Whether a write is about a Rollout's own or referenced objects.
fn concerns(facts: &Facts<'_>, entry: &Entry) -> bool {
    let object = entry.after.as_deref().or(entry.before.as_deref()).unwrap_or(&Value::Null);
    match entry.kind.as_str() {
        "Rollout" => object::uid(object) == object::uid(facts.value),
        "Service" => facts.services().contains(&entry.name.as_str()),
        "Pod" => facts.sets().any(|rs| object::controller_uid(object) == Some(object::uid(rs))),
        "Deployment" => workload::deployment(facts).is_some_and(|known| object::uid(known) == object::uid(object)),
        kind if RouteKind::named(kind).is_some() => {
            facts.routes().contains(&(entry.namespace.clone(), entry.name.clone()))
        }
        _ => object::controller_uid(object) == Some(object::uid(facts.value)),
    }
}

/// Whether no older Rollout names the written object: what a younger one names as well is not its own (I12).
fn owns(facts: &Facts<'_>, entry: &Entry) -> bool {
    let age = |value: &Value| (object::time(value, "/metadata/creationTimestamp"), object::name(value).to_owned());
    let own = age(facts.value);
    let mut older = facts.state.list("Rollout", &entry.namespace).filter(|value| age(value) < own);
    !older.any(|value| {
        let Some(other) = Facts::of(facts.state, value) else { return false };
        match entry.kind.as_str() {
            "Service" => other.services().contains(&entry.name.as_str()),
            kind if RouteKind::named(kind).is_some() => {
                other.routes().contains(&(entry.namespace.clone(), entry.name.clone()))
            }
            _ => false,
        }
    })
}

/// The violation that a write makes.
pub fn violation(id: &'static str, entry: &Entry, message: String) -> Violation {
    let write = format!("{} of {} {}", entry.actor, entry.kind, entry.name);
    Violation { id, write, time: entry.time, message }
}
