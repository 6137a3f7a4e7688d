//! Which fields the API server insists on, and its other rules. Source: api-rollout §0, api-analysis §0.

use serde_json::{Value, json};

use super::structural::ends_with;

/// Required fields by the end of their parent's path.
const REQUIRED: &[(&str, &[&str])] = &[
    ("strategy.blueGreen", &["activeService"]),
    ("preferredDuringSchedulingIgnoredDuringExecution", &["weight"]),
    ("args[]", &["name"]),
    ("fieldRef", &["fieldPath"]),
    ("secretKeyRef", &["key", "name"]),
    ("dryRun[]", &["metricName"]),
    ("measurementRetention[]", &["limit", "metricName"]),
    ("canary.pingPong", &["pingService", "pongService"]),
    ("canary.replicaProgressThreshold", &["type", "value"]),
    ("steps[].experiment", &["templates"]),
    ("analyses[]", &["name", "templateName"]),
    ("experiment.templates[]", &["name", "specRef"]),
    ("steps[].plugin", &["name"]),
    ("setHeaderRoute.match[]", &["headerName", "headerValue"]),
    ("steps[].setMirrorRoute", &["name"]),
    ("trafficRouting.alb", &["servicePort"]),
    ("alb.stickinessConfig", &["durationSeconds", "enabled"]),
    ("trafficRouting.ambassador", &["mappings"]),
    ("apisix.route", &["name"]),
    ("appMesh.virtualNodeGroup", &["canaryVirtualNodeRef", "stableVirtualNodeRef"]),
    ("virtualNodeGroup.canaryVirtualNodeRef", &["name"]),
    ("virtualNodeGroup.stableVirtualNodeRef", &["name"]),
    ("appMesh.virtualService", &["name"]),
    ("istio.destinationRule", &["canarySubsetName", "name", "stableSubsetName"]),
    ("istio.virtualService", &["name"]),
    ("istio.virtualServices[]", &["name"]),
    ("trafficRouting.managedRoutes[]", &["name"]),
    ("trafficRouting.traefik", &["weightedTraefikServiceName"]),
    ("matchExpressions[]", &["key", "operator"]),
    ("metrics[]", &["name", "provider"]),
    ("provider.web", &["url"]),
    ("headers[]", &["key", "value"]),
    ("provider.job", &["spec"]),
    ("provider.newRelic", &["query"]),
    ("provider.cloudWatch", &["metricDataQueries"]),
    (
        "provider.kayenta",
        &[
            "address",
            "application",
            "canaryConfigName",
            "configurationAccountName",
            "metricsAccountName",
            "scopes",
            "storageAccountName",
            "threshold",
        ],
    ),
    ("kayenta.threshold", &["marginal", "pass"]),
    ("kayenta.scopes[]", &["controlScope", "experimentScope", "name"]),
    ("scopes[].controlScope", &["region", "scope", "step"]),
    ("scopes[].experimentScope", &["region", "scope", "step"]),
    ("status.metricResults[]", &["name", "phase"]),
    ("metricResults[].measurements[]", &["phase"]),
    ("status.templateStatuses[]", &["availableReplicas", "name", "readyReplicas", "replicas", "updatedReplicas"]),
    ("status.analysisRuns[]", &["analysisRun", "name", "phase"]),
];

/// Required fields where the same path means something else in another kind.
const REQUIRED_IN: &[(&str, &str, &[&str])] = &[
    ("AnalysisRun", "spec", &["metrics"]),
    ("AnalysisRun", "status", &["phase"]),
    ("Experiment", "spec", &["templates"]),
    ("Experiment", "spec.templates[]", &["name", "selector", "template"]),
];

/// Fields with a closed set of values.
const ENUMS: &[(&str, &[&str])] = &[
    ("datadog.apiVersion", &["v1", "v2"]),
    ("datadog.aggregator", &["avg", "min", "max", "sum", "last", "percentile", "mean", "l2norm", "area"]),
];

/// Adds to one node what is required below it, its closed set of values and its rules.
pub(super) fn place(kind: &str, path: &[String], node: &mut Value) {
    let Some(fields) = node.as_object_mut() else { return };
    if path.is_empty() {
        fields.insert("required".to_owned(), json!(["spec"]));
    }
    let whole = path.join(".");
    let everywhere = REQUIRED.iter().filter(|(pattern, _)| ends_with(path, pattern)).map(|(_, names)| *names);
    let here = REQUIRED_IN.iter().filter(|(of, at, _)| *of == kind && *at == whole).map(|(_, _, names)| *names);
    if let Some(names) = everywhere.chain(here).last() {
        fields.insert("required".to_owned(), json!(names));
    }
    if let Some((_, values)) = ENUMS.iter().find(|(pattern, _)| ends_with(path, pattern)) {
        fields.insert("enum".to_owned(), json!(values));
    }
    if path.last().is_some_and(|name| name == "selector" || name.ends_with("RouteSelector"))
        && fields.get("type") == Some(&json!("object"))
    {
        // Kubernetes' label selectors are replaced as a whole by a server-side apply.
        fields.insert("x-kubernetes-map-type".to_owned(), "atomic".into());
    }
    if kind == "Rollout" && whole == "spec.selector" {
        let rule = json!([{"rule": "self == oldSelf", "message": ".spec.selector is immutable"}]);
        fields.insert("x-kubernetes-validations".to_owned(), rule);
    }
}
