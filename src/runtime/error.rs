//! One error for everything that can go wrong between us and the API server, mapped once, at the edge.
//!
//! The kind says what a caller may do next; above all whether a write may have happened all the same.

use std::fmt;
use std::time::Duration;

use kube::core::Status;

use crate::api::text::shortened;

/// What kind of request failed: a lost answer means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Read one object.
    Get,
    /// Read many objects.
    List,
    /// Write a new object.
    Create,
    /// Change an object by a merge patch.
    MergePatch,
    /// Change an object by a JSON patch.
    JsonPatch,
    /// Replace an object.
    Replace,
    /// Delete an object.
    Delete,
}

impl Verb {
    /// Whether the request changes something.
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::List)
    }

    /// The verb in metrics. Argo: argoproj/pkg kubeclientmetrics.
    pub const fn metric(self) -> &'static str {
        match self {
            Self::Get => "Get",
            Self::List => "List",
            Self::Create => "Create",
            Self::MergePatch | Self::JsonPatch => "Patch",
            Self::Replace => "Update",
            Self::Delete => "Delete",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Create => "create",
            Self::MergePatch | Self::JsonPatch => "patch",
            Self::Replace => "update",
            Self::Delete => "delete",
        })
    }
}

/// What a caller may do about a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The object, or its kind, does not exist.
    NotFound,
    /// The object has changed since it was read: read and decide again.
    Conflict,
    /// An object of this name exists: look whether it is ours.
    AlreadyExists,
    /// We may not do this: someone has to grant it.
    Forbidden,
    /// The server will never accept this.
    Invalid,
    /// Too many requests: again after this time, where the server named one.
    Throttled {
        /// What the server asked for.
        after: Option<Duration>,
    },
    /// Nothing has happened, and it may work the next time.
    Transient,
    /// A write may or may not have happened: read before deciding again.
    UnknownOutcome,
    /// Not sent, because this process does not lead any more.
    NotLeading,
    /// The request could not be made: a fault of ours or of the configuration.
    Fatal,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "not found",
            Self::Conflict => "it has changed meanwhile; it is read again and decided anew",
            Self::AlreadyExists => "an object of this name exists already",
            Self::Forbidden => "not permitted; compare the permissions of the service account with the installed roles",
            Self::Invalid => "refused as invalid",
            Self::Throttled { .. } => "the API server asks for patience; it is tried again later",
            Self::Transient => "it is tried again",
            Self::UnknownOutcome => "it may have happened all the same; the object is read before anything else",
            Self::NotLeading => "not sent, because another replica may lead by now",
            Self::Fatal => "the request could not be made",
        })
    }
}

/// A request that failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {attempt}: {kind}: {message}")]
pub struct ApiError {
    /// What the caller may do.
    pub kind: ErrorKind,
    /// What was attempted, such as `patch replicasets shop/web-5d9c`.
    pub attempt: String,
    /// What the server, or the way to it, said; cut to what a status carries.
    pub message: String,
    /// Status code of the answer, where there was one.
    pub code: Option<u16>,
}

/// Kubernetes answers a JSON patch that does not apply with this sentence and no cause: a `test` that did not
/// hold, or a path that is gone. Source: `NewGenericServerResponse`, status 422.
const PATCH_DID_NOT_APPLY: &str = "the server rejected our request due to an error in our request";

/// What a `test` that does not hold is called. A policy's word on a tag `latest` is none of these.
const FAILED_TESTS: [&str; 2] = ["testing value", "test failed"];

impl ApiError {
    /// An error of our own making.
    pub fn new(kind: ErrorKind, attempt: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, attempt: attempt.into(), message: shortened(message), code: None }
    }

    /// Whether the object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }

    /// Whether we may not do this.
    pub fn is_forbidden(&self) -> bool {
        self.kind == ErrorKind::Forbidden
    }

    /// How long the server asked us to wait, where it did.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            ErrorKind::Throttled { after } => after,
            _ => None,
        }
    }

    /// No answer came in time.
    pub fn timed_out(verb: Verb, attempt: impl Into<String>, limit: Duration) -> Self {
        Self::new(lost(verb), attempt, format!("no answer within {}s", limit.as_secs()))
    }

    /// The server answered `status` to `verb`.
    pub fn from_status(verb: Verb, attempt: impl Into<String>, status: &Status) -> Self {
        let message = if status.message.is_empty() { &status.reason } else { &status.message };
        Self { code: Some(status.code), ..Self::new(kind_of(verb, status), attempt, message) }
    }

    /// What kube reports of a request `verb`.
    pub fn from_kube(verb: Verb, attempt: impl Into<String>, error: &kube::Error) -> Self {
        if let kube::Error::Api(status) = error {
            return Self::from_status(verb, attempt, status);
        }
        let message = super::worker::chain(error);
        let kind = match error {
            kube::Error::Auth(_) => ErrorKind::Forbidden,
            kube::Error::Service(_) | kube::Error::HyperError(_) if never_sent(&message) => ErrorKind::Transient,
            kube::Error::Service(_)
            | kube::Error::HyperError(_)
            | kube::Error::ReadEvents(_)
            | kube::Error::FromUtf8(_)
            | kube::Error::SerdeError(_)
            | kube::Error::LinesCodecMaxLineLengthExceeded => lost(verb),
            _ => ErrorKind::Fatal,
        };
        Self::new(kind, attempt, message)
    }
}

