//! The phases of runs, metrics and measurements. The API holds them as texts; this is where they get their meaning.

use std::fmt;

/// What is known of a run, a metric or a measurement.
///
/// The order is the one in which a run takes the worst of its metrics (`Successful` is best, `Failed` is worst).
/// Source: Argo `utils/analysis/helpers.go`, `analysisStatusOrder`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Measured, and good.
    Successful,
    /// Under way.
    Running,
    /// Not begun.
    Pending,
    /// Measured, and neither good nor bad.
    Inconclusive,
    /// Not measured: the source could not be asked or its answer not be judged.
    Error,
    /// Measured, and bad.
    Failed,
}

impl Phase {
    /// All phases, best first.
    pub const ALL: [Self; 6] =
        [Self::Successful, Self::Running, Self::Pending, Self::Inconclusive, Self::Error, Self::Failed];

    /// The phase that the API's text names; `None` for the empty text and for any other.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == text)
    }

    /// The API's text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Successful => "Successful",
            Self::Running => "Running",
            Self::Pending => "Pending",
            Self::Inconclusive => "Inconclusive",
            Self::Error => "Error",
            Self::Failed => "Failed",
        }
    }

    /// Whether nothing more is expected.
    pub const fn completed(self) -> bool {
        matches!(self, Self::Successful | Self::Inconclusive | Self::Error | Self::Failed)
    }

    /// Whether the API's text names a completed phase.
    pub fn text_completed(text: &str) -> bool {
        Self::parse(text).is_some_and(Self::completed)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_order() {
        for phase in Phase::ALL {
            assert_eq!(Phase::parse(phase.as_str()), Some(phase));
            assert_eq!(Phase::parse(&phase.as_str().to_lowercase()), None);
        }
        assert_eq!(Phase::parse(""), None);
        assert!(Phase::Failed > Phase::Error && Phase::Error > Phase::Inconclusive);
        assert!(Phase::Inconclusive > Phase::Pending && Phase::Pending > Phase::Running);
        assert_eq!(Phase::ALL.into_iter().filter(|phase| phase.completed()).count(), 4);
        assert!(!Phase::text_completed(""));
    }
}
