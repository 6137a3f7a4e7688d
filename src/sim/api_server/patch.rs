//! The patch types: merge (RFC 7386), JSON (RFC 6902), strategic merge.

use serde_json::Value;

use super::kinds::ResourceDef;
use super::reject::Reject;
use super::strategic;

/// How a patch body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// `application/merge-patch+json`.
    Merge,
    /// `application/json-patch+json`.
    Json,
    /// `application/strategic-merge-patch+json`, built-in kinds only.
    Strategic,
}

impl PatchKind {
    /// By `Content-Type`. Server-side apply is no patch of this sort: see `ownership::apply`.
    pub(crate) fn of(content_type: &str) -> Result<Self, Reject> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/json-patch+json" => Ok(Self::Json),
            "application/strategic-merge-patch+json" => Ok(Self::Strategic),
            other => Err(unsupported(other)),
        }
    }
}

pub(crate) fn unsupported(what: &str) -> Reject {
    let message = format!(
        "the body of the request was in an unknown format {what:?} - accepted media types include: \
         application/json, application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json"
    );
    Reject::new(415, "UnsupportedMediaType", message)
}

/// The object after the patch.
pub(crate) fn apply(kind: PatchKind, def: &ResourceDef, current: &Value, patch: &Value) -> Result<Value, Reject> {
    let mut object = current.clone();
    match kind {
        PatchKind::Merge | PatchKind::Strategic if !patch.is_object() => {
            return Err(Reject::bad_request("the patch is no JSON object"));
        }
        PatchKind::Strategic if !def.is_built_in() => {
            return Err(unsupported("application/strategic-merge-patch+json"));
        }
        PatchKind::Merge => json_patch::merge(&mut object, patch),
        PatchKind::Strategic => strategic::merge(&mut object, patch),
        PatchKind::Json => {
            let unreadable = |error| Reject::bad_request(format!("error decoding patch: {error}"));
            let operations: json_patch::Patch = serde_json::from_value(patch.clone()).map_err(unreadable)?;
            json_patch::patch(&mut object, &operations).map_err(|error| Reject::patch_failed(&error.to_string()))?;
        }
    }
    Ok(object)
}
