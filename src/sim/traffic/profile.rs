//! How many requests come when.

use std::time::Duration;

use crate::api::Time;

/// The course of a load over time, as a factor of its rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Profile {
    /// Always the same.
    #[default]
    Steady,
    /// Up and down in a straight line: `low` (0 to 1) of the rate at the start of each period, all of it in the middle.
    Diurnal {
        /// The least, from 0 to 1.
        low: f64,
        /// From one low to the next.
        period: Duration,
    },
    /// The rate, but `factor` times it within a span.
    Spike {
        /// When it begins.
        at: Time,
        /// How long it lasts.
        lasting: Duration,
        /// At least 0.
        factor: f64,
    },
}

impl Profile {
    /// The factor at an instant; at least 0.
    pub fn factor(self, now: Time) -> f64 {
        match self {
            Self::Steady => 1.0,
            Self::Diurnal { low, period } => {
                let (low, period) = (low.clamp(0.0, 1.0), period.as_secs_f64());
                if period <= 0.0 {
                    return 1.0;
                }
                let place = (Time::from_seconds(0).until(now).as_secs_f64() % period) / period;
                let height = 1.0 - (2.0 * place - 1.0).abs();
                low + (1.0 - low) * height
            }
            Self::Spike { at, lasting, factor } => {
                if at <= now && now < at + lasting {
                    factor.max(0.0)
                } else {
                    1.0
                }
            }
        }
    }
}
