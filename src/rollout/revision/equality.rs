//! Whether a stored pod template is the wanted one, written differently.
//!
//! This is what keeps a change of library, of hash or of API server from starting a rollout. Argo:
//! `utils/replicaset/replicaset.go FindNewReplicaSet, PodTemplateEqualIgnoreHash`.
//!
//! Equality is that of Kubernetes' `equality.Semantic`: quantities and times by value, an absent list
//! or map equal to an empty one, keys that the types do not know ignored.

use super::defaults;
use super::go_json::{fits, integer, is_zero};
use super::pod_table::POD_TEMPLATE_SPEC;
use super::quantity::Quantity;
use super::table::{Field, Kind, Struct};
use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

pub use crate::api::names::POD_HASH as HASH_LABEL;

/// Which list of anti-affinity terms the Rollout's strategy lets the controller add to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedTerm {
    /// No anti-affinity is configured: nothing was injected.
    None,
    /// To the preferred terms.
    Preferred,
    /// To the required terms.
    Required,
}

impl InjectedTerm {
    /// Reads `spec.strategy`; a canary's anti-affinity goes before that of blue-green.
    pub fn of_strategy(strategy: &Value) -> Self {
        let configured = |name: &str| strategy.get(name)?.get("antiAffinity").filter(|v| v.is_object());
        let Some(config) = configured("canary").or_else(|| configured("blueGreen")) else { return Self::None };
        let set = |key: &str| config.get(key).is_some_and(Value::is_object);
        if set(PREFERRED) {
            Self::Preferred
        } else if set(REQUIRED) {
            Self::Required
        } else {
            Self::None
        }
    }
}

pub(super) const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
pub(super) const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

/// Whether `stored` (the template of a `ReplicaSet`) is `desired` (`spec.template` of the Rollout).
///
/// `ephemeral` is the parsed annotation `rollout.argoproj.io/ephemeral-metadata` of the `ReplicaSet`
/// (`{labels, annotations}`): what the controller had added to the stored template.
pub fn same_template(stored: &Value, desired: &Value, ephemeral: Option<&Value>, injected: InjectedTerm) -> bool {
    let mut stored = stored.clone();
    if let Some(ephemeral) = ephemeral {
        remove_ephemeral(&mut stored, ephemeral);
    }
    remove_injected_term(&mut stored, injected);
    same_template_ignoring_hash(&stored, desired)
}

/// Whether two templates are equal but for the hash label, with defaults applied to `desired`.
pub fn same_template_ignoring_hash(stored: &Value, desired: &Value) -> bool {
    let (mut stored, mut desired) = (stored.clone(), desired.clone());
    defaults::apply(&mut desired);
    remove_what_never_counts(&mut stored);
    remove_what_never_counts(&mut desired);
    same_struct(&POD_TEMPLATE_SPEC, Some(&stored), Some(&desired))
}

/// Takes out the hash label, and an alias that the API server fills from `serviceAccountName` and defaults do not.
pub(super) fn remove_what_never_counts(template: &mut Value) {
    remove_key(template, &["metadata", "labels"], HASH_LABEL);
    remove_key(template, &["spec"], "serviceAccount");
}

fn remove_ephemeral(template: &mut Value, ephemeral: &Value) {
    for part in ["labels", "annotations"] {
        let keys = ephemeral.get(part).and_then(Value::as_object).into_iter().flat_map(Map::keys);
        for key in keys {
            remove_key(template, &["metadata", part], key);
        }
    }
}

fn remove_key(value: &mut Value, path: &[&str], key: &str) {
    let holder = path.iter().try_fold(value, |value, step| value.get_mut(*step));
    if let Some(object) = holder.and_then(Value::as_object_mut) {
        object.remove(key);
    }
}

