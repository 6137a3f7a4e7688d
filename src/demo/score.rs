//! What a scene came to.

use std::collections::BTreeMap;
use std::time::Duration;

use super::facts::Facts;
use super::scenes::{Ending, Letter};
use crate::api::Time;
use crate::sim::traffic::Tally;

/// Requests by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// All of them.
    pub requests: u64,
    /// Answered with an error by the version that they reached.
    pub version_errors: u64,
    /// Not answered at all: the delivery's fault.
    pub lost: u64,
}

impl Sums {
    /// Of a tally.
    pub const fn of(tally: Tally) -> Self {
        Self { requests: tally.total(), version_errors: tally.errors, lost: tally.lost }
    }

    /// What came after `before`.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(before.requests),
            version_errors: self.version_errors.saturating_sub(before.version_errors),
            lost: self.lost.saturating_sub(before.lost),
        }
    }
}

/// How a scene ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All that was waited for was seen.
    Ended(Ending),
    /// Something else happened, or nothing: what the Rollout said last.
    Otherwise(String),
}

impl Outcome {
    /// One word for the table and for JSON.
    pub const fn text(&self) -> &'static str {
        match self {
            Self::Ended(ending) => ending.text(),
            Self::Otherwise(_) => "not as expected",
        }
    }
}

/// Something that the update waited for, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The blocker's code.
    pub code: String,
    /// Its object.
    pub object: String,
    /// What was missing.
    pub message: String,
    /// How long, by the cluster's clock.
    pub lasted: Duration,
}

/// Measures how long each blocker stands.
#[derive(Debug, Default)]
pub struct Waits {
    open: BTreeMap<(String, String), Time>,
    longest: Option<Wait>,
}

impl Waits {
    /// Takes a look into account.
    pub fn see(&mut self, facts: &Facts) {
        let mut still = BTreeMap::new();
        for blocker in facts.blockers() {
            let key = (blocker.code.clone(), blocker.object.clone());
            let since = self.open.get(&key).copied().unwrap_or(facts.at);
            let lasted = facts.at.since(since);
            if self.longest.as_ref().is_none_or(|longest| longest.lasted < lasted) {
                let (code, object) = key.clone();
                self.longest = Some(Wait { code, object, message: blocker.message.clone(), lasted });
            }
            still.insert(key, since);
        }
        self.open = still;
    }

    /// The longest so far.
    pub fn longest(self) -> Option<Wait> {
        self.longest
    }
}

/// What a scene came to.
#[derive(Debug, Clone)]
pub struct Score {
    /// Which scene.
    pub letter: Letter,
    /// What it showed.
    pub title: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// From the first order to the end, by the cluster's clock.
    pub took: Duration,
    /// Requests from the first order to the end.
    pub sums: Sums,
    /// The longest blocker.
    pub wait: Option<Wait>,
}

impl Score {
    /// Whether it ended as expected, and nobody was hurt.
    pub const fn is_good(&self) -> bool {
        matches!(self.outcome, Outcome::Ended(_)) && self.sums.lost == 0
    }
}
