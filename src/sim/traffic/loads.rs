//! How busy each pod is: what it can serve, how long it takes, and what a `HorizontalPodAutoscaler` measures.
//!
//! Only pods with the annotation [`CAPACITY`] have a gauge; the others serve whatever comes, at no cost.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::Value;

use super::flow::PodFacts;
use crate::api::Time;
use crate::sim::object;

/// Requests per second that a pod can serve, with a fraction; what is beyond is lost as overload. Serving so many, it
/// uses all of the CPU that it has requested.
pub const CAPACITY: &str = "sim.siskin.dev/capacity";
/// Seconds that an idle pod takes for an answer, with a fraction.
pub const LATENCY: &str = "sim.siskin.dev/latency";

/// A pod's requests are averaged over this.
pub(crate) const WINDOW: Duration = Duration::from_secs(15);
/// One piece of the window.
const BUCKET: Duration = Duration::from_secs(1);
/// A pod can serve this many seconds' worth of requests at once.
const BURST: f64 = 1.0;
/// The longest answer, in idle answers.
const SLOWEST: f64 = 20.0;

#[derive(Debug)]
struct Gauge {
    tokens: f64,
    filled: Time,
    met: Time,
    buckets: VecDeque<(Time, u64)>,
}

/// The gauges of all pods that have one.
#[derive(Debug, Default)]
pub struct Loads {
    pods: BTreeMap<String, Gauge>,
}

/// The number in an annotation, if it is one above 0.
pub(crate) fn positive(pod: &Value, annotation: &str) -> Option<f64> {
    let number = object::annotation(pod, annotation)?.trim_end_matches('s').parse::<f64>().ok()?;
    (number.is_finite() && number > 0.0).then_some(number)
}

impl Loads {
    /// Lets one request in; false where the pod is at its limit.
    pub(crate) fn admit(&mut self, pod: &PodFacts, now: Time) -> bool {
        let Some(capacity) = pod.capacity else { return true };
        let most = (capacity * BURST).max(1.0);
        let gauge = self.pods.entry(pod.uid.clone()).or_insert_with(|| Gauge::full(most, now));
        gauge.tokens = (gauge.tokens + now.since(gauge.filled).as_secs_f64() * capacity).min(most);
        gauge.filled = now;
        if gauge.tokens < 1.0 {
            // Work that is refused still shows that more was asked for than could be done.
            gauge.count(1, now);
            return false;
        }
        gauge.tokens -= 1.0;
        gauge.count(1, now);
        true
    }

    /// Lets as many of `count` requests in as the pod can serve, which came evenly within the last `span`.
    pub(crate) fn admit_many(&mut self, pod: &PodFacts, count: u64, (now, span): (Time, Duration)) -> u64 {
        let Some(capacity) = pod.capacity else { return count };
        let most = (capacity * BURST).max(1.0);
        let gauge = self.pods.entry(pod.uid.clone()).or_insert_with(|| Gauge::full(most, now - span));
        let room = gauge.tokens + now.since(gauge.filled).as_secs_f64() * capacity;
        let admitted = count.min(whole(room));
        gauge.tokens = (room - real(admitted)).min(most);
        gauge.filled = now;
        gauge.count(count, now);
        admitted
    }

    /// Seconds that the pod takes for one answer now; none where it says nothing of it. As in a queue with one
    /// server: the idle time divided by what is left of the capacity.
    pub(crate) fn latency(&self, pod: &PodFacts, now: Time, chance: f64) -> Option<f64> {
        let idle = pod.latency?;
        let share =
            pod.capacity.zip(self.pods.get(&pod.uid)).map_or(0.0, |(capacity, gauge)| gauge.rate(now) / capacity);
        // Around the mean by chance: half of it at least, one and a half at most.
        Some(idle * (1.0 / (1.0 - share).max(1.0 / SLOWEST)) * (0.5 + chance))
    }

    /// Requests per second of a pod, lately; none for a pod without [`CAPACITY`].
    pub fn rate_of(&self, pod: &Value, now: Time) -> Option<f64> {
        positive(pod, CAPACITY)?;
        Some(self.pods.get(object::uid(pod)).map_or(0.0, |gauge| gauge.rate(now)))
    }

    /// The share of its requested CPU that a pod uses, lately; above 1 where more is asked for than it can serve.
    pub fn use_of(&self, pod: &Value, now: Time) -> Option<f64> {
        Some(self.rate_of(pod, now)? / positive(pod, CAPACITY)?)
    }

    /// Forgets pods that nobody has met for a while.
    pub(crate) fn forget(&mut self, now: Time) {
        self.pods.retain(|_, gauge| gauge.filled + WINDOW * 4 > now);
    }
}

impl Gauge {
    /// Of a pod that has had nothing to do.
    const fn full(tokens: f64, now: Time) -> Self {
        Self { tokens, filled: now, met: now, buckets: VecDeque::new() }
    }

    fn count(&mut self, requests: u64, now: Time) {
        if self.buckets.back().is_none_or(|(start, _)| *start + BUCKET <= now) {
            self.buckets.push_back((now, 0));
        }
        if let Some((_, count)) = self.buckets.back_mut() {
            *count += requests;
        }
        while self.buckets.front().is_some_and(|(start, _)| *start + WINDOW + BUCKET <= now) {
            self.buckets.pop_front();
        }
    }

    fn rate(&self, now: Time) -> f64 {
        let recent = self.buckets.iter().filter(|(start, _)| *start + WINDOW > now);
        // A pod that is younger than the window is averaged over its life, of which a second is the least.
        let span = now.since(self.met).clamp(BUCKET, WINDOW);
        real(recent.map(|(_, count)| count).sum::<u64>()) / span.as_secs_f64()
    }
}

#[allow(clippy::cast_precision_loss, reason = "requests of some seconds")]
fn real(count: u64) -> f64 {
    count as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before the cast")]
fn whole(count: f64) -> u64 {
    count.clamp(0.0, 1e15) as u64
}
