//! The forms in which objects are handed out: whole, metadata alone, or as rows for kubectl.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::ResourceDef;
use super::list::Page;
use crate::api::Time;
use crate::sim::object;

/// The form that the `Accept` header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Whole,
    /// `meta.k8s.io/v1 PartialObjectMetadata`.
    Metadata,
    /// `meta.k8s.io/v1 Table`, with ages as of an instant.
    Table(Time),
}

impl Shape {
    /// The first form in the header that this server knows.
    pub fn of(accept: &str, now: Time) -> Self {
        for part in accept.split(',') {
            let v1 = part.split(';').any(|parameter| parameter.trim() == "v=v1");
            if part.contains("as=Table") && v1 {
                return Self::Table(now);
            }
            if part.contains("as=PartialObjectMetadata") && v1 {
                return Self::Metadata;
            }
            if part.trim_start().starts_with("application/json") && !part.contains("as=") {
                return Self::Whole;
            }
        }
        Self::Whole
    }

    /// The same form at a later instant.
    pub fn at(self, now: Time) -> Self {
        if matches!(self, Self::Table(_)) { Self::Table(now) } else { self }
    }

    /// One object, as an answer or inside a watch event.
    pub fn object<'a>(self, def: &ResourceDef, object: &'a Arc<Value>) -> Cow<'a, Value> {
        match self {
            Self::Whole => Cow::Borrowed(object),
            Self::Metadata => Cow::Owned(partial(object)),
            Self::Table(now) => {
                let metadata = json!({ "resourceVersion": object::text(object, "/metadata/resourceVersion") });
                let is_bookmark = object::name(object).is_empty();
                Cow::Owned(table(def, if is_bookmark { &[] } else { std::slice::from_ref(object) }, (metadata, now)))
            }
        }
    }

    /// A page of a list.
    pub fn list(self, def: &ResourceDef, page: &Page) -> Value {
        let metadata = page.metadata();
        match self {
            Self::Whole => json!({
                "kind": format!("{}List", def.kind), "apiVersion": def.api_version(), "metadata": metadata, "items": page.items,
            }),
            Self::Metadata => json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                "items": page.items.iter().map(|object| partial(object)).collect::<Vec<_>>(),
            }),
            Self::Table(now) => table(def, &page.items, (metadata, now)),
        }
    }
}

fn partial(object: &Value) -> Value {
    let metadata = object.get("metadata").cloned().unwrap_or_default();
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata })
}

type Cell = fn(&Value) -> Value;

fn shown(object: &Value, pointer: &str) -> Value {
    object.pointer(pointer).cloned().unwrap_or_else(|| json!(0))
}

/// Columns between name and age, as kubectl users know them.
fn columns(def: &ResourceDef) -> &'static [(&'static str, Cell)] {
    match def.resource().as_str() {
        "pods" => &[("Ready", ready_containers), ("Status", pod_status), ("Restarts", restarts)],
        "replicasets.apps" => &[
            ("Desired", |o| shown(o, "/spec/replicas")),
            ("Current", |o| shown(o, "/status/replicas")),
            ("Ready", |o| shown(o, "/status/readyReplicas")),
        ],
        "rollouts.argoproj.io" => &[
            ("Desired", |o| shown(o, "/spec/replicas")),
            ("Current", |o| shown(o, "/status/replicas")),
            ("Up-to-date", |o| shown(o, "/status/updatedReplicas")),
            ("Available", |o| shown(o, "/status/availableReplicas")),
        ],
        "analysisruns.argoproj.io" | "experiments.argoproj.io" | "namespaces" => {
            &[("Status", |o| json!(object::text(o, "/status/phase")))]
        }
        "services" => &[
            ("Type", |o| json!(object::text(o, "/spec/type"))),
            ("Cluster-IP", |o| json!(object::text(o, "/spec/clusterIP"))),
        ],
        "events" => &[
            ("Type", |o| json!(object::text(o, "/type"))),
            ("Reason", |o| json!(object::text(o, "/reason"))),
            ("Message", |o| json!(object::text(o, "/message"))),
        ],
        _ => &[],
    }
}

