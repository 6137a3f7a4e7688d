//! Naming API objects.

use std::borrow::Cow;
use std::fmt;

use crate::api::{Kind, Meta};

/// A kind of object, as the API server addresses it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: Cow<'static, str>,
    /// API version within the group.
    pub version: Cow<'static, str>,
    /// Kind, in CamelCase.
    pub kind: Cow<'static, str>,
    /// Plural resource name, in lower case.
    pub plural: Cow<'static, str>,
}

impl Resource {
    /// The resource of a known kind.
    pub const fn of<K: Kind>() -> Self {
        Self::known(K::GROUP, K::VERSION, K::KIND, K::PLURAL)
    }

    /// A resource whose names are known when the program is built.
    pub const fn known(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Self {
        Self {
            group: Cow::Borrowed(group),
            version: Cow::Borrowed(version),
            kind: Cow::Borrowed(kind),
            plural: Cow::Borrowed(plural),
        }
    }

    /// `group/version`, or the version alone in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// Gateway API's HTTPRoute.
pub const HTTP_ROUTE: Resource = Resource::known("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes");

/// Gateway API's GRPCRoute.
pub const GRPC_ROUTE: Resource = Resource::known("gateway.networking.k8s.io", "v1", "GRPCRoute", "grpcroutes");
/// Gateway API's TCPRoute.
pub const TCP_ROUTE: Resource = Resource::known("gateway.networking.k8s.io", "v1alpha2", "TCPRoute", "tcproutes");
/// Gateway API's TLSRoute.
pub const TLS_ROUTE: Resource = Resource::known("gateway.networking.k8s.io", "v1alpha2", "TLSRoute", "tlsroutes");

/// One object by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Its kind.
    pub resource: Resource,
    /// Its namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectRef {
    /// The reference to an object of a known kind.
    pub fn to<K: Kind>(object: &K) -> Self {
        Self::named::<K>(&object.meta().namespace, &object.meta().name)
    }

    /// The reference to an object of a known kind by its name.
    pub fn named<K: Kind>(namespace: &str, name: &str) -> Self {
        Self { resource: Resource::of::<K>(), namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The reference to an object from its metadata.
    pub fn from_meta(resource: Resource, meta: &Meta) -> Self {
        Self { resource, namespace: meta.namespace.clone(), name: meta.name.clone() }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.resource.kind, self.name)
    }
}
