//! Wire types: what the API server stores, as Rust values. No behaviour beyond reading and writing themselves.
//!
//! The five kinds of group `argoproj.io/v1alpha1` are complete (every field of the contract round-trips);
//! the built-in kinds are *lite*: only the fields that the controller reads, so that ten thousand
//! ReplicaSets fit in a cache. Nothing here is ever PUT back whole: writes are patches or creates.

pub mod duration;
pub mod intstr;
pub mod time;

pub use duration::GoDuration;
pub use intstr::IntOrString;
pub use time::Time;
