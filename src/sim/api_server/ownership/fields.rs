//! Sets of fields. A node stands at a path; it may be a member itself, and lead to others.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A set of fields. Keys are path elements as on the wire: `f:spec`, `k:{"name":"a"}`, `v:"x"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    /// Whether the path that leads here is in the set.
    pub member: bool,
    pub inner: BTreeMap<String, Fields>,
}

impl Fields {
    /// A set of one path: the empty one.
    pub fn leaf() -> Self {
        Self { member: true, inner: BTreeMap::new() }
    }

    pub fn is_empty(&self) -> bool {
        !self.member && self.inner.is_empty()
    }

    /// Hangs a set below a path element; an empty set is not kept.
    pub fn put(&mut self, element: String, below: &Self) {
        if !below.is_empty() {
            self.inner.entry(element).or_default().add(below);
        }
    }

    /// The union, in place.
    pub fn add(&mut self, other: &Self) {
        self.member |= other.member;
        for (element, below) in &other.inner {
            self.inner.entry(element.clone()).or_default().add(below);
        }
    }

    /// What is here and not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let rest = |(element, below): (&String, &Self)| {
            let left = other.inner.get(element).map_or_else(|| below.clone(), |gone| below.minus(gone));
            (!left.is_empty()).then(|| (element.clone(), left))
        };
        Self { member: self.member && !other.member, inner: self.inner.iter().filter_map(rest).collect() }
    }

    /// What is both here and in `other`.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        let both = |(element, below): (&String, &Self)| {
            let common = below.meet(other.inner.get(element)?);
            (!common.is_empty()).then(|| (element.clone(), common))
        };
        Self { member: self.member && other.member, inner: self.inner.iter().filter_map(both).collect() }
    }

    /// As `fieldsV1`.
    pub fn wire(&self) -> Value {
        let mut map: Map<String, Value> =
            self.inner.iter().map(|(element, below)| (element.clone(), below.wire())).collect();
        if self.member && !map.is_empty() {
            map.insert(".".to_owned(), json!({}));
        }
        Value::Object(map)
    }

    /// From `fieldsV1`: an element without anything below it is a member.
    pub fn of_wire(value: &Value) -> Self {
        let Some(map) = value.as_object() else { return Self::default() };
        let mut fields = Self { member: map.contains_key("."), inner: BTreeMap::new() };
        for (element, below) in map.iter().filter(|(element, _)| *element != ".") {
            let below = if below.as_object().is_none_or(Map::is_empty) { Self::leaf() } else { Self::of_wire(below) };
            fields.inner.insert(element.clone(), below);
        }
        fields
    }

    /// The members as readable paths: `.spec.containers[name="a"].image`.
    pub fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.walk("", &mut found);
        found
    }

    fn walk(&self, at: &str, found: &mut Vec<String>) {
        if self.member && !at.is_empty() {
            found.push(at.to_owned());
        }
        for (element, below) in &self.inner {
            below.walk(&format!("{at}{}", readable(element)), found);
        }
    }
}

fn readable(element: &str) -> String {
    match element.split_once(':') {
        Some(("f", name)) => format!(".{name}"),
        Some(("k", key)) => {
            let keys: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
            let terms: Vec<String> = keys.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", terms.join(","))
        }
        Some(("v", value)) => format!("[={value}]"),
        _ => format!("[{element}]"),
    }
}
