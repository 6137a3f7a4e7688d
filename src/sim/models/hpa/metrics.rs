//! How many replicas a metric asks for.
//!
//! `desired = ceil(current × value / target)`, unless the ratio is within 10 % of 1. Pods without a measurement count
//! as using what they should on the way down, and nothing on the way up; pods that are not ready yet count as using
//! nothing on the way up and are left out on the way down. Example: 3 ready pods at 200 % of the target and 1 not ready:
//! the ratio over 3 is 2, over 4 it is 1.5, so `ceil(1.5 × 4) = 6`.
//! Of CPU a pod counts as not ready until one window of measurements was taken since it is: what it has taken over still
//! stands in the windows of the others, and would be counted twice.
//! Source: Kubernetes' documentation of horizontal pod autoscaling, "Algorithm details".

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::replica_sets::ready_since;
use crate::api::Time;
use crate::sim::object;
use crate::sim::traffic::Loads;
use crate::sim::traffic::loads::WINDOW;

/// Kubernetes: `--horizontal-pod-autoscaler-tolerance`.
const TOLERANCE: f64 = 0.1;
/// The pods metric that the model's users make.
pub const REQUESTS: &str = "http_requests_per_second";

/// What there is to measure.
pub(crate) struct Seen<'a> {
    pub pods: &'a [Arc<Value>],
    pub loads: &'a Loads,
    pub external: &'a BTreeMap<String, f64>,
    /// `spec.replicas` of the scale.
    pub current: i64,
    /// `status.replicas` of the scale.
    pub there: i64,
    pub now: Time,
}

/// What one metric asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Proposal {
    pub replicas: i64,
    pub metric: String,
    /// The entry of `status.currentMetrics`.
    pub shown: Value,
}

/// A metric that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub reason: &'static str,
    pub message: String,
}

/// What one entry of `spec.metrics` asks for.
pub(crate) fn propose(metric: &Value, seen: &Seen<'_>) -> Result<Proposal, Missing> {
    match object::text(metric, "/type") {
        "Resource" => resource(metric, seen),
        "Pods" => per_pod(metric, seen),
        "External" => external(metric, seen),
        other => Err(Missing {
            reason: "InvalidMetricSourceType",
            message: format!("metrics of type {other:?} are not modelled: use Resource, Pods or External"),
        }),
    }
}

fn resource(metric: &Value, seen: &Seen<'_>) -> Result<Proposal, Missing> {
    let failed = |message: String| Missing { reason: "FailedGetResourceMetric", message };
    let name = object::text(metric, "/resource/name");
    if name != "cpu" {
        return Err(failed(format!("the model measures cpu, not {name:?}")));
    }
    let mut pods = Vec::new();
    for pod in counted(seen) {
        let request = cpu_request(pod)
            .ok_or_else(|| failed(format!("missing request for cpu in a container of Pod {}", object::name(pod))))?;
        // A pod that serves what it is able to uses all of what it has requested.
        let usage = seen.loads.use_of(pod, seen.now).map(|share| share * request);
        pods.push(Sample { usage, request, is_ready: is_measured(pod, seen.now) });
    }
    let target = metric.pointer("/resource/target").unwrap_or(&Value::Null);
    let (is_share, wanted) = match number(target, "averageUtilization") {
        Some(percent) => (true, percent / 100.0),
        None => (false, milli(target.get("averageValue")).ok_or_else(|| failed("the target has no value".to_owned()))?),
    };
    if !is_share {
        for pod in &mut pods {
            pod.request = 1.0;
        }
    }
    let (replicas, ratio) = ask(&pods, wanted, seen.current).ok_or_else(|| {
        failed("unable to get metrics for resource cpu: no metrics returned from the pods".to_owned())
    })?;
    let value = ratio * wanted;
    let current = if is_share {
        json!({ "averageUtilization": rounded(value * 100.0) })
    } else {
        json!({ "averageValue": format!("{}m", rounded(value)) })
    };
    let shown = json!({ "type": "Resource", "resource": { "name": name, "current": current } });
    Ok(Proposal { replicas, metric: "cpu resource utilization (percentage of request)".to_owned(), shown })
}

fn per_pod(metric: &Value, seen: &Seen<'_>) -> Result<Proposal, Missing> {
    let name = object::text(metric, "/pods/metric/name");
    let failed = |message: String| Missing { reason: "FailedGetPodsMetric", message };
    if name != REQUESTS {
        return Err(failed(format!("pods have no metric {name:?}: the model knows {REQUESTS}")));
    }
    let wanted =
        milli(metric.pointer("/pods/target/averageValue")).ok_or_else(|| failed("no averageValue".to_owned()))?;
    let sample = |pod: &Arc<Value>| Sample {
        usage: seen.loads.rate_of(pod, seen.now).map(|rate| rate * 1000.0),
        request: 1.0,
        is_ready: ready_since(pod).is_some(),
    };
    let pods: Vec<Sample> = counted(seen).map(sample).collect();
    let (replicas, ratio) = ask(&pods, wanted, seen.current).ok_or_else(|| failed(format!("no pod has {name}")))?;
    let current = json!({ "averageValue": format!("{}m", rounded(ratio * wanted)) });
    let shown = json!({ "type": "Pods", "pods": { "metric": { "name": name }, "current": current } });
    Ok(Proposal { replicas, metric: format!("pods metric {name}"), shown })
}

