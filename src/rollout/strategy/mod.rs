//! Intend: what should hold, given the decisions on record. Never whether the way there is safe.
pub mod ratio;
pub mod steps;
