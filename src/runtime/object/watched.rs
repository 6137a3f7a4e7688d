//! The type that watches decode: it takes any JSON, so that one bad object cannot break a list.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Cached, Entry};

/// An [`Entry`] in the shape that kube's watcher wants. Which kind it asks for is decided at run time.
pub struct Watched<K> {
    /// The object, or why there is none.
    pub entry: Entry<K>,
    /// Only what the watcher reads: name, namespace and version.
    meta: ObjectMeta,
}

impl<K> Clone for Watched<K> {
    fn clone(&self) -> Self {
        Self { entry: self.entry.clone(), meta: self.meta.clone() }
    }
}

impl<K> fmt::Debug for Watched<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("name", &self.meta.name).finish_non_exhaustive()
    }
}

impl<'de, K: Cached + DeserializeOwned> Deserialize<'de> for Watched<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entry: Entry<K> = deserializer.deserialize_newtype_struct(RAW, RawOrTree(PhantomData))?;
        let meta = entry.meta();
        let meta = ObjectMeta {
            name: Some(meta.name.clone()),
            namespace: Some(meta.namespace.clone()).filter(|namespace| !namespace.is_empty()),
            resource_version: Some(meta.resource_version.clone()),
            ..ObjectMeta::default()
        };
        Ok(Self { entry, meta })
    }
}

/// By this name `serde_json` hands over the text of a value as it stands, without building a tree of it
/// (three times faster for a pod). A deserialiser that does not know the name gives a tree, which works as well:
/// that is the case for a watch event whose `type` follows its `object`.
const RAW: &str = "$serde_json::private::RawValue";

struct RawOrTree<K>(PhantomData<K>);

impl<'de, K: Cached + DeserializeOwned> Visitor<'de> for RawOrTree<K> {
    type Value = Entry<K>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Kubernetes object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let raw = match map.next_key::<Cow<'_, str>>()? {
            Some(key) if key == RAW => map.next_value::<String>()?,
            _ => return Err(de::Error::custom("expected the text of an object")),
        };
        Ok(Entry::decode(&RawValue::from_string(raw).map_err(de::Error::custom)?))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let tree = Value::deserialize(deserializer)?;
        Ok(Entry::decode(&serde_json::value::to_raw_value(&tree).map_err(de::Error::custom)?))
    }
}

impl<K: Cached> kube::Resource for Watched<K> {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(kind: &ApiResource) -> Cow<'_, str> {
        kind.kind.as_str().into()
    }

    fn group(kind: &ApiResource) -> Cow<'_, str> {
        kind.group.as_str().into()
    }

    fn version(kind: &ApiResource) -> Cow<'_, str> {
        kind.version.as_str().into()
    }

    fn api_version(kind: &ApiResource) -> Cow<'_, str> {
        kind.api_version.as_str().into()
    }

    fn plural(kind: &ApiResource) -> Cow<'_, str> {
        kind.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}
