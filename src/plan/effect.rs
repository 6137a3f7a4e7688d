//! One write, with what it rests on.

use serde_json::Value;

use super::event::Event;
use super::object::ObjectRef;
use crate::api::{Kind, Meta, Pod};

/// The order of a plan. Each phase is judged on the world as the earlier ones may leave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// New objects; ReplicaSets at size zero.
    Create,
    /// More pods.
    ScaleUp,
    /// Routes and Service selectors.
    Route,
    /// Fewer pods.
    ScaleDown,
    /// Objects that are no longer needed.
    Delete,
    /// Annotations and labels.
    Upkeep,
}

impl Phase {
    /// The word of the phase in logs and explanations.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::ScaleUp => "scale-up",
            Self::Route => "route",
            Self::ScaleDown => "scale-down",
            Self::Delete => "delete",
            Self::Upkeep => "upkeep",
        }
    }
}

/// What is asked of the API server.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// Create this object; its name is computed, so a repetition finds it.
    Create(Value),
    /// A JSON merge patch of the object.
    Merge(Value),
    /// A JSON merge patch of a subresource.
    MergeSubresource(&'static str, Value),
    /// A JSON patch: its `test` operations guard what is replaced.
    Json(Value),
    /// Delete the object.
    Delete,
    /// Evict the pod: a POST of its subresource `eviction`, which a disruption budget may refuse.
    Evict,
}

/// The state of the written object that must still hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precondition {
    /// Identity; empty for a create.
    pub uid: String,
    /// Version; empty where only the identity matters (pod metadata) or for a create.
    pub resource_version: String,
    /// Number of the specification; 0 where it is not known, or the kind has none.
    pub generation: i64,
}

impl Precondition {
    /// The object as it was observed.
    pub fn of(meta: &Meta) -> Self {
        Self { uid: meta.uid.clone(), resource_version: meta.resource_version.clone(), generation: meta.generation }
    }

    /// Whatever has become of the object, as long as it is this one.
    pub fn identity(uid: &str) -> Self {
        Self { uid: uid.to_owned(), ..Self::default() }
    }
}

/// Another object that the permission for an effect rests on: read live just before, and the plan is dropped where it has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// The object.
    pub object: ObjectRef,
    /// The version that was observed.
    pub resource_version: String,
}

impl Basis {
    /// An object as it was observed.
    pub fn of<K: Kind>(object: &K) -> Self {
        Self { object: ObjectRef::to(object), resource_version: object.meta().resource_version.clone() }
    }
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// When in the plan.
    pub phase: Phase,
    /// What is written.
    pub object: ObjectRef,
    /// How.
    pub verb: Verb,
    /// What must still hold of the written object.
    pub precondition: Precondition,
    /// What must still hold of others. Not empty where the effect takes something away, or could: an adoption by an owner
    /// that has gone meanwhile is the end of what is adopted.
    pub rests_on: Vec<Basis>,
    /// Why: the log line and the explanation.
    pub reason: String,
    /// Events once the write has succeeded.
    pub events: Vec<Event>,
}

impl Effect {
    /// Whether the written object is a pod: it may go at any time, and what was wanted of it goes with it.
    pub fn is_about_a_pod(&self) -> bool {
        self.object.resource.kind == Pod::KIND
    }
}
