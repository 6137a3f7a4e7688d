//! The users of a simulation: `500rps`, or a profile in a file.

use std::time::Duration;

use serde::Deserialize;

use super::text::{duration, rate, share, span};
use crate::api::Time;
use crate::sim::traffic::{Connections, Load, Profile, Target};

/// Requests per second where nothing is said.
pub const DEFAULT_RATE: f64 = 100.0;

/// How many requests come when.
#[derive(Clone, Debug, PartialEq)]
pub struct Users {
    /// Requests per second, where the course is at its height.
    pub rate: f64,
    course: Course,
    /// Connections that stay open; 0: each request on its own.
    connections: usize,
    /// A connection's life; zero: for ever.
    lifetime: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Course {
    Steady,
    Diurnal { low: f64, period: Duration },
    Spike { at: Duration, lasting: Duration, factor: f64 },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    rate: Text,
    #[serde(default)]
    diurnal: Option<Diurnal>,
    #[serde(default)]
    spike: Option<Spike>,
    #[serde(default)]
    connections: usize,
    #[serde(default)]
    lifetime: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Diurnal {
    low: Text,
    period: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spike {
    at: String,
    lasting: String,
    factor: f64,
}

/// A number, with or without its unit.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Number(f64),
}

impl Text {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl Default for Users {
    fn default() -> Self {
        Self { rate: DEFAULT_RATE, course: Course::Steady, connections: 0, lifetime: Duration::ZERO }
    }
}

impl Users {
    /// Steady users.
    pub fn steady(rate: f64) -> Self {
        Self { rate, ..Self::default() }
    }

    /// Whether as many requests come at any time, each on its own: then it does not matter how many are sent at once.
    pub fn are_even(&self) -> bool {
        self.course == Course::Steady && self.connections == 0
    }

    /// Reads a profile; see `docs/simulate.md`.
    ///
    /// # Errors
    /// What is wrong with it, with its line where the YAML is at fault.
    pub fn profile(text: &str) -> Result<Self, String> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let course = match (file.diurnal, file.spike) {
            (Some(_), Some(_)) => return Err("give one of diurnal and spike".to_owned()),
            (Some(Diurnal { low, period }), None) => {
                let (low, period) = (share(&low.text())?, duration(&period)?);
                if period.is_zero() {
                    return Err("diurnal.period has to be above 0".to_owned());
                }
                Course::Diurnal { low, period }
            }
            (None, Some(Spike { at, lasting, factor })) if factor.is_finite() && factor >= 0.0 => {
                Course::Spike { at: duration(&at)?, lasting: duration(&lasting)?, factor }
            }
            (None, Some(_)) => return Err("spike.factor has to be 0 or more".to_owned()),
            (None, None) => Course::Steady,
        };
        let lifetime = file.lifetime.as_deref().map(duration).transpose()?.unwrap_or_default();
        Ok(Self { rate: rate(&file.rate.text())?, course, connections: file.connections, lifetime })
    }

    /// The model's users of a target, of a release that begins at `start`.
    pub fn load(&self, target: Target, start: Time) -> Load {
        let profile = match self.course {
            Course::Steady => Profile::Steady,
            Course::Diurnal { low, period } => Profile::Diurnal { low, period },
            Course::Spike { at, lasting, factor } => Profile::Spike { at: start + at, lasting, factor },
        };
        let load = Load::to(target, self.rate).in_course(profile);
        match self.connections {
            0 => load,
            count => load.over(Connections::KeepAlive { count, lifetime: self.lifetime }),
        }
    }

    /// For people.
    pub fn describe(&self) -> String {
        let course = match self.course {
            Course::Steady => "steady".to_owned(),
            Course::Diurnal { low, period } => {
                format!("between {} of it and all of it every {}", super::text::percent(low), span(period))
            }
            Course::Spike { at, lasting, factor } => {
                format!("{factor} times as many from {} on for {}", super::text::clock(at), span(lasting))
            }
        };
        let connections = match self.connections {
            0 => String::new(),
            count => format!(", over {count} open connections"),
        };
        format!("{} requests/s, {course}{connections}", self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_profiles() {
        let users = Users::profile("rate: 500rps\nspike: {at: 10m, lasting: 2m, factor: 3}\n").unwrap();
        assert_eq!(users.describe(), "500 requests/s, 3 times as many from 10:00 on for 2 min");
        let users = Users::profile("rate: 20\nconnections: 4\ndiurnal: {low: 30%, period: 24h}\n").unwrap();
        assert_eq!(
            users.describe(),
            "20 requests/s, between 30 % of it and all of it every 24 h 00 min, over 4 open connections"
        );
        for wrong in ["rate: x", "rate: 5\nspik: {}", "rate: 5\ndiurnal: {low: 2, period: 1h}", "rate: [", "{}"] {
            assert!(Users::profile(wrong).is_err(), "{wrong}");
        }
    }
}
