//! `Rollout`'s status: the record that decisions rest on.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::intstr::IntOrString;
use super::raw::RawJson;
use super::time::Time;
use super::wire::{Omit, Written, wire};

wire! {
    /// What is, and what has been decided.
    pub struct RolloutStatus {
        /// Whether the update is aborted; set by users and by the controller.
        pub abort: bool,
        /// When the abort was first seen.
        pub aborted_at: Option<Time>,
        /// Why the update pauses.
        pub pause_conditions: Vec<PauseCondition>,
        /// Set while the controller has paused; with no condition left, a person has resumed.
        pub controller_pause: bool,
        /// Hash of the new revision.
        pub current_pod_hash: String,
        /// Hash of the steps.
        pub current_step_hash: String,
        /// Index of the current step; the number of steps when all are done.
        pub current_step_index: Option<i32>,
        /// Hash of the revision that was promoted last.
        #[serde(rename = "stableRS")]
        pub stable_rs: String,
        /// Pods of all revisions.
        pub replicas: i32,
        /// Pods of the new revision.
        pub updated_replicas: i32,
        /// Ready pods.
        pub ready_replicas: i32,
        /// Available pods.
        pub available_replicas: i32,
        /// Pods as autoscalers see them.
        #[serde(rename = "HPAReplicas")]
        pub hpa_replicas: i32,
        /// Selector as autoscalers see it.
        pub selector: String,
        /// Collisions of ReplicaSet names so far.
        pub collision_count: Option<i32>,
        /// Generation that this status is about; a decimal text (or a number with `--kstatus`).
        pub observed_generation: ObservedGeneration,
        /// Generation of the referenced workload.
        pub workload_observed_generation: String,
        /// Restart that is complete.
        pub restarted_at: Option<Time>,
        /// Skip all that is left.
        pub promote_full: bool,
        /// `Healthy`, `Degraded`, `Progressing` or `Paused`.
        pub phase: String,
        /// Why.
        pub message: String,
        /// Conditions, in order of their last change.
        pub conditions: Vec<RolloutCondition>,
        /// AWS target groups, single ingress.
        pub alb: Option<RawJson>,
        /// AWS target groups, several ingresses.
        pub albs: Option<RawList>,
        /// Durations of the attempt.
        pub duration: Option<RolloutDuration>,
        /// Canary's part.
        pub canary: CanaryStatus,
        /// Blue-green's part.
        pub blue_green: BlueGreenStatus,
        /// Siskin's own bookkeeping; never needed to be safe.
        pub siskin: Option<SiskinStatus>,
    }

    /// A reason to pause.
    pub struct PauseCondition {
        /// `CanaryPauseStep`, `BlueGreenPause`, `InconclusiveAnalysisRun` or `InconclusiveExperiment`.
        pub reason: String,
        /// Since when.
        pub start_time: Option<Time>,
    }

    /// A condition.
    pub struct RolloutCondition {
        /// Type.
        #[serde(rename = "type")]
        pub kind: String,
        /// `True`, `False` or `Unknown`.
        pub status: String,
        /// When it was last written.
        pub last_update_time: Option<Time>,
        /// When its status last changed.
        pub last_transition_time: Option<Time>,
        /// Reason, in CamelCase.
        pub reason: String,
        /// Message for people.
        pub message: String,
    }

    /// When the attempt began, how long people paused it, how it ended.
    pub struct RolloutDuration {
        /// Start of the attempt.
        pub rollout_started_at: Option<Time>,
        /// Start of a manual pause that goes on.
        pub manual_pause_started_at: Option<Time>,
        /// Seconds of manual pauses so far.
        pub total_manual_pause_duration_seconds: i64,
        /// End of the attempt.
        pub finished_at: Option<Time>,
        /// How it ended.
        pub completion_status: String,
    }

    /// Canary's part of the status.
    pub struct CanaryStatus {
        /// Weights that were set last; absent without a router.
        pub weights: Option<TrafficWeights>,
        /// Run of the current step.
        pub current_step_analysis_run_status: Option<RunStatus>,
        /// Background run.
        pub current_background_analysis_run_status: Option<RunStatus>,
        /// Experiment of the current step.
        pub current_experiment: String,
        /// `ping` or `pong`: which of the two is stable.
        pub stable_ping_pong: String,
        /// Step plugins.
        pub step_plugin_statuses: Vec<RawJson>,
    }

    /// Blue-green's part of the status.
    pub struct BlueGreenStatus {
        /// Revision behind the preview Service.
        pub preview_selector: String,
        /// Revision behind the active Service.
        pub active_selector: String,
        /// Whether the preview may grow to full size.
        pub scale_up_preview_check_point: bool,
        /// Run before promotion.
        pub pre_promotion_analysis_run_status: Option<RunStatus>,
        /// Run after the switch.
        pub post_promotion_analysis_run_status: Option<RunStatus>,
    }

    /// An AnalysisRun as the Rollout sees it.
    pub struct RunStatus {
        /// Name of the run.
        pub name: String,
        /// Its phase.
        pub status: String,
        /// Its message.
        pub message: String,
    }

    /// Traffic by destination.
    pub struct TrafficWeights {
        /// The canary.
        pub canary: WeightDestination,
        /// The stable revision.
        pub stable: WeightDestination,
        /// Experiments.
        pub additional: Vec<WeightDestination>,
        /// Whether the data plane has taken the weights; absent: nobody can say.
        pub verified: Option<bool>,
    }

    /// One destination of traffic.
    pub struct WeightDestination {
        /// Its weight.
        pub weight: Written<i32>,
        /// Service.
        pub service_name: String,
        /// Revision.
        pub pod_template_hash: String,
    }

    /// Siskin's own part of the status.
    pub struct SiskinStatus {
        /// What the update waits for.
        pub blockers: Vec<BlockerStatus>,
        /// Route generations and what the data plane said of them.
        pub routes: Vec<RouteStatus>,
        /// The most new pods that there were at once in this attempt: progress is a new maximum.
        pub available_high_water: Option<HighWater>,
    }

    /// Something that the update waits for.
    pub struct BlockerStatus {
        /// What kind of thing, in CamelCase.
        pub code: String,
        /// The object concerned, `Kind/name`.
        pub object: String,
        /// Since when.
        pub since: Option<Time>,
        /// What is missing.
        pub message: String,
        /// What a person can do.
        pub remedy: String,
    }

    /// A route as Siskin wrote it and as the data plane answered.
    pub struct RouteStatus {
        /// `Kind/namespace/name`.
        pub route: String,
        /// Generation of the route.
        pub generation: i64,
        /// Weight of the canary in it.
        pub canary_weight: i32,
        /// The canary Service then.
        pub canary_service: String,
        /// Revision behind the canary Service with it.
        pub pod_template_hash: String,
        /// Revision behind the stable Service with it.
        pub stable_pod_template_hash: String,
        /// Since when every parent has accepted this generation and endpoints were observed.
        pub settled_since: Option<Time>,
        /// Weights before it that some proxy may still use, oldest first; empty where that is not known.
        pub earlier: Vec<EarlierWeight>,
    }

    /// A weight that a route had before.
    pub struct EarlierWeight {
        /// Generation of the route.
        pub generation: i64,
        /// Weight of the canary.
        pub canary_weight: i32,
        /// Whether managed routes led to the canary as well.
        pub managed_routes: bool,
        /// The canary Service then.
        pub canary_service: String,
        /// Revision behind the canary Service.
        pub pod_template_hash: String,
        /// Revision behind the stable Service.
        pub stable_pod_template_hash: String,
    }

    /// The most pods that one revision had at once.
    pub struct HighWater {
        /// The revision.
        pub pod_template_hash: String,
        /// Pods.
        pub updated: i32,
        /// Available pods.
        pub available: i32,
    }
}

