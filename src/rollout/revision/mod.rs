//! Which `ReplicaSet` belongs to which template.
//!
//! Three answers, all pure: the name of a revision ([`hash`]: the same bytes that Go's
//! `encoding/json` would hash, so that replica sets of an earlier controller are found by name), the
//! template as the API server will store it ([`defaults`]), and whether a stored template is
//! the wanted one in other words ([`equality`]). A hash alone never decides that a template changed.
//!
//! Templates are read as raw JSON, by tables of the wire types ([`table`], [`pod_table`],
//! [`rollout_table`]) that a tool prints from the Go modules. Nothing here creates or chooses
//! replica sets.

pub mod anti_affinity;
pub mod create;
pub mod defaults;
pub mod equality;
pub mod find;
pub mod go_json;
pub mod hash;
pub mod image;
pub mod meaning;
pub mod pod_table;
pub mod quantity;
pub mod rollout_table;
pub mod table;

#[cfg(test)]
pub(crate) mod tests;
