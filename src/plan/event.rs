//! What clients are told as it happens.

/// Kubernetes' two kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// All is well.
    Normal,
    /// Somebody should look.
    Warning,
}

impl EventType {
    /// The text of the API.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// One occurrence, about the object that the plan is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Normal or Warning.
    pub kind: EventType,
    /// Reason of the contract, such as `RolloutStepCompleted`.
    pub reason: String,
    /// For people; its format is part of the contract.
    pub message: String,
}

impl Event {
    /// An event that is good or neutral news.
    pub fn normal(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: EventType::Normal, reason: reason.into(), message: message.into() }
    }

    /// An event that somebody should look at.
    pub fn warning(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: EventType::Warning, reason: reason.into(), message: message.into() }
    }
}
