//! Who owns which field: `managedFields`, and server-side apply over it.
//!
//! An object is tracked from its creation by a request over HTTP, or from its first apply; what the models write goes
//! untracked until then, so that a simulation that applies nothing pays nothing.
//! Source: Kubernetes' documentation of server-side apply; the wire form is `FieldsV1`.
//!
//! | file | what it holds |
//! | --- | --- |
//! | [`fields`] | sets of fields, and their wire form |
//! | [`guide`] | what merges as one value, by field, by key or as a set |
//! | [`walk`] | the fields of a value, the difference of two, merging and taking away |
//! | [`track`] | the entries of `managedFields`, and what a plain write does to them |
//! | [`apply`] | server-side apply: conflicts, and the object that results |

pub(crate) mod apply;
pub(crate) mod fields;
pub(crate) mod guide;
pub(crate) mod track;
pub(crate) mod walk;

#[cfg(test)]
mod tests;
