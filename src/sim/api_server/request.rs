//! What a path and a query ask for.

use std::fmt;
use std::sync::Arc;

use axum::extract::Query;
use http::{Method, Uri};

use super::reject::Reject;

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// One object.
    Get,
    /// Many objects.
    List,
    /// A stream of changes.
    Watch,
    /// POST.
    Create,
    /// PUT.
    Update,
    /// PATCH.
    Patch,
    /// DELETE of one object.
    Delete,
    /// DELETE of many objects.
    DeleteCollection,
}

impl Verb {
    /// Whether it only looks.
    pub fn is_read(self) -> bool {
        matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        })
    }
}

/// A request for a resource, as faults see it.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    /// Counts the requests of this server from 1.
    pub number: u64,
    /// What is asked.
    pub verb: Verb,
    /// `rollouts.argoproj.io`.
    pub resource: Arc<str>,
    /// `Rollout`.
    pub kind: String,
    /// The namespace in the path; empty for cluster-scoped kinds and for all namespaces.
    pub namespace: String,
    /// The object's name; empty for collections.
    pub name: String,
    /// `status`, `scale`.
    pub subresource: Option<String>,
    /// Who asks: the header `x-siskin-actor`, else `User-Agent`.
    pub actor: String,
}

/// The segments of a resource path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    pub group: &'a str,
    pub version: &'a str,
    pub namespace: &'a str,
    pub plural: &'a str,
    pub name: &'a str,
    pub subresource: Option<&'a str>,
}

/// Splits `/api/v1/…` and `/apis/group/version/…`; none where the path is not below a version.
pub(crate) fn target(path: &str) -> Option<Target<'_>> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, version, rest) = match segments.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return None,
    };
    let new = |namespace, plural, name, subresource| Target { group, version, namespace, plural, name, subresource };
    Some(match rest {
        // These two are subresources of the namespace itself, not kinds inside it.
        ["namespaces", name, sub @ ("status" | "finalize")] => new("", "namespaces", *name, Some(*sub)),
        ["namespaces", namespace, plural] => new(*namespace, *plural, "", None),
        ["namespaces", namespace, plural, name] => new(*namespace, *plural, *name, None),
        ["namespaces", namespace, plural, name, sub] => new(*namespace, *plural, *name, Some(*sub)),
        [plural] => new("", *plural, "", None),
        [plural, name] => new("", *plural, *name, None),
        [plural, name, sub] => new("", *plural, *name, Some(*sub)),
        _ => return None,
    })
}

/// The query of a request.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is one independent switch of the query")]
pub(crate) struct Options {
    pub label_selector: String,
    pub field_selector: String,
    pub limit: usize,
    pub token: String,
    pub resource_version: String,
    pub version_match: String,
    pub watch: bool,
    pub bookmarks: bool,
    pub initial_events: bool,
    pub timeout_seconds: Option<u64>,
    pub dry_run: bool,
    pub propagation: Option<String>,
    pub grace_seconds: Option<i64>,
    pub field_manager: String,
    pub force: bool,
    pub field_validation: String,
}

impl Options {
    pub fn of(uri: &Uri) -> Result<Self, Reject> {
        let unreadable = |error| Reject::bad_request(format!("unreadable query of {uri}: {error}"));
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(unreadable)?;
        let mut options = Self::default();
        for (key, value) in pairs {
            let set = || matches!(value.as_str(), "true" | "1");
            match key.as_str() {
                "labelSelector" => options.label_selector = value,
                "fieldSelector" => options.field_selector = value,
                "limit" => options.limit = value.parse().unwrap_or(0),
                "continue" => options.token = value,
                "resourceVersion" => options.resource_version = value,
                "resourceVersionMatch" => options.version_match = value,
                "watch" => options.watch = set(),
                "allowWatchBookmarks" => options.bookmarks = set(),
                "sendInitialEvents" => options.initial_events = set(),
                "timeoutSeconds" => options.timeout_seconds = value.parse().ok(),
                "dryRun" => options.dry_run = dry_run(&value)?,
                "propagationPolicy" => options.propagation = Some(value),
                "fieldManager" => options.field_manager = value,
                "force" => options.force = set(),
                "fieldValidation" => options.field_validation = value,
                "gracePeriodSeconds" => options.grace_seconds = value.parse().ok(),
                _ => {}
            }
        }
        Ok(options)
    }

    /// `resourceVersion` as a number; none where it is empty.
    pub fn version(&self) -> Result<Option<u64>, Reject> {
        if self.resource_version.is_empty() {
            return Ok(None);
        }
        let why = || Reject::bad_request(format!("resourceVersion: invalid value {:?}", self.resource_version));
        self.resource_version.parse().map(Some).map_err(|_| why())
    }
}

pub(crate) fn dry_run(value: &str) -> Result<bool, Reject> {
    match value {
        "" => Ok(false),
        "All" => Ok(true),
        other => Err(Reject::bad_request(format!("dryRun: unsupported value {other:?}: supported value: \"All\""))),
    }
}

/// The verb of a method on a collection or an object.
pub(crate) fn verb(method: &Method, target: &Target<'_>, options: &Options) -> Result<Verb, Reject> {
    let named = !target.name.is_empty();
    Ok(match (method.as_str(), named) {
        ("GET", _) if options.watch => Verb::Watch,
        ("GET", true) => Verb::Get,
        ("GET", false) => Verb::List,
        ("POST", _) if !named || target.subresource.is_some() => Verb::Create,
        ("PUT", true) => Verb::Update,
        ("PATCH", true) => Verb::Patch,
        ("DELETE", true) => Verb::Delete,
        ("DELETE", false) => Verb::DeleteCollection,
        _ => return Err(Reject::method_not_allowed()),
    })
}
