//! The built-in controllers, the kubelet and a gateway, as small models over the API server.
//!
//! Each looks only at what has changed since its last tick and at what its timers name, and writes through
//! a [`Hand`](crate::sim::api_server::Hand) in its own name. They are deterministic: same seed, same ticks, same
//! journal. They never adopt, never reschedule and never fail by themselves: failures are ordered by annotations.
//!
//! | model | reads | writes |
//! | --- | --- | --- |
//! | [`deployments`] | Deployment, `ReplicaSet` | `ReplicaSet`s, Deployment status |
//! | [`replica_sets`] | `ReplicaSet`, Pod | Pods, `ReplicaSet` status |
//! | [`kubelet`] | Pod | Pod status, removal of stopped pods |
//! | [`endpoints`] | Service, Pod | `EndpointSlice`s |
//! | [`gateway`] | `HTTPRoute`, Gateway, `EndpointSlice` | `HTTPRoute` status, and the data plane's own view |

mod containers;
pub mod deployments;
pub mod endpoints;
pub(crate) mod feed;
pub mod gateway;
pub mod kubelet;
pub mod replica_sets;

pub use deployments::Deployments;
pub use endpoints::EndpointSlices;
pub use gateway::{DataPlane, GatewayModel};
pub use kubelet::Kubelet;
pub use replica_sets::ReplicaSets;

#[cfg(test)]
pub(crate) mod tests;
