//! An API server in memory, good enough for kube's client, watcher and discovery, and for kubectl over loopback.
//!
//! It keeps what clients rely on: one increasing `resourceVersion`, generations, optimistic locking, subresources,
//! the patch types and server-side apply with field ownership, definitions of custom kinds, selectors, paging over a
//! consistent snapshot, watches with bookmarks, streaming lists and expiry, graceful deletion and garbage collection by
//! owner references.
//! It never authenticates, never runs admission webhooks, and never starts a task of its own. Built-in kinds have no
//! schema here: what is wrong in them is stored. [`schema`] says what a definition brings, [`ownership`] who owns what.
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
mod ownership;
mod patch;
pub(crate) mod quota;
pub mod reject;
mod remove;
pub mod request;
mod scale;
mod schema;
mod select;
pub mod serve;
mod server;
mod service;
mod store;
mod strategic;
mod table;
mod watch;
mod write;
mod writes;

pub use counters::Counts;
pub(crate) use evict::selects;
pub use faults::{Cut, Fault, Faults};
pub use hand::Hand;
pub use journal::{Cursor, Entry};
pub use kinds::{Column, ResourceDef};
pub use reject::Reject;
pub use request::{RequestInfo, Verb};
pub use server::{ApiServer, Now, Saved};
pub(crate) use strategic::merge as merge_by_name;

#[cfg(test)]
pub(crate) mod tests;
