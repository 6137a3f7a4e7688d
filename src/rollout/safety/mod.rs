//! Permit: which writes are safe now. Knows nothing of canaries, steps or people.
pub mod pace;
