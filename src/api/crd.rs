//! The five CustomResourceDefinitions, made from the wire types.
//!
//! `siskin crds --dir crds` writes them and a test holds the checked-in copies against this code. They carry the
//! names, columns, subresources, required fields and immutability rules that clients of Argo Rollouts know
//! (contract: api-rollout §0, api-analysis §0). Two things differ on purpose: a pod template keeps every field of the
//! user's (Argo's prunes what its Kubernetes version did not know), and no default is written into stored objects.

mod build;
mod check;
mod pod_template;
mod required;
mod routers;
mod rules;
mod structural;

pub use build::{CrdFile, crds, files, schema, with_rules};
pub use check::{Fault, SchemaError, check, fields_at, undeclared};
pub use pod_template::{EMBEDDED, Embedded};
pub use routers::ROUTERS;

#[cfg(test)]
pub mod cel;
#[cfg(test)]
mod tests;
