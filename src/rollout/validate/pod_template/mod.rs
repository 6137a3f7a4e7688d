//! The pod template, checked as the API server would check it in a `ReplicaSet`.
//!
//! Kubernetes v1.34: `pkg/apis/core/validation`, `pkg/apis/apps/validation`. Covered is what people write: names,
//! images, ports, environment, probes, hooks, mounts, resources, security, the common volumes, scheduling, DNS.
//! The rest is left to the API server, which has the last word anyway. Kind and place of each error are those
//! of Kubernetes; texts agree where the sentences are the same.
//!
//! As in Argo, defaults are filled in first, `privileged: true` is not judged, and host namespaces are not seen.

mod affinity;
mod container;
mod containers;
mod environment;
mod mounts;
mod pod;
mod probes;
mod resources;
mod scheduling;
mod security;
mod template;
mod volume_sources;
mod volumes;

pub use template::check;
