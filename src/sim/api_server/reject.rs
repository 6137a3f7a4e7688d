//! Refusals, in the form of Kubernetes' `Status` object with the reasons and wording that clients look at.

use serde_json::{Value, json};

use super::kinds::ResourceDef;

/// A refused request.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason} ({code}): {message}")]
pub struct Reject {
    /// HTTP status.
    pub code: u16,
    /// Machine-readable reason, such as `Conflict`.
    pub reason: &'static str,
    /// What was attempted on which object, and why it was refused.
    pub message: String,
    /// The `details` of the Status object: name, group, kind, causes, retryAfterSeconds.
    pub details: Value,
}

impl Reject {
    /// A refusal without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: json!({}) }
    }

    fn about(mut self, def: &ResourceDef, name: &str) -> Self {
        self.details = json!({ "name": name, "group": def.group, "kind": def.plural });
        self
    }

    /// 404 for an object.
    pub fn not_found(def: &ResourceDef, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", def.resource())).about(def, name)
    }

    /// 404 for a path that nothing serves.
    pub fn no_such_path() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource")
    }

    /// 409 for a name that is taken.
    pub fn already_exists(def: &ResourceDef, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} \"{name}\" already exists", def.resource())).about(def, name)
    }

    /// 409 for a stale `resourceVersion`.
    pub fn modified(def: &ResourceDef, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(def, name, why)
    }

    /// 409 for a precondition that does not hold.
    pub fn conflict(def: &ResourceDef, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", def.resource());
        Self::new(409, "Conflict", message).about(def, name)
    }

    /// 422 for a field with a wrong value.
    pub fn invalid(def: &ResourceDef, name: &str, (field, why): (&str, &str)) -> Self {
        let message = format!("{} \"{name}\" is invalid: {field}: {why}", def.qualified_kind());
        let causes = json!([{ "reason": "FieldValueInvalid", "message": why, "field": field }]);
        Self {
            details: json!({ "name": name, "group": def.group, "kind": def.kind, "causes": causes }),
            ..Self::new(422, "Invalid", message)
        }
    }

    /// 422 as the API server answers a JSON patch that does not apply, a failed `test` included.
    pub fn patch_failed(why: &str) -> Self {
        let causes = json!([{ "reason": "UnexpectedServerResponse", "message": why }]);
        let message = "the server rejected our request due to an error in our request";
        Self { details: json!({ "causes": causes }), ..Self::new(422, "Invalid", message) }
    }

    /// Whether this is a JSON patch that does not apply: the object has changed, and nobody has judged what it would become.
    pub fn is_patch_failure(&self) -> bool {
        self.code == 422 && self.message == Self::patch_failed("").message
    }

    /// 501 for what takes a program inside a pod.
    pub fn no_programs(what: &str) -> Self {
        let message = format!(
            "pods of this simulated cluster run no programs, so there is no {what:?} of them; their state is in `kubectl describe pod`"
        );
        Self::new(501, "NotImplemented", message)
    }

    /// 400 for fields that the schema does not know, where the client asked for strictness.
    pub fn strict(def: &ResourceDef, unknown: &[String]) -> Self {
        let (kind, version) = (&def.kind, &def.version);
        Self::bad_request(format!(
            "{kind} in version \"{version}\" cannot be handled as a {kind}: strict decoding error: {}",
            unknown.join(", ")
        ))
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 410 for a version that history no longer holds.
    pub fn expired(wanted: u64, oldest: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {wanted} ({oldest})"))
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message)
    }

    /// The `Status` object.
    pub fn status(&self) -> Value {
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "details": self.details, "code": self.code,
        })
    }
}
