//! What a written object is checked for: the few rules of validation that a controller can run into.

use serde_json::{Value, json};

use super::kinds::ResourceDef;
use super::reject::Reject;
use crate::sim::object;

pub(crate) fn kind(def: &ResourceDef, new: &mut Value) -> Result<(), Reject> {
    if !new.is_object() {
        return Err(Reject::bad_request("the body is no JSON object"));
    }
    for (field, wanted) in [("apiVersion", def.api_version()), ("kind", def.kind.clone())] {
        object::put_default(new, &[field], json!(wanted));
        let given = new.get(field).and_then(Value::as_str).unwrap_or_default();
        if given != wanted {
            let why = format!("the {field} in the data ({given}) does not match the expected {field} ({wanted})");
            return Err(Reject::bad_request(why));
        }
    }
    Ok(())
}

/// A PUT must say what it replaces, except for the built-in kinds that allow it blindly.
pub(crate) fn conditional(def: &ResourceDef, new: &Value) -> Result<(), Reject> {
    let blind = def.is_built_in() && !matches!(def.kind.as_str(), "Lease" | "CustomResourceDefinition");
    if blind || !object::text(new, "/metadata/resourceVersion").is_empty() {
        return Ok(());
    }
    let why = "Invalid value: 0: must be specified for an update";
    Err(Reject::invalid(def, object::name(new), ("metadata.resourceVersion", why)))
}

/// A uid or version in the written object must be the current one.
pub(crate) fn preconditions(def: &ResourceDef, old: &Value, new: &Value) -> Result<(), Reject> {
    let (wanted, actual) = (object::uid(new), object::uid(old));
    if !wanted.is_empty() && wanted != actual {
        let why = format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {actual}");
        return Err(Reject::conflict(def, object::name(old), &why));
    }
    let wanted = object::text(new, "/metadata/resourceVersion");
    if !wanted.is_empty() && wanted != object::text(old, "/metadata/resourceVersion") {
        return Err(Reject::modified(def, object::name(old)));
    }
    Ok(())
}

pub(crate) fn workload(def: &ResourceDef, new: &Value) -> Result<(), Reject> {
    if def.group != "apps" {
        return Ok(());
    }
    if object::integer(new, "/spec/replicas").is_some_and(|replicas| replicas < 0) {
        let why = "Invalid value: must be greater than or equal to 0";
        return Err(Reject::invalid(def, object::name(new), ("spec.replicas", why)));
    }
    let labels = new.pointer("/spec/template").unwrap_or(&Value::Null);
    let wanted = new.pointer("/spec/selector/matchLabels");
    if wanted.is_some_and(|wanted| !object::has_labels(labels, wanted)) {
        let why = "Invalid value: `selector` does not match template `labels`";
        return Err(Reject::invalid(def, object::name(new), ("spec.template.metadata.labels", why)));
    }
    Ok(())
}

pub(crate) fn immutable(def: &ResourceDef, old: &Value, new: &Value) -> Result<(), Reject> {
    let fixed = def.group == "apps" && old.pointer("/spec/selector") != new.pointer("/spec/selector");
    if fixed {
        return Err(Reject::invalid(def, object::name(old), ("spec.selector", "Invalid value: field is immutable")));
    }
    Ok(())
}
