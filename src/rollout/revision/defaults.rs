//! The defaults that the API server fills into a pod template before it stores a `ReplicaSet`.
//!
//! Kubernetes v1.34: `pkg/apis/core/v1 SetObjectDefaults_PodTemplate`. Defaults of pods that templates do not get
//! (requests from limits, service links, host ports) are not applied. Values of the wrong type stay as they are.

use super::go_json::integer;
use super::image::default_pull_policy;
use super::pod_table::VOLUME;
use super::quantity::Quantity;
use serde_json::{Map, Value, json};

#[cfg(test)]
mod tests;

type Object = Map<String, Value>;

/// File mode 0644, of every volume made of keys.
const FILE_MODE: i64 = 0o644;
const GRACE_SECONDS: i64 = 30;
const TOKEN_SECONDS: i64 = 3600;

/// A copy of the pod template with every default filled in.
pub fn with_defaults(template: &Value) -> Value {
    let mut copy = template.clone();
    apply(&mut copy);
    copy
}

/// Fills the defaults of a pod template in place.
pub fn apply(template: &mut Value) {
    let Some(template) = template.as_object_mut() else { return };
    let spec = template.entry("spec").or_insert_with(|| json!({}));
    if spec.is_null() {
        *spec = json!({});
    }
    let Some(spec) = spec.as_object_mut() else { return };
    text(spec, "dnsPolicy", "ClusterFirst");
    text(spec, "restartPolicy", "Always");
    pointer(spec, "securityContext", json!({}));
    pointer(spec, "terminationGracePeriodSeconds", json!(GRACE_SECONDS));
    text(spec, "schedulerName", "default-scheduler");
    each(spec, "volumes", volume);
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        each(spec, list, container);
    }
    resources(spec.get_mut("overhead"));
    limits_and_requests(spec.get_mut("resources"));
}

fn volume(volume: &mut Object) {
    let has_source = VOLUME.fields.iter().any(|f| f.key != "name" && volume.get(f.key).is_some_and(|v| !v.is_null()));
    if !has_source {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    within(volume, "hostPath", |v| pointer(v, "type", json!("")));
    within(volume, "secret", file_mode);
    within(volume, "configMap", file_mode);
    within(volume, "iscsi", |v| text(v, "iscsiInterface", "default"));
    within(volume, "rbd", |v| {
        text(v, "pool", "rbd");
        text(v, "user", "admin");
        text(v, "keyring", "/etc/ceph/keyring");
    });
    within(volume, "downwardAPI", |v| {
        file_mode(v);
        each(v, "items", field_ref);
    });
    within(volume, "azureDisk", |v| {
        pointer(v, "cachingMode", json!("ReadWrite"));
        pointer(v, "fsType", json!("ext4"));
        pointer(v, "readOnly", json!(false));
        pointer(v, "kind", json!("Shared"));
    });
    within(volume, "projected", |v| {
        file_mode(v);
        each(v, "sources", |source| {
            within(source, "downwardAPI", |api| each(api, "items", field_ref));
            within(source, "serviceAccountToken", |token| pointer(token, "expirationSeconds", json!(TOKEN_SECONDS)));
        });
    });
    within(volume, "scaleIO", |v| {
        text(v, "storageMode", "ThinProvisioned");
        text(v, "fsType", "xfs");
    });
    within(volume, "ephemeral", |v| within(v, "volumeClaimTemplate", claim_template));
}

fn claim_template(template: &mut Object) {
    // The spec is no pointer in Go, so that an absent one gets its defaults too.
    let spec = template.entry("spec").or_insert_with(|| json!({}));
    if spec.is_null() {
        *spec = json!({});
    }
    if let Some(spec) = spec.as_object_mut() {
        pointer(spec, "volumeMode", json!("Filesystem"));
        limits_and_requests(spec.get_mut("resources"));
    }
}

fn file_mode(source: &mut Object) {
    pointer(source, "defaultMode", json!(FILE_MODE));
}

fn container(container: &mut Object) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let policy = default_pull_policy(image);
    text(container, "imagePullPolicy", policy);
    text(container, "terminationMessagePath", "/dev/termination-log");
    text(container, "terminationMessagePolicy", "File");
    each(container, "ports", |port| text(port, "protocol", "TCP"));
    each(container, "env", |variable| {
        within(variable, "valueFrom", |from| {
            field_ref(from);
            within(from, "fileKeyRef", |file| pointer(file, "optional", json!(false)));
        });
    });
    limits_and_requests(container.get_mut("resources"));
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        within(container, name, probe);
    }
    within(container, "lifecycle", |lifecycle| {
        within(lifecycle, "postStart", |hook| within(hook, "httpGet", http_get));
        within(lifecycle, "preStop", |hook| within(hook, "httpGet", http_get));
    });
}

fn probe(probe: &mut Object) {
    number(probe, "timeoutSeconds", 1);
    number(probe, "periodSeconds", 10);
    number(probe, "successThreshold", 1);
    number(probe, "failureThreshold", 3);
    within(probe, "httpGet", http_get);
    within(probe, "grpc", |grpc| pointer(grpc, "service", json!("")));
}

fn http_get(action: &mut Object) {
    text(action, "path", "/");
    text(action, "scheme", "HTTP");
}

fn field_ref(holder: &mut Object) {
    within(holder, "fieldRef", |field| text(field, "apiVersion", "v1"));
}

fn limits_and_requests(requirements: Option<&mut Value>) {
    if let Some(requirements) = requirements.and_then(Value::as_object_mut) {
        resources(requirements.get_mut("limits"));
        resources(requirements.get_mut("requests"));
    }
}

/// Rounds every quantity up to thousandths.
fn resources(list: Option<&mut Value>) {
    for quantity in list.and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        if let Some(rounded) = Quantity::from_json(quantity).and_then(Quantity::rounded_up_to_milli) {
            *quantity = Value::String(rounded.to_string());
        }
    }
}

/// Sets a text that is absent, null or empty.
fn text(object: &mut Object, key: &str, default: &str) {
    if object.get(key).is_none_or(|v| v.is_null() || v.as_str() == Some("")) {
        object.insert(key.to_owned(), Value::String(default.to_owned()));
    }
}

/// Sets a number that is absent, null or 0.
fn number(object: &mut Object, key: &str, default: i64) {
    if object.get(key).is_none_or(|v| v.is_null() || integer(v) == Some(0)) {
        object.insert(key.to_owned(), json!(default));
    }
}

/// Sets a value that is absent or null.
fn pointer(object: &mut Object, key: &str, default: Value) {
    if object.get(key).is_none_or(Value::is_null) {
        object.insert(key.to_owned(), default);
    }
}

fn within(object: &mut Object, key: &str, fill: impl FnOnce(&mut Object)) {
    if let Some(inner) = object.get_mut(key).and_then(Value::as_object_mut) {
        fill(inner);
    }
}

/// Runs over the objects of a list; a null among them is an object without keys, as in Go.
fn each(object: &mut Object, key: &str, mut fill: impl FnMut(&mut Object)) {
    for item in object.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
        if item.is_null() {
            *item = json!({});
        }
        if let Some(item) = item.as_object_mut() {
            fill(item);
        }
    }
}
