//! Intend: what should hold, given the decisions on record. Never whether the way there is safe.
pub mod analysis;
pub mod blue_green;
pub mod canary;
pub mod desired;
pub mod managed;
pub mod pod_metadata;
pub mod ratio;
pub mod restart;
pub mod rollback;
pub mod routed;
pub mod run_upkeep;
pub mod steps;
pub mod target;
pub mod workload;
