//! What people see: objects in, text out. Pure: no client, no clock, no terminal.
//!
//! ```text
//! API objects ──▶ Objects ──▶ RolloutInfo / ExperimentInfo ──▶ get, list, status ──▶ text or JSON
//! ```
//!
//! The same code prints for a live cluster, for the demo and for the tests.

pub mod age;
pub mod experiment;
pub mod get;
pub mod info;
pub mod list;
pub mod number;
pub mod objects;
pub mod paint;
pub mod pod;
pub mod rollout;
pub mod status;
pub mod table;
pub mod weight;

#[cfg(test)]
mod tests;
