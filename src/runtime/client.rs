//! Requests to the API server on plain JSON: limited by class, timed, fenced, counted, with one error type.
//!
//! Nothing is retried here: a retried POST meets its own child, a retried JSON patch its own effect. The queue
//! retries, after looking. How kube's clients are built is in [`connect`].

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use kube::core::Status;
use kube::core::response::StatusDetails;
use prometheus::IntCounterVec;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::clock::Clock;
use super::error::{ApiError, ErrorKind, Verb};
use super::lease::Fence;
use super::limiter::{Class, Limiter};
use super::object::ObjectKey;
use crate::api::meta::Kind;

pub mod connect;
pub use connect::{Clients, ClusterFlags, ConnectError};

/// Longest wait for the answer to a read. There is no time limit underneath.
pub const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for the answer to a write: admission webhooks may take 30 s.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer that is read. The API server stores objects of up to 1.5 MB.
pub const LARGEST_ANSWER: usize = 16 << 20;

/// A kind of objects, as paths name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: Cow<'static, str>,
    /// Version within the group.
    pub version: Cow<'static, str>,
    /// Plural name in lower case, such as `replicasets`.
    pub plural: Cow<'static, str>,
}

impl Resource {
    /// `plural` in `group` (empty for the core group) at `version`.
    pub fn new(
        group: impl Into<Cow<'static, str>>,
        version: impl Into<Cow<'static, str>>,
        plural: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { group: group.into(), version: version.into(), plural: plural.into() }
    }

    /// The resource of a wire type.
    pub fn of<K: Kind>() -> Self {
        Self::new(K::GROUP, K::VERSION, K::PLURAL)
    }

    /// Path of the objects in `namespace`, or of all where it is empty.
    pub fn path(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", encoded(&self.version))
        } else {
            format!("/apis/{}/{}", encoded(&self.group), encoded(&self.version))
        };
        let plural = encoded(&self.plural);
        if namespace.is_empty() {
            format!("{root}/{plural}")
        } else {
            format!("{root}/namespaces/{}/{plural}", encoded(namespace))
        }
    }
}

/// One object, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Its kind.
    pub resource: Resource,
    /// Namespace and name.
    pub key: ObjectKey,
    /// A subresource such as `status` or `scale`.
    pub subresource: Option<Cow<'static, str>>,
}

impl Target {
    /// The object itself.
    pub const fn new(resource: Resource, key: ObjectKey) -> Self {
        Self { resource, key, subresource: None }
    }

    /// A part of the same object, such as `status`.
    #[must_use]
    pub fn part(mut self, subresource: impl Into<Cow<'static, str>>) -> Self {
        self.subresource = Some(subresource.into());
        self
    }

    /// What is attempted, for messages.
    fn attempt(&self, verb: Verb) -> String {
        let part = self.subresource.as_ref().map(|part| format!("/{part}")).unwrap_or_default();
        format!("{verb} {}{part} {}", self.resource.plural, self.key)
    }

    /// Path of the object. Refuses an empty name, which would mean *all* objects.
    fn path(&self, verb: Verb) -> Result<String, ApiError> {
        let name = self.key.name.as_str();
        if name.is_empty() || name == "." || name == ".." {
            let message = format!("{name:?} is no name of an object");
            return Err(ApiError::new(ErrorKind::Invalid, self.attempt(verb), message));
        }
        let mut path = format!("{}/{}", self.resource.path(&self.key.namespace), encoded(name));
        if let Some(part) = &self.subresource {
            path.push('/');
            path.push_str(&encoded(part));
        }
        Ok(path)
    }
}

/// One segment of a path; whatever could end the segment is escaped, since names come from users' manifests.
fn encoded(segment: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~' | b':');
    if segment.bytes().all(plain) {
        return Cow::Borrowed(segment);
    }
    let escape = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    Cow::Owned(segment.bytes().map(escape).collect())
}

/// What must still hold when an object is deleted; empty texts are not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// Identity of the object.
    pub uid: String,
    /// Its version.
    pub resource_version: String,
}

/// The verbs. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    client: kube::Client,
    limiter: Limiter,
    clock: Clock,
    fence: Fence,
    requests: IntCounterVec,
    field_manager: &'static str,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("field_manager", &self.field_manager).finish_non_exhaustive()
    }
}

