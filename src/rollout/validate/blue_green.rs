//! The rules of a blue-green strategy, and of the anti-affinity that both strategies know.
//!
//! Argo: `validation.go ValidateRolloutStrategyBlueGreen, ValidateRolloutStrategyAntiAffinity`. Paths lack the
//! element `blueGreen`, as they do there.

use super::error::{Path, Report, quote};
use super::read::{integer, object, text};
use serde_json::Value;

/// `history` is the Rollout's revision history limit.
pub fn check(strategy: &Value, history: i64, path: &Path, report: &mut Report) {
    let active = text(strategy, "activeService");
    if active == text(strategy, "previewService") {
        let detail = "This rollout uses the same service for the active and preview services, but two different \
                      services are required.";
        report.invalid(&path.child("activeService"), quote(active), detail);
    }
    if let Some(limit) = integer(strategy, "scaleDownDelayRevisionLimit").filter(|limit| history < *limit) {
        let detail = "This rollout's revision history limit can not be smaller than the rollout's scale down limit";
        report.invalid(&path.child("scaleDownDelayRevisionLimit"), limit, detail);
    }
    check_anti_affinity(strategy, &path.child("antiAffinity"), report);
}

/// Exactly one sort of anti-affinity, with a weight from 1 to 100.
pub fn check_anti_affinity(strategy: &Value, path: &Path, report: &mut Report) {
    let Some(anti_affinity) = object(strategy, "antiAffinity") else { return };
    let preferred = object(anti_affinity, "preferredDuringSchedulingIgnoredDuringExecution");
    let required = object(anti_affinity, "requiredDuringSchedulingIgnoredDuringExecution").is_some();
    if preferred.is_some() == required {
        let value = format!(
            "antiAffinity.PreferredDuringSchedulingIgnoredDuringExecution: {} \
             antiAffinity.RequiredDuringSchedulingIgnoredDuringExecution: {required}",
            preferred.is_some()
        );
        report.invalid(path, quote(&value), "AntiAffinity must have exactly one strategy listed");
    }
    if let Some(preferred) = preferred {
        let weight = integer(preferred, "weight").unwrap_or(0);
        if !(1..=100).contains(&weight) {
            report.invalid(&path.child("weight"), weight, "AntiAffinity weight must be between 1-100");
        }
    }
}
