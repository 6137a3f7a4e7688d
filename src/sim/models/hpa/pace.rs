//! Bounds, stabilisation and policies: how far a proposal may go now.
//!
//! Upwards the window is 0 s and the pace 4 pods or 100 % in 15 s, whichever is more; downwards 300 s and 100 % in 15 s.
//! Within a window the most cautious of the recent proposals counts: the smallest upwards, the largest downwards.
//! Source: Kubernetes' documentation, "Configurable scaling behavior".

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::Time;
use crate::sim::object;

/// Proposals and changes older than this are forgotten: the longest window and period that the API takes.
const MEMORY: Duration = Duration::from_hours(1);

/// What has been proposed, and done, lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    proposals: VecDeque<(Time, i64)>,
    /// Replicas added (above 0) and taken away (below).
    changes: VecDeque<(Time, i64)>,
}

impl Past {
    pub fn scaled(&mut self, by: i64, now: Time) {
        self.changes.push_back((now, by));
    }

    fn forget(&mut self, now: Time) {
        self.proposals.retain(|(at, _)| *at + MEMORY > now);
        self.changes.retain(|(at, _)| *at + MEMORY > now);
    }
}

/// What is done in the end, with what is said of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decided {
    pub replicas: i64,
    /// Reason and message of `AbleToScale`.
    pub able: (&'static str, &'static str),
    /// Whether `ScalingLimited`, its reason and message.
    pub limit: (bool, &'static str, &'static str),
}

/// One direction of `spec.behavior`.
struct Rules {
    window: Duration,
    /// Whether a policy is in pods, its value, and its period.
    policies: Vec<(bool, i64, Duration)>,
    select: String,
}

fn rules(hpa: &Value, direction: &str, default: &(u64, Value)) -> Rules {
    let given = hpa.pointer(&format!("/spec/behavior/{direction}")).unwrap_or(&Value::Null);
    let window = object::integer(given, "/stabilizationWindowSeconds").map_or(default.0, i64::unsigned_abs);
    let policies = given.get("policies").filter(|list| list.as_array().is_some_and(|list| !list.is_empty()));
    let list = policies.unwrap_or(&default.1).as_array().cloned().unwrap_or_default();
    let policy = |policy: &Value| {
        let seconds = object::integer(policy, "/periodSeconds").unwrap_or(15).unsigned_abs();
        (
            object::text(policy, "/type") == "Pods",
            object::integer(policy, "/value").unwrap_or(0),
            Duration::from_secs(seconds),
        )
    };
    Rules {
        window: Duration::from_secs(window),
        policies: list.iter().map(policy).collect(),
        select: object::text(given, "/selectPolicy").to_owned(),
    }
}

/// Holds a proposal back to what the bounds and the behaviour allow now.
pub(crate) fn held_back(hpa: &Value, (current, wanted): (i64, i64), past: &mut Past, now: Time) -> Decided {
    past.forget(now);
    let up = rules(
        hpa,
        "scaleUp",
        &(
            0,
            json!([
                { "type": "Pods", "value": 4, "periodSeconds": 15 }, { "type": "Percent", "value": 100, "periodSeconds": 15 },
            ]),
        ),
    );
    let down = rules(hpa, "scaleDown", &(300, json!([{ "type": "Percent", "value": 100, "periodSeconds": 15 }])));
    let (low, high) = (
        object::integer(hpa, "/spec/minReplicas").unwrap_or(1),
        object::integer(hpa, "/spec/maxReplicas").unwrap_or(1),
    );
    // Outside its bounds the target is brought back to them, whatever the metrics say.
    if current > high || current < low {
        let replicas = current.clamp(low, high.max(low));
        let limit = (
            true,
            if current > high { "TooManyReplicas" } else { "TooFewReplicas" },
            "the target was outside its bounds",
        );
        return Decided { replicas, able: ("SucceededRescale", "the target is brought back to its bounds"), limit };
    }
    past.proposals.push_back((now, wanted));
    let (stable, able) = stabilised(past, (current, wanted), (&up, &down), now);
    let paced = match stable.cmp(&current) {
        Ordering::Greater => stable.min(up.highest(current, past, now)),
        Ordering::Less => stable.max(down.lowest(current, past, now)),
        Ordering::Equal => stable,
    };
    let replicas = paced.clamp(low, high.max(low));
    let limit = if paced != replicas {
        let reason = if paced > high { "TooManyReplicas" } else { "TooFewReplicas" };
        (true, reason, "the desired replica count is beyond the bounds of spec.minReplicas and spec.maxReplicas")
    } else if paced != stable {
        let reason = if stable > current { "ScaleUpLimit" } else { "ScaleDownLimit" };
        (true, reason, "the desired replica count is changing faster than the policies allow")
    } else {
        (false, "DesiredWithinRange", "the desired count is within the acceptable range")
    };
    Decided { replicas, able, limit }
}

fn stabilised(
    past: &Past,
    (current, wanted): (i64, i64),
    (up, down): (&Rules, &Rules),
    now: Time,
) -> (i64, (&'static str, &'static str)) {
    let within = |window: Duration| {
        let recent = move |(at, replicas): &(Time, i64)| (*at + window > now).then_some(*replicas);
        past.proposals.iter().filter_map(recent)
    };
    let floor = within(up.window).min().unwrap_or(wanted).min(wanted);
    let ceiling = within(down.window).max().unwrap_or(wanted).max(wanted);
    let stable = current.max(floor).min(ceiling.max(floor));
    let held = if stable == wanted {
        ("ReadyForNewScale", "recommended size matches current size, or is acted on")
    } else if wanted < current {
        (
            "ScaleDownStabilized",
            "recent recommendations were higher than current one, applying the highest recent recommendation",
        )
    } else {
        (
            "ScaleUpStabilized",
            "recent recommendations were lower than current one, applying the lowest recent recommendation",
        )
    };
    (stable, held)
}

impl Rules {
    /// The size at the beginning of a policy's period.
    fn start(current: i64, (past, now): (&Past, Time), period: Duration, sign: i64) -> i64 {
        let moved = past.changes.iter().filter(|(at, by)| *at + period > now && by.signum() == sign);
        current - moved.map(|(_, by)| by).sum::<i64>()
    }

    fn highest(&self, current: i64, past: &Past, now: Time) -> i64 {
        let reach = |(in_pods, value, period): &(bool, i64, Duration)| {
            let start = Self::start(current, (past, now), *period, 1);
            if *in_pods { start + value } else { start + (start * value + 99) / 100 }
        };
        let reaches = self.policies.iter().map(reach);
        let reach = match self.select.as_str() {
            "Disabled" => Some(current),
            "Min" => reaches.min(),
            _ => reaches.max(),
        };
        reach.unwrap_or(current).max(current)
    }

    fn lowest(&self, current: i64, past: &Past, now: Time) -> i64 {
        let reach = |(in_pods, value, period): &(bool, i64, Duration)| {
            let start = Self::start(current, (past, now), *period, -1);
            if *in_pods { start - value } else { start - start * value / 100 }
        };
        let reaches = self.policies.iter().map(reach);
        let reach = match self.select.as_str() {
            "Disabled" => Some(current),
            "Min" => reaches.max(),
            _ => reaches.min(),
        };
        reach.unwrap_or(current).min(current)
    }
}