impl Api {
    /// Requests through `client`, as many as `limiter` lets through, counted in `requests`
    /// (`controller_clientset_k8s_request_total`). Writes are recorded as `field_manager`'s.
    /// Every write may be sent: see [`Api::fenced`].
    pub fn new(
        client: kube::Client,
        limiter: Limiter,
        clock: Clock,
        requests: IntCounterVec,
        field_manager: &'static str,
    ) -> Self {
        let fence = Fence::open(clock.clone());
        Self { client, limiter, clock, fence, requests, field_manager }
    }

    /// The same, but writes are sent only while `fence` permits.
    #[must_use]
    pub fn fenced(mut self, fence: Fence) -> Self {
        self.fence = fence;
        self
    }

    /// Reads an object.
    pub async fn get<T: DeserializeOwned>(&self, class: Class, target: &Target) -> Result<T, ApiError> {
        let path = target.path(Verb::Get)?;
        self.request(class, Call { verb: Verb::Get, target, path, body: Vec::new() }).await
    }

    /// Creates an object; the name in `target` is that in `body`. Returns what is stored.
    pub async fn create<T: DeserializeOwned>(
        &self,
        class: Class,
        target: &Target,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        let path = match &target.subresource {
            // Such as `pods/eviction`: the object has to be there.
            Some(_) => target.path(Verb::Create)?,
            None => target.resource.path(&target.key.namespace),
        };
        self.write(class, Call { verb: Verb::Create, target, path, body: Vec::new() }, body).await
    }

    /// Changes an object by a JSON merge patch: objects are merged, `null` deletes, anything else replaces.
    /// A `metadata.resourceVersion` or `metadata.uid` in it is a precondition (`Conflict`).
    pub async fn merge_patch<T: DeserializeOwned>(
        &self,
        class: Class,
        target: &Target,
        patch: &impl Serialize,
    ) -> Result<T, ApiError> {
        let path = target.path(Verb::MergePatch)?;
        self.write(class, Call { verb: Verb::MergePatch, target, path, body: Vec::new() }, patch).await
    }

    /// Changes an object by a JSON patch (RFC 6902). A `test` that does not hold is a `Conflict`.
    pub async fn json_patch<T: DeserializeOwned>(
        &self,
        class: Class,
        target: &Target,
        patch: &json_patch::Patch,
    ) -> Result<T, ApiError> {
        let path = target.path(Verb::JsonPatch)?;
        self.write(class, Call { verb: Verb::JsonPatch, target, path, body: Vec::new() }, patch).await
    }

    /// Replaces an object whole; `metadata.resourceVersion` in `body` is the precondition. Only for objects that are
    /// wholly ours: a field that we do not know is lost.
    pub async fn replace<T: DeserializeOwned>(
        &self,
        class: Class,
        target: &Target,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        let path = target.path(Verb::Replace)?;
        self.write(class, Call { verb: Verb::Replace, target, path, body: Vec::new() }, body).await
    }

