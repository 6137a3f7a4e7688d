//! Strategic merge patch for built-in kinds: lists of maps merge by a key instead of being replaced.

use serde_json::{Map, Value};

/// Applies `patch` to `target` in place. `field` is the name under which the value stands, empty at the root.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    merge_at(target, patch, "");
}

fn merge_at(target: &mut Value, patch: &Value, parent: &str) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if directive(patch) == Some("replace") {
        let kept = patch.iter().filter(|(key, _)| !key.starts_with('$'));
        *target = Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect());
        return;
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(map) = target else { return };
    if let Some(kept) = patch.get("$retainKeys").and_then(Value::as_array) {
        map.retain(|key, _| kept.iter().any(|name| name.as_str() == Some(key)));
    }
    for (key, value) in patch {
        if let Some(list) = key.strip_prefix("$deleteFromPrimitiveList/") {
            remove_members(map, list, value);
        } else if key.starts_with('$') {
            // `$setElementOrder/…` only orders: what is there keeps its place, what is new comes last.
        } else if value.is_null() || value.as_object().is_some_and(|inner| directive(inner) == Some("delete")) {
            map.remove(key);
        } else {
            merge_field(map, (parent, key), value);
        }
    }
}

fn merge_field(map: &mut Map<String, Value>, (parent, key): (&str, &str), value: &Value) {
    let slot = map.entry(key).or_insert(Value::Null);
    match (value, merge_key(parent, key)) {
        (Value::Array(items), Some(by)) => merge_list(slot, items, by),
        (Value::Array(items), None) if key == "finalizers" => {
            let mut all = slot.as_array().cloned().unwrap_or_default();
            all.extend(items.iter().filter(|item| !all.contains(item)).cloned().collect::<Vec<_>>());
            *slot = Value::Array(all);
        }
        (Value::Array(_), None) => *slot = value.clone(),
        _ => merge_at(slot, value, key),
    }
}

fn directive(map: &Map<String, Value>) -> Option<&str> {
    map.get("$patch")?.as_str()
}

fn remove_members(map: &mut Map<String, Value>, list: &str, unwanted: &Value) {
    let unwanted = unwanted.as_array().map_or(&[][..], Vec::as_slice);
    if let Some(members) = map.get_mut(list).and_then(Value::as_array_mut) {
        members.retain(|member| !unwanted.contains(member));
    }
}

fn merge_list(slot: &mut Value, items: &[Value], by: &str) {
    let mut list = slot.as_array().cloned().unwrap_or_default();
    if items.iter().any(|item| item.get("$patch").and_then(Value::as_str) == Some("replace")) {
        list.clear();
    }
    for item in items {
        let at = list.iter().position(|member| item.get(by).is_some() && member.get(by) == item.get(by));
        match (item.get("$patch").and_then(Value::as_str), at.and_then(|at| list.get_mut(at))) {
            (Some("replace"), _) | (Some("delete"), None) => {}
            (Some("delete"), Some(_)) => list.retain(|member| member.get(by) != item.get(by)),
            (_, Some(member)) => merge_at(member, item, ""),
            (_, None) => {
                let mut new = Value::Null;
                merge_at(&mut new, item, "");
                list.push(new);
            }
        }
    }
    *slot = Value::Array(list);
}

/// The key by which a list of maps merges. Source: the `patchMergeKey` tags of `k8s.io/api`.
fn merge_key(parent: &str, list: &str) -> Option<&'static str> {
    Some(match (parent, list) {
        (_, "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "env" | "imagePullSecrets") => "name",
        // Below `spec` the ports are those of a Service, elsewhere those of a container.
        ("spec", "ports") => "port",
        (_, "ports") => "containerPort",
        (_, "volumeMounts") => "mountPath",
        (_, "volumeDevices") => "devicePath",
        (_, "conditions") => "type",
        (_, "ownerReferences") => "uid",
        (_, "hostAliases") => "ip",
        (_, "topologySpreadConstraints") => "topologyKey",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_merge_by_key() {
        let mut pod = json!({"spec": {"containers": [
            {"name": "a", "image": "a:1", "ports": [{"containerPort": 80, "name": "http"}]}, {"name": "b"}]}});
        let patch = json!({"spec": {"$setElementOrder/containers": [{"name": "a"}], "containers": [
            {"name": "a", "image": "a:2", "ports": [{"containerPort": 81}]}, {"name": "b", "$patch": "delete"}, {"name": "c"}]}});
        merge(&mut pod, &patch);
        let expected = json!({"spec": {"containers": [
            {"name": "a", "image": "a:2", "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 81}]}, {"name": "c"}]}});
        assert_eq!(pod, expected);
    }

    #[test]
    fn service_ports_merge_by_port_and_nulls_delete() {
        let mut service = json!({"metadata": {"labels": {"a": "1", "b": "2"}, "finalizers": ["x"]},
            "spec": {"ports": [{"port": 80, "targetPort": 1}], "selector": {"app": "a"}}});
        let patch = json!({"metadata": {"labels": {"a": null}, "finalizers": ["y"]},
            "spec": {"ports": [{"port": 80, "targetPort": 2}], "selector": {"$patch": "replace", "app": "b"}}});
        merge(&mut service, &patch);
        let expected = json!({"metadata": {"labels": {"b": "2"}, "finalizers": ["x", "y"]},
            "spec": {"ports": [{"port": 80, "targetPort": 2}], "selector": {"app": "b"}}});
        assert_eq!(service, expected);
    }
}
