//! An API server in memory, good enough for kube's client, watcher and discovery, and for kubectl over loopback.
//!
//! It keeps what clients rely on: one increasing `resourceVersion`, generations, optimistic locking, subresources,
//! the four patch types without server-side apply, selectors, paging over a consistent snapshot, watches with
//! bookmarks, streaming lists and expiry, graceful deletion and garbage collection by owner references.
//! It never authenticates, never validates against a schema (but prunes what a definition does not keep), and never starts a task of its own.
//!
//! Reads go through `list` and `watch`, writes through `write` and `remove`; each write ends in
//! `store::Store::commit`, the only place where state changes, which also feeds watches and the [`journal`].

mod check;
pub mod counters;
mod defaults;
mod definitions;
mod discovery;
mod evict;
pub mod faults;
mod hand;
pub mod journal;
pub mod kinds;
mod list;
mod openapi;
mod patch;
pub mod reject;
mod remove;
pub mod request;
mod scale;
mod select;
pub mod serve;
mod server;
mod service;
mod store;
mod strategic;
mod table;
mod watch;
mod write;

pub use counters::Counts;
pub use faults::{Cut, Fault, Faults};
pub use hand::Hand;
pub use journal::{Cursor, Entry};
pub use kinds::ResourceDef;
pub use reject::Reject;
pub use request::{RequestInfo, Verb};
pub use server::{ApiServer, Now};

#[cfg(test)]
mod tests;
