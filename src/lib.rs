//! Siskin: a progressive delivery controller for Kubernetes that speaks the Argo Rollouts API.
//!
//! One idea carries the house: *decide, then do*. A reconcile is the pure function
//! [`rollout::decide()`]: it looks at a [`rollout::World`] and returns a [`plan::Plan`].
//! Everything that touches a clock, a socket or the API server is a thin shell around it.
//!
//! ```text
//!  API server ──watch──▶ cache ──▶ observe ──▶ World ──▶ decide ──▶ Plan ──▶ execute ──▶ API server
//!                          ▲                     └──────── pure ───────┘            │
//!                          └───────── expectations: wait until we see our own writes ◀┘
//! ```
//!
//! Rooms, and the direction of the arrows between them (checked by `tidy`):
//!
//! ```text
//! api ← plan ← {traffic, analysis} ← rollout ← controller → {runtime, provider}
//! server, cli, demo, simulate, sim: at the rim.   telemetry: from anywhere but the pure rooms.
//! ```
//!
//! | room | what it holds |
//! | --- | --- |
//! | [`api`] | wire types, no behaviour |
//! | [`plan`] | pure: the language in which every kind decides |
//! | [`traffic`] | pure: one file per router: objects and goal to edits; objects to weights and acknowledgement |
//! | [`analysis`] | pure: assessing a run, arguments, the expression language |
//! | [`rollout`] | pure: judge, strategy (intend), safety (permit), status (report) |
//! | [`provider`] | metric sources behind one trait |
//! | [`runtime`] | the Kubernetes shell: client, cache, queue, workers, lease, events, clock |
//! | [`controller`] | one file per kind; observe (cache to World), execute (Plan to API) |
//! | [`server`] | metrics and health |
//! | [`cli`] | one file per verb |
//! | [`sim`] | the cluster in memory |
//! | [`demo`] | the first minute of a new user |
//! | [`simulate`] | what a release will do, before anybody does it |
//! | [`mutants`] | defects to order, for the proof that the search sees them; none in what people run |

#![forbid(unsafe_code)]

pub mod analysis;
pub mod api;
pub mod cli;
pub mod config;
pub mod controller;
pub mod demo;
pub mod mutants;
pub mod plan;
pub mod provider;
pub mod rollout;
pub mod runtime;
pub mod server;
pub mod sim;
pub mod simulate;
pub mod telemetry;
pub mod traffic;

#[cfg(test)]
mod tidy;
