//! The command line: one file per verb, the rest is shared.
//!
//! ```text
//! args (clap) ──▶ verb ──▶ session: console, clock, cluster ──▶ client: requests as the contract fixes them
//!                   └────▶ view: objects to text, pure
//! ```
//!
//! A new verb is one file with a `clap::Args` struct that has `async fn run(self, &mut Session)`, and one line in
//! [`args::Verb`]. The binary answers to three names: `siskin`, `kubectl-siskin` and `kubectl-argo-rollouts`; under
//! the last, messages keep to the form that scripts for Argo Rollouts parse.

mod abort;
pub mod answer;
pub mod args;
mod check_trace;
pub mod client;
mod controller;
mod crds;
mod demo;
mod explain;
pub mod failure;
mod generated;
pub mod get;
pub mod lint;
pub mod list;
mod objects;
mod pause;
mod promote;
mod rbac;
mod restart;
mod retry;
pub mod session;
mod set;
mod simulate;
mod status;
pub mod suggest;
mod terminate;
mod undo;
mod version;
pub mod view;
mod watch;

pub use args::main;

#[cfg(test)]
mod tests;
