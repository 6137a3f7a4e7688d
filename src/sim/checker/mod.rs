//! The trace checker: the promises of the controller as code over the journal of the simulated API server.
//!
//! A [`Checker`] replays committed writes one by one. It keeps its own picture of the cluster from nothing but the
//! journal, so it shares no code with what it judges: availability is counted from pods, shares are computed from
//! routes and selectors. Only writes of the controller's actor can violate a promise; what others break is theirs.
//!
//! | file | promises |
//! | --- | --- |
//! | [`traffic`] | I01–I07, I16, I17: who is reached, and with what capacity |
//! | [`managed`] | I14: managed routes |
//! | [`pace`] | I08, I10, I21, I23, I25, I29, I33: how far and how fast sizes and weights go |
//! | [`revisions`] | I15, I19, I22: identity and history |
//! | [`decisions`] | I09, I26, I28, I30, I31, I32, I41: what is decided, and in which order |
//! | [`footprint`] | I12, I20, I27: what our writes leave alone |
//! | [`bounds`] | I14, I30, I34, I35, I42: what has to happen within a time |
//! | [`rest`] | what holds once nothing moves any more |
//!
//! [`state`] is the picture, [`facts`] what one Rollout's objects say, [`routes`] which weights may be in force.
pub mod bounds;
pub mod check;
pub mod decisions;
pub mod facts;
pub mod footprint;
pub mod managed;
pub mod pace;
pub mod rest;
pub mod revisions;
pub mod routes;
pub mod state;
pub mod traffic;
pub mod workload;

pub use check::{Checker, Violation};
