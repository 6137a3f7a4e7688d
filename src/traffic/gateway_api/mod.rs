//! Gateway API: weights of an `HTTPRoute`'s backends.
//!
//! The source of the compatible parts is Argo's plugin `argoproj-labs/gatewayAPI`, v0.15. Where it departs from the
//! plugin, the function concerned says so.
//!
//! | module | question |
//! | --- | --- |
//! | [`config`] | which routes does a Rollout drive, and how? |
//! | [`rules`] | which backends of a route carry the split? |
//! | [`mod@read`] | which weights are in force? |
//! | [`parents`] | has every parent accepted them? |
//! | [`mod@edit`] | which patch leads to the wanted weight? |
//! | [`mod@claims`] | do two Rollouts drive the same backends? |
//! | [`error`] | what can be wrong with a route? |

pub mod claims;
pub mod config;
pub mod edit;
pub mod error;
pub mod parents;
pub mod read;
pub mod rules;

pub use claims::{Claim, claims, contested};
pub use config::{ConfigError, Label, RouteRef, label, routes, settings, unknown_fields, unsupported};
pub use edit::{Goal, edit};
pub use error::RouteError;
pub use parents::acknowledgement;
pub use read::{Reading, RuleWeights, read};
pub use rules::Backends;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod properties;
