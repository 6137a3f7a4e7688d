//! The rig of the fault search, as these tests use it.
pub use crate::sim::search::rig::*;
pub use crate::sim::search::world::*;
