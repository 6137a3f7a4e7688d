//! The entries of `metadata.managedFields`, and what a plain write does to them.

use serde_json::{Value, json};

use super::super::kinds::{ResourceDef, Status};
use super::fields::Fields;
use super::guide::Guide;
use super::walk::difference;
use crate::api::Time;
use crate::sim::object;

/// How ownership follows one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracking<'a> {
    /// In the name of the actor, on objects that are tracked already.
    Follow,
    /// In the name of this field manager, from the object's creation on.
    Begin(&'a str),
    /// The object carries its entries as they are to be.
    Settled,
}

/// One entry: who, how, and which fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub manager: String,
    pub operation: &'static str,
    pub version: String,
    pub subresource: String,
    pub time: Value,
    pub fields: Fields,
}

/// The two operations.
pub(crate) const APPLY: &str = "Apply";
pub(crate) const UPDATE: &str = "Update";
/// Metadata that belongs to the server, and never to a manager.
const SERVERS_OWN: [&str; 10] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
    "managedFields",
];

/// Whether the object has entries.
pub(crate) fn is_tracked(object: &Value) -> bool {
    !object::list(object, "/metadata/managedFields").is_empty()
}

/// The entries of an object.
pub(crate) fn read(object: &Value) -> Vec<Entry> {
    let entry = |entry: &Value| Entry {
        manager: object::text(entry, "/manager").to_owned(),
        operation: if object::text(entry, "/operation") == APPLY { APPLY } else { UPDATE },
        version: object::text(entry, "/apiVersion").to_owned(),
        subresource: object::text(entry, "/subresource").to_owned(),
        time: entry.get("time").cloned().unwrap_or_default(),
        fields: Fields::of_wire(entry.get("fieldsV1").unwrap_or(&Value::Null)),
    };
    object::list(object, "/metadata/managedFields").iter().map(entry).collect()
}

/// Puts the entries on an object; those without fields are left out.
pub(crate) fn write(object: &mut Value, entries: &[Entry]) {
    let wire = |entry: &Entry| {
        let mut wire = json!({
            "manager": entry.manager, "operation": entry.operation, "apiVersion": entry.version, "time": entry.time,
            "fieldsType": "FieldsV1", "fieldsV1": entry.fields.wire(),
        });
        if !entry.subresource.is_empty() {
            object::put(&mut wire, &["subresource"], json!(entry.subresource));
        }
        wire
    };
    let kept: Vec<Value> = entries.iter().filter(|entry| !entry.fields.is_empty()).map(wire).collect();
    if kept.is_empty() {
        object::take(object, &["metadata", "managedFields"]);
    } else {
        object::put(object, &["metadata", "managedFields"], json!(kept));
    }
}

/// The object without what no manager owns.
pub(crate) fn ownable(object: &Value) -> Value {
    let mut rest = object.clone();
    if let Some(map) = rest.as_object_mut() {
        map.remove("apiVersion");
        map.remove("kind");
        let bare = map.get_mut("metadata").and_then(Value::as_object_mut).map(|metadata| {
            metadata.retain(|key, _| !SERVERS_OWN.contains(&key.as_str()));
            metadata.is_empty()
        });
        if bare == Some(true) {
            map.remove("metadata");
        }
    }
    rest
}

/// The same, restricted to what a write of `subresource` may touch.
pub(crate) fn writable(def: &ResourceDef, object: &Value, subresource: Option<&str>) -> Value {
    let mut rest = ownable(object);
    if let Some(map) = rest.as_object_mut() {
        match subresource {
            Some("status") => map.retain(|key, _| key == "status"),
            _ if def.status == Status::Subresource => drop(map.remove("status")),
            _ => {}
        }
    }
    rest
}

/// Who makes a plain write.
pub(crate) struct Writer<'a> {
    pub manager: &'a str,
    pub subresource: Option<&'a str>,
    pub now: Time,
}

/// Settles the entries of `new` after a plain write over `old` (none: a creation). Entries that the writer sent along
/// are the base; an empty list ends the tracking; none at all leaves the stored ones.
pub(crate) fn plain_write(def: &ResourceDef, old: Option<&Value>, new: &mut Value, writer: &Writer<'_>) {
    let sent = new.pointer("/metadata/managedFields").and_then(Value::as_array);
    let reset = sent.is_some_and(|sent| sent.is_empty() || sent.iter().all(|entry| entry == &json!({})));
    if reset && old.is_some() {
        object::take(new, &["metadata", "managedFields"]);
        return;
    }
    let mut entries = if is_tracked(new) { read(new) } else { old.map(read).unwrap_or_default() };
    let guide = Guide::of(def);
    let before = old.map_or_else(|| json!({}), ownable);
    let (set, gone) = difference(&before, &ownable(new), guide);
    let own = |entry: &Entry| {
        entry.operation == UPDATE
            && entry.manager == writer.manager
            && entry.subresource == writer.subresource.unwrap_or_default()
            && entry.version == def.api_version()
    };
    for entry in &mut entries {
        entry.fields = entry.fields.minus(&gone);
        if !own(entry) {
            entry.fields = entry.fields.minus(&set);
        }
    }
    if !set.is_empty() {
        let at = entries.iter().position(own).unwrap_or_else(|| {
            entries.push(entry(def, (writer.manager, UPDATE), writer.subresource, writer.now));
            entries.len() - 1
        });
        if let Some(entry) = entries.get_mut(at) {
            entry.fields.add(&set);
            entry.time = json!(writer.now);
        }
    }
    write(new, &entries);
}

/// An entry without fields.
pub(crate) fn entry(
    def: &ResourceDef,
    (manager, operation): (&str, &'static str),
    subresource: Option<&str>,
    now: Time,
) -> Entry {
    Entry {
        manager: manager.to_owned(),
        operation,
        version: def.api_version(),
        subresource: subresource.unwrap_or_default().to_owned(),
        time: json!(now),
        fields: Fields::default(),
    }
}
