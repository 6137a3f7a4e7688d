//! The bare core under test.
//!
//! | file | theme |
//! | --- | --- |
//! | [`releases`] | whole releases, their exact events |
//! | [`analysis`] | runs, verdicts, attempts |
//! | [`commands`] | what people do, at every instant |
//! | [`failing`] | pods that never come, invalid specifications |
//! | [`found`] | defects that generated worlds have shown |
//! | [`takeover`] | worlds that Argo Rollouts left |
//! | [`campaign`] | generated worlds and scripts, every write checked |
//! | [`rig`], [`scenario`], [`play`], [`analyst`] | what the campaign is made of |
mod analysis;
mod analyst;
mod campaign;
mod commands;
mod failing;
mod found;
mod play;
mod releases;
mod rig;
mod scenario;
mod takeover;