/// Takes out the first term that names the hash label, and what becomes empty by that.
fn remove_injected_term(template: &mut Value, injected: InjectedTerm) {
    let list = match injected {
        InjectedTerm::None => return,
        InjectedTerm::Preferred => PREFERRED,
        InjectedTerm::Required => REQUIRED,
    };
    let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let Some(affinity) = spec.get_mut("affinity").and_then(Value::as_object_mut) else { return };
    let Some(anti) = affinity.get_mut("podAntiAffinity").and_then(Value::as_object_mut) else { return };
    let Some(terms) = anti.get_mut(list).and_then(Value::as_array_mut) else { return };
    let Some(index) = terms.iter().position(|term| names_hash(term, injected)) else { return };
    terms.remove(index);
    anti.retain(|_, terms| terms.as_array().is_some_and(|list| !list.is_empty()));
    if anti.is_empty() {
        affinity.remove("podAntiAffinity");
    }
    if affinity.values().all(Value::is_null) {
        spec.remove("affinity");
    }
}

/// Whether a term is about revisions.
pub(super) fn names_hash(term: &Value, injected: InjectedTerm) -> bool {
    let term = if injected == InjectedTerm::Preferred { term.get("podAffinityTerm") } else { Some(term) };
    let expressions = term.and_then(|t| t.get("labelSelector")?.get("matchExpressions")?.as_array());
    expressions.into_iter().flatten().any(|e| e.get("key").and_then(Value::as_str) == Some(HASH_LABEL))
}

fn same_struct(shape: &Struct, a: Option<&Value>, b: Option<&Value>) -> bool {
    shape.fields.iter().all(|field| same_field(field, member(a, field), member(b, field)))
}

fn member<'a>(object: Option<&'a Value>, field: &Field) -> Option<&'a Value> {
    object?.get(field.key).filter(|v| !v.is_null() && fits(field.kind, v))
}

fn same_field(field: &Field, a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (None, None) => true,
        // A pointer to a zero is not the absent pointer, except where both mean an empty collection.
        (Some(v), None) | (None, Some(v)) if field.presence.is_pointer() => {
            matches!(field.kind, Kind::List(_) | Kind::Map(_)) && is_zero(field.kind, v)
        }
        _ => same_kind(field.kind, a, b),
    }
}

/// Compares two values of one kind; an absent one is the kind's zero.
fn same_kind(kind: Kind, a: Option<&Value>, b: Option<&Value>) -> bool {
    match kind {
        Kind::Text | Kind::Bytes => text(a) == text(b),
        Kind::Bool => a.and_then(Value::as_bool).unwrap_or(false) == b.and_then(Value::as_bool).unwrap_or(false),
        Kind::Int32 | Kind::Int64 => a.and_then(integer).unwrap_or(0) == b.and_then(integer).unwrap_or(0),
        Kind::Quantity => quantity(a) == quantity(b),
        Kind::IntOrString => int_or_string(a) == int_or_string(b),
        Kind::Time => time(a) == time(b),
        Kind::Raw => a == b,
        Kind::Struct(shape) => same_struct(shape, a, b),
        Kind::List(element) => {
            let (a, b) = (list(a), list(b));
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_kind(*element, Some(a), Some(b)))
        }
        Kind::Map(element) => same_map(*element, a, b),
    }
}

fn same_map(element: Kind, a: Option<&Value>, b: Option<&Value>) -> bool {
    let (a, b) = (a.and_then(Value::as_object), b.and_then(Value::as_object));
    let size = |map: Option<&Map<String, Value>>| map.map_or(0, Map::len);
    let entries = a.into_iter().flatten();
    size(a) == size(b)
        && entries.into_iter().all(|(key, value)| {
            b.and_then(|b| b.get(key)).is_some_and(|other| same_kind(element, Some(value), Some(other)))
        })
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn quantity(value: Option<&Value>) -> Quantity {
    value.and_then(Quantity::from_json).unwrap_or_default()
}

fn time(value: Option<&Value>) -> Option<jiff::Timestamp> {
    value.and_then(Value::as_str)?.parse().ok()
}

/// A number and the text of it differ.
fn int_or_string(value: Option<&Value>) -> Result<i64, &str> {
    match value {
        Some(Value::String(text)) => Err(text),
        other => Ok(other.and_then(integer).unwrap_or(0)),
    }
}
