//! The built-in controllers, the kubelet and a gateway, as small models over the API server.
//!
//! Each looks only at what has changed since its last tick and at what its timers name, and writes through
//! a [`Hand`](crate::sim::api_server::Hand) in its own name. They are deterministic: same seed, same ticks, same
//! journal. They never adopt and never fail by themselves: failures are ordered by annotations. Those that implement
//! [`Model`] are added to a cluster by name, and cost nothing where they are not.
//!
//! | model | reads | writes |
//! | --- | --- | --- |
//! | [`deployments`] | Deployment, `ReplicaSet` | `ReplicaSet`s, Deployment status |
//! | [`replica_sets`] | `ReplicaSet`, Pod | Pods, `ReplicaSet` status |
//! | [`balancer`] | Service, Ingress, `EndpointSlice` | their status, and the data plane's targets and listeners |
//! | [`disruption`] | `PodDisruptionBudget`, Pod | budgets' status |
//! | [`hpa`] | `HorizontalPodAutoscaler`, Pod, the load of pods | `scale` of targets, autoscalers' status |
//! | [`jobs`] | Job, Pod | Pods, Job status |
//! | [`nodes`] | Node, Pod | places of pods, Nodes, pods of lost nodes |
//! | [`quotas`] | `ResourceQuota`, Pod | quotas' status |
//! | [`kubelet`] | Pod | Pod status, removal of stopped pods |
//! | [`endpoints`] | Service, Pod | `EndpointSlice`s |
//! | [`mesh`] | `VirtualService`, `DestinationRule`, `EndpointSlice`, Pod | the data plane's proxies |
//! | [`gateway`] | `HTTPRoute`, Gateway, `EndpointSlice` | `HTTPRoute` status, and the data plane's own view |

pub mod balancer;
mod containers;
pub mod deployments;
pub mod disruption;
pub mod endpoints;
pub(crate) mod feed;
pub mod gateway;
pub mod hpa;
pub mod jobs;
pub mod kubelet;
pub mod mesh;
pub mod model;
pub mod nodes;
pub mod quotas;
pub mod replica_sets;

pub use balancer::LoadBalancer;
pub use deployments::Deployments;
pub use disruption::Disruption;
pub use endpoints::EndpointSlices;
pub use gateway::{DataPlane, GatewayModel};
pub use hpa::Autoscaler;
pub use jobs::Jobs;
pub use kubelet::{Kubelet, Placement};
pub use mesh::Mesh;
pub use model::Model;
pub use nodes::{NodeLifecycle, NodePool, Scheduler};
pub use quotas::Quotas;
pub use replica_sets::ReplicaSets;

#[cfg(test)]
pub(crate) mod tests;
