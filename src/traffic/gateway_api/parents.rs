//! Whether the parents of a route have accepted its latest generation.
//!
//! A parent's word is its entry in `status.parents`: it counts for the generation that its conditions name.
//! Implementations that never name one (Linkerd writes no `observedGeneration`) cannot acknowledge a change: an
//! acceptance of theirs may be of any age. They are not waited for and are never taken for evidence.

use std::fmt;

use serde_json::Value;

use super::rules::{list, text};
use crate::traffic::Acknowledgement;

const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";
/// What must be true of a parent that serves the route as written.
const WANTED: [&str; 2] = ["Accepted", "ResolvedRefs"];
/// Where true, some rules are dropped or older ones stay in force, so the weights may not be.
const PARTIALLY_INVALID: &str = "PartiallyInvalid";

/// What the parents say of the route as it is written now.
///
/// Each of `spec.parentRefs` needs an entry, and every entry for it (several controllers may serve a Service parent)
/// must hold `Accepted` and `ResolvedRefs` for this generation. The worst answer counts, and of equals the first.
pub fn acknowledgement(route: &Value) -> Acknowledgement {
    let namespace = route.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
    let wanted = route.get("spec").map_or(&[][..], |spec| list(spec, "parentRefs"));
    let entries = route.get("status").map_or(&[][..], |status| list(status, "parents"));
    if wanted.is_empty() || entries.is_empty() {
        return Acknowledgement::Unclaimed;
    }
    let generation = generation(route);
    let known: Vec<(Parent<'_>, &Value)> = entries
        .iter()
        .map(|entry| (Parent::of(entry.get("parentRef").unwrap_or(&Value::Null), namespace), entry))
        .collect();
    wanted.iter().map(|reference| Parent::of(reference, namespace)).fold(Acknowledgement::Accepted, |all, parent| {
        let one = known
            .iter()
            .filter(|(named, _)| *named == parent)
            .map(|(_, entry)| word(&parent, entry, generation))
            .reduce(Acknowledgement::and);
        all.and(one.unwrap_or_else(|| waiting(&parent, "it has no status for this route yet".to_owned())))
    })
}

/// `metadata.generation`; 0 where there is none.
pub(super) fn generation(route: &Value) -> i64 {
    route.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0)
}

/// What one entry says.
fn word(parent: &Parent<'_>, entry: &Value, generation: i64) -> Acknowledgement {
    let conditions = list(entry, "conditions");
    let find = |kind: &str| conditions.iter().find(|condition| text(condition, "type") == kind);
    let partial = find(PARTIALLY_INVALID)
        .filter(|condition| text(condition, "status") == "True" && !is_stale(condition, generation))
        .map(|condition| refused(parent, condition));
    WANTED
        .iter()
        .map(|kind| match find(kind) {
            Some(condition) => judge(parent, condition, generation),
            None => waiting(parent, format!("it has not reported {kind}")),
        })
        .chain(partial)
        .fold(Acknowledgement::Accepted, Acknowledgement::and)
}

/// What one condition says that should be true.
fn judge(parent: &Parent<'_>, condition: &Value, generation: i64) -> Acknowledgement {
    let (kind, status) = (text(condition, "type"), text(condition, "status"));
    let observed = condition.get("observedGeneration").and_then(Value::as_i64);
    match (status, observed) {
        (_, Some(observed)) if observed < generation => {
            waiting(parent, format!("its {kind} is about generation {observed}, the route is at {generation}"))
        }
        ("False", _) => refused(parent, condition),
        ("True", Some(_)) => Acknowledgement::Accepted,
        ("True", None) => Acknowledgement::Unclaimed,
        _ => waiting(parent, format!("its {kind} is {status:?} with reason {:?}", text(condition, "reason"))),
    }
}

/// Whether a condition is about an earlier generation.
fn is_stale(condition: &Value, generation: i64) -> bool {
    condition.get("observedGeneration").and_then(Value::as_i64).is_some_and(|observed| observed < generation)
}

fn waiting(parent: &Parent<'_>, what: String) -> Acknowledgement {
    Acknowledgement::Waiting { parent: parent.to_string(), what }
}

fn refused(parent: &Parent<'_>, condition: &Value) -> Acknowledgement {
    Acknowledgement::Refused {
        parent: parent.to_string(),
        condition: text(condition, "type").to_owned(),
        reason: text(condition, "reason").to_owned(),
        message: text(condition, "message").to_owned(),
    }
}

/// A parent reference with Gateway API's defaults filled in.
#[derive(PartialEq, Eq)]
struct Parent<'a> {
    group: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    section: &'a str,
    port: Option<i64>,
}

impl<'a> Parent<'a> {
    fn of(reference: &'a Value, namespace: &'a str) -> Self {
        let or = |member: &str, default: &'a str| reference.get(member).and_then(Value::as_str).unwrap_or(default);
        // Meshes write the core group by either of its names.
        let group = match or("group", GATEWAY_GROUP) {
            "core" => "",
            group => group,
        };
        Self {
            group,
            kind: or("kind", "Gateway"),
            namespace: Some(text(reference, "namespace")).filter(|named| !named.is_empty()).unwrap_or(namespace),
            name: text(reference, "name"),
            section: text(reference, "sectionName"),
            port: reference.get("port").and_then(Value::as_i64),
        }
    }
}

impl fmt::Display for Parent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)?;
        if !self.section.is_empty() {
            write!(f, " section {}", self.section)?;
        }
        self.port.map_or(Ok(()), |port| write!(f, " port {port}"))
    }
}

#[cfg(test)]
mod tests;