/// The answer is lost: a read is harmless, a write may have happened.
const fn lost(verb: Verb) -> ErrorKind {
    if verb.writes() { ErrorKind::UnknownOutcome } else { ErrorKind::Transient }
}

/// Whether no connection came about, so that the server cannot have seen the request.
fn never_sent(message: &str) -> bool {
    message.contains("client error (Connect)") || message.contains("Connection refused")
}

fn kind_of(verb: Verb, status: &Status) -> ErrorKind {
    let after = status.details.as_ref().map(|details| details.retry_after_seconds).filter(|seconds| *seconds > 0);
    let after = after.map(|seconds| Duration::from_secs(u64::from(seconds)));
    match status.code {
        404 => ErrorKind::NotFound,
        409 if status.reason == "AlreadyExists" => ErrorKind::AlreadyExists,
        // A name that is still being deleted has this reason too; both are cured by reading again.
        409 | 412 => ErrorKind::Conflict,
        401 | 403 => ErrorKind::Forbidden,
        422 if verb == Verb::JsonPatch && patch_did_not_apply(status) => ErrorKind::Conflict,
        429 => ErrorKind::Throttled { after },
        // 410: a list's continuation has expired.
        408 | 410 | 500..=599 => lost(verb),
        400..=499 => ErrorKind::Invalid,
        _ => ErrorKind::Fatal,
    }
}

fn patch_did_not_apply(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes).map(|cause| cause.message.as_str());
    std::iter::once(status.message.as_str())
        .chain(causes)
        .any(|text| text.starts_with(PATCH_DID_NOT_APPLY) || FAILED_TESTS.iter().any(|failed| text.contains(failed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, reason: &str, message: &str) -> Status {
        let text = serde_json::json!({"status": "Failure", "code": code, "reason": reason, "message": message});
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn answers_are_sorted_by_what_to_do_next() {
        let throttled = ErrorKind::Throttled { after: None };
        for (verb, code, reason, message, expected) in [
            (Verb::Get, 404, "NotFound", "", ErrorKind::NotFound),
            (Verb::MergePatch, 409, "Conflict", "", ErrorKind::Conflict),
            (Verb::Create, 409, "AlreadyExists", "", ErrorKind::AlreadyExists),
            (Verb::Create, 403, "Forbidden", "", ErrorKind::Forbidden),
            (Verb::Get, 401, "Unauthorized", "", ErrorKind::Forbidden),
            (Verb::JsonPatch, 422, "Invalid", "testing value /spec/x failed", ErrorKind::Conflict),
            (Verb::JsonPatch, 422, "Invalid", PATCH_DID_NOT_APPLY, ErrorKind::Conflict),
            (Verb::JsonPatch, 422, "Invalid", "spec.weight: must be below 100", ErrorKind::Invalid),
            (Verb::JsonPatch, 422, "Invalid", "the tag latest is not allowed", ErrorKind::Invalid),
            (Verb::MergePatch, 422, "Invalid", "spec.test: required", ErrorKind::Invalid),
            (Verb::Create, 429, "TooManyRequests", "", throttled),
            (Verb::Get, 503, "ServiceUnavailable", "", ErrorKind::Transient),
            (Verb::Create, 504, "Timeout", "", ErrorKind::UnknownOutcome),
            (Verb::Delete, 500, "InternalError", "", ErrorKind::UnknownOutcome),
        ] {
            let error = ApiError::from_status(verb, "try", &status(code, reason, message));
            assert_eq!(error.kind, expected, "{verb:?} {code} {reason} {message}");
        }
    }

    #[test]
    fn a_server_may_ask_for_patience() {
        let text = serde_json::json!({"code": 429, "details": {"retryAfterSeconds": 7}});
        let status: Status = serde_json::from_value(text).unwrap();
        let error = ApiError::from_status(Verb::Get, "get", &status);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn a_lost_answer_to_a_write_is_no_failure_of_it() {
        let gone = || kube::Error::Service("connection closed before message completed".into());
        assert_eq!(ApiError::from_kube(Verb::Create, "create", &gone()).kind, ErrorKind::UnknownOutcome);
        assert_eq!(ApiError::from_kube(Verb::Get, "get", &gone()).kind, ErrorKind::Transient);
        let refused = kube::Error::Service("client error (Connect): Connection refused".into());
        assert_eq!(ApiError::from_kube(Verb::Create, "create", &refused).kind, ErrorKind::Transient);
    }

    #[test]
    fn an_error_says_what_was_tried_and_what_happens_next() {
        let error = ApiError::timed_out(Verb::MergePatch, "patch rollouts shop/web", Duration::from_secs(30));
        assert_eq!(
            error.to_string(),
            "cannot patch rollouts shop/web: it may have happened all the same; the object is read before \
             anything else: no answer within 30s"
        );
    }
}
