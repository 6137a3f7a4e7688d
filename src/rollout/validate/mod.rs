//! What makes a Rollout `InvalidSpec`.
//!
//! Two questions, both pure: is the spec right in itself ([`spec`]), and are the objects that it names
//! right for it ([`references`]). The answers are ordered lists of [`error::FieldError`]; the condition tells the
//! first, `lint` all. Order and texts are those of Argo Rollouts (`pkg/apis/rollouts/validation`), whose users
//! have them in alerts and scripts. Rules that Siskin adds stand apart, in [`strict`].
//!
//! Nothing here decides what a valid spec means, and nothing is fetched.

mod analysis;
mod blue_green;
mod canary;
pub mod error;
mod labels;
mod pod_template;
mod read;
pub mod references;
pub mod router_config;
mod selector;
pub mod spec;
mod steps;
pub mod strict;
mod traffic_routing;
mod types;

pub use error::{ErrorKind, FieldError};
pub use references::{References, validate_references};
pub use router_config::validate_router_config;
pub use spec::{TemplateOrigin, validate_spec, validate_spec_from};
pub use strict::validate_strict;
