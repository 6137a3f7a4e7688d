//! The steps of a canary. Field order is the order of Argo's Go struct: the step hash depends on it.

use std::collections::BTreeMap;

use super::intstr::IntOrString;
use super::raw::RawJson;
use super::rollout::{AnalysisRunArgument, DryRun, PodMetadata, RolloutAnalysis};
use super::selector::LabelSelector;
use super::wire::wire;

wire! {
    /// One step: usually exactly one of the fields.
    pub struct CanaryStep {
        /// Percent of the traffic (or of the maximum weight) for the canary.
        pub set_weight: Option<i32>,
        /// Wait, for a time or for a person.
        pub pause: Option<Pause>,
        /// Run an Experiment.
        pub experiment: Option<Box<ExperimentStep>>,
        /// Run an analysis and wait for its verdict.
        pub analysis: Option<Box<RolloutAnalysis>>,
        /// Size the canary apart from its traffic.
        pub set_canary_scale: Option<SetCanaryScale>,
        /// Send requests with certain headers to the canary.
        pub set_header_route: Option<Box<SetHeaderRoute>>,
        /// Copy requests to the canary.
        pub set_mirror_route: Option<Box<SetMirrorRoute>>,
        /// Run a step plugin.
        pub plugin: Option<Box<PluginStep>>,
    }

    /// A pause; without a duration it lasts until a person promotes.
    pub struct Pause {
        /// Seconds, or a Go duration.
        pub duration: Option<IntOrString>,
    }

    /// Size of the canary: at most one of the three.
    pub struct SetCanaryScale {
        /// Percent of `spec.replicas`.
        pub weight: Option<i32>,
        /// Pods.
        pub replicas: Option<i32>,
        /// Back to the size of the traffic weight.
        pub match_traffic_weight: bool,
    }

    /// A header route; without `match` it is removed.
    pub struct SetHeaderRoute {
        /// Name; must be listed in `managedRoutes`.
        pub name: String,
        /// Headers that must match.
        #[serde(rename = "match")]
        pub matches: Vec<HeaderMatch>,
    }

    /// One header that must match.
    pub struct HeaderMatch {
        /// Name of the header.
        pub header_name: String,
        /// Its value.
        pub header_value: Option<StringMatch>,
    }

    /// Exactly one of the three.
    pub struct StringMatch {
        /// The whole text.
        pub exact: String,
        /// Its beginning.
        pub prefix: String,
        /// A regular expression.
        pub regex: String,
    }

    /// A mirror route; without `match` it is removed.
    pub struct SetMirrorRoute {
        /// Name; must be listed in `managedRoutes`.
        pub name: String,
        /// Requests that are copied.
        #[serde(rename = "match")]
        pub matches: Vec<RouteMatch>,
        /// Percent of these; absent counts as 100.
        pub percentage: Option<i32>,
    }

    /// Requests by method, path and headers.
    pub struct RouteMatch {
        /// Method.
        pub method: Option<StringMatch>,
        /// Path.
        pub path: Option<StringMatch>,
        /// Headers.
        pub headers: BTreeMap<String, StringMatch>,
    }

    /// A step plugin.
    pub struct PluginStep {
        /// Name of the plugin.
        pub name: String,
        /// Its configuration.
        pub config: RawJson,
    }

    /// An Experiment run by a step.
    pub struct ExperimentStep {
        /// Pods to run.
        pub templates: Vec<ExperimentStepTemplate>,
        /// How long; absent: until its analyses end.
        pub duration: String,
        /// Analyses to run.
        pub analyses: Vec<ExperimentStepAnalysis>,
        /// Metrics that do not count.
        pub dry_run: Vec<DryRun>,
        /// Metadata of its AnalysisRuns.
        pub analysis_run_metadata: Option<PodMetadata>,
        /// Seconds before its pods are removed; absent counts as 30.
        pub scale_down_delay_seconds: Option<i32>,
    }

    /// Pods of an Experiment.
    pub struct ExperimentStepTemplate {
        /// Name within the Experiment.
        pub name: String,
        /// `canary` or `stable`.
        pub spec_ref: String,
        /// Pods; absent counts as 1.
        pub replicas: Option<i32>,
        /// Merged into the pod template.
        pub metadata: Option<PodMetadata>,
        /// Selector; absent: the Rollout's.
        pub selector: Option<LabelSelector>,
        /// Share of the traffic.
        pub weight: Option<i32>,
        /// A Service in front of the pods.
        pub service: Option<ExperimentService>,
    }

    /// A Service of an Experiment's template.
    pub struct ExperimentService {
        /// Its name; absent: the ReplicaSet's.
        pub name: String,
    }

    /// An analysis of an Experiment.
    pub struct ExperimentStepAnalysis {
        /// Name within the Experiment.
        pub name: String,
        /// The template.
        pub template_name: String,
        /// Whether it is a ClusterAnalysisTemplate.
        pub cluster_scope: bool,
        /// Arguments.
        pub args: Vec<AnalysisRunArgument>,
        /// Whether its success completes the Experiment.
        pub required_for_completion: bool,
    }
}
