//! Gateway API: weights of a route's backends, and the rules of managed routes.
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
//! | [`managed`], [`mirror`] | which rules do header and mirror routes make, and which patch leads there? |
//! | [`equal`] | is a stored rule the one that was written? |
//! | [`kind`] | in what do the kinds of routes differ? |
//! | [`mod@claims`] | do two Rollouts drive the same backends? |
//! | [`error`] | what can be wrong with a route? |

pub mod claims;
pub mod config;
pub mod edit;
pub mod equal;
pub mod error;
pub mod kind;
pub mod managed;
pub mod mirror;
pub mod parents;
pub mod read;
pub mod rules;

pub use claims::{Claim, claims, contested};
pub use config::{ConfigError, Label, RouteRef, RouteSelector, label, routes, selectors, settings, unknown_fields};
pub use edit::{Goal, applied, edit, joined};
pub use error::RouteError;
pub use kind::RouteKind;
pub use managed::{ManagedRoute, Wants, manage};
pub use parents::acknowledgement;
pub use read::{Reading, RuleWeights, read};
pub use rules::Backends;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod properties;
