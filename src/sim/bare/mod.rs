//! The bare core: `decide` and its effects over the simulated store, without client, queue or tasks.
//!
//! Everything that searches for faults in decisions runs here: one look is a function call.
//!
//! | file | theme |
//! | --- | --- |
//! | [`core`] | one Rollout in one cluster, and the controller that looks after it |
//! | [`process`] | one controller process: caches, memory, expectations |
//! | [`view`] | what its watches have shown it, and how late |
//! | [`mod@apply`] | carrying out a plan, as `controller::execute` does |
//! | [`calm`] | the same where nothing goes wrong |
//! | [`strike`] | what goes wrong with its writes |

pub mod apply;
pub mod calm;
pub mod core;
pub mod process;
pub mod strike;
pub mod view;

pub use core::Core;

#[cfg(test)]
mod tests;
