//! Labels, annotations and object names of the contract. Source: the wire contract, sections 1, 2 and 8.

/// Label, selector key and Service selector key: the hash of a revision's pod template.
pub const POD_HASH: &str = "rollouts-pod-template-hash";
/// Label: which controller instance an object belongs to.
pub const INSTANCE_ID: &str = "argo-rollouts.argoproj.io/controller-instance-id";
/// Label on AnalysisRuns: `Step`, `Background`, `PrePromotion` or `PostPromotion`.
pub const ROLLOUT_TYPE: &str = "rollout-type";
/// Label on a step's AnalysisRun: the index of the step.
pub const STEP_INDEX: &str = "step-index";
/// Annotation on Rollouts, ReplicaSets and AnalysisRuns: the revision number.
pub const REVISION: &str = "rollout.argoproj.io/revision";
/// Annotation on ReplicaSets: former revision numbers.
pub const REVISION_HISTORY: &str = "rollout.argoproj.io/revision-history";
/// Annotation on ReplicaSets: `spec.replicas` of the Rollout at the last scaling.
pub const DESIRED_REPLICAS: &str = "rollout.argoproj.io/desired-replicas";
/// Annotation on Rollouts: generation of the referenced workload.
pub const WORKLOAD_GENERATION: &str = "rollout.argoproj.io/workload-generation";
/// Annotation on a Deployment that a Rollout takes its template from: pods that it had before Siskin drained it.
/// Siskin's own; the number to scale it to when it is to serve again.
pub const DRAINED_FROM: &str = "siskin.dev/drained-from";
/// Annotation on ReplicaSets: a digest of the template that they were made for. Siskin's own; it tells an edited template
/// from the one that the pods run.
pub const MADE_FOR: &str = "siskin.dev/made-for";
/// Annotation on a Deployment that Siskin has drained: the Rollout whose pods replace its own. Siskin's own; when that
/// Rollout is deleted, the Deployment gets its pods back.
pub const DRAINED_BY: &str = "siskin.dev/drained-by";
/// Annotation on ReplicaSets: metadata put on their pods.
pub const EPHEMERAL_METADATA: &str = "rollout.argoproj.io/ephemeral-metadata";
/// Annotation on ReplicaSets: when they are scaled down (RFC 3339, UTC).
pub const SCALE_DOWN_DEADLINE: &str = "scale-down-deadline";
/// Annotation on Services: the Rollout that switches the selector.
pub const MANAGED_BY: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";
/// Annotation on an Experiment's ReplicaSets.
pub const EXPERIMENT_NAME: &str = "experiment.argoproj.io/name";
/// Annotation of `kubectl apply`; never copied to ReplicaSets.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Annotation of the notification engine; never copied to ReplicaSets.
pub const NOTIFIED: &str = "notified.notifications.argoproj.io";
/// Label that EndpointSlices carry: their Service.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// Label on routes while a canary has weight.
pub const GATEWAY_IN_PROGRESS: &str = "rollouts.argoproj.io/gatewayapi-canary";
/// Who our writes are recorded as, and the source of our events. Argo's name, which clients filter by.
pub const COMPONENT: &str = "rollouts-controller";
/// Name of the leader-election Lease; an instance id is appended after a dash.
pub const LEASE: &str = "argo-rollouts-controller-lock";
/// Group and version of our kinds.
pub const API_VERSION: &str = "argoproj.io/v1alpha1";
