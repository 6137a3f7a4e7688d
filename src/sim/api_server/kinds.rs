//! What the server knows of each kind, and the kinds that are there from the start.

use std::sync::Arc;

use serde_json::Value;

pub use super::schema::columns::Column;

/// Whether objects live in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// In the cluster as a whole.
    Cluster,
}

/// How `metadata.generation` moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// One up with every change outside metadata (and outside status, where that is a subresource).
    Counted,
    /// The kind has none: Services, `ConfigMap`s, Leases.
    Absent,
}

/// Who writes `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Only the `/status` subresource; the main resource ignores the field.
    Subresource,
    /// It is a field like any other.
    PlainField,
}

/// A kind as it is registered.
#[derive(Clone, Debug)]
pub struct ResourceDef {
    /// API group; empty for the core group.
    pub group: String,
    /// The one version that is served.
    pub version: String,
    /// Kind, such as `Rollout`.
    pub kind: String,
    /// Plural, as in paths.
    pub plural: String,
    /// Short names for kubectl.
    pub short: Vec<String>,
    /// Categories for kubectl (`all`).
    pub categories: Vec<String>,
    /// Namespaced or not.
    pub scope: Scope,
    /// Whether status is a subresource.
    pub status: Status,
    /// How generation moves.
    pub generation: Generation,
    /// JSON pointer of the label selector (a text in custom kinds, a map in built-in ones), where there is a `scale` subresource.
    pub scale_selector: Option<String>,
    /// Fields that are dropped on every write, as structural pruning does with what a schema does not know.
    pub prunes: Vec<Vec<String>>,
    /// JSON pointer of the number of pods that `scale` shows.
    pub scale_replicas: String,
    /// The `openAPIV3Schema` of a custom kind; without one, objects are stored as they come.
    pub schema: Option<Arc<Value>>,
    /// Printer columns; empty where the server knows better ones.
    pub printed: Vec<Column>,
}

impl ResourceDef {
    /// A namespaced kind with a counted generation and no subresources.
    pub fn new(group: &str, version: &str, kind: &str, plural: &str) -> Self {
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            short: Vec::new(),
            categories: Vec::new(),
            scope: Scope::Namespaced,
            status: Status::PlainField,
            generation: Generation::Counted,
            scale_selector: None,
            prunes: Vec::new(),
            scale_replicas: "/status/replicas".to_owned(),
            schema: None,
            printed: Vec::new(),
        }
    }

    /// Makes the kind cluster-scoped.
    #[must_use]
    pub fn cluster_scoped(mut self) -> Self {
        self.scope = Scope::Cluster;
        self
    }

    /// Gives the kind a `/status` subresource.
    #[must_use]
    pub fn with_status(mut self) -> Self {
        self.status = Status::Subresource;
        self
    }

    /// Gives the kind a `/scale` subresource over `spec.replicas` and `status.replicas`; `selector` is the JSON pointer
    /// of its selector.
    #[must_use]
    pub fn with_scale(mut self, selector: &str) -> Self {
        self.scale_selector = Some(selector.to_owned());
        self
    }

    /// Shows the number at this JSON pointer as the pods of `scale`.
    #[must_use]
    pub fn counting(mut self, pointer: &str) -> Self {
        pointer.clone_into(&mut self.scale_replicas);
        self
    }

    /// Takes the generation away.
    #[must_use]
    pub fn without_generation(mut self) -> Self {
        self.generation = Generation::Absent;
        self
    }

    /// Names kubectl's short forms, and puts the kind into `kubectl get all`.
    #[must_use]
    pub fn short(mut self, names: &[&str]) -> Self {
        self.short = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Puts the kind into kubectl's category `all`.
    #[must_use]
    pub fn in_all(mut self) -> Self {
        self.categories = vec!["all".to_owned()];
        self
    }

    /// Drops the field at a dotted path (`status.siskin`) on every write.
    #[must_use]
    pub fn pruning(mut self, path: &str) -> Self {
        self.prunes.push(path.split('.').map(str::to_owned).collect());
        self
    }

    /// `group/version`, or `version` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The name in messages, and the key of the store: `rollouts.argoproj.io`, `pods`.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// The kind in messages of validation: `Rollout.argoproj.io`, `Pod`.
    pub fn qualified_kind(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}.{}", self.kind, self.group) }
    }

    /// Whether the kind belongs to Kubernetes itself, so that strategic merge patches are allowed.
    pub fn is_built_in(&self) -> bool {
        !self.group.contains('.') || (self.group.ends_with(".k8s.io") && !self.group.starts_with("gateway."))
    }
}

