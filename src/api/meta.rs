//! Object metadata, cut down to what a controller reads.

use super::text_map::TextMap;
use super::time::Time;
use super::wire::{Omit, wire};
use super::writer::Writer;

impl Omit for Time {
    fn omit(&self) -> bool {
        *self == Self::default()
    }
}

wire! {
    /// The part of Kubernetes' `ObjectMeta` that Siskin reads; the rest is dropped on reading.
    pub struct Meta {
        /// Name, unique within kind and namespace.
        pub name: String,
        /// Prefix for a name that the API server chooses; only on objects that users create.
        pub generate_name: String,
        /// Namespace; empty for cluster-scoped objects.
        pub namespace: String,
        /// Identity of this very object: a namesake created later has another.
        pub uid: String,
        /// Version of the stored object; compared as an integer where order matters.
        pub resource_version: String,
        /// Counts changes of `spec`.
        pub generation: i64,
        /// Labels.
        pub labels: TextMap,
        /// Annotations.
        pub annotations: TextMap,
        /// Owners; at most one is the controller.
        pub owner_references: Vec<OwnerReference>,
        /// When the API server stored the object first (second precision).
        pub creation_timestamp: Option<Time>,
        /// Set once the object is being deleted.
        pub deletion_timestamp: Option<Time>,
        /// Who else wrote it last: what is kept of `managedFields`. Never written.
        #[serde(rename = "managedFields")]
        pub writer: Writer,
    }

    /// A reference to an owner.
    pub struct OwnerReference {
        /// API group and version of the owner.
        pub api_version: String,
        /// Kind of the owner.
        pub kind: String,
        /// Name of the owner.
        pub name: String,
        /// Identity of the owner.
        pub uid: String,
        /// Whether this owner is the managing controller.
        pub controller: bool,
        /// Whether the owner's foreground deletion waits for this object.
        pub block_owner_deletion: bool,
    }
}

impl Meta {
    /// The owner that controls this object, if one does.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller)
    }

    /// Value of a label; `None` where it is absent.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key)
    }

    /// Value of an annotation; `None` where it is absent.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key)
    }

    /// `namespace/name`, or the bare name of a cluster-scoped object.
    pub fn path(&self) -> String {
        if self.namespace.is_empty() { self.name.clone() } else { format!("{}/{}", self.namespace, self.name) }
    }
}

/// What every kind that Siskin reads can say of itself.
pub trait Kind {
    /// API group; empty for the core group.
    const GROUP: &'static str;
    /// API version within the group.
    const VERSION: &'static str;
    /// Kind, in CamelCase.
    const KIND: &'static str;
    /// Plural resource name, in lower case.
    const PLURAL: &'static str;
    /// Whether objects live in namespaces.
    const NAMESPACED: bool = true;

    /// The object's metadata.
    fn meta(&self) -> &Meta;
}

/// Declares the group, version, kind and plural of a wire struct that has a `metadata` field.
macro_rules! kind {
    ($type:ty, $group:literal, $version:literal, $kind:literal, $plural:literal) => {
        kind!($type, $group, $version, $kind, $plural, true);
    };
    ($type:ty, $group:literal, $version:literal, $kind:literal, $plural:literal, $namespaced:literal) => {
        impl crate::api::meta::Kind for $type {
            const GROUP: &'static str = $group;
            const VERSION: &'static str = $version;
            const KIND: &'static str = $kind;
            const PLURAL: &'static str = $plural;
            const NAMESPACED: bool = $namespaced;
            fn meta(&self) -> &crate::api::meta::Meta {
                &self.metadata
            }
        }
    };
}

pub(crate) use kind;
