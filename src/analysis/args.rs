//! Where the arguments of a run come from: a Rollout's references, or an Experiment's.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::analysis::Argument;
use crate::api::duration::{GoDuration, ParseDurationError};
use crate::api::experiment::Experiment;
use crate::api::rollout::{AnalysisRunArgument, ArgumentValueFrom};
use crate::api::time::Time;

use super::field_path::{self, FieldPathError};
use super::template::{TemplateError, replace_tags};

/// The pod hashes that an argument may name.
#[derive(Clone, Copy, Debug)]
pub struct Hashes<'a> {
    /// Of the stable revision; empty where there is none.
    pub stable: &'a str,
    /// Of the newest revision.
    pub latest: &'a str,
}

/// Arguments of a Rollout's reference, and what was wrong with them.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutArgs {
    /// For validation: a field that is not there gives the empty value, because it may be there by the time of the run.
    pub args: Vec<Argument>,
    /// The error that forbids to create a run now.
    pub error: Option<FieldPathError>,
}

impl RolloutArgs {
    /// The arguments for a run that is created now.
    ///
    /// # Errors
    /// A field of the Rollout that cannot be taken.
    pub fn at_creation(self) -> Result<Vec<Argument>, FieldPathError> {
        self.error.map_or(Ok(self.args), Err)
    }
}

/// Takes the values of `args` from the Rollout, given as the JSON object that the API server stores.
///
/// A path under `metadata` that Kubernetes' downward API does not know ends the resolution with no arguments at all.
/// Any other wrong path leaves an empty value, and its error counts only until a later field is found.
/// Argo: `BuildArgumentsForRolloutAnalysisRun`.
pub fn rollout_args(args: &[AnalysisRunArgument], rollout: &Value, hashes: Hashes<'_>) -> RolloutArgs {
    let mut out = RolloutArgs { args: Vec::with_capacity(args.len()), error: None };
    for arg in args {
        let mut value = arg.value.clone();
        match arg.value_from.as_ref() {
            Some(ArgumentValueFrom { pod_template_hash_value: Some(revision), .. }) => match revision.as_str() {
                "Latest" => hashes.latest.clone_into(&mut value),
                "Stable" => hashes.stable.clone_into(&mut value),
                _ => {}
            },
            Some(ArgumentValueFrom { field_ref: Some(field), .. }) => {
                let taken = field_path::resolve(rollout, &field.field_path);
                if taken.is_err() && field_path::is_metadata(&field.field_path) {
                    return RolloutArgs { args: Vec::new(), error: taken.err() };
                }
                out.error = taken.as_ref().err().cloned();
                value = taken.unwrap_or_default();
            }
            _ => {}
        }
        out.args.push(Argument { name: arg.name.clone(), value: Some(value), value_from: None });
    }
    out
}

/// A `ReplicaSet` of an Experiment, as its arguments see it.
#[derive(Clone, Copy, Debug)]
pub struct ExperimentReplicaSet<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its pod hash.
    pub hash: &'a str,
}

/// Why an argument of an Experiment's analysis has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExperimentArgError {
    /// A tag that nothing is known of, or that does not end.
    #[error(transparent)]
    Tag(#[from] TemplateError),
    /// `spec.duration` is no duration.
    #[error("{0}")]
    Duration(#[from] ParseDurationError),
}

/// The arguments of one analysis of an Experiment: values with their tags replaced; an argument without a value stays
/// without, so that the template's own source for it is used.
///
/// # Errors
/// A tag that nothing is known of, or a duration that is none.
pub fn experiment_args(
    args: &[Argument],
    experiment: &Experiment,
    replica_sets: &BTreeMap<String, ExperimentReplicaSet<'_>>,
) -> Result<Vec<Argument>, ExperimentArgError> {
    let resolve = |arg: &Argument| {
        let value = arg.value.as_deref().map(|value| experiment_value(value, experiment, replica_sets)).transpose()?;
        Ok(Argument { name: arg.name.clone(), value, value_from: None })
    };
    args.iter().map(resolve).collect()
}

fn experiment_value(
    value: &str,
    experiment: &Experiment,
    replica_sets: &BTreeMap<String, ExperimentReplicaSet<'_>>,
) -> Result<String, ExperimentArgError> {
    let available = experiment.status.available_at;
    let finished = match (available, experiment.spec.duration.as_str()) {
        (None, _) | (_, "") => None,
        (Some(available), text) => Some(after(available, GoDuration::parse(text)?)),
    };
    let value_of = |tag: &str| match tag {
        "experiment.availableAt" => available.map(|time| time.to_string()),
        "experiment.finishedAt" => finished.map(|time| time.to_string()),
        _ => {
            let rest = tag.strip_prefix("templates.")?;
            let of = |template: &str| {
                let known = experiment.spec.templates.iter().any(|known| known.name == template);
                replica_sets.get(template).filter(|_| known)
            };
            if let Some(template) = rest.strip_suffix(".podTemplateHash") {
                return Some(of(template)?.hash.to_owned());
            }
            Some(of(rest.strip_suffix(".replicaset.name")?)?.name.to_owned())
        }
    };
    Ok(replace_tags(value, value_of)?)
}

/// `time` moved by a duration that may be negative.
pub(crate) fn after(time: Time, duration: GoDuration) -> Time {
    Time::from_nanos(time.nanos().saturating_add(duration.0))
}

#[cfg(test)]
mod tests;
