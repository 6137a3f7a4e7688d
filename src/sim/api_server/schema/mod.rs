//! Custom kinds by their definitions: a stored `CustomResourceDefinition` serves its kind, with the schema's pruning,
//! defaults and checks. Kinds that no definition describes are stored as they come.
//!
//! | file | what it holds |
//! | --- | --- |
//! | [`definition`] | a definition as a registered kind |
//! | [`prune`] | unknown fields go, defaults come |
//! | [`validate`] | types, required fields, closed sets, bounds |
//! | [`rules`] | the part of CEL that is evaluated: transition rules over two equal fields |
//! | [`columns`] | printer columns |

pub(crate) mod columns;
pub(crate) mod definition;
pub(crate) mod prune;
pub(crate) mod rules;
pub(crate) mod validate;

#[cfg(test)]
mod tests;
