//! Why a write that is wanted is not made yet.

use crate::api::Time;
use crate::api::text::shortened;

/// Something that the update waits for: said, never silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// What kind of thing, in CamelCase: stable, for dashboards.
    pub code: &'static str,
    /// The object concerned, `Kind/name`.
    pub object: String,
    /// Since when; carried over from the last look.
    pub since: Option<Time>,
    /// What is missing, with numbers.
    pub message: String,
    /// What a person can do; empty where waiting is the right thing.
    pub remedy: String,
}

impl Blocker {
    /// A blocker that waiting cures. What others have said is cut to what a status carries.
    pub fn wait(code: &'static str, object: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, object: shortened(object), since: None, message: shortened(message), remedy: String::new() }
    }

    /// Says what a person can do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = shortened(remedy);
        self
    }
}
