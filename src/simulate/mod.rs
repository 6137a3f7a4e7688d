//! `siskin simulate`: what a release will do, before anybody does it.
//!
//! ```text
//! files ──▶ input: objects, or problems with file and line
//!             │
//!             ▼
//!  plan ──▶ stage: cluster, controller, analyst, checker, one clock ──▶ observe: timeline, samples, sums
//!  (load, versions, faults)                                                │
//!             input, findings ──▶ warnings ──▶ report::Report ◀────────────┘
//!                                                 │
//!                                    text │ json │ svg │ html
//! ```
//!
//! The decisions are the controller's own (`rollout::decide`, `analysis::run::step`, the Prometheus source's judgement),
//! the world is that of [`crate::sim`], and time jumps from one due instant to the next. Everything is a function of the
//! files, the options and the seed: the same call prints the same bytes.
//!
//! Nothing here decides how a release goes on: the one thing that it does in a person's place is to approve pauses
//! without a duration, and it says so.

mod analyst;
mod approval;
pub mod behaviour;
mod change;
mod controller;
pub mod fault;
mod furniture;
pub mod input;
pub mod load;
mod missing;
mod observe;
pub mod options;
pub mod report;
mod run;
mod stage;
mod steps;
mod strain;
pub mod sums;
pub mod text;
pub mod timeline;
mod trouble;
mod versions;
mod warnings;

pub use input::Input;
pub use options::Options;
pub use report::Report;
pub use run::simulate;

#[cfg(test)]
mod tests;
