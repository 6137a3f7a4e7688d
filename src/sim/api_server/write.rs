//! Creations, replacements and patches.

use std::sync::Arc;

use serde_json::{Value, json};

use super::check;
use super::defaults;
use super::kinds::{Generation, ResourceDef, Scope, Status};
use super::ownership::track::{self, Tracking};
use super::patch::{self, PatchKind};
use super::reject::Reject;
use super::request::Verb;
use super::schema::{definition, prune, validate};
use super::store::{Act, Address, Store, Unknown};
use crate::sim::object;

/// How many letters follow `generateName`.
const SUFFIX_LETTERS: usize = 5;
/// The longest name that Kubernetes takes (RFC 1123 subdomain).
const MAX_NAME: usize = 253;

impl Store {
    /// POST to a collection.
    pub fn create(
        &mut self,
        act: &Act<'_>,
        (resource, namespace): (&Arc<str>, &str),
        body: Value,
    ) -> Result<Arc<Value>, Reject> {
        let def = self.def(resource)?;
        let mut new = body;
        check::kind(&def, &mut new)?;
        self.settle_namespace(&def, namespace, &mut new)?;
        if !object::text(&new, "/metadata/resourceVersion").is_empty() {
            return Err(Reject::bad_request("resourceVersion should not be set on objects to be created"));
        }
        let name = self.settle_name(&def, &mut new)?;
        let at = Address { resource: resource.clone(), namespace: object::namespace(&new).to_owned(), name };
        if let Some(present) = self.find(&at) {
            let mut taken = Reject::already_exists(&def, &at.name);
            if object::is_terminating(present) {
                taken.message = format!("object is being deleted: {}", taken.message);
            }
            return Err(taken);
        }
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"] {
            object::take(&mut new, &["metadata", field]);
        }
        if def.status == Status::Subresource {
            object::take(&mut new, &["status"]);
        }
        object::put(&mut new, &["metadata", "uid"], json!(self.random.uuid()));
        object::put(&mut new, &["metadata", "creationTimestamp"], json!(act.now));
        if def.generation == Generation::Counted {
            object::put(&mut new, &["metadata", "generation"], json!(1));
        }
        self.complete(act, &def, &mut new)?;
        check::workload(&def, &new)?;
        validate::check(&def, None, &new)?;
        if def.kind == "Pod" {
            self.admit_pod(&new)?;
        }
        own(act, &def, None, &mut new);
        self.redefine(act, &at, &new)?;
        let created = self.commit(act, &at, Some(new))?;
        self.doom_if_orphaned(act, &created);
        Ok(created)
    }

    /// PUT.
    pub fn update(&mut self, act: &Act<'_>, at: &Address, body: Value) -> Result<Arc<Value>, Reject> {
        let current = self.get(at)?;
        let mut new = body;
        let def = self.def(&at.resource)?;
        check::kind(&def, &mut new)?;
        check::conditional(&def, &new)?;
        self.replace(act, at, (&current, new))
    }

    /// PATCH.
    pub fn patch(
        &mut self,
        act: &Act<'_>,
        at: &Address,
        (kind, patch): (PatchKind, &Value),
    ) -> Result<Arc<Value>, Reject> {
        let current = self.get(at)?;
        let new = patch::apply(kind, self.def(&at.resource)?.as_ref(), &current, patch)?;
        self.replace(act, at, (&current, new))
    }

    /// Makes `new` the state of an object that is there, under all rules.
    pub(crate) fn replace(
        &mut self,
        act: &Act<'_>,
        at: &Address,
        (old, mut new): (&Arc<Value>, Value),
    ) -> Result<Arc<Value>, Reject> {
        let def = self.def(&at.resource)?;
        check::preconditions(&def, old, &new)?;
        let named = object::name(&new);
        if !named.is_empty() && named != at.name {
            let why = format!("the name of the object ({named}) does not match the name on the URL ({})", at.name);
            return Err(Reject::bad_request(why));
        }
        let entries = new.pointer("/metadata/managedFields").filter(|_| act.tracking == Tracking::Settled).cloned();
        let mut new = match act.subresource {
            Some("status") => with_status_of(old, new),
            _ if def.status == Status::Subresource => {
                if old.get("status") != new.get("status") {
                    restore(old.get("status"), &mut new, &["status"]);
                }
                new
            }
            _ => new,
        };
        if let Some(entries) = entries {
            object::put(&mut new, &["metadata", "managedFields"], entries);
        }
        keep_identity(old, &mut new);
        self.complete(act, &def, &mut new)?;
        if def.generation == Generation::Counted && !has_same_content(&def, old, &new) {
            object::put(&mut new, &["metadata", "generation"], json!(object::generation(old) + 1));
        }
        check::workload(&def, &new)?;
        check::immutable(&def, old, &new)?;
        validate::check(&def, Some(old), &new)?;
        own(act, &def, Some(old), &mut new);
        if object::is_terminating(&new) && is_free(&new) {
            return self.vanish(act, at, Some(new));
        }
        // Writing what is already there is no write: no new version, no event.
        if **old == new {
            return Ok(old.clone());
        }
        self.redefine(act, at, &new)?;
        self.commit(act, at, Some(new))
    }

    /// A definition that is written serves its kind, or is refused.
    fn redefine(&mut self, act: &Act<'_>, at: &Address, new: &Value) -> Result<(), Reject> {
        match &*at.resource {
            definition::RESOURCE if act.dry_run => definition::kind_of(new).map(drop),
            definition::RESOURCE => self.define(new),
            _ => Ok(()),
        }
    }

    /// Pruning and defaults.
    fn complete(&mut self, act: &Act<'_>, def: &ResourceDef, new: &mut Value) -> Result<(), Reject> {
        if let Some(schema) = &def.schema {
            let unknown: Vec<String> =
                prune::complete(new, schema).into_iter().map(|path| format!("unknown field \"{path}\"")).collect();
            match act.unknown {
                Unknown::Refuse if !unknown.is_empty() => return Err(Reject::strict(def, &unknown)),
                Unknown::Warn => self.warnings.extend(unknown),
                Unknown::Refuse | Unknown::Drop => {}
            }
        }
        for path in &def.prunes {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            object::take(new, &path);
        }
        if def.resource() == "services" && object::text(new, "/spec/clusterIP").is_empty() {
            self.services += 1;
        }
        defaults::fill_in(def, new, self.services);
        Ok(())
    }

    fn settle_namespace(&self, def: &ResourceDef, namespace: &str, new: &mut Value) -> Result<(), Reject> {
        if def.scope == Scope::Cluster {
            object::take(new, &["metadata", "namespace"]);
            return Ok(());
        }
        let named = object::namespace(new).to_owned();
        if !named.is_empty() && named != namespace {
            let why = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Reject::bad_request(why));
        }
        let at = self.address("Namespace", "", namespace)?;
        let present = self.get(&at)?;
        if object::is_terminating(&present) {
            let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
            return Err(Reject::new(403, "Forbidden", why));
        }
        object::put(new, &["metadata", "namespace"], json!(namespace));
        Ok(())
    }

    fn settle_name(&mut self, def: &ResourceDef, new: &mut Value) -> Result<String, Reject> {
        let prefix = object::text(new, "/metadata/generateName").to_owned();
        if object::name(new).is_empty() && !prefix.is_empty() {
            let name = format!("{prefix}{}", self.random.suffix(SUFFIX_LETTERS));
            object::put(new, &["metadata", "name"], json!(name));
        }
        let name = object::name(new).to_owned();
        if name.is_empty() {
            return Err(Reject::invalid(
                def,
                "",
                ("metadata.name", "Required value: name or generateName is required"),
            ));
        }
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let fits = name.len() <= MAX_NAME && name.chars().all(letter);
        if !fits || !edge(name.chars().next()) || !edge(name.chars().last()) {
            let why = format!(
                "Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
            );
            return Err(Reject::invalid(def, &name, ("metadata.name", &why)));
        }
        Ok(name)
    }
}

