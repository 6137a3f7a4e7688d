//! Who else wrote an object last: the one fact of `managedFields` that is kept.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::names::COMPONENT;
use super::time::Time;
use super::wire::Omit;

/// Managers whose writes nobody wonders about: our own, and those of the cluster's own parts. What they write is not kept,
/// so that it costs nothing in the caches.
const USUAL: &[&str] = &[COMPONENT, "kube-controller-manager", "kube-scheduler", "kubelet"];

/// The manager of the last write to the object, apart from statuses and from [`USUAL`] ones; nothing where it is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writer(Option<Box<str>>);

impl Writer {
    /// Its name, as `kubectl get --show-managed-fields` shows it.
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

#[derive(Deserialize)]
struct ManagedFields<'a> {
    #[serde(default, borrow)]
    manager: Cow<'a, str>,
    #[serde(default, borrow)]
    subresource: Cow<'a, str>,
    #[serde(default)]
    time: Option<Time>,
}

impl<'de> Deserialize<'de> for Writer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<ManagedFields<'de>>::deserialize(deserializer)?;
        let others = entries.iter().filter(|entry| entry.subresource.is_empty() && !USUAL.contains(&&*entry.manager));
        // Of one second, the later entry.
        let last = others.max_by_key(|entry| entry.time);
        Ok(Self(last.map(|entry| &*entry.manager).filter(|name| !name.is_empty()).map(Box::from)))
    }
}

impl Serialize for Writer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}

impl Omit for Writer {
    fn omit(&self) -> bool {
        true
    }
}

impl JsonSchema for Writer {
    fn schema_name() -> Cow<'static, str> {
        "ManagedFields".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "array", "items": {"type": "object"}})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_write_of_somebody_else_is_named() {
        let at = |second: u8| format!("2026-11-21T12:00:{second:02}Z");
        let entries = json!([
            {"manager": "helm", "operation": "Update", "time": at(1), "fieldsV1": {"f:spec": {}}},
            {"manager": "terraform", "operation": "Apply", "time": at(7), "fieldsV1": {"f:spec": {}}},
            {"manager": "kubectl", "operation": "Update", "time": at(3)},
            {"manager": COMPONENT, "operation": "Update", "time": at(9)},
            {"manager": "gateway", "operation": "Update", "time": at(9), "subresource": "status"},
        ]);
        let writer: Writer = serde_json::from_value(entries).unwrap();
        assert_eq!(writer.name(), Some("terraform"));
        let ours: Writer =
            serde_json::from_str(&format!(r#"[{{"manager": "{COMPONENT}"}}, {{"time": null}}]"#)).unwrap();
        assert_eq!((ours.name(), ours.omit()), (None, true));
    }
}
