//! The `scale` subresource: `autoscaling/v1 Scale` over `spec.replicas` and `status.replicas`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::ResourceDef;
use super::patch::{self, PatchKind};
use super::reject::Reject;
use super::store::{Act, Address, Store};
use crate::sim::object;

/// What is written to `/scale`.
pub(crate) enum ScaleWrite {
    Put(Value),
    Patch(PatchKind, Value),
}

impl Store {
    pub fn scale(&self, at: &Address) -> Result<Value, Reject> {
        let def = self.def(&at.resource)?;
        if def.scale_selector.is_none() {
            return Err(Reject::no_such_path());
        }
        Ok(view(&def, &*self.get(at)?))
    }

    pub fn write_scale(&mut self, act: &Act<'_>, at: &Address, write: ScaleWrite) -> Result<Value, Reject> {
        let def = self.def(&at.resource)?;
        let current = self.scale(at)?;
        let new = match write {
            ScaleWrite::Put(new) => new,
            ScaleWrite::Patch(kind, patch) => patch::apply(kind, &def, &current, &patch)?,
        };
        let replicas = object::integer(&new, "/spec/replicas").unwrap_or(0);
        if replicas < 0 {
            let why = "Invalid value: must be greater than or equal to 0";
            return Err(Reject::invalid(&def, &at.name, ("spec.replicas", why)));
        }
        let mut change = json!({ "spec": { "replicas": replicas } });
        for field in ["resourceVersion", "uid"] {
            let given = new.get("metadata").and_then(|metadata| metadata.get(field)).cloned();
            if let Some(given) = given.filter(|given| given.as_str().is_some_and(|text| !text.is_empty())) {
                object::put(&mut change, &["metadata", field], given);
            }
        }
        let written: Arc<Value> = self.patch(act, at, (PatchKind::Merge, &change))?;
        Ok(view(&def, &written))
    }
}

fn view(def: &ResourceDef, object: &Value) -> Value {
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object.get("metadata").and_then(|metadata| metadata.get(field)) {
            object::put(&mut metadata, &[field], value.clone());
        }
    }
    let selector = match object.pointer(def.scale_selector.as_deref().unwrap_or_default()) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(labels)) => {
            let pairs = labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
            pairs.collect::<Vec<_>>().join(",")
        }
        _ => String::new(),
    };
    json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": metadata,
        "spec": { "replicas": object::integer(object, "/spec/replicas").unwrap_or(0) },
        "status": { "replicas": object::integer(object, &def.scale_replicas).unwrap_or(0), "selector": selector },
    })
}
