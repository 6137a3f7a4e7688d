//! The Kubernetes shell, fit for any operator: it knows nothing of the kinds that it serves.
//!
//! ```text
//!  API server ──▶ watch ──▶ cache ──▶ change hook ──▶ queue ──▶ worker ──▶ Reconcile (the caller's)
//!      ▲                      │                                   │
//!      │                      └────────── expectations ◀──────────┤
//!      └── limiter ◀── client (our verbs, our errors) ◀───────────┘
//! ```
//!
//! | file | what it holds |
//! | --- | --- |
//! | [`clock`] | the only place that reads a clock |
//! | [`queue`] | FIFO of keys: deduplicating, two lanes, back-off, timers |
//! | [`worker`] | N workers over a queue: panics caught, time limits, outcomes |
//! | [`cache`] | indexed store of `Arc` snapshots |
//! | [`object`] | what arrives on a watch, decoded or not |
//! | [`watch`] | one task a kind keeps a cache equal to the server |
//! | [`expectations`] | read your own writes |
//! | [`limiter`] | requests by class: routes first |
//! | [`client`] | building kube clients; verbs on raw JSON |
//! | [`error`] | one error for all requests |
//! | [`events`] | Event objects |
//! | [`lease`] | leadership |
//! | [`shutdown`] | stopping in order |

pub mod cache;
pub mod client;
pub mod clock;
pub mod error;
pub mod events;
pub mod expectations;
pub mod lease;
pub mod limiter;
pub mod object;
pub mod queue;
pub mod random;
pub mod shutdown;
pub mod watch;
pub mod worker;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
