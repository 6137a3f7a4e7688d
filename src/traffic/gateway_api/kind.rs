//! The kinds of routes, and in what they differ for a split.

use crate::plan::Resource;
use crate::plan::object::{GRPC_ROUTE, HTTP_ROUTE, TCP_ROUTE, TLS_ROUTE};

/// A kind of route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteKind {
    /// `HTTPRoute`.
    Http,
    /// `GRPCRoute`.
    Grpc,
    /// `TCPRoute`.
    Tcp,
    /// `TLSRoute`.
    Tls,
}

impl RouteKind {
    /// All kinds, in the order in which they are driven. Argo: the plugin's `SetWeight`.
    pub const ALL: [Self; 4] = [Self::Http, Self::Grpc, Self::Tcp, Self::Tls];

    /// The kind as the API server serves it.
    pub const fn resource(self) -> Resource {
        match self {
            Self::Http => HTTP_ROUTE,
            Self::Grpc => GRPC_ROUTE,
            Self::Tcp => TCP_ROUTE,
            Self::Tls => TLS_ROUTE,
        }
    }

    /// The kind by its name; `None` for anything else.
    pub fn named(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.resource().kind == kind)
    }

    /// Whether rules of this kind can match headers, so that managed routes can be put on it.
    pub const fn matches_headers(self) -> bool {
        matches!(self, Self::Http | Self::Grpc)
    }

    /// What is missing where no rule splits, as Argo's plugin says it.
    pub const fn not_found(self) -> &'static str {
        match self {
            Self::Http => "backendRef was not found in httpRoute",
            Self::Grpc => "backendRef was not found in grpcRoute",
            Self::Tcp => "backendRef list was not found in tcpRoute",
            Self::Tls => "backendRef list was not found in tlsRoute",
        }
    }
}
