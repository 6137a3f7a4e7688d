//! JSON that is kept for the rare reader: compressed text.

use std::borrow::Cow;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::raw::RawJson;
use super::wire::Omit;

/// A JSON value kept as compressed text: the template of a revision, of which a Rollout keeps ten or more and reads
/// hardly any. A template of two containers takes a quarter of its text. Cloning shares the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedJson(Option<Arc<[u8]>>);

impl PackedJson {
    /// Keeps `value`; `null` counts as absent.
    ///
    /// # Errors
    /// Where compression fails, which it does not in memory.
    pub fn of(value: &Value) -> std::io::Result<Self> {
        if value.is_null() {
            return Ok(Self(None));
        }
        let mut packer = DeflateEncoder::new(Vec::with_capacity(1024), Compression::fast());
        packer.write_all(value.to_string().as_bytes())?;
        Ok(Self(Some(packer.finish()?.into())))
    }

    /// The JSON text, unpacked anew at each call; `null` where the value is absent.
    pub fn text(&self) -> String {
        let Some(packed) = &self.0 else { return "null".to_owned() };
        let mut text = String::with_capacity(packed.len() * 4);
        // The bytes were packed by ourselves from a text, so they unpack to it.
        DeflateDecoder::new(&**packed).read_to_string(&mut text).map_or_else(|_| "null".to_owned(), |_| text)
    }

    /// The value, unpacked and parsed anew at each call; `Null` where it is absent.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap_or(Value::Null)
    }
}

impl Omit for PackedJson {
    fn omit(&self) -> bool {
        self.0.is_none()
    }
}

impl Serialize for PackedJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PackedJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(&Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl schemars::JsonSchema for PackedJson {
    fn schema_name() -> Cow<'static, str> {
        RawJson::schema_name()
    }
    fn inline_schema() -> bool {
        RawJson::inline_schema()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        RawJson::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn loses_nothing() {
        let long: Vec<Value> = (0..400).map(|n| json!({"name": format!("A_{n}"), "value": "ü \" \u{0} 1.0"})).collect();
        for value in [json!({}), json!({"a": [1, 1.5, null, "ä"]}), json!(long), Value::Null] {
            let packed: PackedJson = serde_json::from_value(value.clone()).unwrap();
            assert_eq!((packed.value(), serde_json::to_value(&packed).unwrap()), (value.clone(), value.clone()));
            assert_eq!((packed.text(), packed.omit()), (value.to_string(), value.is_null()));
        }
    }

    #[test]
    fn takes_less_than_its_text() {
        let container = |n: u32| json!({"name": format!("c{n}"), "image": format!("registry/shop/c{n}:1.{n}"), "ports": [{"containerPort": 8000 + n}]});
        let value = json!({"spec": {"containers": (0..20).map(container).collect::<Vec<_>>()}});
        let packed = PackedJson::of(&value).unwrap();
        assert!(packed.0.unwrap().len() * 3 < value.to_string().len());
    }
}
