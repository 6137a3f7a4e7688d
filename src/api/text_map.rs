//! Labels and annotations in as little memory as they need.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::wire::Omit;

/// A map of texts that is read often and hardly ever changed: one text for all, sorted by key.
///
/// A controller holds several of them for each object that it watches. As a `BTreeMap` of strings one of five labels
/// takes about 900 bytes, as this 200. Offsets are 32 bits wide: what lies beyond 4 GiB reads as empty, and no object
/// comes near.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TextMap {
    /// All keys and values: key, value, key, value.
    text: Box<str>,
    /// Where each of them ends in `text`, in bytes.
    ends: Box<[u32]>,
}

impl TextMap {
    /// The value of `key`; `None` where it is absent.
    pub fn get(&self, key: &str) -> Option<&str> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.part(2 * middle).cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(self.part(2 * middle + 1)),
            }
        }
        None
    }

    /// Whether there is a value for `key`.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Number of keys.
    pub const fn len(&self) -> usize {
        self.ends.len() / 2
    }

    /// Whether there is no key.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Keys with their values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        (0..self.len()).map(|at| (self.part(2 * at), self.part(2 * at + 1)))
    }

    /// Keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// Takes a key out; what it holds is written anew.
    pub fn remove(&mut self, key: &str) {
        if self.contains_key(key) {
            *self = self.iter().filter(|(other, _)| *other != key).collect();
        }
    }

    /// The text at one of the ends.
    fn part(&self, at: usize) -> &str {
        let end = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
        let start = at.checked_sub(1).map_or(0, end);
        self.text.get(start..end(at)).unwrap_or_default()
    }
}

impl<'t> FromIterator<(&'t str, &'t str)> for TextMap {
    fn from_iter<I: IntoIterator<Item = (&'t str, &'t str)>>(entries: I) -> Self {
        let sorted: BTreeMap<&str, &str> = entries.into_iter().collect();
        let mut text = String::with_capacity(sorted.iter().map(|(key, value)| key.len() + value.len()).sum());
        let mut ends = Vec::with_capacity(2 * sorted.len());
        for part in sorted.into_iter().flat_map(|(key, value)| [key, value]) {
            text.push_str(part);
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Self { text: text.into(), ends: ends.into() }
    }
}

impl From<&TextMap> for BTreeMap<String, String> {
    fn from(map: &TextMap) -> Self {
        map.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }
}

impl fmt::Debug for TextMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Omit for TextMap {
    fn omit(&self) -> bool {
        self.is_empty()
    }
}

impl Serialize for TextMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for TextMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(read.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect())
    }
}

impl JsonSchema for TextMap {
    fn schema_name() -> Cow<'static, str> {
        BTreeMap::<String, String>::schema_name()
    }
    fn inline_schema() -> bool {
        BTreeMap::<String, String>::inline_schema()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        BTreeMap::<String, String>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_the_map_that_it_was_read_from(map: BTreeMap<String, String>, other: String) {
            let json = serde_json::to_value(&map).unwrap();
            let read: TextMap = serde_json::from_value(json.clone()).unwrap();
            prop_assert_eq!(serde_json::to_value(&read).unwrap(), json);
            prop_assert_eq!(BTreeMap::from(&read), map.clone());
            prop_assert_eq!(read.get(&other), map.get(&other).map(String::as_str));
            for (key, value) in &map {
                prop_assert_eq!(read.get(key), Some(value.as_str()));
                let (mut less, mut rest) = (read.clone(), map.clone());
                less.remove(key);
                rest.remove(key);
                prop_assert_eq!(BTreeMap::from(&less), rest);
            }
        }
    }

    #[test]
    fn where_a_text_ends_tells_maps_apart() {
        let of = |entries: &[(&'static str, &'static str)]| entries.iter().copied().collect::<TextMap>();
        assert_ne!(of(&[("a", "bc")]), of(&[("ab", "c")]));
        assert_eq!(of(&[("b", "2"), ("a", "1")]), of(&[("a", "1"), ("b", "2")]));
        assert!(of(&[]).is_empty() && !of(&[("", "")]).is_empty());
    }
}