/// A JSON list kept raw.
pub type RawList = Vec<RawJson>;

impl Omit for RolloutStatus {
    fn omit(&self) -> bool {
        *self == Self::default()
    }
}
impl Omit for CanaryStatus {
    fn omit(&self) -> bool {
        *self == Self::default()
    }
}
impl Omit for BlueGreenStatus {
    fn omit(&self) -> bool {
        *self == Self::default()
    }
}
impl Omit for WeightDestination {
    fn omit(&self) -> bool {
        false
    }
}

/// A generation: a decimal text, as Argo writes it, or a number (the dialect of kstatus). Both are read.
///
/// Two that say the same are equal, however they are written.
#[derive(Clone, Debug, Default)]
pub struct ObservedGeneration {
    text: String,
    is_number: bool,
}

impl ObservedGeneration {
    /// A generation as a text.
    pub fn of(generation: i64) -> Self {
        Self { text: generation.to_string(), is_number: false }
    }

    /// A generation as a number.
    pub fn number(generation: i64) -> Self {
        Self { text: generation.to_string(), is_number: true }
    }
}

impl PartialEq for ObservedGeneration {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ObservedGeneration {}

impl std::ops::Deref for ObservedGeneration {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl PartialEq<String> for ObservedGeneration {
    fn eq(&self, other: &String) -> bool {
        self.text == *other
    }
}

impl std::fmt::Display for ObservedGeneration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Omit for ObservedGeneration {
    fn omit(&self) -> bool {
        self.text.is_empty()
    }
}

impl<'de> Deserialize<'de> for ObservedGeneration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Self { text, is_number: false },
            serde_json::Value::Number(number) => Self { text: number.to_string(), is_number: true },
            _ => Self::default(),
        })
    }
}

impl Serialize for ObservedGeneration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text.parse::<i64>() {
            Ok(number) if self.is_number => serializer.serialize_i64(number),
            _ => serializer.serialize_str(&self.text),
        }
    }
}

impl JsonSchema for ObservedGeneration {
    fn schema_name() -> Cow<'static, str> {
        IntOrString::schema_name()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        IntOrString::json_schema(generator)
    }
}

impl RolloutStatus {
    /// The condition of a type, if there is one.
    pub fn condition(&self, kind: &str) -> Option<&RolloutCondition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// The pause condition with a reason, if there is one.
    pub fn pause(&self, reason: &str) -> Option<&PauseCondition> {
        self.pause_conditions.iter().find(|pause| pause.reason == reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_generation_is_written_as_it_was_read() {
        for (value, text) in [(json!("7"), "7"), (json!(7), "7"), (json!("odd"), "odd")] {
            let read = ObservedGeneration::deserialize(&value).unwrap();
            assert_eq!((&*read, serde_json::to_value(&read).unwrap()), (text, value));
        }
        assert_eq!(ObservedGeneration::of(7), ObservedGeneration::number(7));
        assert_eq!(serde_json::to_value(ObservedGeneration::number(7)).unwrap(), json!(7));
    }
}
