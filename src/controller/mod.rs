//! What the controllers do: build a [`World`](crate::rollout::World) from caches, carry out a [`Plan`](crate::plan::Plan).
pub mod analysis_run;
pub mod app;
pub mod cached;
pub mod caches;
pub mod definition;
pub mod deployment;
pub mod execute;
pub mod gauges;
pub mod leftover;
pub mod observe;
pub mod rollout;
pub mod service;
pub mod workloads;

#[cfg(test)]
mod tests;
