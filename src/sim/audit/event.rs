//! One line of an audit log: a write that the API server has carried out.

use serde::Deserialize;
use serde_json::Value;

use crate::api::Time;
use crate::sim::object;

/// Kinds that checkers know, by their resource.
const KINDS: &[(&str, &str)] = &[
    ("rollouts", "Rollout"),
    ("analysisruns", "AnalysisRun"),
    ("replicasets", "ReplicaSet"),
    ("deployments", "Deployment"),
    ("pods", "Pod"),
    ("podtemplates", "PodTemplate"),
    ("nodes", "Node"),
    ("services", "Service"),
    ("endpointslices", "EndpointSlice"),
    ("httproutes", "HTTPRoute"),
    ("grpcroutes", "GRPCRoute"),
    ("tcproutes", "TCPRoute"),
    ("tlsroutes", "TLSRoute"),
];
/// Verbs that write.
const WRITES: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];
/// Subresources whose answer is not the object.
const ASIDE: &[&str] = &["eviction", "binding"];

/// The code of an answer that has made an object.
const CREATED: u16 = 201;

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{file}, line {line}: {why}")]
pub struct LogError {
    file: String,
    line: usize,
    why: String,
}

impl LogError {
    /// A line that cannot be read at all.
    pub fn unreadable(file: &str, line: usize, error: impl std::fmt::Display) -> Self {
        Self { file: file.to_owned(), line, why: error.to_string() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    kind: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    stage: String,
    #[serde(default)]
    verb: String,
    #[serde(default, rename = "requestURI")]
    request_uri: String,
    #[serde(default)]
    user: User,
    #[serde(default)]
    object_ref: Reference,
    #[serde(default)]
    response_status: Answer,
    #[serde(default)]
    response_object: Value,
    #[serde(default)]
    request_received_timestamp: String,
    #[serde(default)]
    stage_timestamp: String,
}

#[derive(Default, Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Default, Deserialize)]
struct Reference {
    #[serde(default)]
    resource: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    subresource: String,
}

#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default)]
    code: u16,
}

/// A write that was carried out.
#[derive(Debug)]
pub struct Event {
    /// File and line.
    pub at: String,
    /// Who.
    pub user: String,
    /// The verb, such as `patch`.
    pub verb: String,
    /// Kind of the object.
    pub kind: &'static str,
    /// Its namespace; empty for cluster-scoped ones.
    pub namespace: String,
    /// Its name; empty for `deletecollection`.
    pub name: String,
    /// Such as `status`; empty for the object itself.
    pub subresource: String,
    /// Whether it has made the object: server-side apply does so with a patch.
    pub creates: bool,
    /// What the API server has answered; null where it has not said.
    pub answer: Value,
    /// When the request came: others may see what it has written soon after.
    pub begun: Time,
    /// When the request ended.
    pub time: Time,
    /// The version that it made; 0 where the answer does not say.
    version: u64,
}

impl Event {
    /// Reads a line of a file; none where it is no write that was carried out, or of a kind that does not matter.
    ///
    /// # Errors
    /// A line that is no audit event, and one without the object that was written.
    pub fn read(text: &str, (file, line): (&str, usize)) -> Result<Option<Self>, LogError> {
        let fail = |why: String| LogError::unreadable(file, line, why);
        let read: Line = serde_json::from_str(text)
            .map_err(|error| fail(format!("expected one audit event as JSON (--audit-log-format=json): {error}")))?;
        if read.kind != "Event" {
            return Err(fail(format!("expected an object of kind Event (audit.k8s.io/v1), found {:?}", read.kind)));
        }
        let Some((resource, kind)) = KINDS.iter().find(|(resource, _)| *resource == read.object_ref.resource) else {
            return Ok(None);
        };
        let done = read.stage == "ResponseComplete" && (200..300).contains(&read.response_status.code);
        let dry = read.request_uri.contains("dryRun=");
        if !done || dry || !WRITES.contains(&read.verb.as_str()) {
            return Ok(None);
        }
        let aside = ASIDE.contains(&read.object_ref.subresource.as_str());
        if read.response_object.is_null() && !aside && !read.verb.starts_with("delete") {
            return Err(fail(format!(
                "a {} of {resource} is logged at level {:?}, without the object; expected RequestResponse",
                read.verb, read.level
            )));
        }
        let instant = |field: &str, text: &str| {
            text.parse::<Time>().map_err(|error| fail(format!("{field} {text:?} is no time: {error}")))
        };
        let time = instant("stageTimestamp", &read.stage_timestamp)?;
        let begun = instant("requestReceivedTimestamp", &read.request_received_timestamp)?;
        // A list has the version of the moment at which it was read: what goes with it goes later.
        let many = read.verb == "deletecollection";
        let version = if many { 0 } else { object::version(&read.response_object) };
        let Reference { namespace, name, subresource, .. } = read.object_ref;
        let named = if name.is_empty() { object::name(&read.response_object).to_owned() } else { name };
        Ok(Some(Self {
            at: format!("{file}:{line}"),
            user: read.user.username,
            creates: read.response_status.code == CREATED,
            verb: read.verb,
            kind,
            namespace,
            name: named,
            subresource,
            version,
            answer: read.response_object,
            begun,
            time,
        }))
    }
}

/// Puts writes into the order in which they were committed: requests end in another one. What has no version of its own
/// stays behind what ended before it.
pub fn order(events: &mut [Event]) {
    events.sort_by_key(|event| event.time);
    let mut last = 0;
    for event in events.iter_mut() {
        last = last.max(event.version);
        if event.version == 0 {
            event.version = last;
        }
    }
    events.sort_by_key(|event| event.version);
}
