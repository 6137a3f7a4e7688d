//! What each object was before a write, and is after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::event::Event;
use crate::sim::api_server::{Entry, Verb};
use crate::sim::checker::check::CONTROLLER;
use crate::sim::object;

/// Parts of Kubernetes that only answer what others write, by the last word of their user's name.
const ANSWERING: &[&str] =
    &["replicaset-controller", "deployment-controller", "endpointslice-controller", "generic-garbage-collector"];

/// Objects by kind, namespace and name.
type Key = (&'static str, String, String);

/// The objects, as far as the log has told.
#[derive(Debug, Default)]
pub struct History {
    objects: BTreeMap<Key, Arc<Value>>,
    /// Identities of objects that have gone: what seems to be written to one later was committed before.
    gone: BTreeSet<String>,
    /// Objects whose first write has not made them.
    pub unknown: usize,
    written: u64,
}

/// What a write makes of an object.
enum Change {
    Is(Value),
    Gone,
    Nothing,
}

impl History {
    /// The writes that an event stands for: one, but for a deletion of many.
    pub fn entries(&mut self, event: &Event, controller: &str) -> Vec<Entry> {
        if event.verb != "deletecollection" {
            return self.entry(event, &event.name, &event.answer, controller).into_iter().collect();
        }
        let gone = object::list(&event.answer, "/items");
        gone.iter().filter_map(|item| self.entry(event, object::name(item), item, controller)).collect()
    }

    fn entry(&mut self, event: &Event, name: &str, answer: &Value, controller: &str) -> Option<Entry> {
        let key = (event.kind, event.namespace.clone(), name.to_owned());
        let before = self.objects.get(&key).cloned();
        let known = before.is_some() || event.creates;
        let after = match change(event, answer, before.as_deref()) {
            Change::Nothing => return None,
            Change::Gone => None,
            Change::Is(value) if before.as_deref() == Some(&value) => return None,
            Change::Is(value) => Some(Arc::new(value)),
        };
        let late = || after.as_deref().is_some_and(|after| self.gone.contains(object::uid(after)));
        if before.is_none() && (after.is_none() || late()) {
            return None;
        }
        match &after {
            Some(after) => drop(self.objects.insert(key, Arc::clone(after))),
            None => {
                self.gone.extend(before.iter().map(|before| object::uid(before).to_owned()));
                self.objects.remove(&key);
            }
        }
        self.unknown += usize::from(!known);
        self.written += 1;
        let actor = if known { actor(event, controller) } else { "unknown".to_owned() };
        let subresource = Some(event.subresource.clone()).filter(|subresource| !subresource.is_empty());
        Some(Entry {
            version: self.written,
            // What another has written is seen before the answer to it is sent; ours is seen by nobody before it is asked.
            time: if actor == CONTROLLER { event.time } else { event.begun },
            verb: if event.creates { Verb::Create } else { verb(&event.verb) },
            actor,
            kind: event.kind.to_owned(),
            namespace: event.namespace.clone(),
            name: name.to_owned(),
            subresource,
            before,
            after,
        })
    }
}

fn verb(verb: &str) -> Verb {
    match verb {
        "update" => Verb::Update,
        "patch" => Verb::Patch,
        _ => Verb::Delete,
    }
}

/// The name that checkers know a user by.
fn actor(event: &Event, controller: &str) -> String {
    let last = event.user.rsplit(':').next().unwrap_or_default();
    if event.user == controller {
        return CONTROLLER.to_owned();
    }
    if event.user.starts_with("system:node:") {
        return "kubelet".to_owned();
    }
    // The status of a route is its data plane's.
    if event.kind.ends_with("Route") && event.subresource == "status" {
        return "gateway".to_owned();
    }
    let known =
        ANSWERING.iter().find(|known| **known == last && event.user.starts_with("system:serviceaccount:kube-system:"));
    known.map_or_else(|| event.user.clone(), |known| (*known).to_owned())
}

/// What a write makes of its object.
fn change(event: &Event, answer: &Value, before: Option<&Value>) -> Change {
    match (event.verb.as_str(), event.subresource.as_str()) {
        (_, "binding") => Change::Nothing,
        (_, "eviction") => before.map_or(Change::Nothing, |pod| Change::Is(marked(pod, event))),
        (_, "scale") => before.map_or(Change::Nothing, |object| Change::Is(scaled(object, answer))),
        ("delete" | "deletecollection", _) => removed(event, answer, before),
        _ if ends(event.kind, answer) => Change::Gone,
        // Whoever has asked for the metadata alone is answered with it, whatever kind the object is of.
        _ if object::text(answer, "/kind") == "PartialObjectMetadata" => {
            before.map_or(Change::Nothing, |object| Change::Is(renamed(object, answer)))
        }
        _ => Change::Is(answer.clone()),
    }
}

/// An object on its way out that nothing holds any more: the API server removes it with the write that lets go of it.
fn ends(kind: &str, object: &Value) -> bool {
    kind != "Pod" && object::is_terminating(object) && object::list(object, "/metadata/finalizers").is_empty()
}

fn removed(event: &Event, answer: &Value, before: Option<&Value>) -> Change {
    let held = |object: &Value| !object::list(object, "/metadata/finalizers").is_empty();
    let graceful = object::integer(answer, "/metadata/deletionGracePeriodSeconds").unwrap_or(0) > 0;
    if object::is_terminating(answer) && (graceful || held(answer)) {
        return Change::Is(answer.clone());
    }
    // Of some kinds the answer is a Status, and of many at once it is what they were: what holds one is known from before.
    let many = event.verb == "deletecollection";
    let status = object::at(answer, "/metadata/uid").is_none();
    match before.filter(|object| (status || many) && held(object) || many && event.kind == "Pod") {
        Some(object) => Change::Is(marked(object, event)),
        None => Change::Gone,
    }
}

/// The object on its way out.
fn marked(object: &Value, event: &Event) -> Value {
    let mut marked = object.clone();
    object::put(&mut marked, &["metadata", "deletionTimestamp"], json!(event.time));
    marked
}

/// The object with the metadata of an answer.
fn renamed(object: &Value, answer: &Value) -> Value {
    let mut renamed = object.clone();
    let metadata = object::at(answer, "/metadata").cloned().unwrap_or_default();
    object::put(&mut renamed, &["metadata"], metadata);
    renamed
}

/// The object with the size that its `scale` was given. A size of zero is left out there.
fn scaled(object: &Value, scale: &Value) -> Value {
    let mut scaled = object.clone();
    if object::text(scale, "/kind") == "Scale" {
        let replicas = object::integer(scale, "/spec/replicas").unwrap_or(0);
        object::put(&mut scaled, &["spec", "replicas"], json!(replicas));
    }
    scaled
}