/// Brings `managedFields` up to date, where the object has them or is to have them.
fn own(act: &Act<'_>, def: &ResourceDef, old: Option<&Value>, new: &mut Value) {
    let tracked = track::is_tracked(new) || old.is_some_and(track::is_tracked);
    let manager = match act.tracking {
        Tracking::Begin(manager) if tracked || old.is_none() => manager,
        Tracking::Follow if tracked => act.actor,
        _ => return,
    };
    track::plain_write(def, old, new, &track::Writer { manager, subresource: act.subresource, now: act.now });
}

/// Whether nothing holds a terminating object back.
pub(crate) fn is_free(object: &Value) -> bool {
    let pending = object::integer(object, "/metadata/deletionGracePeriodSeconds").unwrap_or(0) > 0;
    object::list(object, "/metadata/finalizers").is_empty() && !pending
}

/// Whether two states have the same content, as far as it counts in the generation.
/// Source: `staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/strategy.go`: without a
/// status subresource, a write of `status` counts too.
fn has_same_content(def: &ResourceDef, old: &Value, new: &Value) -> bool {
    let counts = |key: &&String| match key.as_str() {
        "metadata" | "apiVersion" | "kind" => false,
        "status" => def.status == Status::PlainField,
        _ => true,
    };
    let keys = [old, new].into_iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys);
    keys.filter(counts).all(|key| old.get(key) == new.get(key))
}

