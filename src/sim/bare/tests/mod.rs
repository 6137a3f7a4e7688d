//! The bare core under test.
//!
//! | file | theme |
//! | --- | --- |
//! | [`releases`] | whole releases, their exact events |
//! | [`campaign`] | generated worlds and scripts, every write checked |
//! | [`rig`], [`scenario`], [`play`], [`analyst`] | what the campaign is made of |
mod analyst;
mod campaign;
mod play;
mod releases;
mod rig;
mod scenario;
