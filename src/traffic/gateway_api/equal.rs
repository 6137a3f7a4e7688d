//! Whether a stored rule is the one that was written, whatever the API server has filled in or dropped.

use serde_json::{Value, json};

use super::kind::RouteKind;
use super::rules::{list, text};

/// How a stored rule stands to the wanted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// It says the same.
    Same,
    /// It says the same but for the percentage of a mirror, which its definition does not know.
    PercentPruned,
    /// It says something else.
    Different,
}

/// The percentage of a mirror that names none.
const ALL: i64 = 100;

/// Compares what decides where requests go. Definitions before v1.2 drop the rule's name: its lack is no difference.
pub fn likeness(kind: RouteKind, wanted: &Value, live: &Value) -> Likeness {
    let name = text(live, "name");
    if !name.is_empty() && name != text(wanted, "name") {
        return Likeness::Different;
    }
    let (wanted, live) = (plain(kind, wanted), plain(kind, live));
    if filled(&wanted) == filled(&live) {
        Likeness::Same
    } else if percent(&live).is_none()
        && percent(&wanted).is_some()
        && filled(&without_percent(wanted)) == filled(&live)
    {
        Likeness::PercentPruned
    } else {
        Likeness::Different
    }
}

/// The members that decide, with the defaults of the API filled in. Source: the CRDs of the Gateway API v1.3.
fn plain(kind: RouteKind, rule: &Value) -> Value {
    let mut matches = list(rule, "matches").to_vec();
    if matches.is_empty() {
        matches.push(json!({}));
    }
    for entry in &mut matches {
        if kind == RouteKind::Http {
            default(entry, "path", &json!({}));
            if let Some(path) = entry.get_mut("path") {
                default(path, "type", &json!("PathPrefix"));
                default(path, "value", &json!("/"));
            }
        } else if let Some(method) = entry.get_mut("method") {
            default(method, "type", &json!("Exact"));
        }
        for conditions in ["headers", "queryParams"] {
            each(entry, conditions, |condition| default(condition, "type", &json!("Exact")));
            drop_empty(entry, conditions);
        }
    }
    let mut plain =
        json!({"matches": matches, "filters": list(rule, "filters"), "backendRefs": list(rule, "backendRefs")});
    each(&mut plain, "backendRefs", |backend| {
        reference(backend);
        default(backend, "weight", &json!(1));
        drop_empty(backend, "filters");
    });
    each(&mut plain, "filters", |filter| {
        if let Some(backend) = filter.pointer_mut("/requestMirror/backendRef") {
            reference(backend);
        }
    });
    plain
}

fn reference(backend: &mut Value) {
    default(backend, "group", &json!(""));
    default(backend, "kind", &json!("Service"));
}

/// The rule with the percentage of its mirrors filled in.
fn filled(rule: &Value) -> Value {
    let mut rule = rule.clone();
    each(&mut rule, "filters", |filter| {
        let mirror = filter.get_mut("requestMirror").filter(|mirror| mirror.get("fraction").is_none());
        if let Some(mirror) = mirror {
            default(mirror, "percent", &json!(ALL));
        }
    });
    rule
}

/// The percentage of the last filter, which is where a mirror route has it.
fn percent(rule: &Value) -> Option<&Value> {
    list(rule, "filters").last()?.pointer("/requestMirror/percent")
}

fn without_percent(mut rule: Value) -> Value {
    let last = rule.get_mut("filters").and_then(Value::as_array_mut).and_then(|filters| filters.last_mut());
    if let Some(Value::Object(mirror)) = last.and_then(|filter| filter.get_mut("requestMirror")) {
        mirror.remove("percent");
    }
    rule
}

fn default(value: &mut Value, member: &str, default: &Value) {
    if let Value::Object(members) = value {
        let old = members.entry(member).or_insert(Value::Null);
        if old.is_null() {
            *old = default.clone();
        }
    }
}

fn drop_empty(value: &mut Value, member: &str) {
    if let Value::Object(members) = value
        && members.get(member).is_some_and(|list| list.is_null() || list.as_array().is_some_and(Vec::is_empty))
    {
        members.remove(member);
    }
}

fn each(value: &mut Value, member: &str, change: impl Fn(&mut Value)) {
    value.get_mut(member).and_then(Value::as_array_mut).into_iter().flatten().for_each(change);
}
