//! Pure: how a Rollout decides.
pub mod revision;
pub mod validate;
