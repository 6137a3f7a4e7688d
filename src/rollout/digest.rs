//! What follows from a Rollout's specification alone: computed once per generation, not at each look.

use serde_json::Value;

use super::revision::hash::{pod_template_hash, steps_hash};
use super::unsupported;
use super::validate::references::rollout_view;
use super::validate::{validate_spec, validate_strict};
use crate::api::RawJson;

/// Facts of one generation of a specification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecDigest {
    /// Hash of the pod template, as Argo computes it. Only a name: semantic equality decides what changed.
    pub pod_hash: String,
    /// Hash of the canary steps; empty in a blue-green.
    pub steps_hash: String,
    /// Validation errors of the contract, in its order; only the first is reported.
    pub errors: Vec<String>,
    /// Fields that Siskin knows and does not carry out yet, by path.
    pub unsupported: Vec<String>,
    /// Fields that nobody knows, by path.
    pub unknown: Vec<String>,
    /// What decides whether the objects that it names are right for it; as text, for a tree takes ten times as much.
    pub references: RawJson,
}

impl SpecDigest {
    /// Digests a Rollout as it is stored.
    ///
    /// `unknown` lists the paths of fields that no type knows; they were found where the object was read.
    pub fn of(rollout: &Value, collision_count: Option<i32>, unknown: Vec<String>) -> Self {
        let template = rollout.pointer("/spec/template").unwrap_or(&Value::Null);
        let strategy = rollout.pointer("/spec/strategy").unwrap_or(&Value::Null);
        Self {
            pod_hash: pod_template_hash(template, collision_count),
            steps_hash: steps_hash(strategy),
            errors: validate_spec(rollout).iter().chain(&validate_strict(rollout)).map(ToString::to_string).collect(),
            unsupported: unsupported::fields(rollout),
            unknown,
            references: RawJson::of(&rollout_view(rollout)),
        }
    }
}
