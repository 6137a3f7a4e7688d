//! Events of a run, as values. Whoever carries out a step records them before it writes the status.

use crate::analysis::phase::Phase;

/// How Kubernetes ranks an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// As intended.
    Normal,
    /// Something that a person should see.
    Warning,
}

impl Severity {
    /// Kubernetes' text: the event's `type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// One event on an `AnalysisRun`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its rank.
    pub severity: Severity,
    /// Its reason, such as `MetricFailed`.
    pub reason: String,
    /// Its text.
    pub message: String,
}

impl Event {
    fn of(phase: Phase, subject: &str, message: String) -> Self {
        let severity = if matches!(phase, Phase::Failed | Phase::Error) { Severity::Warning } else { Severity::Normal };
        Self { severity, reason: format!("{subject}{phase}"), message }
    }

    /// A metric is complete.
    pub(crate) fn metric(name: &str, phase: Phase) -> Self {
        Self::of(phase, "Metric", format!("Metric '{name}' Completed. Result: {phase}"))
    }

    /// The run is complete.
    pub(crate) fn run(phase: Phase) -> Self {
        Self::of(phase, "AnalysisRun", format!("Analysis Completed. Result: {phase}"))
    }
}
