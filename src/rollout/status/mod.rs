//! Report: phase, conditions, counts, weights and blockers, from what was judged, intended and permitted.
pub mod conditions;
pub mod counts;
pub mod duration;
pub mod health;
pub mod kstatus;
pub mod phase;
pub mod record;
pub mod report;
pub mod undecoded;
