//! Nodes that fill up, come and go: a scheduler over their capacity, a pool that grows, and what happens when one is
//! lost. Without these models pods find a place at once, and no node ever fails.

pub mod lifecycle;
pub mod pool;
pub mod scheduler;

pub use lifecycle::NodeLifecycle;
pub use pool::NodePool;
pub use scheduler::Scheduler;

#[cfg(test)]
mod tests;
