//! A Rollout as the cache holds it: read, digested once, and without what nobody reads.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::api::rollout::RolloutSpec;
use crate::api::{Meta, RawJson, Rollout, Workload, crd, names};
use crate::rollout::validate::{ErrorKind, validate_spec};
use crate::rollout::{SpecDigest, workload};
use crate::runtime::object::Cached;

/// A Rollout with the template of a workload in it, and what of the workload that rests on.
#[derive(Debug)]
struct Resolved {
    uid: String,
    generation: i64,
    /// A generation comes twice where a cluster was restored, or a simulation played from one moment more than once.
    templates: [RawJson; 2],
    rollout: Arc<Rollout>,
    digest: Arc<SpecDigest>,
}

/// A Rollout with what follows from its specification.
#[derive(Debug)]
pub struct CachedRollout {
    /// The Rollout.
    pub rollout: Arc<Rollout>,
    /// What follows from its specification alone.
    pub digest: Arc<SpecDigest>,
    /// The last answer of [`CachedRollout::with_template_of`]: hashing and validating a template is most of a look's work.
    resolved: Mutex<Option<Resolved>>,
}

impl Cached for CachedRollout {
    fn object_meta(&self) -> &Meta {
        &self.rollout.metadata
    }
}

impl CachedRollout {
    /// Reads a stored Rollout.
    ///
    /// # Errors
    /// Where a field has another type than the API says: its path, and what was expected.
    pub fn of(value: &Value) -> Result<Self, String> {
        let mut rollout: Rollout = Rollout::deserialize(value).map_err(|error| misfit(value, &error))?;
        let unknown = unknown_fields(value);
        // The largest annotation by far, and read only here.
        rollout.metadata.annotations.remove(names::LAST_APPLIED);
        let digest = SpecDigest::of(value, rollout.status.collision_count, unknown);
        Ok(Self { rollout: Arc::new(rollout), digest: Arc::new(digest), resolved: Mutex::default() })
    }

    /// Reads a later version of the same Rollout with the same specification, annotations and collision count, whose
    /// digest is the same: it is the dearest part of reading a Rollout.
    ///
    /// # Errors
    /// As [`CachedRollout::of`].
    pub fn with_digest(value: &Value, digest: &Arc<SpecDigest>) -> Result<Self, String> {
        let mut rollout: Rollout = Rollout::deserialize(value).map_err(|error| misfit(value, &error))?;
        rollout.metadata.annotations.remove(names::LAST_APPLIED);
        Ok(Self { rollout: Arc::new(rollout), digest: Arc::clone(digest), resolved: Mutex::default() })
    }

    /// The Rollout with the template of the workload that it refers to, and what follows from that.
    pub fn with_template_of(&self, workload: &Workload) -> (Arc<Rollout>, Arc<SpecDigest>) {
        let mut resolved = self.resolved.lock();
        let Meta { uid, generation, .. } = &workload.metadata;
        let templates = [workload.spec.template.clone(), workload.template.clone()];
        let is_of =
            |known: &Resolved| (&known.uid, known.generation, &known.templates) == (uid, *generation, &templates);
        let known = resolved.take().filter(is_of);
        let known = known.unwrap_or_else(|| {
            let (rollout, digest) = workload::resolve(&self.rollout, &self.digest, workload);
            let (rollout, digest) = (Arc::new(rollout), Arc::new(digest));
            Resolved { uid: uid.clone(), generation: *generation, templates: templates.clone(), rollout, digest }
        });
        let answer = (Arc::clone(&known.rollout), Arc::clone(&known.digest));
        *resolved = Some(known);
        answer
    }
}

impl Cached for Workload {
    fn object_meta(&self) -> &Meta {
        &self.metadata
    }
}

impl<'de> Deserialize<'de> for CachedRollout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::of(&value).map_err(de::Error::custom)
    }
}

/// The first value of a wrong type, in the contract's words where it is in the specification.
fn misfit(value: &Value, error: &serde_json::Error) -> String {
    let specified = validate_spec(value).into_iter().find(|error| error.kind == ErrorKind::TypeInvalid);
    let elsewhere = || crd::check("Rollout", value).into_iter().find(|error| error.fault == crd::Fault::Type);
    let named = specified.map(|error| error.to_string()).or_else(|| elsewhere().map(|error| error.to_string()));
    named.unwrap_or_else(|| error.to_string())
}

/// Fields that nothing reads, in the stored object and in the manifest that `kubectl apply` keeps of it
/// (the API server may have pruned them from the object itself).
fn unknown_fields(value: &Value) -> Vec<String> {
    let mut found = unknown_in(value.get("spec"));
    let applied = value.pointer("/metadata/annotations").and_then(|annotations| annotations.get(names::LAST_APPLIED));
    if let Some(manifest) = applied.and_then(Value::as_str).and_then(|text| serde_json::from_str::<Value>(text).ok()) {
        for path in unknown_in(manifest.get("spec")) {
            if !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found
}

fn unknown_in(spec: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(spec) = spec {
        let read: Result<RolloutSpec, _> =
            serde_ignored::deserialize(spec, |path| found.push(format!("spec.{path}").replace(".?", "")));
        if read.is_err() {
            found.clear();
        }
    }
    found
}
