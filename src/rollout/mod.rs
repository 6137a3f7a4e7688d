//! Pure: how a Rollout decides. [`decide()`] is the four beats in order.
//!
//! | beat | room | what it answers |
//! | --- | --- | --- |
//! | judge | [`judge`] | what the facts decide: at most one step forward |
//! | intend | [`strategy`] | what should hold: sizes, selectors, weights, runs |
//! | permit | [`safety`] | which writes towards it are safe now; the rest become blockers |
//! | report | [`status`] | phase, conditions, counts, and the one status write |
//!
//! They read a [`world::World`] through a [`case::Case`]; nothing here knows a client, a clock or a log.
pub mod case;
pub mod cast;
pub mod decide;
pub mod defaults;
pub mod digest;
pub mod invalid;
pub mod judge;
pub mod memory;
pub mod release;
pub mod revision;
pub mod safety;
pub mod settings;
pub mod sides;
pub mod size;
pub mod status;
pub mod strategy;
pub mod unsupported;
pub mod validate;
pub mod workload;
pub mod world;

pub use decide::{Decision, decide};
pub use digest::SpecDigest;
pub use memory::Memory;
pub use settings::Settings;
pub use world::World;
