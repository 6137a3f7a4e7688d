//! Deletion: preconditions, grace, finalizers, propagation, and garbage collection by owner references.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::kinds::ResourceDef;
use super::reject::Reject;
use super::request::{Options, Verb, dry_run};
use super::schema::definition;
use super::store::{Act, Address, Store};
use super::write::is_free;
use crate::api::Time;
use crate::sim::object;

const COLLECTOR: &str = "garbage-collector";
const FOREGROUND: &str = "foregroundDeletion";

/// What is to become of the dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// `DeleteOptions`, from the body or the query.
#[derive(Clone, Debug)]
pub(crate) struct Deletion {
    pub propagation: Propagation,
    pub grace: Option<i64>,
    pub uid: String,
    pub version: String,
    pub dry_run: bool,
}

impl Default for Deletion {
    fn default() -> Self {
        let (uid, version) = (String::new(), String::new());
        Self { propagation: Propagation::Background, grace: None, uid, version, dry_run: false }
    }
}

impl Deletion {
    pub fn of(body: &Value, options: &Options) -> Result<Self, Reject> {
        let stated = body.get("propagationPolicy").and_then(Value::as_str);
        let propagation = match stated.or(options.propagation.as_deref()) {
            None | Some("" | "Background") => Propagation::Background,
            Some("Foreground") => Propagation::Foreground,
            Some("Orphan") => Propagation::Orphan,
            Some(other) => return Err(Reject::bad_request(format!("invalid propagationPolicy {other:?}"))),
        };
        let dry = body.get("dryRun").and_then(|list| list.get(0)?.as_str()).unwrap_or_default();
        Ok(Self {
            propagation,
            grace: object::integer(body, "/gracePeriodSeconds").or(options.grace_seconds),
            uid: object::text(body, "/preconditions/uid").to_owned(),
            version: object::text(body, "/preconditions/resourceVersion").to_owned(),
            dry_run: options.dry_run || dry_run(dry)?,
        })
    }
}

impl Store {
    /// DELETE. The answer is the last state: with a deletionTimestamp where something still holds the object.
    pub fn delete(&mut self, act: &Act<'_>, at: &Address, how: &Deletion) -> Result<Arc<Value>, Reject> {
        let def = self.def(&at.resource)?;
        let current = self.get(at)?;
        check(&def, &current, how)?;
        let mut next = (*current).clone();
        let grace = grace(&def, &current, how);
        if how.propagation == Propagation::Foreground && self.has_blocking(object::uid(&current)) {
            add_finalizer(&mut next, FOREGROUND);
        }
        if how.propagation == Propagation::Orphan {
            self.orphan(act, object::uid(&current))?;
        }
        if grace == 0 && object::list(&next, "/metadata/finalizers").is_empty() {
            return self.vanish(act, at, None);
        }
        let earlier = object::integer(&current, "/metadata/deletionGracePeriodSeconds")
            .filter(|_| object::is_terminating(&current));
        if earlier.is_none_or(|earlier| grace < earlier) {
            let span = Duration::from_secs(grace.unsigned_abs());
            object::put(&mut next, &["metadata", "deletionTimestamp"], json!(act.now + span));
            object::put(&mut next, &["metadata", "deletionGracePeriodSeconds"], json!(grace));
        }
        if object::generation(&current) > 0 && !object::is_terminating(&current) {
            object::put(&mut next, &["metadata", "generation"], json!(object::generation(&current) + 1));
        }
        if next == *current {
            return Ok(current);
        }
        let marked = self.commit(act, at, Some(next))?;
        if how.propagation == Propagation::Foreground {
            self.collect_of(&act.by(COLLECTOR, Verb::Delete), object::uid(&marked))?;
        }
        if def.resource() == "namespaces" {
            self.empty_namespace(act, &at.name)?;
        }
        Ok(marked)
    }

    /// Takes an object out for good, with `last` as its final state, and dooms its dependents.
    pub fn vanish(&mut self, act: &Act<'_>, at: &Address, last: Option<Value>) -> Result<Arc<Value>, Reject> {
        let is_namespace = self.def(&at.resource)?.resource() == "namespaces";
        let before = self.get(at)?;
        let shown = self.commit(act, at, None)?;
        let shown = last.map_or(shown, Arc::new);
        if act.dry_run {
            return Ok(shown);
        }
        if is_namespace {
            self.empty_namespace(act, &at.name)?;
        }
        if &*at.resource == definition::RESOURCE {
            self.undefine(act, &before)?;
        }
        let uid = object::uid(&before).to_owned();
        if self.dependents.contains_key(&uid) {
            self.doomed.push_back((act.now + self.collection_delay, uid));
        }
        self.release_owners(act, &before)?;
        if self.collection_delay.is_zero() {
            self.collect(act.now)?;
        }
        Ok(shown)
    }

    /// Does the due work of the garbage collector.
    pub fn collect(&mut self, now: Time) -> Result<(), Reject> {
        while self.doomed.front().is_some_and(|(due, _)| *due <= now) {
            let Some((_, uid)) = self.doomed.pop_front() else { break };
            self.collect_of(&Act::of(COLLECTOR, Verb::Delete, now), &uid)?;
        }
        Ok(())
    }

