//! The search for faults: worlds, scripts and schedules of faults on the bare core, every write of every one checked.
//!
//! | file | theme |
//! | --- | --- |
//! | [`rig`] | a core, its cluster, its analyst and the checker, moved from event to event |
//! | [`analyst`] | a small model of the AnalysisRun controller |
//! | [`scenario`] | a world and what is done to it, as data |
//! | [`play`] | a scenario on the rig, to its end |
pub mod analyst;
pub mod play;
pub mod rig;
pub mod scenario;
