//! Label selectors.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::text_map::TextMap;
use super::wire::wire;

wire! {
    /// A label selector: all of its requirements must hold.
    pub struct LabelSelector {
        /// Labels that must have exactly these values.
        pub match_labels: BTreeMap<String, String>,
        /// Further requirements.
        pub match_expressions: Vec<LabelRequirement>,
    }

    /// One requirement on a label.
    pub struct LabelRequirement {
        /// The label's key.
        pub key: String,
        /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
        pub operator: String,
        /// The values of `In` and `NotIn`.
        pub values: Vec<String>,
    }
}

impl LabelSelector {
    /// Whether nothing is required.
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }

    /// Whether `labels` meet every requirement. An unknown operator is met by nothing.
    pub fn matches(&self, labels: &TextMap) -> bool {
        let equal = self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value.as_str()));
        equal && self.match_expressions.iter().all(|requirement| requirement.matches(labels))
    }

    /// The text of `status.selector`: requirements sorted by key. Go: `metav1.FormatLabelSelector`.
    pub fn format(&self) -> String {
        if self.is_empty() {
            return "<none>".to_owned();
        }
        let mut parts: Vec<(String, String)> =
            self.match_labels.iter().map(|(key, value)| (key.clone(), format!("{key}={value}"))).collect();
        for requirement in &self.match_expressions {
            let Some(text) = requirement.format() else { return "<error>".to_owned() };
            parts.push((requirement.key.clone(), text));
        }
        parts.sort();
        parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(",")
    }
}

impl LabelRequirement {
    fn matches(&self, labels: &TextMap) -> bool {
        let value = labels.get(&self.key);
        match self.operator.as_str() {
            "In" => value.is_some_and(|value| self.values.iter().any(|one| one == value)),
            "NotIn" => value.is_none_or(|value| self.values.iter().all(|one| one != value)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }

    fn format(&self) -> Option<String> {
        let mut values = self.values.clone();
        values.sort();
        let list = values.join(",");
        let key = &self.key;
        let mut text = String::new();
        match self.operator.as_str() {
            "In" => write!(text, "{key} in ({list})"),
            "NotIn" => write!(text, "{key} notin ({list})"),
            "Exists" => write!(text, "{key}"),
            "DoesNotExist" => write!(text, "!{key}"),
            _ => return None,
        }
        .ok()?;
        Some(text)
    }
}