/// Everything as it was but the status. What a writer has left alone is compared, not copied: that is nearly all of it.
fn with_status_of(old: &Value, mut new: Value) -> Value {
    let keys = [old, &new].into_iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys);
    let others = keys.filter(|key| *key != "status" && old.get(key) != new.get(key));
    for key in others.cloned().collect::<Vec<_>>() {
        restore(old.get(&key), &mut new, &[&key]);
    }
    new
}

/// Makes a field what it was.
fn restore(old: Option<&Value>, new: &mut Value, path: &[&str]) {
    match old {
        Some(value) => object::put(new, path, value.clone()),
        None => drop(object::take(new, path)),
    }
}

/// What no writer can change.
fn keep_identity(old: &Value, new: &mut Value) {
    for field in ["apiVersion", "kind"] {
        if old.get(field) != new.get(field) {
            object::put(new, &[field], old.get(field).cloned().unwrap_or_default());
        }
    }
    let kept = ["name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion", "generateName"];
    for field in kept.into_iter().chain(["deletionTimestamp", "deletionGracePeriodSeconds"]) {
        let before = old.get("metadata").and_then(|metadata| metadata.get(field));
        if before != new.get("metadata").and_then(|metadata| metadata.get(field)) {
            restore(before, new, &["metadata", field]);
        }
    }
    // Empty maps and lists of metadata are not stored.
    for field in ["labels", "annotations", "finalizers", "ownerReferences"] {
        let value = new.get("metadata").and_then(|metadata| metadata.get(field));
        let is_empty = |value: &Value| {
            value.is_null()
                || value.as_object().is_some_and(serde_json::Map::is_empty)
                || value.as_array().is_some_and(Vec::is_empty)
        };
        if value.is_some_and(is_empty) {
            object::take(new, &["metadata", field]);
        }
    }
}

impl<'a> Act<'a> {
    /// A write of a built-in controller.
    pub fn of(actor: &'a str, verb: Verb, now: crate::api::Time) -> Self {
        let (tracking, unknown) = (Tracking::Follow, Unknown::Drop);
        Act { now, actor, verb, subresource: None, dry_run: false, tracking, unknown }
    }
}
