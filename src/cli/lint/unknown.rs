//! Misspelt fields and kinds, with what was probably meant.

use serde_json::Value;

use super::documents::Document;
use super::finding::{Finding, Sort};
use super::position::line_of;
use crate::api::crd::fields_at;
use crate::api::names::API_VERSION;
use crate::api::unknown::unknown_fields;
use crate::cli::suggest::{distance, nearest};

pub(super) const KINDS: [&str; 5] =
    ["Rollout", "AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun", "Experiment"];
/// A kind further away than this is one of another project in the same API group.
const NEAR: usize = 2;

/// A longer list of fields helps nobody.
const MOST_LISTED: usize = 20;

/// Fields of pods and containers that people write by hand; for suggestions alone, what is valid Kubernetes decides.
const POD_FIELDS: &[&str] = &[
    "activeDeadlineSeconds",
    "affinity",
    "args",
    "automountServiceAccountToken",
    "command",
    "configMap",
    "containerPort",
    "containers",
    "dnsConfig",
    "dnsPolicy",
    "emptyDir",
    "env",
    "envFrom",
    "failureThreshold",
    "fsGroup",
    "hostNetwork",
    "httpGet",
    "image",
    "imagePullPolicy",
    "imagePullSecrets",
    "initContainers",
    "initialDelaySeconds",
    "labels",
    "lifecycle",
    "limits",
    "livenessProbe",
    "metadata",
    "mountPath",
    "name",
    "nodeName",
    "nodeSelector",
    "periodSeconds",
    "persistentVolumeClaim",
    "ports",
    "priorityClassName",
    "protocol",
    "readOnly",
    "readinessGates",
    "readinessProbe",
    "requests",
    "resources",
    "restartPolicy",
    "runAsNonRoot",
    "runAsUser",
    "runtimeClassName",
    "secret",
    "securityContext",
    "serviceAccountName",
    "spec",
    "startupProbe",
    "subPath",
    "successThreshold",
    "terminationGracePeriodSeconds",
    "terminationMessagePath",
    "timeoutSeconds",
    "tolerations",
    "topologySpreadConstraints",
    "value",
    "valueFrom",
    "volumeMounts",
    "volumes",
    "workingDir",
    "annotations",
    "backoffLimit",
    "completions",
    "parallelism",
    "template",
    "ttlSecondsAfterFinished",
];

/// A finding at a path of a document.
pub fn finding(document: &Document, path: &str, sort: Sort, message: &str) -> Finding {
    let text = |pointer: &str| document.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut name = text("/metadata/name");
    if name.is_empty() {
        name = text("/metadata/generateName");
    }
    Finding {
        file: document.file.clone(),
        line: document.before + line_of(&document.text, path),
        kind: text("/kind"),
        name,
        path: path.to_owned(),
        sort,
        message: message.to_owned(),
        fix: String::new(),
    }
}

/// Fields that the object's kind does not know.
pub(super) fn fields(document: &Document, kind: &str) -> Vec<Finding> {
    let found = unknown_fields(kind, &document.value).into_iter();
    found
        .map(|path| {
            let mut finding = finding(document, &path, Sort::UnknownField, "unknown field");
            finding.fix = advice(kind, &path);
            finding
        })
        .collect()
}

fn advice(kind: &str, path: &str) -> String {
    let names: Vec<String> =
        path.split('.').map(|name| name.split('[').next().unwrap_or_default().to_owned()).collect();
    let Some((leaf, parents)) = names.split_last() else { return String::new() };
    let mut known = fields_at(kind, parents);
    if known.is_empty() || parents.iter().any(|name| name == "template") {
        known = POD_FIELDS.iter().map(|&name| name.to_owned()).collect();
    }
    if let Some(meant) = nearest(leaf, known.iter().map(String::as_str)) {
        return format!("did you mean {meant:?}?");
    }
    // A field at the wrong level is as common as a misspelt one.
    let above = (0..parents.len()).rev().filter_map(|length| parents.get(..length));
    for place in above {
        if fields_at(kind, place).contains(leaf) {
            let place = if place.is_empty() { "the top".to_owned() } else { place.join(".") };
            return format!("{leaf:?} is a field of {place}: check the indentation");
        }
    }
    if known.is_empty() || known.len() > MOST_LISTED {
        return "remove it: the API server would drop it, or refuse it".to_owned();
    }
    format!("remove it, or use one of: {}", known.join(", "))
}

/// A kind that is nearly one of ours.
pub(super) fn kind(document: &Document) -> Option<Finding> {
    let text = |name: &str| document.value.get(name).and_then(Value::as_str);
    let (kind, version) = (text("kind")?, text("apiVersion")?);
    if version != API_VERSION || KINDS.contains(&kind) {
        return None;
    }
    let meant = KINDS.iter().find(|known| distance(known, kind) <= NEAR)?;
    let mut finding = finding(document, "kind", Sort::UnknownField, &format!("unknown kind {kind:?}"));
    finding.fix = format!("did you mean {meant:?}?");
    Some(finding)
}
