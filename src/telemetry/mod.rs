//! What the process says of itself: [`metrics`] and [`logs`]. Usable from every room but the pure ones.

pub mod logs;
pub mod metrics;
