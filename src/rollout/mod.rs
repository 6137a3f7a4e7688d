//! Pure: how a Rollout decides.
pub mod defaults;
pub mod revision;
pub mod safety;
pub mod settings;
pub mod size;
pub mod strategy;
pub mod validate;
