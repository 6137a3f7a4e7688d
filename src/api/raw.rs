//! JSON kept as text: pod templates and other parts that belong to the user.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::Value;

use super::wire::Omit;

/// A JSON value kept as compact text with sorted keys.
///
/// A typed pod template would drop every field newer than its types and cost 14 KB a copy; the text loses nothing
/// and costs its length. Cloning shares the text. Empty text stands for an absent value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawJson(Option<Arc<str>>);

impl RawJson {
    /// Keeps `value`; `null` counts as absent.
    pub fn of(value: &Value) -> Self {
        if value.is_null() { Self(None) } else { Self(Some(value.to_string().into())) }
    }

    /// The JSON text; `null` where the value is absent.
    pub fn text(&self) -> &str {
        self.0.as_deref().unwrap_or("null")
    }

    /// The value, parsed anew at each call; `Null` where it is absent.
    pub fn value(&self) -> Value {
        // The text was written by `serde_json` itself, so it parses.
        serde_json::from_str(self.text()).unwrap_or(Value::Null)
    }

    /// Whether there is no value.
    pub const fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

impl Omit for RawJson {
    fn omit(&self) -> bool {
        self.is_absent()
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value: Value = serde_json::from_str(self.text()).map_err(ser::Error::custom)?;
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer).map_err(de::Error::custom)?;
        Ok(Self::of(&value))
    }
}

impl schemars::JsonSchema for RawJson {
    fn schema_name() -> Cow<'static, str> {
        "RawJson".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
    }
}
