//! The cluster in memory: an API server, the built-in controllers, a data plane with users behind it, and Prometheus.
//!
//! Everything is deterministic: state lives in ordered maps, chance comes from seeds, and time from the handle
//! given at construction. Nothing here sleeps by itself: whoever owns the clock calls `tick` (see [`driver`]).
//!
//! ```text
//!  kube client ─┐                        ┌─ models: ReplicaSet, kubelet, EndpointSlice, Gateway
//!  kubectl ─────┼──▶ api_server ◀────────┤
//!  (loopback) ──┘        │ journal       └─ traffic: users → routes → Services → pods ──▶ prometheus
//!                        ▼
//!                     checkers ◀── audit: the log of a real cluster
//! ```

pub mod api_server;
pub mod audit;
pub mod bare;
pub mod checker;
pub mod clock;
pub mod cluster;
pub mod driver;
pub mod models;
pub mod object;
pub mod prometheus;
pub mod random;
mod room;
pub mod search;
pub mod traffic;
