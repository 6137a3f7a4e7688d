//! Objects as a controller meets them: by key, by version, decoded or not.
//!
//! One object that does not decode must stop neither its kind nor its namespace, so an [`Entry`] is either the
//! object or what can still be said of it.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::api::meta::{Kind, Meta};
use crate::api::text::shortened;
use crate::api::{RawJson, crd};

mod watched;
pub use watched::Watched;

/// Namespace and name of an object within its kind. Orders by namespace, then name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectKey {
    /// The key of `name` in `namespace`; an empty namespace means cluster-scoped.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The key that `meta` names.
    pub fn of(meta: &Meta) -> Self {
        Self::new(&meta.namespace, &meta.name)
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() { f.write_str(&self.name) } else { write!(f, "{}/{}", self.namespace, self.name) }
    }
}

/// What can be cached: it has metadata.
pub trait Cached: Send + Sync + 'static {
    /// The object's metadata.
    fn object_meta(&self) -> &Meta;
}

impl<K: Kind + Send + Sync + 'static> Cached for K {
    fn object_meta(&self) -> &Meta {
        self.meta()
    }
}

/// An object of any kind: metadata, and the whole as JSON. For kinds that are only known at run time.
///
/// Kept as text: a tree of values takes five times as much.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Json {
    meta: Meta,
    whole: RawJson,
}

impl Json {
    /// The object, `metadata` included; parsed anew at each call.
    pub fn value(&self) -> Value {
        self.whole.value()
    }
}

impl Cached for Json {
    fn object_meta(&self) -> &Meta {
        &self.meta
    }
}

impl<'de> serde::Deserialize<'de> for Json {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        let metadata = value.get("metadata");
        let meta = metadata.map_or_else(|| Ok(Meta::default()), Meta::deserialize).map_err(serde::de::Error::custom)?;
        if let Some(fields) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            // The largest part of many objects; read is only who wrote last.
            fields.remove("managedFields");
            if let Some(writer) = meta.writer.name() {
                fields.insert("managedFields".to_owned(), json!([{ "manager": writer }]));
            }
        }
        Ok(Self { meta, whole: RawJson::of(&value) })
    }
}

/// An object that did not decode.
#[derive(Clone, Debug, PartialEq)]
pub struct Invalid {
    /// Its metadata, as far as it could be read; at least the name.
    pub meta: Meta,
    /// Why it did not decode.
    pub error: String,
}

/// What a cache holds for a key.
#[derive(Debug)]
pub enum Entry<K> {
    /// The object.
    Valid(Arc<K>),
    /// An object that did not decode.
    Invalid(Arc<Invalid>),
}

impl<K> Clone for Entry<K> {
    fn clone(&self) -> Self {
        match self {
            Self::Valid(object) => Self::Valid(Arc::clone(object)),
            Self::Invalid(invalid) => Self::Invalid(Arc::clone(invalid)),
        }
    }
}

impl<K: Cached> Entry<K> {
    /// Metadata of the object, decoded or not.
    pub fn meta(&self) -> &Meta {
        match self {
            Self::Valid(object) => object.object_meta(),
            Self::Invalid(invalid) => &invalid.meta,
        }
    }

    /// The object, where it decoded.
    pub const fn object(&self) -> Option<&Arc<K>> {
        match self {
            Self::Valid(object) => Some(object),
            Self::Invalid(_) => None,
        }
    }

    /// Decodes the JSON text of one object; what does not decode becomes [`Entry::Invalid`].
    pub fn decode(json: &RawValue) -> Self
    where
        K: DeserializeOwned,
    {
        match serde_json::from_str::<K>(json.get()) {
            Ok(object) => Self::Valid(Arc::new(object)),
            Err(error) => {
                let error = shortened(misfit(json.get(), &error));
                Self::Invalid(Arc::new(Invalid { meta: salvaged(json.get()), error }))
            }
        }
    }
}

/// What does not decode: with its path, where the object is of a kind whose schema we have.
fn misfit(json: &str, error: &serde_json::Error) -> String {
    // A type that has read the whole by itself has no line to tell, and words of its own.
    if error.line() > 0
        && let Ok(value) = serde_json::from_str::<Value>(json)
        && let Some(kind) = value.get("kind").and_then(Value::as_str)
        && let Some(named) = crd::check(kind, &value).into_iter().find(|error| error.fault == crd::Fault::Type)
    {
        return named.to_string();
    }
    error.to_string()
}

/// The metadata of an object of which something does not decode, perhaps the metadata itself.
fn salvaged(json: &str) -> Meta {
    let mut value: Value = serde_json::from_str(json).unwrap_or_default();
    let metadata = value.get_mut("metadata").map(Value::take).unwrap_or_default();
    if let Ok(meta) = serde_json::from_value(metadata.clone()) {
        return meta;
    }
    let text = |field: &str| metadata.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    Meta {
        name: text("name"),
        namespace: text("namespace"),
        uid: text("uid"),
        resource_version: text("resourceVersion"),
        ..Meta::default()
    }
}

/// Which of two resource versions of one kind is newer. They are decimal numbers of any length; `None` where one
/// is not. Kubernetes: `resourceversion.CompareResourceVersion`.
pub fn compare_versions(one: &str, other: &str) -> Option<Ordering> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(one) || !digits(other) {
        return None;
    }
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    Some(one.len().cmp(&other.len()).then_with(|| one.cmp(other)))
}

#[cfg(test)]
mod tests;
