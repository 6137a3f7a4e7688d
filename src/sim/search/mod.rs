//! The search for faults: worlds, scripts and schedules of faults on the bare core, every write of every one checked.
//!
//! | file | theme |
//! | --- | --- |
//! | [`rig`] | a core, its cluster, its analyst and the checker, moved from event to event |
//! | [`world`] | what a cluster has before the Rollout comes |
//! | [`analyst`] | a small model of the AnalysisRun controller |
//! | [`scenario`] | a world, what is done to it and what goes wrong, as data |
//! | [`play`] | a case on the rig, to its end |
//! | [`mod@replay`] | a script, write by write |
//! | [`story`] | a write as a line |
//! | [`branch`] | one scenario with many faults, begun where they strike |
//! | [`systematic`] | every write and event of hand-made scenarios, with every fault |
//! | [`swarm`] | random cases from seeds |
//! | [`mod@shrink`] | a failing case made small |
//! | [`mutation`] | the search against defects to order |
//! | [`shell`] | cases through client, caches, queue and workers |
//! | [`exhaustive`] | every interleaving of small worlds |
//! | [`run`] | many cases on several threads, and their report |
pub mod analyst;
pub mod branch;
pub mod exhaustive;
pub mod mutation;
pub mod play;
pub mod replay;
pub mod rig;
pub mod run;
pub mod scenario;
pub mod shell;
pub mod shrink;
pub mod story;
pub mod swarm;
pub mod systematic;
pub mod world;

pub use replay::{Trace, replay};
pub use shrink::names_promise;

#[cfg(test)]
mod tests;
