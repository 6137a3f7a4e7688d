//! Rules of the controller as CEL, for clusters that refuse a bad Rollout where it is applied.
//!
//! Not in the definitions by default: those accept whatever Argo's accept, and the controller answers with `InvalidSpec`.
//! Each rule refuses only what the controller refuses too, in its words, with one exception: the list of steps is bounded
//! (`MAX_STEPS`), since the API server multiplies the cost of a rule on each step by the longest list. What CEL cannot
//! say within that budget stays with the controller. Source: contract, api-rollout §1.

use serde_json::{Value, json};

use super::routers::ROUTERS;

/// Path below the schema, rule, message.
const RULES: &[(&str, &str, &str)] = &[
    ("spec", "!has(self.replicas) || self.replicas >= 0", "spec.replicas: must be greater than or equal to 0"),
    (
        "spec",
        "!has(self.minReadySeconds) || self.minReadySeconds >= 0",
        "spec.minReadySeconds: must be greater than or equal to 0",
    ),
    (
        "spec",
        "!has(self.revisionHistoryLimit) || self.revisionHistoryLimit >= 0",
        "spec.revisionHistoryLimit: must be greater than or equal to 0",
    ),
    (
        "spec",
        "(has(self.progressDeadlineSeconds) ? self.progressDeadlineSeconds : 600) > \
         (has(self.minReadySeconds) ? self.minReadySeconds : 0)",
        "spec.progressDeadlineSeconds: must be greater than minReadySeconds",
    ),
    (
        "spec",
        "has(self.selector) || has(self.workloadRef)",
        "spec.selector: Rollout has missing field '.spec.selector'",
    ),
    (
        "spec",
        "has(self.strategy) && (has(self.strategy.canary) || has(self.strategy.blueGreen))",
        "Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'",
    ),
    ("spec.strategy", "!(has(self.canary) && has(self.blueGreen))", "Multiple Strategies can not be listed"),
    (
        "spec.strategy.blueGreen",
        "!has(self.previewService) || self.activeService != self.previewService",
        "This rollout uses the same service for the active and preview services, but two different services are \
         required.",
    ),
    (
        "spec.strategy.canary",
        "!has(self.canaryService) || !has(self.stableService) || self.canaryService == '' || \
         self.canaryService != self.stableService",
        "This rollout uses the same service for the stable and canary services, but two different services are \
         required.",
    ),
    (
        "spec.strategy.canary",
        "!(has(self.maxSurge) && (self.maxSurge == 0 || self.maxSurge == '0' || self.maxSurge == '0%') && \
         has(self.maxUnavailable) && \
         (self.maxUnavailable == 0 || self.maxUnavailable == '0' || self.maxUnavailable == '0%'))",
        "MaxSurge and MaxUnavailable both can not be zero",
    ),
    (
        "spec.strategy.canary",
        "!has(self.steps) || self.steps.all(step, !has(step.setWeight) || (step.setWeight >= 0 && step.setWeight <= \
         (has(self.trafficRouting) && has(self.trafficRouting.maxTrafficWeight) ? self.trafficRouting.maxTrafficWeight : \
         100)))",
        "steps: SetWeight needs to be between 0 and maxTrafficWeight, or 100",
    ),
    (
        "spec.strategy.canary",
        "!has(self.steps) || has(self.trafficRouting) || !self.steps.exists(step, has(step.setCanaryScale))",
        "SetCanaryScale requires TrafficRouting to be set",
    ),
    (
        "spec.strategy.canary",
        "!has(self.steps) || self.steps.all(step, (has(step.setWeight) ? 1 : 0) + (has(step.pause) ? 1 : 0) + \
         (has(step.experiment) ? 1 : 0) + (has(step.analysis) ? 1 : 0) <= 1)",
        "steps: a step has one of setWeight, pause, experiment and analysis",
    ),
];

/// Steps of a canary. The API server bounds what a rule may cost by what a list may hold.
const MAX_STEPS: usize = 500;
const STEPS: &str = "/properties/spec/properties/strategy/properties/canary/properties/steps";

/// Exactly one sort, with a weight that counts: in both strategies.
const ANTI_AFFINITY: (&str, &str) = (
    "has(self.preferredDuringSchedulingIgnoredDuringExecution) != \
     has(self.requiredDuringSchedulingIgnoredDuringExecution) && \
     (!has(self.preferredDuringSchedulingIgnoredDuringExecution) || \
     (self.preferredDuringSchedulingIgnoredDuringExecution.weight >= 1 && \
     self.preferredDuringSchedulingIgnoredDuringExecution.weight <= 100))",
    "AntiAffinity must have exactly one strategy listed, with a weight between 1 and 100",
);

/// All rules, with the path of the node that each is about.
fn rules() -> Vec<(String, String, String)> {
    let text =
        |(path, rule, message): &(&str, &str, &str)| ((*path).to_owned(), (*rule).to_owned(), (*message).to_owned());
    let mut rules: Vec<_> = RULES.iter().map(text).collect();
    let (rule, message) = ANTI_AFFINITY;
    for strategy in ["canary", "blueGreen"] {
        rules.push((format!("spec.strategy.{strategy}.antiAffinity"), rule.to_owned(), message.to_owned()));
    }
    let routers: Vec<String> =
        ROUTERS.iter().map(|(name, _)| *name).chain(["plugins"]).map(|router| format!("has(self.{router})")).collect();
    let message = "no router is configured: name one, or remove trafficRouting";
    rules.push(("spec.strategy.canary.trafficRouting".to_owned(), routers.join(" || "), message.to_owned()));
    rules
}

/// Adds the rules to the definition of Rollouts; others have none.
pub(super) fn add(crd: &mut Value) {
    if crd.pointer("/spec/names/kind").is_none_or(|kind| kind != "Rollout") {
        return;
    }
    let Some(schema) = crd.pointer_mut("/spec/versions/0/schema/openAPIV3Schema") else { return };
    if let Some(steps) = schema.pointer_mut(STEPS) {
        steps["maxItems"] = json!(MAX_STEPS);
    }
    for (path, rule, message) in rules() {
        let pointer = format!("/properties/{}", path.replace('.', "/properties/"));
        let Some(node) = schema.pointer_mut(&pointer).and_then(Value::as_object_mut) else { continue };
        let rules = node.entry("x-kubernetes-validations").or_insert_with(|| json!([]));
        if let Some(rules) = rules.as_array_mut() {
            rules.push(json!({"rule": rule, "message": message}));
        }
    }
}

#[cfg(test)]
mod tests;
