//! Parts of other APIs inside ours: pod templates and Job specifications, kept whole.

use serde_json::{Value, json};

use super::structural::replace;

/// What is embedded, by kind and path (`[]` marks the items of a list): a pod template, or a Job's specification.
pub const EMBEDDED: &[(&str, &str, Embedded)] = &[
    ("Rollout", "spec.template", Embedded::PodTemplate),
    ("Experiment", "spec.templates[].template", Embedded::PodTemplate),
    ("AnalysisTemplate", "spec.metrics[].provider.job.spec", Embedded::JobSpec),
    ("ClusterAnalysisTemplate", "spec.metrics[].provider.job.spec", Embedded::JobSpec),
    ("AnalysisRun", "spec.metrics[].provider.job.spec", Embedded::JobSpec),
];

/// A type of Kubernetes' own that stands inside one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Embedded {
    /// `core/v1` `PodTemplateSpec`.
    PodTemplate,
    /// `batch/v1` `JobSpec`.
    JobSpec,
}

/// Puts the schema of the embedded type in place, where the path is one of [`EMBEDDED`].
pub(super) fn place(kind: &str, path: &[String], node: &mut Value) {
    let whole = path.join(".");
    let Some((_, _, embedded)) = EMBEDDED.iter().find(|(of, at, _)| *of == kind && *at == whole) else { return };
    let placed = match embedded {
        Embedded::PodTemplate => pod_template(),
        Embedded::JobSpec => json!({
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true,
            "required": ["template"],
            "properties": {"template": pod_template()},
        }),
    };
    replace(node, placed);
}

/// A template keeps fields that are newer than this code. Its metadata is closed to labels and annotations, as in
/// Argo's definition: `creationTimestamp: null`, which tools write, must not reach the hash of the template.
fn pod_template() -> Value {
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    json!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
        "properties": {
            "metadata": {"type": "object", "properties": {"labels": texts, "annotations": texts}},
            "spec": {
                "type": "object",
                "x-kubernetes-preserve-unknown-fields": true,
                "required": ["containers"],
                "properties": {
                    "containers": {
                        "type": "array",
                        "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    },
                },
            },
        },
    })
}
