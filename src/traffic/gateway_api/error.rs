//! What can be wrong with a route. The first four texts appear in events as Argo's plugin writes them.

use thiserror::Error;

use super::kind::RouteKind;
use crate::plan::ObjectRef;

/// Why a route cannot carry the weights; nothing of it is written then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RouteError {
    /// The settings lead to no route at all.
    #[error(
        "No routes configured. At least one of 'httpRoutes', 'grpcRoutes', 'tcpRoutes', 'tlsRoutes', 'httpRoute', \
         'grpcRoute', 'tcpRoute' or 'tlsRoute' must be set"
    )]
    NoRoutes,
    /// A named route does not exist.
    #[error("{}.{} {:?} not found", .0.resource.plural, .0.resource.group, .0.name)]
    NotFound(Box<ObjectRef>),
    /// No rule splits traffic between the canary and the stable Service.
    #[error("{}", .0.not_found())]
    BackendNotFound(RouteKind),
    /// A header of a managed route has nothing to compare with.
    #[error("invalid header match type")]
    NoHeaderValue,
    /// A mirror's match that no rule can say.
    #[error("setting a mirror route: no rule of an HTTPRoute can match {what}")]
    MirrorMatch {
        /// What it would have to match.
        what: &'static str,
    },
    /// A mirror on a kind of route that has none here.
    #[error("setting a mirror route: a {} carries none", .0.resource().kind)]
    MirrorKind(RouteKind),
    /// The stored rule has lost the percentage of its mirror.
    #[error("setting mirror route {rule}: the stored rule has no percent, so all of its requests are copied")]
    PercentPruned {
        /// The rule's name.
        rule: String,
    },
    /// A rule names one of the two Services more than once.
    #[error(
        "setting weights: {rule} names Service {service} more than once, so no weight of one backendRef is its share; \
         keep a single backendRef for it in this rule"
    )]
    Repeated {
        /// The rule's path.
        rule: String,
        /// The Service.
        service: String,
    },
    /// A goal that no route can express.
    #[error(
        "setting weights: {weight} of {max} is no weight; use 0 to the maximum, and a maximum of 1 to {MAX_WEIGHT}"
    )]
    WeightOutOfRange {
        /// The canary's weight.
        weight: i32,
        /// What stands for all traffic.
        max: i32,
    },
    /// The object is not shaped like a route.
    #[error("setting the in-progress label: {path} is not an object; this is not a route that an API server stores")]
    Malformed {
        /// Where.
        path: &'static str,
    },
}

/// The largest weight that Gateway API allows a backend.
pub const MAX_WEIGHT: i32 = 1_000_000;

impl RouteError {
    /// What a person can do, for the errors whose text is fixed by the contract; empty where the text says it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NoRoutes => "name at least one route under trafficRouting",
            Self::NotFound(_) => "create the route, or correct its name or namespace under trafficRouting",
            Self::BackendNotFound(_) => {
                "put canaryService and stableService as backendRefs into one rule of the route that is not a managed \
                 route"
            }
            Self::NoHeaderValue => "give each header of the step one of exact, prefix and regex",
            Self::MirrorMatch { .. } => "use an exact method, and no regular expression beside another path",
            Self::MirrorKind(_) => "set useHeaderRoutes on HTTPRoutes only, or remove the setMirrorRoute step",
            Self::PercentPruned { .. } => {
                "install the definitions of Gateway API v1.3 or newer, or remove percentage from the step"
            }
            Self::Repeated { .. } | Self::WeightOutOfRange { .. } | Self::Malformed { .. } => "",
        }
    }
}