    /// Marks an object whose owners do not exist for collection at a later tick.
    pub fn doom_if_orphaned(&mut self, act: &Act<'_>, created: &Value) {
        let owners: Vec<String> = object::owner_uids(created).map(str::to_owned).collect();
        let absent = !owners.is_empty() && owners.iter().all(|uid| !self.uids.contains_key(uid));
        if let (true, false, Some(owner)) = (absent, act.dry_run, owners.into_iter().next()) {
            self.doomed.push_back((act.now + self.collection_delay, owner));
        }
    }

    /// Deletes the dependents of `owner` that have no other living owner; the others lose the reference.
    fn collect_of(&mut self, act: &Act<'_>, owner: &str) -> Result<(), Reject> {
        let foreground = self.uids.contains_key(owner);
        for at in self.dependents.get(owner).cloned().unwrap_or_default() {
            let Some(dependent) = self.find(&at).cloned() else { continue };
            let others = object::owner_uids(&dependent).any(|uid| uid != owner && self.uids.contains_key(uid));
            if others {
                self.drop_reference(act, &at, owner)?;
            } else if !object::is_terminating(&dependent) {
                let propagation = if foreground { Propagation::Foreground } else { Propagation::Background };
                self.delete(act, &at, &Deletion { propagation, ..Deletion::default() })?;
            }
        }
        Ok(())
    }

    fn orphan(&mut self, act: &Act<'_>, owner: &str) -> Result<(), Reject> {
        let act = act.by(COLLECTOR, Verb::Patch);
        for at in self.dependents.get(owner).cloned().unwrap_or_default() {
            self.drop_reference(&act, &at, owner)?;
        }
        Ok(())
    }

    fn drop_reference(&mut self, act: &Act<'_>, at: &Address, owner: &str) -> Result<(), Reject> {
        let mut next = (*self.get(at)?).clone();
        if let Some(owners) = next.pointer_mut("/metadata/ownerReferences").and_then(Value::as_array_mut) {
            owners.retain(|reference| reference.get("uid").and_then(Value::as_str) != Some(owner));
        }
        self.commit(act, at, Some(next)).map(drop)
    }

    fn has_blocking(&self, owner: &str) -> bool {
        let blocks = |at: &Address| {
            let references = self.find(at).map(|object| object::list(object, "/metadata/ownerReferences"));
            references.is_some_and(|list| {
                list.iter().any(|reference| {
                    object::text(reference, "/uid") == owner
                        && reference.get("blockOwnerDeletion").and_then(Value::as_bool) == Some(true)
                })
            })
        };
        self.dependents.get(owner).is_some_and(|set| set.iter().any(blocks))
    }

    /// Owners that waited for `gone` in a foreground deletion go too once nothing blocks them.
    fn release_owners(&mut self, act: &Act<'_>, gone: &Value) -> Result<(), Reject> {
        let owners: Vec<String> = object::owner_uids(gone).map(str::to_owned).collect();
        for uid in owners {
            let Some(at) = self.uids.get(&uid).cloned() else { continue };
            let Some(owner) = self.find(&at).cloned() else { continue };
            let finalizers = object::list(&owner, "/metadata/finalizers");
            if !finalizers.contains(&json!(FOREGROUND)) || self.has_blocking(&uid) {
                continue;
            }
            let mut next = (*owner).clone();
            let rest: Vec<Value> = finalizers.iter().filter(|name| **name != json!(FOREGROUND)).cloned().collect();
            object::put(&mut next, &["metadata", "finalizers"], json!(rest));
            let act = act.by(COLLECTOR, Verb::Delete);
            if is_free(&next) {
                self.vanish(&act, &at, None)?
            } else {
                self.commit(&act, &at, Some(next))?
            };
        }
        Ok(())
    }

    fn empty_namespace(&mut self, act: &Act<'_>, namespace: &str) -> Result<(), Reject> {
        let act = act.by("namespace-controller", Verb::DeleteCollection);
        let inside: Vec<Address> = self
            .tables
            .iter()
            .flat_map(|(id, table)| table.objects.keys().map(move |key| (id, key)))
            .filter(|(_, key)| key.0 == namespace)
            .map(|(id, (ns, name))| Address { resource: id.clone(), namespace: ns.clone(), name: name.clone() })
            .collect();
        for at in inside {
            // Something deleted before may have taken this one along.
            if self.find(&at).is_some() {
                self.delete(&act, &at, &Deletion::default())?;
            }
        }
        Ok(())
    }
}

fn check(def: &ResourceDef, current: &Value, how: &Deletion) -> Result<(), Reject> {
    let versions = (how.version.as_str(), object::text(current, "/metadata/resourceVersion"));
    for (what, (wanted, actual)) in [("UID", (how.uid.as_str(), object::uid(current))), ("ResourceVersion", versions)] {
        if !wanted.is_empty() && wanted != actual {
            let why = format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {actual}");
            return Err(Reject::conflict(def, object::name(current), &why));
        }
    }
    Ok(())
}

/// Seconds of grace: only Pods that sit on a node have any.
fn grace(def: &ResourceDef, current: &Value, how: &Deletion) -> i64 {
    if def.resource() != "pods" || object::text(current, "/spec/nodeName").is_empty() {
        return 0;
    }
    let own = object::integer(current, "/spec/terminationGracePeriodSeconds").unwrap_or(30);
    how.grace.unwrap_or(own).max(0)
}

fn add_finalizer(object: &mut Value, name: &str) {
    let mut all = object::list(object, "/metadata/finalizers").to_vec();
    if !all.contains(&json!(name)) {
        all.push(json!(name));
    }
    object::put(object, &["metadata", "finalizers"], json!(all));
}
