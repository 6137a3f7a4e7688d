//! The environment of the server: read once, at the start.

use std::str::FromStr;
use std::time::Duration;

/// How one version of the service behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `VERSION` (default `unversioned`): the answer's `X-Version` header and the metrics' label.
    pub version: String,
    /// `ERROR_RATE`, 0 to 1 (default 0): the share of requests that is answered with 500.
    pub error_rate: f64,
    /// `START_DELAY_MS` (default 0): time before the port is opened.
    pub start_delay: Duration,
    /// `LATENCY_MS` (default 0): time that each request takes.
    pub latency: Duration,
    /// `DRAIN_MS` (default 3000): time that the server goes on after SIGTERM.
    pub drain: Duration,
    /// `PORT` (default 8080); 0 lets the kernel choose one, which is then logged.
    pub port: u16,
    /// `HOSTNAME`: the pod's name, sent in the `X-Pod` header.
    pub pod: String,
}

impl Config {
    /// Reads the variables of this process.
    pub fn from_environment() -> Result<Self, String> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let text = |name, default: &str| match lookup(name) {
            Some(value) if !value.is_empty() => value,
            _ => default.to_owned(),
        };
        let millis = |name, default| {
            parse::<u64>(name, &text(name, default), "milliseconds").map(Duration::from_millis)
        };
        let error_rate: f64 = parse(
            "ERROR_RATE",
            &text("ERROR_RATE", "0"),
            "a share from 0 to 1",
        )?;
        if !(0.0..=1.0).contains(&error_rate) {
            return Err(format!(
                "ERROR_RATE is `{error_rate}`, give a share from 0 to 1"
            ));
        }
        // A quote or a line break would break the label and the header.
        let version = text("VERSION", "unversioned");
        if !version
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        {
            return Err(format!(
                "VERSION is `{version}`, give letters, digits, `.`, `_` and `-`"
            ));
        }
        Ok(Self {
            version,
            error_rate,
            start_delay: millis("START_DELAY_MS", "0")?,
            latency: millis("LATENCY_MS", "0")?,
            drain: millis("DRAIN_MS", "3000")?,
            port: parse("PORT", &text("PORT", "8080"), "a port number")?,
            pod: text("HOSTNAME", "unknown"),
        })
    }
}

fn parse<T: FromStr>(name: &str, value: &str, wanted: &str) -> Result<T, String> {
    value
        .trim()
        .parse()
        .map_err(|_| format!("{name} is `{value}`, give {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, String> {
        Config::from_lookup(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_empty_environment_gives_the_documented_defaults() {
        let config = read(&[]).unwrap();
        assert_eq!(
            (config.version.as_str(), config.port),
            ("unversioned", 8080)
        );
        assert_eq!(config.drain, Duration::from_secs(3));
        assert!(config.error_rate.abs() < f64::EPSILON);
    }

    #[test]
    fn a_bad_value_names_its_variable() {
        for (name, value) in [
            ("ERROR_RATE", "1.5"),
            ("ERROR_RATE", "NaN"),
            ("ERROR_RATE", "often"),
            ("PORT", "70000"),
            ("DRAIN_MS", "-1"),
            ("VERSION", "v1\"}"),
        ] {
            let message = read(&[(name, value)]).unwrap_err();
            assert!(message.contains(name), "{name}={value}: {message}");
        }
    }
}
