//! As much `OpenAPI` as kubectl needs before it sends anything: that every kind takes `fieldValidation` and `dryRun`.
//! Kinds that a definition describes come with their schema, for `kubectl explain`; the others without fields.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::kinds::{ResourceDef, Scope};
use super::schema::definition;
use super::store::Store;

/// `/openapi/v3`: where the documents of the groups are.
pub(crate) fn root(store: &Store) -> Value {
    let prefixes: BTreeSet<String> = store.tables.values().map(|table| prefix(&table.def)).collect();
    // Clients keep a document until its hash changes, which it does with the definitions.
    let hash = store.tables.get(definition::RESOURCE).map_or(0, |table| table.changed);
    let entry = |prefix: String| {
        let place = json!({ "serverRelativeURL": format!("/openapi/v3/{prefix}?hash={hash}") });
        (prefix, place)
    };
    json!({ "paths": prefixes.into_iter().map(entry).collect::<Map<_, _>>() })
}

/// `/openapi/v3/apis/<group>/<version>`; none where nothing is served there.
pub(crate) fn document(store: &Store, wanted: &str) -> Option<Value> {
    let defs = store.tables.values().map(|table| &table.def).filter(|def| prefix(def) == wanted);
    let paths: Map<String, Value> = defs.clone().map(|def| path(def)).collect();
    let schemas: Map<String, Value> = defs.filter_map(|def| schema(def)).collect();
    let info = json!({ "title": "Siskin's cluster in memory", "version": "v1" });
    (!paths.is_empty())
        .then(|| json!({ "openapi": "3.0.0", "info": info, "paths": paths, "components": { "schemas": schemas } }))
}

/// The schema of a kind that a definition describes, under a name as the real server gives it.
fn schema(def: &ResourceDef) -> Option<(String, Value)> {
    let mut schema = def.schema.as_deref()?.clone();
    let kind = json!([{ "group": def.group, "version": def.version, "kind": def.kind }]);
    schema.as_object_mut()?.insert("x-kubernetes-group-version-kind".to_owned(), kind);
    let group: Vec<&str> = def.group.rsplit('.').collect();
    Some((format!("{}.{}.{}", group.join("."), def.version, def.kind), schema))
}

fn prefix(def: &ResourceDef) -> String {
    if def.group.is_empty() { format!("api/{}", def.version) } else { format!("apis/{}", def.api_version()) }
}

fn path(def: &ResourceDef) -> (String, Value) {
    let place = match def.scope {
        Scope::Namespaced => "namespaces/{namespace}/",
        Scope::Cluster => "",
    };
    let parameter =
        |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string", "uniqueItems": true } });
    let operation = json!({
        "parameters": [parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation")],
        "responses": {},
        "x-kubernetes-group-version-kind": { "group": def.group, "version": def.version, "kind": def.kind },
    });
    (format!("/{}/{place}{}/{{name}}", prefix(def), def.plural), json!({ "patch": operation }))
}
