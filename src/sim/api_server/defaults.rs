//! What the API server fills in: a template that comes back from it is not byte for byte the one that went in,
//! and a controller that compares the two must cope.

use serde_json::{Value, json};

use super::kinds::ResourceDef;
use super::schema::definition;
use crate::sim::object::{self, put_default};

/// Fills in the defaults of a kind. `service` numbers cluster addresses.
pub(crate) fn fill_in(def: &ResourceDef, object: &mut Value, service: u32) {
    match def.resource().as_str() {
        "pods" => {
            pod_spec(object.get_mut("spec"));
            put_default(object, &["status", "phase"], json!("Pending"));
            put_default(object, &["status", "qosClass"], json!("BestEffort"));
        }
        "services" => service_spec(object, service),
        "namespaces" => {
            put_default(object, &["spec", "finalizers"], json!(["kubernetes"]));
            put_default(object, &["status", "phase"], json!("Active"));
        }
        "replicasets.apps" => {
            put_default(object, &["spec", "replicas"], json!(1));
            pod_spec(object.pointer_mut("/spec/template/spec"));
            put_default(object, &["status", "replicas"], json!(0));
        }
        "deployments.apps" => deployment(object),
        definition::RESOURCE => {
            let status = definition::status(object);
            put_default(object, &["status"], status);
        }
        "jobs.batch" => {
            put_default(object, &["spec", "backoffLimit"], json!(6));
            put_default(object, &["spec", "completions"], json!(1));
            put_default(object, &["spec", "parallelism"], json!(1));
            pod_spec(object.pointer_mut("/spec/template/spec"));
        }
        "httproutes.gateway.networking.k8s.io" => http_route(object),
        _ => {}
    }
}

fn each<'a>(object: Option<&'a mut Value>, list: &str) -> impl Iterator<Item = &'a mut Value> {
    object.and_then(|object| object.get_mut(list)?.as_array_mut()).into_iter().flatten()
}

fn deployment(object: &mut Value) {
    put_default(object, &["spec", "replicas"], json!(1));
    put_default(object, &["spec", "revisionHistoryLimit"], json!(10));
    put_default(object, &["spec", "progressDeadlineSeconds"], json!(600));
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
    put_default(object, &["spec", "strategy"], strategy);
    pod_spec(object.pointer_mut("/spec/template/spec"));
}

/// Source: `pkg/apis/core/v1/defaults.go` of Kubernetes.
fn pod_spec(spec: Option<&mut Value>) {
    let Some(spec) = spec else { return };
    put_default(spec, &["restartPolicy"], json!("Always"));
    put_default(spec, &["terminationGracePeriodSeconds"], json!(30));
    put_default(spec, &["dnsPolicy"], json!("ClusterFirst"));
    put_default(spec, &["securityContext"], json!({}));
    put_default(spec, &["schedulerName"], json!("default-scheduler"));
    for list in ["containers", "initContainers"] {
        each(Some(&mut *spec), list).for_each(container);
    }
    for volume in each(Some(&mut *spec), "volumes") {
        for source in ["configMap", "secret", "projected"] {
            if volume.get(source).is_some() {
                put_default(volume, &[source, "defaultMode"], json!(420));
            }
        }
    }
}

fn container(container: &mut Value) {
    let image = object::text(container, "/image");
    let tag = image.rsplit('/').next().unwrap_or_default().split_once(':').map(|(_, tag)| tag);
    let pull = if image.contains('@') || tag.is_some_and(|tag| tag != "latest") { "IfNotPresent" } else { "Always" };
    put_default(container, &["imagePullPolicy"], json!(pull));
    put_default(container, &["resources"], json!({}));
    put_default(container, &["terminationMessagePath"], json!("/dev/termination-log"));
    put_default(container, &["terminationMessagePolicy"], json!("File"));
    for port in each(Some(&mut *container), "ports") {
        put_default(port, &["protocol"], json!("TCP"));
    }
    for variable in each(Some(&mut *container), "env") {
        if variable.pointer("/valueFrom/fieldRef").is_some() {
            put_default(variable, &["valueFrom", "fieldRef", "apiVersion"], json!("v1"));
        }
    }
    for name in ["readinessProbe", "livenessProbe", "startupProbe"] {
        let Some(probe) = container.get_mut(name) else { continue };
        if probe.get("httpGet").is_some() {
            put_default(probe, &["httpGet", "scheme"], json!("HTTP"));
        }
        for (field, value) in
            [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
        {
            put_default(probe, &[field], json!(value));
        }
    }
}

fn service_spec(object: &mut Value, number: u32) {
    put_default(object, &["spec", "type"], json!("ClusterIP"));
    let address = format!("10.96.{}.{}", (number / 250) % 250, number % 250 + 1);
    put_default(object, &["spec", "clusterIP"], json!(address));
    let address = object.pointer("/spec/clusterIP").cloned().unwrap_or_default();
    put_default(object, &["spec", "clusterIPs"], json!([address]));
    put_default(object, &["spec", "sessionAffinity"], json!("None"));
    put_default(object, &["spec", "internalTrafficPolicy"], json!("Cluster"));
    put_default(object, &["spec", "ipFamilies"], json!(["IPv4"]));
    put_default(object, &["spec", "ipFamilyPolicy"], json!("SingleStack"));
    for port in each(object.get_mut("spec"), "ports") {
        put_default(port, &["protocol"], json!("TCP"));
        let number = port.get("port").cloned().unwrap_or_default();
        put_default(port, &["targetPort"], number);
    }
}

/// Source: the defaults in the Gateway API's CRD of `HTTPRoute`.
fn http_route(object: &mut Value) {
    for parent in each(object.get_mut("spec"), "parentRefs") {
        put_default(parent, &["group"], json!("gateway.networking.k8s.io"));
        put_default(parent, &["kind"], json!("Gateway"));
    }
    for rule in each(object.get_mut("spec"), "rules") {
        put_default(rule, &["matches"], json!([{"path": {"type": "PathPrefix", "value": "/"}}]));
        for backend in each(Some(&mut *rule), "backendRefs") {
            put_default(backend, &["group"], json!(""));
            put_default(backend, &["kind"], json!("Service"));
            put_default(backend, &["weight"], json!(1));
        }
    }
}
