//! Wire types: what the API server stores, as Rust values. No behaviour beyond reading and writing themselves.
//!
//! The five kinds of group `argoproj.io/v1alpha1` are complete (every field of the contract round-trips);
//! the built-in kinds are *lite*: only the fields that the controller reads, so that ten thousand
//! ReplicaSets fit in a cache. Nothing here is ever PUT back whole: writes are patches or creates.

pub mod analysis;
pub mod crd;
pub mod duration;
pub mod experiment;
pub mod intstr;
pub mod lite;
pub mod meta;
pub mod metric_provider;
pub mod names;
pub mod packed;
pub mod raw;
pub mod rollout;
pub mod rollout_status;
pub mod selector;
pub mod steps;
pub mod text;
pub mod text_map;
pub mod time;
pub mod traffic_routing;
pub mod unknown;
pub(crate) mod wire;
pub mod workload;
pub mod writer;

pub use analysis::{AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate};
pub use duration::GoDuration;
pub use experiment::Experiment;
pub use intstr::IntOrString;
pub use lite::{EndpointSlice, Pod, ReplicaSet, Service};
pub use meta::{Kind, Meta, OwnerReference};
pub use packed::PackedJson;
pub use raw::RawJson;
pub use rollout::Rollout;
pub use rollout_status::RolloutStatus;
pub use selector::LabelSelector;
pub use text_map::TextMap;
pub use time::Time;
pub use wire::Written;
pub use workload::Workload;
pub use writer::Writer;
