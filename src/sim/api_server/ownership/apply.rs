//! Server-side apply: what one manager wants to be true, merged into the object; what it no longer names goes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::kinds::ResourceDef;
use super::super::reject::Reject;
use super::super::store::{Act, Address, Store};
use super::fields::Fields;
use super::guide::Guide;
use super::track::{self, APPLY, Entry, Tracking, UPDATE};
use super::walk::{difference, fields_of, merge, remove};
use crate::sim::object;

/// The manager of fields that were there before anybody applied.
const EARLIER: &str = "before-first-apply";
/// Where client-side apply keeps what it applied last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What is done about fields that others own with other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflicts {
    Refuse,
    /// `force=true`.
    Take,
}

impl Store {
    /// PATCH with an apply configuration; creates what is not there. The flag says whether it did.
    pub fn apply(
        &mut self,
        act: &Act<'_>,
        at: &Address,
        (manager, conflicts, applied): (&str, Conflicts, &Value),
    ) -> Result<(Arc<Value>, bool), Reject> {
        let def = self.def(&at.resource)?;
        let named = object::name(applied);
        if !named.is_empty() && named != at.name {
            let why = format!("the name of the object ({named}) does not match the name on the URL ({})", at.name);
            return Err(Reject::bad_request(why));
        }
        if object::list(applied, "/metadata/managedFields").iter().any(Value::is_object) {
            return Err(Reject::bad_request("metadata.managedFields must be nil"));
        }
        for (field, wanted) in [("apiVersion", def.api_version()), ("kind", def.kind.clone())] {
            if object::text(applied, &format!("/{field}")) != wanted {
                let why = format!("an apply configuration must name its {field}: expected {wanted:?}");
                return Err(Reject::bad_request(why));
            }
        }
        let live = self.find(at).cloned();
        if live.is_none() && act.subresource.is_some() {
            return Err(Reject::not_found(&def, &at.name));
        }
        let want = Wanted { manager, conflicts, applied };
        let new = settle(&def, live.as_deref(), &want, act)?;
        let act = Act { tracking: Tracking::Settled, ..*act };
        match live {
            None => {
                let mut new = new;
                object::put(&mut new, &["metadata", "name"], json!(at.name));
                Ok((self.create(&act, (&at.resource, &at.namespace), new)?, true))
            }
            Some(live) => Ok((self.replace(&act, at, (&live, new))?, false)),
        }
    }
}

struct Wanted<'a> {
    manager: &'a str,
    conflicts: Conflicts,
    applied: &'a Value,
}

/// The object after the apply, with its entries.
fn settle(def: &ResourceDef, live: Option<&Value>, want: &Wanted<'_>, act: &Act<'_>) -> Result<Value, Reject> {
    let guide = Guide::of(def);
    let subresource = act.subresource.unwrap_or_default();
    let mut entries = live.map(track::read).unwrap_or_default();
    if let (Some(live), true) = (live, entries.is_empty()) {
        let mut earlier = track::entry(def, (EARLIER, UPDATE), None, act.now);
        earlier.fields = fields_of(&track::ownable(live), guide);
        entries.push(earlier);
    }
    let wanted = fields_of(&track::writable(def, want.applied, act.subresource), guide);
    let own =
        |entry: &Entry| entry.operation == APPLY && entry.manager == want.manager && entry.subresource == subresource;
    let old = live.cloned().unwrap_or_else(|| json!({}));
    let mut new = merge(&old, want.applied, guide);
    let mut others = Fields::default();
    entries.iter().filter(|entry| !own(entry)).for_each(|entry| others.add(&entry.fields));
    if let Some(mine) = entries.iter().find(|entry| own(entry)) {
        let mut staying = others.clone();
        staying.add(&wanted);
        remove(&mut new, &mine.fields.minus(&wanted), (&staying, guide));
    }
    let (set, gone) = difference(&track::ownable(&old), &track::ownable(&new), guide);
    let disputed = set.meet(&wanted);
    let taken = want.conflicts == Conflicts::Take || was_client_side(live, want.manager, &disputed, &entries, guide);
    let clashes: Vec<(&Entry, Fields)> = entries
        .iter()
        .filter(|entry| !own(entry))
        .map(|entry| (entry, entry.fields.meet(&disputed)))
        .filter(|(_, fields)| !fields.is_empty())
        .collect();
    if !taken && !clashes.is_empty() {
        return Err(refusal(&clashes));
    }
    for entry in &mut entries {
        entry.fields = entry.fields.minus(&gone);
        if !own(entry) {
            entry.fields = entry.fields.minus(&disputed);
        }
    }
    let at = entries.iter().position(own).unwrap_or_else(|| {
        entries.push(track::entry(def, (want.manager, APPLY), act.subresource, act.now));
        entries.len() - 1
    });
    if let Some(entry) = entries.get_mut(at) {
        // An apply that changes nothing leaves its time, and so the object, as it was.
        if entry.fields != wanted || !set.is_empty() || !gone.is_empty() {
            entry.time = json!(act.now);
        }
        entry.fields = wanted;
        entry.version = def.api_version();
    }
    track::write(&mut new, &entries);
    Ok(new)
}

/// Whether `kubectl` takes over what it applied client-side before: then the disputed fields are its own.
/// Source: `apimachinery/pkg/util/managedfields/internal/lastappliedmanager.go`, the rule only.
fn was_client_side(
    live: Option<&Value>,
    manager: &str,
    disputed: &Fields,
    entries: &[Entry],
    guide: Guide<'_>,
) -> bool {
    let Some(text) = live.and_then(|live| object::annotation(live, LAST_APPLIED)) else { return false };
    let applies_already = entries.iter().any(|entry| entry.operation == APPLY && entry.manager == manager);
    let Ok(last) = serde_json::from_str::<Value>(text) else { return false };
    let last = fields_of(&track::ownable(&last), guide);
    let owned = |entry: &Entry| entry.fields.meet(disputed).minus(&last).is_empty();
    manager == "kubectl" && !applies_already && entries.iter().all(owned)
}

fn refusal(clashes: &[(&Entry, Fields)]) -> Reject {
    let mut causes = Vec::new();
    let mut lines = Vec::new();
    for (entry, fields) in clashes {
        let through = if entry.subresource.is_empty() {
            String::new()
        } else {
            format!(" with subresource {:?}", entry.subresource)
        };
        let whose = format!("conflict with {:?}{through} using {}", entry.manager, entry.version);
        for path in fields.paths() {
            causes.push(json!({ "reason": "FieldManagerConflict", "message": whose, "field": path }));
            lines.push(format!("{whose}: {path}"));
        }
    }
    let word = if lines.len() == 1 { "conflict" } else { "conflicts" };
    let message = format!("Apply failed with {} {word}: {}", lines.len(), lines.join("\n"));
    Reject { details: json!({ "causes": causes }), ..Reject::new(409, "Conflict", message) }
}
