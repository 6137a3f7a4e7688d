//! The first minute of a new user: a cluster in memory, the controller, users, and three releases.
//!
//! ```text
//! scenes (what is told) ──▶ director ──▶ stage: cluster + controller + Prometheus + users
//!                              │  ▲
//!                              ▼  └── facts: what can be seen at an instant
//!                     screen: terminal, lines or JSON          score: what it came to
//! ```
//!
//! Nothing here decides how a scene ends: the director gives orders as a person would, through the CLI's own verbs, and
//! looks at the cluster. Only what a scene *expects* is written down, and a demo that ends otherwise says so and fails.

#![allow(
    clippy::disallowed_methods,
    reason = "the demo is a rim: it owns the tasks of its stage, and people watch it by the wall clock"
)]

mod director;
mod facts;
mod hold;
pub mod scenes;
pub mod score;
pub mod screen;
pub mod show;
mod stage;

#[cfg(test)]
mod tests;
