//! What a data plane says of the route that was written last.
//!
//! Shared by all routers. It is evidence about one generation of one object; it never speaks of endpoints or of time.

use std::fmt;

/// Whether the data plane has taken over what is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Acknowledgement {
    /// Nobody who could acknowledge this generation has shown itself: what is written is all there is to know.
    Unclaimed,
    /// Somebody has claimed the route and has not spoken about this generation yet.
    Waiting {
        /// Who is waited for, such as `Gateway infra/public`.
        parent: String,
        /// What is missing.
        what: String,
    },
    /// Somebody has refused this generation, or a part of it.
    Refused {
        /// Who refused.
        parent: String,
        /// The condition that says so.
        condition: String,
        /// Its reason.
        reason: String,
        /// Its message.
        message: String,
    },
    /// Everybody concerned has accepted this generation.
    Accepted,
}

impl Acknowledgement {
    /// The value of `status.canary.weights.verified`: true only on evidence, `None` where nobody can give any.
    pub const fn verified(&self) -> Option<bool> {
        match self {
            Self::Unclaimed => None,
            Self::Waiting { .. } | Self::Refused { .. } => Some(false),
            Self::Accepted => Some(true),
        }
    }

    /// The answer for two objects together: the one that is further from an acceptance, and of equals the first.
    ///
    /// An unclaimed object beside an accepted one makes the whole unclaimed: nobody vouches for all of it.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if other.distance() > self.distance() { other } else { self }
    }

    /// How far from an acceptance; a refusal is news, so it comes before a wait.
    const fn distance(&self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::Unclaimed => 1,
            Self::Waiting { .. } => 2,
            Self::Refused { .. } => 3,
        }
    }
}

impl fmt::Display for Acknowledgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unclaimed => write!(f, "nobody acknowledges this route"),
            Self::Waiting { parent, what } => write!(f, "waiting for {parent}: {what}"),
            Self::Refused { parent, condition, reason, message } if message.is_empty() => {
                write!(f, "{parent} refuses the route: {condition} says {reason}")
            }
            Self::Refused { parent, condition, reason, message } => {
                write!(f, "{parent} refuses the route: {condition} says {reason} ({message})")
            }
            Self::Accepted => write!(f, "accepted"),
        }
    }
}

#[cfg(test)]
mod tests;
