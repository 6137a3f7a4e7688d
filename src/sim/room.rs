//! How much room pods take: on a node, and of a quota.

use std::sync::Arc;

use serde_json::Value;

use crate::sim::object;

/// CPU in thousandths, memory in bytes, and pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    pub cpu: i64,
    pub memory: i64,
    pub pods: i64,
}

impl Room {
    /// What a node has to give; what its status does not name is without limit.
    pub fn of_node(node: &Value) -> Self {
        let given = |name: &str| node.pointer(&format!("/status/allocatable/{name}"));
        Self {
            cpu: given("cpu").map_or(i64::MAX, |value| quantity(value, 1000)),
            memory: given("memory").map_or(i64::MAX, |value| quantity(value, 1)),
            pods: given("pods").map_or(i64::MAX, |value| quantity(value, 1)),
        }
    }

    /// What a pod requests.
    pub fn of_pod(pod: &Value) -> Self {
        let mut room = Self { pods: 1, ..Self::default() };
        for container in object::list(pod, "/spec/containers") {
            let asked = |name: &str| container.pointer(&format!("/resources/requests/{name}"));
            room.cpu += asked("cpu").map_or(0, |value| quantity(value, 1000));
            room.memory += asked("memory").map_or(0, |value| quantity(value, 1));
        }
        room
    }

    /// What is left on a node beside the pods that are there.
    pub fn left(node: &Value, pods: &[Arc<Value>]) -> Self {
        let name = object::name(node);
        let here = pods.iter().filter(|pod| object::text(pod, "/spec/nodeName") == name && takes(pod));
        here.map(|pod| Self::of_pod(pod)).fold(Self::of_node(node), |left, taken| Self {
            cpu: left.cpu.saturating_sub(taken.cpu),
            memory: left.memory.saturating_sub(taken.memory),
            pods: left.pods.saturating_sub(taken.pods),
        })
    }

    /// The amount that goes by this name in a quota, and how many of it make one of its unit; `None` for what is not counted.
    pub fn named(&self, resource: &str) -> Option<(i64, i64)> {
        match resource {
            "pods" | "count/pods" => Some((self.pods, 1)),
            "cpu" | "requests.cpu" => Some((self.cpu, 1000)),
            "memory" | "requests.memory" => Some((self.memory, 1)),
            _ => None,
        }
    }

    /// The sum of two.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { cpu: self.cpu + other.cpu, memory: self.memory + other.memory, pods: self.pods + other.pods }
    }

    /// The first resource of which there is not enough.
    pub fn lacks(&self, wanted: &Self) -> Option<&'static str> {
        if self.pods < wanted.pods {
            return Some("Too many pods");
        }
        if self.cpu < wanted.cpu {
            return Some("Insufficient cpu");
        }
        (self.memory < wanted.memory).then_some("Insufficient memory")
    }
}

/// Whether a pod takes room: one that has ended does not.
pub(crate) fn takes(pod: &Value) -> bool {
    !matches!(object::text(pod, "/status/phase"), "Succeeded" | "Failed")
}

/// A quantity in units of 1/`per`; 0 where it cannot be read.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "sizes of machines stay below 2^53")]
pub(crate) fn quantity(value: &Value, per: i64) -> i64 {
    let Some(text) = value.as_str() else { return value.as_i64().unwrap_or(0).saturating_mul(per) };
    let suffixes = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("m", 0.001),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
    ];
    let unit = suffixes.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)));
    let (digits, factor) = unit.unwrap_or((text, 1.0));
    digits.parse::<f64>().map_or(0, |number| (number * factor * per as f64).round() as i64)
}