const GATEWAY: &str = "gateway.networking.k8s.io";
const ARGO: &str = "argoproj.io";

/// The kinds that every server starts with: what the controller reads and writes, and what kubectl needs.
pub(crate) fn built_ins() -> Vec<ResourceDef> {
    let new = ResourceDef::new;
    let labels = "/spec/selector/matchLabels";
    vec![
        new("", "v1", "Namespace", "namespaces").cluster_scoped().with_status().without_generation().short(&["ns"]),
        new("", "v1", "Node", "nodes").cluster_scoped().with_status().without_generation().short(&["no"]),
        new("", "v1", "Pod", "pods").with_status().short(&["po"]).in_all(),
        new("", "v1", "Service", "services").with_status().without_generation().short(&["svc"]).in_all(),
        new("", "v1", "Event", "events").without_generation().short(&["ev"]),
        new("", "v1", "Secret", "secrets").without_generation(),
        new("", "v1", "ResourceQuota", "resourcequotas").with_status().without_generation().short(&["quota"]),
        new("", "v1", "ConfigMap", "configmaps").without_generation().short(&["cm"]),
        new("", "v1", "ServiceAccount", "serviceaccounts").without_generation().short(&["sa"]),
        new("apps", "v1", "ReplicaSet", "replicasets").with_status().with_scale(labels).short(&["rs"]).in_all(),
        new("apps", "v1", "Deployment", "deployments").with_status().with_scale(labels).short(&["deploy"]).in_all(),
        new("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets").with_status().short(&["pdb"]),
        new("", "v1", "PodTemplate", "podtemplates"),
        new("batch", "v1", "Job", "jobs").with_status().in_all(),
        new("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
            .with_status()
            .without_generation()
            .short(&["hpa"])
            .in_all(),
        new("networking.k8s.io", "v1", "Ingress", "ingresses").with_status().short(&["ing"]),
        new("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
        new("coordination.k8s.io", "v1", "Lease", "leases").without_generation(),
        new(GATEWAY, "v1", "HTTPRoute", "httproutes").with_status(),
        new(GATEWAY, "v1", "GRPCRoute", "grpcroutes").with_status(),
        new(GATEWAY, "v1alpha2", "TCPRoute", "tcproutes").with_status(),
        new(GATEWAY, "v1alpha2", "TLSRoute", "tlsroutes").with_status(),
        new(GATEWAY, "v1", "Gateway", "gateways").with_status().short(&["gtw"]),
        new(GATEWAY, "v1", "GatewayClass", "gatewayclasses").cluster_scoped().with_status().short(&["gc"]),
        new(ARGO, "v1alpha1", "Rollout", "rollouts")
            .with_status()
            .with_scale("/status/selector")
            .counting("/status/HPAReplicas")
            .short(&["ro"]),
        new(ARGO, "v1alpha1", "AnalysisTemplate", "analysistemplates").short(&["at"]),
        new(ARGO, "v1alpha1", "ClusterAnalysisTemplate", "clusteranalysistemplates").cluster_scoped().short(&["cat"]),
        new(ARGO, "v1alpha1", "AnalysisRun", "analysisruns").short(&["ar"]),
        new(ARGO, "v1alpha1", "Experiment", "experiments").short(&["exp"]),
        new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions")
            .cluster_scoped()
            .with_status()
            .short(&["crd"]),
    ]
}