fn table(def: &ResourceDef, objects: &[Arc<Value>], (metadata, now): (Value, Time)) -> Value {
    if !def.printed.is_empty() {
        return printed(def, objects, (metadata, now));
    }
    let middle = columns(def);
    let column = |name: &str, kind: &str, format: &str| json!({ "name": name, "type": kind, "format": format, "description": "", "priority": 0 });
    let mut definitions = vec![column("Name", "string", "name")];
    definitions.extend(middle.iter().map(|(name, _)| column(name, "string", "")));
    definitions.push(column("Age", "string", ""));
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let mut cells = vec![json!(object::name(object))];
            cells.extend(middle.iter().map(|(_, cell)| cell(object)));
            cells.push(json!(age(object, now)));
            json!({ "cells": cells, "object": partial(object) })
        })
        .collect();
    json!({ "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": definitions, "rows": rows })
}

/// A table by the printer columns of a definition.
fn printed(def: &ResourceDef, objects: &[Arc<Value>], (metadata, now): (Value, Time)) -> Value {
    let column = |name: &str, kind: &str, format: &str, priority: i64| json!({ "name": name, "type": kind, "format": format, "description": "", "priority": priority });
    let mut definitions = vec![column("Name", "string", "name", 0)];
    let as_text = |of: &str| if of == "date" { "string".to_owned() } else { of.to_owned() };
    definitions.extend(def.printed.iter().map(|shown| column(&shown.name, &as_text(&shown.of), "", shown.priority)));
    let row = |object: &Arc<Value>| {
        let mut cells = vec![json!(object::name(object))];
        cells.extend(def.printed.iter().map(|shown| match (shown.of.as_str(), shown.cell(object)) {
            ("date", Value::String(at)) => json!(at.parse().map_or(at, |at| span(at, now))),
            (_, cell) => cell,
        }));
        json!({ "cells": cells, "object": partial(object) })
    };
    let rows: Vec<Value> = objects.iter().map(row).collect();
    json!({ "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": definitions, "rows": rows })
}

fn ready_containers(pod: &Value) -> Value {
    let statuses = object::list(pod, "/status/containerStatuses");
    let ready = statuses.iter().filter(|status| status.get("ready").and_then(Value::as_bool) == Some(true)).count();
    json!(format!("{ready}/{}", object::list(pod, "/spec/containers").len()))
}

fn pod_status(pod: &Value) -> Value {
    if object::is_terminating(pod) {
        return json!("Terminating");
    }
    let statuses = object::list(pod, "/status/containerStatuses").iter();
    let mut waiting = statuses.map(|status| object::text(status, "/state/waiting/reason"));
    let reason = waiting.rfind(|reason| !reason.is_empty() && *reason != "ContainerCreating");
    json!(reason.unwrap_or_else(|| object::text(pod, "/status/phase")))
}

fn restarts(pod: &Value) -> Value {
    let statuses = object::list(pod, "/status/containerStatuses");
    json!(statuses.iter().filter_map(|status| object::integer(status, "/restartCount")).sum::<i64>())
}

/// The age in kubectl's short form. Source: `k8s.io/apimachinery/pkg/util/duration`.
fn age(object: &Value, now: Time) -> String {
    object::time(object, "/metadata/creationTimestamp").map_or_else(|| "<unknown>".to_owned(), |at| span(at, now))
}

fn span(created: Time, now: Time) -> String {
    let seconds = now.since(created).as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 if !seconds.is_multiple_of(60) => format!("{minutes}m{}s", seconds % 60),
        120..10_800 => format!("{minutes}m"),
        10_800..28_800 if !minutes.is_multiple_of(60) => format!("{hours}h{}m", minutes % 60),
        10_800..172_800 => format!("{hours}h"),
        _ => format!("{}d", hours / 24),
    }
}
