//! The API server, in plain HTTP on loopback: of the cluster in memory, or through a `kubectl proxy`.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::http::{Connection, Request};

/// How long one answer may take on a machine that is busy with all the scenarios.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Merge patches: `null` removes.
pub const MERGE: &str = "application/merge-patch+json";
/// Server-side apply.
const APPLY: &str = "application/apply-patch+yaml";
/// Who applies.
const FIELD_MANAGER: &str = "siskin-e2e";

/// Kinds, with the path before their namespace and their plural name.
const KINDS: &[(&str, &str, &str)] = &[
    ("Namespace", "/api/v1", "namespaces"),
    ("Service", "/api/v1", "services"),
    ("Pod", "/api/v1", "pods"),
    ("Event", "/api/v1", "events"),
    ("ReplicaSet", "/apis/apps/v1", "replicasets"),
    ("PodDisruptionBudget", "/apis/policy/v1", "poddisruptionbudgets"),
    ("Deployment", "/apis/apps/v1", "deployments"),
    ("PodTemplate", "/api/v1", "podtemplates"),
    ("ResourceQuota", "/api/v1", "resourcequotas"),
    ("Lease", "/apis/coordination.k8s.io/v1", "leases"),
    ("HorizontalPodAutoscaler", "/apis/autoscaling/v2", "horizontalpodautoscalers"),
    ("HTTPRoute", "/apis/gateway.networking.k8s.io/v1", "httproutes"),
    ("Rollout", "/apis/argoproj.io/v1alpha1", "rollouts"),
    ("AnalysisTemplate", "/apis/argoproj.io/v1alpha1", "analysistemplates"),
    ("AnalysisRun", "/apis/argoproj.io/v1alpha1", "analysisruns"),
];

/// The path of a kind's objects in a namespace (`""`: of all), and of one of them unless `name` is empty.
pub fn path(kind: &str, namespace: &str, name: &str) -> String {
    let (prefix, plural) =
        KINDS.iter().find(|known| known.0 == kind).map_or(("/unknown-kind", kind), |known| (known.1, known.2));
    let scope = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
    let name = if name.is_empty() { String::new() } else { format!("/{name}") };
    format!("{prefix}{scope}/{plural}{name}")
}

/// Requests to the API server.
#[derive(Clone, Copy, Debug)]
pub struct Api {
    /// Where it listens.
    pub server: SocketAddr,
}

impl Api {
    /// Sends a request; an answer that is no success is an error with the server's message.
    pub fn ask(&self, method: &str, path: &str, content_type: &str, body: &Value) -> Result<Value, String> {
        let attempt = || {
            let mut connection = Connection::open(self.server, TIMEOUT)?;
            let bytes = if content_type.is_empty() { Vec::new() } else { body.to_string().into_bytes() };
            connection.ask(Request { method, path, host: "localhost", content_type, header: None }, &bytes)
        };
        let answer = attempt().map_err(|error| format!("{method} {path}: {error}"))?;
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        if answer.status < 300 {
            return Ok(value);
        }
        let message = value["message"].as_str().map_or_else(|| String::from_utf8_lossy(&answer.body), Into::into);
        Err(format!("{method} {path}: {} {message}", answer.status))
    }

    /// One object.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Result<Value, String> {
        self.ask("GET", &path(kind, namespace, name), "", &Value::Null)
    }

    /// All objects of a kind in a namespace; `query` such as `?labelSelector=a%3Db`, or empty.
    pub fn list(&self, kind: &str, namespace: &str, query: &str) -> Result<Vec<Value>, String> {
        let path = path(kind, namespace, "") + query;
        Ok(self.ask("GET", &path, "", &Value::Null)?["items"].as_array().cloned().unwrap_or_default())
    }

    /// Creates or changes an object by server-side apply.
    pub fn apply(&self, namespace: &str, object: &Value) -> Result<Value, String> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let path = path(text("/kind"), namespace, text("/metadata/name"));
        let query = format!("?fieldManager={FIELD_MANAGER}&force=true&fieldValidation=Ignore");
        self.ask("PATCH", &(path + &query), APPLY, object)
    }

    /// Changes an object by a merge patch.
    pub fn merge(&self, kind: &str, (namespace, name): (&str, &str), patch: &Value) -> Result<Value, String> {
        self.ask("PATCH", &path(kind, namespace, name), MERGE, patch)
    }

    /// Changes an object's status by a merge patch.
    pub fn merge_status(&self, kind: &str, (namespace, name): (&str, &str), patch: &Value) -> Result<Value, String> {
        self.ask("PATCH", &(path(kind, namespace, name) + "/status"), MERGE, patch)
    }

    /// Deletes an object and what belongs to it, without waiting.
    pub fn delete(&self, kind: &str, namespace: &str, name: &str) -> Result<(), String> {
        self.ask("DELETE", &path(kind, namespace, name), "", &Value::Null).map(drop)
    }

    /// Watches the objects of a kind in a namespace until the server ends the watch or `event` returns false: what is
    /// there and what follows, or what follows a version (`since`, unless it is empty).
    pub fn watch(
        &self,
        (kind, namespace): (&str, &str),
        since: &str,
        mut event: impl FnMut(Value) -> bool,
    ) -> Result<(), String> {
        let since = if since.is_empty() { String::new() } else { format!("&resourceVersion={since}") };
        let path = path(kind, namespace, "") + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=40" + &since;
        let mut connection = Connection::open(self.server, TIMEOUT).map_err(|error| error.to_string())?;
        let request = Request { method: "GET", path: &path, host: "localhost", content_type: "", header: None };
        let line = |line: &str| serde_json::from_str(line).is_ok_and(&mut event);
        connection.follow(request, line).map_err(|error| format!("watch of {path}: {error}"))
    }
}
