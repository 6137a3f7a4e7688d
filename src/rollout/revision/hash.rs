//! The names of revisions: the pod template's hash and the hash of the canary steps.
//!
//! Argo: `utils/hash/hash.go ComputePodTemplateHash`, `utils/conditions/conditions.go ComputeStepHash`.

use super::go_json;
use super::pod_table::POD_TEMPLATE_SPEC;
use super::rollout_table::CANARY_STEP;
use super::table::Kind;
use serde_json::Value;

#[cfg(test)]
mod tests;

/// The alphabet of Kubernetes' safe names: no vowels, nothing that looks like another letter.
const SAFE: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

const STEPS: Kind = Kind::List(&Kind::Struct(&CANARY_STEP));

/// The value of the label `rollouts-pod-template-hash` for a pod template.
///
/// `template` is the `PodTemplateSpec` as the user wrote it, without defaults. `collision_count` is
/// `status.collisionCount`; none and zero differ.
pub fn pod_template_hash(template: &Value, collision_count: Option<i32>) -> String {
    let mut hasher = Fnv32a::new();
    hasher.write(canonical_template_json(template).as_bytes());
    if let Some(count) = collision_count {
        hasher.write(&count.to_le_bytes());
        hasher.write(&[0; 4]);
    }
    safe_encode(hasher.0)
}

/// The exact text that [`pod_template_hash`] hashes.
pub fn canonical_template_json(template: &Value) -> String {
    go_json::to_text(&POD_TEMPLATE_SPEC, template)
}

/// `status.currentStepHash` for a `spec.strategy`: empty unless the strategy is canary alone.
pub fn steps_hash(strategy: &Value) -> String {
    canonical_steps_json(strategy)
        .map(|text| {
            let mut hasher = Fnv32a::new();
            hasher.write(text.as_bytes());
            safe_encode(hasher.0)
        })
        .unwrap_or_default()
}

/// The text that [`steps_hash`] hashes (`null` without steps); none unless the strategy is canary alone.
pub fn canonical_steps_json(strategy: &Value) -> Option<String> {
    let canary = strategy.get("canary").filter(|v| v.is_object())?;
    if strategy.get("blueGreen").is_some_and(Value::is_object) {
        return None;
    }
    // The controller writes and reads the Rollout once before it hashes, which drops an empty list.
    let steps = canary.get("steps").filter(|v| v.as_array().is_some_and(|list| !list.is_empty()));
    Some(go_json::kind_to_text(STEPS, steps))
}

/// Writes a hash in letters that are safe in names and unlikely to spell words.
fn safe_encode(hash: u32) -> String {
    hash.to_string().bytes().filter_map(|b| SAFE.get(usize::from(b) % SAFE.len())).map(|&b| char::from(b)).collect()
}

/// Fowler–Noll–Vo, variant 1a, 64 bits.
pub fn fnv64a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Fowler–Noll–Vo, variant 1a, 32 bits.
struct Fnv32a(u32);

impl Fnv32a {
    const fn new() -> Self {
        Self(0x811c_9dc5)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
}
