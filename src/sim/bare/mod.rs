//! The bare core: `decide` and its effects over the simulated store, without client, cache, queue or tasks.
//!
//! Everything that searches for faults in decisions runs here: one look is a function call.

pub mod apply;
pub mod core;
pub mod view;

pub use core::Core;

#[cfg(test)]
mod tests;
