//! Requests by verb and kind, so that a test can say "no reads, no writes at rest".

use std::collections::BTreeMap;

use super::request::Verb;

/// How many requests of each verb and kind have arrived, failed ones included. Models write past the counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<(Verb, String), u64>);

impl Counts {
    pub(crate) fn add(&mut self, verb: Verb, kind: &str) {
        *self.0.entry((verb, kind.to_owned())).or_default() += 1;
    }

    /// Requests of one verb on one kind.
    pub fn of(&self, verb: Verb, kind: &str) -> u64 {
        self.0.get(&(verb, kind.to_owned())).copied().unwrap_or(0)
    }

    /// Gets, lists and starts of watches.
    pub fn reads(&self) -> u64 {
        self.sum(Verb::is_read)
    }

    /// Everything that may change something.
    pub fn writes(&self) -> u64 {
        self.sum(|verb| !verb.is_read())
    }

    /// What has been added since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let grown = self
            .0
            .iter()
            .map(|(key, count)| (key.clone(), count - earlier.0.get(key).copied().unwrap_or(0).min(*count)));
        Self(grown.filter(|(_, count)| *count > 0).collect())
    }

    /// All counts, ordered by verb and kind.
    pub fn iter(&self) -> impl Iterator<Item = (Verb, &str, u64)> {
        self.0.iter().map(|((verb, kind), count)| (*verb, kind.as_str(), *count))
    }

    fn sum(&self, wanted: impl Fn(Verb) -> bool) -> u64 {
        self.0.iter().filter(|((verb, _), _)| wanted(*verb)).map(|(_, count)| count).sum()
    }
}
