//! Whether the objects that a Rollout names are right for it, once they have been fetched.
//!
//! Argo: `pkg/apis/rollouts/validation/validation_references.go`. What does not exist is not here: the one that
//! fetches tells that.

mod analysis_templates;
mod app_mesh;
mod check;
mod ingresses;
mod metrics;
mod missing;
mod services;
mod view;
mod virtual_services;

pub use check::{AnalysisKind, References, ServiceKind, TemplateGroup, validate_references};
pub use missing::{Missing, missing_reference, unnamed_references};
pub use view::{analysis_path, rollout_view, service_view, template_view};

#[cfg(test)]
mod tests;
