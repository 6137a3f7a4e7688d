//! A stored definition and the kind that it serves.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::kinds::{ResourceDef, Scope};
use super::super::reject::Reject;
use super::super::remove::Deletion;
use super::super::request::Verb;
use super::super::store::{Act, Address, Store};
use super::columns::Column;
use super::rules;
use crate::sim::object;

/// The kind of definitions.
pub(crate) const RESOURCE: &str = "customresourcedefinitions.apiextensions.k8s.io";
const ACTOR: &str = "crd-controller";

/// The kind that a definition describes: its storage version, which is the one that is served.
pub(crate) fn kind_of(crd: &Value) -> Result<ResourceDef, Reject> {
    let text = |pointer: &str| object::text(crd, pointer);
    let refuse = |field: &str, why: &str| {
        let message =
            format!("CustomResourceDefinition.apiextensions.k8s.io {:?} is invalid: {field}: {why}", object::name(crd));
        Reject::new(422, "Invalid", message)
    };
    let versions = object::list(crd, "/spec/versions");
    let storage = versions.iter().find(|version| version.get("storage") == Some(&json!(true)));
    let version = storage.ok_or_else(|| refuse("spec.versions", "exactly one version must be the storage version"))?;
    for field in ["/spec/group", "/spec/names/kind", "/spec/names/plural"] {
        if text(field).is_empty() {
            return Err(refuse(field.trim_start_matches('/'), "Required value"));
        }
    }
    let expected = format!("{}.{}", text("/spec/names/plural"), text("/spec/group"));
    if object::name(crd) != expected {
        return Err(refuse(
            "metadata.name",
            &format!("Invalid value: must be {expected:?}: spec.names.plural and spec.group"),
        ));
    }
    let (group, kind) = (text("/spec/group"), text("/spec/names/kind"));
    let mut def = ResourceDef::new(group, object::text(version, "/name"), kind, text("/spec/names/plural"));
    if text("/spec/scope") == "Cluster" {
        def.scope = Scope::Cluster;
    }
    if version.pointer("/subresources/status").is_some() {
        def = def.with_status();
    }
    if let Some(scale) = version.pointer("/subresources/scale") {
        let pointer = |field: &str| object::text(scale, field).replace('.', "/");
        def = def.with_scale(&pointer("/labelSelectorPath")).counting(&pointer("/statusReplicasPath"));
    }
    let words = |pointer: &str| object::list(crd, pointer).iter().filter_map(Value::as_str).map(str::to_owned);
    def.short = words("/spec/names/shortNames").collect();
    def.categories = words("/spec/names/categories").collect();
    def.schema = version.pointer("/schema/openAPIV3Schema").cloned().map(Arc::new);
    def.printed = object::list(version, "/additionalPrinterColumns").iter().map(Column::of).collect();
    Ok(def)
}

/// What the server says of a definition that it serves.
pub(crate) fn status(crd: &Value) -> Value {
    let since = crd.pointer("/metadata/creationTimestamp").cloned().unwrap_or_default();
    let condition = |kind: &str, reason: &str, message: &str| json!({ "type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": since });
    let versions = object::list(crd, "/spec/versions").iter();
    let stored: Vec<&Value> = versions
        .filter(|version| version.get("storage") == Some(&json!(true)))
        .filter_map(|version| version.get("name"))
        .collect();
    json!({
        "acceptedNames": crd.pointer("/spec/names").cloned().unwrap_or_default(),
        "storedVersions": stored,
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
    })
}

impl Store {
    /// Serves what a stored definition describes, from now on.
    pub fn define(&mut self, crd: &Value) -> Result<(), Reject> {
        let def = kind_of(crd)?;
        if let Some(schema) = &def.schema {
            for rule in rules::unknown(schema) {
                self.warnings.push(format!("{}: the rule {rule:?} is not evaluated by this server", def.resource()));
            }
        }
        self.register(def);
        Ok(())
    }

    /// Takes the kind of a definition away, with all its objects.
    pub fn undefine(&mut self, act: &Act<'_>, crd: &Value) -> Result<(), Reject> {
        let resource: Arc<str> = object::name(crd).into();
        let act = act.by(ACTOR, Verb::DeleteCollection);
        let Some(table) = self.tables.get(&resource) else { return Ok(()) };
        let all: Vec<Address> = table
            .objects
            .keys()
            .map(|(namespace, name)| Address {
                resource: resource.clone(),
                namespace: namespace.clone(),
                name: name.clone(),
            })
            .collect();
        for at in all {
            if self.find(&at).is_some() {
                self.delete(&act, &at, &Deletion::default())?;
            }
            // Nobody can take a finalizer off once the kind is gone.
            if self.find(&at).is_some() {
                self.vanish(&act, &at, None)?;
            }
        }
        self.unregister(&resource);
        Ok(())
    }
}
