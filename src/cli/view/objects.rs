//! The objects that a view is made of, sorted by kind.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::{AnalysisRun, Experiment, Pod, ReplicaSet, Rollout};

/// Objects of one namespace, or of several.
#[derive(Debug, Default, Clone)]
pub struct Objects {
    /// Rollouts.
    pub rollouts: Vec<Rollout>,
    /// ReplicaSets, whoever owns them.
    pub replica_sets: Vec<ReplicaSet>,
    /// Pods, whoever owns them.
    pub pods: Vec<Pod>,
    /// Experiments.
    pub experiments: Vec<Experiment>,
    /// AnalysisRuns.
    pub runs: Vec<AnalysisRun>,
}

/// An object that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {kind} {name}: {source}; `siskin lint` names the field that does not fit")]
pub struct UnreadableObject {
    kind: String,
    name: String,
    source: serde_json::Error,
}

/// Reads one object of a known type.
///
/// # Errors
/// When a field has a type that its kind does not know.
pub fn read<T: DeserializeOwned>(kind: &str, value: &Value) -> Result<T, UnreadableObject> {
    serde_json::from_value(value.clone()).map_err(|source| UnreadableObject {
        kind: kind.to_owned(),
        name: value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        source,
    })
}

impl Objects {
    /// Adds an object; one of another kind is passed over.
    ///
    /// # Errors
    /// When a field has a type that its kind does not know.
    pub fn add(&mut self, kind: &str, value: &Value) -> Result<(), UnreadableObject> {
        match kind {
            "Rollout" => self.rollouts.push(read(kind, value)?),
            "ReplicaSet" => self.replica_sets.push(read(kind, value)?),
            "Pod" => self.pods.push(read(kind, value)?),
            "Experiment" => self.experiments.push(read(kind, value)?),
            "AnalysisRun" => self.runs.push(read(kind, value)?),
            _ => {}
        }
        Ok(())
    }

    /// Reads objects that name their kind.
    ///
    /// # Errors
    /// When a field has a type that its kind does not know.
    pub fn of(values: &[Value]) -> Result<Self, UnreadableObject> {
        let mut objects = Self::default();
        for value in values {
            objects.add(value.get("kind").and_then(Value::as_str).unwrap_or_default(), value)?;
        }
        Ok(objects)
    }
}
