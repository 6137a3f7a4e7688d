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


mod selector;
pub mod spec;
mod steps;

mod traffic_routing;
mod types;

pub use error::{ErrorKind, FieldError};


pub use spec::{TemplateOrigin, validate_spec, validate_spec_from};

