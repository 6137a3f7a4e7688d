//! What the files say, apart from analyses.

use std::time::Duration;

use serde_json::Value;

use super::at;
use crate::rollout::defaults;
use crate::sim::object;
use crate::simulate::input::Input;
use crate::simulate::report::Warning;
use crate::simulate::text::span;

/// Annotations with attributes of a load balancer's target group.
const ATTRIBUTES: [&str; 2] = [
    "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes",
    "alb.ingress.kubernetes.io/target-group-attributes",
];
/// The attribute: seconds for which a target that is taken out still gets the requests of open connections.
const DELAY: &str = "deregistration_delay.timeout_seconds=";

pub(super) fn all(input: &Input) -> Vec<Warning> {
    let mut found = deregistration(input);
    found.extend(readiness(input));
    found
}

/// Old pods that go before the load balancer has let go of them.
fn deregistration(input: &Input) -> Vec<Warning> {
    let delay = defaults::scale_down_delay(&input.read);
    let mut found = Vec::new();
    for document in &input.documents {
        for key in ATTRIBUTES {
            let Some(drains) = object::annotation(&document.value, key).and_then(seconds) else { continue };
            if drains <= delay {
                continue;
            }
            let text = format!(
                "scale-down starts {} before the load balancer's deregistration delay ends: pods of the old version go {} after \
                 they have lost their traffic, and the balancer drains for {} (raise scaleDownDelaySeconds)",
                span(drains.saturating_sub(delay)),
                span(delay),
                span(drains)
            );
            let path = format!("metadata.annotations[{key}]");
            found.push(at((document, &path), "ScaleDownBeforeDrain", text));
        }
    }
    found
}

fn seconds(attributes: &str) -> Option<Duration> {
    let attribute = attributes.split(',').find_map(|part| part.trim().strip_prefix(DELAY))?;
    attribute.parse().ok().map(Duration::from_secs)
}

/// Pods that count as ready as soon as they run.
fn readiness(input: &Input) -> Option<Warning> {
    let template = |value: &Value| -> Vec<Value> { object::list(value, "/spec/template/spec/containers").to_vec() };
    let containers = input.release.workload.as_ref().map_or_else(|| template(&input.rollout), template);
    let blind = !containers.is_empty() && containers.iter().all(|container| container.get("readinessProbe").is_none());
    let text = "no container has a readinessProbe: pods count as ready, and get traffic, as soon as they have started";
    let path = "spec.template.spec.containers";
    (blind && input.read.spec.min_ready_seconds == 0).then(|| at((&input.document, path), "NoReadinessProbe", text))
}