    /// Deletes an object, if it is still the one that `preconditions` describe (else `Conflict`). What it owns is
    /// deleted in the background.
    pub async fn delete(&self, class: Class, target: &Target, preconditions: &Preconditions) -> Result<(), ApiError> {
        let mut checks = serde_json::Map::new();
        for (field, value) in [("uid", &preconditions.uid), ("resourceVersion", &preconditions.resource_version)] {
            if !value.is_empty() {
                checks.insert(field.to_owned(), json!(value));
            }
        }
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "preconditions": checks,
        });
        let path = target.path(Verb::Delete)?;
        // The answer is the object or a Status; neither is of use.
        let call = Call { verb: Verb::Delete, target, path, body: Vec::new() };
        let _: serde::de::IgnoredAny = self.write(class, call, &options).await?;
        Ok(())
    }

    async fn write<T: DeserializeOwned>(
        &self,
        class: Class,
        call: Call<'_>,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        let body = serde_json::to_vec(body)
            .map_err(|error| ApiError::new(ErrorKind::Fatal, call.attempt(), error.to_string()))?;
        self.request(class, Call { body, ..call }).await
    }

    async fn request<T: DeserializeOwned>(&self, class: Class, call: Call<'_>) -> Result<T, ApiError> {
        let request = call.request(self.field_manager)?;
        let _permit = self.limiter.acquire(class).await;
        // After the wait, and with nothing to wait for between here and the socket.
        if call.verb.writes() && !self.fence.permits() {
            return Err(ApiError::new(ErrorKind::NotLeading, call.attempt(), "the lease was not renewed in time"));
        }
        let limit = if call.verb.writes() { WRITE_TIMEOUT } else { READ_TIMEOUT };
        let answer = self.clock.within(limit, self.exchange(&call, request)).await;
        let answer = answer.unwrap_or_else(|| Err(ApiError::timed_out(call.verb, call.attempt(), limit)));
        let code = match &answer {
            Ok((code, _)) => Some(*code),
            Err(error) => error.code,
        };
        self.count(&call, code);
        let (_, bytes) = answer?;
        serde_json::from_slice(&bytes)
            .map_err(|error| ApiError::from_kube(call.verb, call.attempt(), &kube::Error::SerdeError(error)))
    }

    /// Sends, and reads the whole answer: its code and body, where it is a success.
    async fn exchange(&self, call: &Call<'_>, request: Request<Body>) -> Result<(u16, bytes::Bytes), ApiError> {
        let failed = |error: &kube::Error| ApiError::from_kube(call.verb, call.attempt(), error);
        let response = self.client.send(request).await.map_err(|error| failed(&error))?;
        let (head, body) = response.into_parts();
        let bytes = Limited::new(body, LARGEST_ANSWER)
            .collect()
            .await
            .map_err(|error| failed(&kube::Error::Service(format!("the answer could not be read: {error}").into())))?;
        let response = Response::from_parts(head, bytes.to_bytes());
        if response.status().is_success() {
            return Ok((response.status().as_u16(), response.into_body()));
        }
        Err(ApiError::from_status(call.verb, call.attempt(), &refusal(&response)))
    }

    fn count(&self, call: &Call<'_>, code: Option<u16>) {
        let target = call.target;
        // Argo: names of events and ReplicaSets are left out, since they come and go without end. So do pods, their slices,
        // and Secrets whose names hold a hash.
        let plural = &*target.resource.plural;
        let unnamed = matches!(plural, "events" | "replicasets" | "pods" | "endpointslices" | "secrets")
            || call.verb == Verb::List;
        let name = if unnamed { UNNAMED } else { target.key.name.as_str() };
        let code = code.map_or_else(|| "0".to_owned(), |code| code.to_string());
        let labels = [&*target.resource.plural, &target.key.namespace, name, call.verb.metric(), &code];
        self.requests.with_label_values(&labels).inc();
    }
}

/// In place of a name that is not counted.
pub const UNNAMED: &str = "N/A";

/// The status in an answer that is no success. Proxies answer in plain text; `Retry-After` may only be a header.
fn refusal(response: &Response<bytes::Bytes>) -> Status {
    const LONGEST_QUOTE: usize = 300;
    let code = response.status().as_u16();
    let mut status: Status = serde_json::from_slice(response.body()).unwrap_or_default();
    if status.message.is_empty() && status.reason.is_empty() {
        let text: String = String::from_utf8_lossy(response.body()).chars().take(LONGEST_QUOTE).collect();
        status.message = format!("{}: {}", response.status(), text.trim());
    }
    status.code = code;
    let after = response.headers().get(http::header::RETRY_AFTER);
    if let Some(seconds) = after.and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok()) {
        let details = status.details.get_or_insert_with(|| StatusDetails {
            name: String::new(),
            group: String::new(),
            kind: String::new(),
            uid: String::new(),
            causes: Vec::new(),
            retry_after_seconds: 0,
        });
        details.retry_after_seconds = details.retry_after_seconds.max(seconds);
    }
    status
}

struct Call<'a> {
    verb: Verb,
    target: &'a Target,
    path: String,
    body: Vec<u8>,
}

impl Call<'_> {
    fn attempt(&self) -> String {
        self.target.attempt(self.verb)
    }

    fn request(&self, field_manager: &str) -> Result<Request<Body>, ApiError> {
        let (method, content) = match self.verb {
            Verb::Get | Verb::List => (Method::GET, None),
            Verb::Create => (Method::POST, Some("application/json")),
            Verb::MergePatch => (Method::PATCH, Some("application/merge-patch+json")),
            Verb::JsonPatch => (Method::PATCH, Some("application/json-patch+json")),
            Verb::Replace => (Method::PUT, Some("application/json")),
            Verb::Delete => (Method::DELETE, Some("application/json")),
        };
        let recorded = self.verb.writes() && self.verb != Verb::Delete;
        let query = if recorded { format!("?fieldManager={}", encoded(field_manager)) } else { String::new() };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{query}", self.path))
            .header(http::header::ACCEPT, "application/json");
        if let Some(content) = content {
            request = request.header(http::header::CONTENT_TYPE, content);
        }
        request
            .body(Body::from(self.body.clone()))
            .map_err(|error| ApiError::new(ErrorKind::Fatal, self.attempt(), error.to_string()))
    }
}

#[cfg(test)]
mod tests;