fn external(metric: &Value, seen: &Seen<'_>) -> Result<Proposal, Missing> {
    let name = object::text(metric, "/external/metric/name");
    let failed = |message: String| Missing { reason: "FailedGetExternalMetric", message };
    let value = seen.external.get(name).copied().ok_or_else(|| failed(format!("no external metric {name:?}")))?;
    let target = metric.pointer("/external/target").unwrap_or(&Value::Null);
    let quantity = |field: &str| milli(target.get(field)).map(|milli| milli / 1000.0).filter(|value| *value > 0.0);
    let (replicas, current) = if let Some(average) = quantity("averageValue") {
        // Of the pods that are there, not of those that are asked for; within the tolerance they are what is asked for.
        // Kubernetes: `GetExternalPerPodMetricReplicas`.
        let ratio = value / (average * real(seen.there));
        let shown = json!({ "averageValue": format!("{}m", rounded(value * 1000.0 / real(seen.there))) });
        (if is_tolerable(ratio) { seen.there } else { up(value / average) }, shown)
    } else {
        let ratio = value / quantity("value").ok_or_else(|| failed("the target has no value".to_owned()))?;
        let ready = counted(seen).filter(|pod| ready_since(pod).is_some()).count();
        let shown = json!({ "value": format!("{}m", rounded(value * 1000.0)) });
        (if is_tolerable(ratio) { seen.current } else { up(ratio * real(count(ready))) }, shown)
    };
    let shown = json!({ "type": "External", "external": { "metric": { "name": name }, "current": current } });
    Ok(Proposal { replicas, metric: format!("external metric {name}"), shown })
}

/// Whether a whole window was measured since the pod is ready.
fn is_measured(pod: &Value, now: Time) -> bool {
    ready_since(pod).is_some_and(|since| since + WINDOW <= now)
}

/// The pods that count: those on their way out, or at their end, do not.
fn counted<'a>(seen: &Seen<'a>) -> impl Iterator<Item = &'a Arc<Value>> {
    seen.pods.iter().filter(|pod| !object::is_terminating(pod) && object::text(pod, "/status/phase") != "Failed")
}

struct Sample {
    usage: Option<f64>,
    request: f64,
    is_ready: bool,
}

/// The replicas that the samples ask for, and the ratio of the value to the target over the ready ones.
fn ask(pods: &[Sample], target: f64, current: i64) -> Option<(i64, f64)> {
    let ratio = |pods: &[(f64, f64)]| {
        let (usage, request) = pods.iter().fold((0.0, 0.0), |sum, pod| (sum.0 + pod.0, sum.1 + pod.1));
        usage / (request * target)
    };
    let plain = |share: f64| move |pod: &Sample| (pod.request * share, pod.request);
    // A value per pod is an average over pods, each of which counts as one.
    let measured: Vec<(f64, f64)> =
        pods.iter().filter(|pod| pod.is_ready).filter_map(|pod| Some((pod.usage?, pod.request))).collect();
    if measured.is_empty() {
        return None;
    }
    let first = ratio(&measured);
    let unready = pods.iter().filter(|pod| !pod.is_ready);
    let missing: Vec<&Sample> = pods.iter().filter(|pod| pod.is_ready && pod.usage.is_none()).collect();
    let has_unready = unready.clone().next().is_some();
    if missing.is_empty() && !(has_unready && first > 1.0) {
        let wanted = if is_tolerable(first) { current } else { up(first * real(count(measured.len()))) };
        return Some((wanted, first));
    }
    let mut all = measured;
    if first < 1.0 {
        all.extend(missing.into_iter().map(plain(target.max(1.0))));
    } else {
        all.extend(missing.into_iter().map(plain(0.0)));
        all.extend(unready.map(plain(0.0)));
    }
    let second = ratio(&all);
    let wanted = up(second * real(count(all.len())));
    let turned = (first < 1.0) != (second < 1.0);
    let backwards = (second < 1.0 && wanted > current) || (second > 1.0 && wanted < current);
    Some((if is_tolerable(second) || turned || backwards { current } else { wanted }, first))
}

fn is_tolerable(ratio: f64) -> bool {
    // Ratios come from divided decimals: what is meant to stand on the edge stands within it.
    (1.0 - ratio).abs() <= TOLERANCE + 1e-9
}

fn count(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

#[allow(clippy::cast_precision_loss, reason = "numbers of pods")]
fn real(number: i64) -> f64 {
    number as f64
}

#[allow(clippy::cast_possible_truncation, reason = "clamped before the cast")]
fn up(number: f64) -> i64 {
    if number.is_finite() { (number - 1e-9).ceil().clamp(0.0, 1e9) as i64 } else { 0 }
}

#[allow(clippy::cast_possible_truncation, reason = "clamped before the cast")]
fn rounded(number: f64) -> i64 {
    if number.is_finite() { number.round().clamp(0.0, 1e15) as i64 } else { 0 }
}

fn number(value: &Value, field: &str) -> Option<f64> {
    value.get(field).and_then(Value::as_f64)
}

/// A quantity in thousandths.
fn milli(value: Option<&Value>) -> Option<f64> {
    let value = value?;
    let Some(text) = value.as_str() else { return value.as_f64().map(|number| number * 1000.0) };
    match text.strip_suffix('m') {
        Some(milli) => milli.parse().ok(),
        None => match text.strip_suffix('k') {
            Some(thousands) => thousands.parse::<f64>().ok().map(|number| number * 1e6),
            None => text.parse::<f64>().ok().map(|number| number * 1000.0),
        },
    }
}

/// The CPU that a pod's containers request, in thousandths; none where one requests nothing.
fn cpu_request(pod: &Value) -> Option<f64> {
    let containers = object::list(pod, "/spec/containers").iter();
    containers.map(|container| milli(container.pointer("/resources/requests/cpu"))).sum()
}
