//! `ResourceQuota`s: what the pods of a namespace may take together. Source: the admission plugin `ResourceQuota` of
//! Kubernetes. Counted are pods and their requests of CPU and memory, without scopes.

use serde_json::Value;

use super::reject::Reject;
use super::store::Store;
use crate::sim::object;
use crate::sim::room::{Room, quantity, takes};

const QUOTAS: &str = "resourcequotas";
const PODS: &str = "pods";

impl Store {
    /// Refuses a new pod that a quota of its namespace has no room for.
    pub fn admit_pod(&self, pod: &Value) -> Result<(), Reject> {
        let namespace = object::namespace(pod);
        let here = |object: &&std::sync::Arc<Value>| object::namespace(object) == namespace;
        let quotas = self.tables.get(QUOTAS).map(|table| table.objects.values().filter(here).peekable());
        let Some(mut quotas) = quotas.filter(|quotas| quotas.clone().peek().is_some()) else { return Ok(()) };
        let pods = self.tables.get(PODS).map(|table| table.objects.values().filter(here)).into_iter().flatten();
        let used = taken(pods.map(AsRef::as_ref));
        let wanted = Room::of_pod(pod);
        quotas.try_for_each(|quota| {
            let Some((name, limit)) = hard(quota).find(|(name, limit)| exceeds(name, limit, used, wanted)) else {
                return Ok(());
            };
            let number = |room: Room| room.named(name).map_or_else(String::new, shown);
            Err(Reject::new(
                403,
                "Forbidden",
                format!(
                    "pods \"{}\" is forbidden: exceeded quota: {}, requested: {name}={}, used: {name}={}, limited: {name}={}",
                    object::name(pod),
                    object::name(quota),
                    number(wanted),
                    number(used),
                    limit.as_str().map_or_else(|| limit.to_string(), str::to_owned),
                ),
            ))
        })
    }
}

/// What pods take together.
pub(crate) fn taken<'a>(pods: impl Iterator<Item = &'a Value>) -> Room {
    pods.filter(|pod| takes(pod)).map(Room::of_pod).fold(Room::default(), Room::and)
}

/// The limits of a quota, by resource.
pub(crate) fn hard(quota: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let limits = quota.pointer("/spec/hard").and_then(Value::as_object);
    limits.into_iter().flatten().map(|(name, limit)| (name.as_str(), limit))
}

/// An amount as a quota shows it.
pub(crate) fn shown((amount, per): (i64, i64)) -> String {
    if amount % per == 0 { (amount / per).to_string() } else { format!("{amount}m") }
}

fn exceeds(name: &str, limit: &Value, used: Room, wanted: Room) -> bool {
    let (Some((wanted, per)), Some((sum, _))) = (wanted.named(name), used.and(wanted).named(name)) else {
        return false;
    };
    // What asks for nothing is never refused, as little room as there is.
    wanted > 0 && sum > quantity(limit, per)
}
