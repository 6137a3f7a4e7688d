//! `/version`, `/api`, `/apis` and the lists of resources below them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kinds::{ResourceDef, Scope, Status};
use super::openapi;
use super::store::Store;

/// The version that the server claims: new enough for streaming lists.
const MINOR: &str = "34";

/// The answer to a path that is about the server itself; none where it is not.
pub(crate) fn answer(store: &Store, path: &str) -> Option<Value> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match segments.as_slice() {
        ["version"] => Some(json!({
            "major": "1", "minor": MINOR, "gitVersion": format!("v1.{MINOR}.0+siskin-sim"), "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "rustc", "platform": "linux/amd64",
        })),
        ["healthz" | "readyz" | "livez"] => Some(json!("ok")),
        ["api"] => Some(json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] })),
        ["apis"] => {
            let groups: Vec<Value> = groups(store).iter().map(|(name, version)| group(name, version)).collect();
            Some(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups }))
        }
        ["api", version] => resources(store, "", version),
        ["apis", name] => {
            let mut found = group(name, groups(store).get(*name)?);
            if let Some(map) = found.as_object_mut() {
                map.extend([("kind".to_owned(), json!("APIGroup")), ("apiVersion".to_owned(), json!("v1"))]);
            }
            Some(found)
        }
        ["openapi", "v3"] => Some(openapi::root(store)),
        ["openapi", "v3", wanted @ ..] => openapi::document(store, &wanted.join("/")),
        ["apis", name, version] => resources(store, name, version),
        _ => None,
    }
}

/// The named groups and the version of each.
fn groups(store: &Store) -> BTreeMap<String, String> {
    let defs = store.tables.values().map(|table| &table.def).filter(|def| !def.group.is_empty());
    defs.map(|def| (def.group.clone(), def.version.clone())).collect()
}

fn group(name: &str, version: &str) -> Value {
    let version = json!({ "groupVersion": format!("{name}/{version}"), "version": version });
    json!({ "name": name, "versions": [version], "preferredVersion": version })
}

fn resources(store: &Store, group: &str, version: &str) -> Option<Value> {
    let defs = store.order.iter().filter_map(|id| store.tables.get(id)).map(|table| &table.def);
    let found: Vec<Value> =
        defs.filter(|def| def.group == group && def.version == version).flat_map(|def| entries(def)).collect();
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let list =
        json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": found });
    (!found.is_empty()).then_some(list)
}

fn entries(def: &ResourceDef) -> Vec<Value> {
    let namespaced = def.scope == Scope::Namespaced;
    let mut entries = vec![json!({
        "name": def.plural, "singularName": def.kind.to_lowercase(), "namespaced": namespaced, "kind": def.kind,
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        "shortNames": def.short, "categories": def.categories,
    })];
    if def.status == Status::Subresource {
        let name = format!("{}/status", def.plural);
        entries.push(json!({ "name": name, "singularName": "", "namespaced": namespaced, "kind": def.kind, "verbs": ["get", "patch", "update"] }));
    }
    if def.scale_selector.is_some() {
        entries.push(json!({
            "name": format!("{}/scale", def.plural), "singularName": "", "namespaced": namespaced, "kind": "Scale",
            "group": "autoscaling", "version": "v1", "verbs": ["get", "patch", "update"],
        }));
    }
    if def.resource() == "pods" {
        entries.push(json!({
            "name": "pods/eviction", "singularName": "", "namespaced": true, "kind": "Eviction",
            "group": "policy", "version": "v1", "verbs": ["create"],
        }));
    }
    entries
}
