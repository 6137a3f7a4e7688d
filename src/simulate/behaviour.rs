//! How the two versions behave: `canary:errors=5%,latency=2x,start=30s`.

use std::time::Duration;

use super::text::{duration, rate, share};
use crate::sim::models::kubelet;
use crate::sim::traffic::flow::{ERROR_RATE, REFUSES};
use crate::sim::traffic::loads::{CAPACITY, LATENCY};

/// Seconds that an idle pod takes for an answer where nothing else is said.
const LATENCY_SECONDS: f64 = 0.05;
/// Seconds from creation to ready where nothing else is said.
const START_SECONDS: f64 = 5.0;
/// Seconds from deletion to gone where nothing else is said.
const STOP_SECONDS: f64 = 2.0;
/// What can be said of a version.
const KEYS: &str = "errors=5%, latency=2x or 80ms, start=30s, stop=5s, pre-stop=10s, refuses=1s, capacity=100rps, \
                    pods=never-ready, crash-loop, never-pulls, crash-back-off, out-of-memory or unhealthy";
/// Lives of pods that the kubelet's model knows.
const LIVES: [&str; 6] = ["never-ready", "crash-loop", "never-pulls", "crash-back-off", "out-of-memory", "unhealthy"];

/// The two versions of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// The one that runs before.
    Stable,
    /// The one that is released.
    Canary,
}

impl Version {
    /// Reads `stable` or `canary`; `old`, `new`, `active` and `preview` mean the same.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "stable" | "old" | "active" => Ok(Self::Stable),
            "canary" | "new" | "preview" => Ok(Self::Canary),
            other => Err(format!("{other:?} is no version: write stable or canary")),
        }
    }
}

/// How a version behaves. What is not said is as the other version has it, or ordinary.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Behaviour {
    /// Share of requests that it answers with an error.
    pub errors: Option<f64>,
    /// How long an answer takes when idle.
    pub latency: Option<Latency>,
    /// From creation to ready.
    pub start: Option<Duration>,
    /// From deletion to gone.
    pub stop: Option<Duration>,
    /// Length of the `preStop` hook.
    pub pre_stop: Option<Duration>,
    /// From deletion until it refuses requests.
    pub refuses: Option<Duration>,
    /// Requests per second that one pod can serve.
    pub capacity: Option<f64>,
    /// Its image takes so long to each node.
    pub pull: Option<Duration>,
    /// What becomes of its pods; none: they live.
    pub pods: Option<String>,
}

/// The time of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    /// So many times the ordinary.
    Times(f64),
    /// So long.
    Takes(Duration),
}

impl Behaviour {
    /// Reads `canary:errors=5%,latency=2x,start=30s`.
    ///
    /// # Errors
    /// What is wrong, and what can be said.
    pub fn parse(text: &str) -> Result<(Version, Self), String> {
        let (version, rest) = text
            .split_once(':')
            .ok_or_else(|| format!("{text:?} names no version: write canary:errors=5%; what can be said: {KEYS}"))?;
        let version = Version::parse(version)?;
        let mut behaviour = Self::default();
        for part in rest.split(',') {
            behaviour.set(part)?;
        }
        Ok((version, behaviour))
    }

    fn set(&mut self, part: &str) -> Result<(), String> {
        let unknown = || format!("{part:?} says nothing of a version; what can be said: {KEYS}");
        let (key, value) = part.trim().split_once('=').ok_or_else(unknown)?;
        match key {
            "errors" => self.errors = Some(share(value)?),
            "latency" => self.latency = Some(latency(value)?),
            "start" => self.start = Some(duration(value)?),
            "stop" => self.stop = Some(duration(value)?),
            "pre-stop" => self.pre_stop = Some(duration(value)?),
            "refuses" => self.refuses = Some(duration(value)?),
            "capacity" => self.capacity = Some(rate(value)?).filter(|capacity| *capacity > 0.0),
            "pods" if LIVES.contains(&value) => self.pods = Some(value.to_owned()),
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// What is said later counts.
    pub fn join(&mut self, later: Self) {
        let Self { errors, latency, start, stop, pre_stop, refuses, capacity, pull, pods } = later;
        self.errors = errors.or(self.errors);
        self.latency = latency.or(self.latency);
        self.start = start.or(self.start);
        self.stop = stop.or(self.stop);
        self.pre_stop = pre_stop.or(self.pre_stop);
        self.refuses = refuses.or(self.refuses);
        self.capacity = capacity.or(self.capacity);
        self.pull = pull.or(self.pull);
        self.pods = pods.or_else(|| self.pods.take());
    }

    /// The annotations of the model's pods.
    pub fn annotations(&self) -> Vec<(&'static str, String)> {
        let seconds =
            |span: Option<Duration>, otherwise: f64| span.map_or(otherwise, |span| span.as_secs_f64()).to_string();
        let idle = match self.latency {
            None => LATENCY_SECONDS,
            Some(Latency::Times(times)) => LATENCY_SECONDS * times,
            Some(Latency::Takes(span)) => span.as_secs_f64(),
        };
        let mut told = vec![
            (kubelet::START, seconds(self.start, START_SECONDS)),
            (kubelet::STOP, seconds(self.stop, STOP_SECONDS)),
            (LATENCY, idle.to_string()),
        ];
        told.extend(self.errors.map(|errors| (ERROR_RATE, errors.to_string())));
        told.extend(self.pre_stop.map(|span| (kubelet::PRE_STOP, span.as_secs_f64().to_string())));
        told.extend(self.refuses.map(|span| (REFUSES, span.as_secs_f64().to_string())));
        told.extend(self.pull.map(|span| (kubelet::PULL, span.as_secs_f64().to_string())));
        told.extend(self.capacity.map(|capacity| (CAPACITY, capacity.to_string())));
        told.extend(self.pods.iter().map(|life| (kubelet::BEHAVIOUR, life.clone())));
        told
    }

    /// What is said of it, for people; empty where nothing is.
    pub fn describe(&self) -> String {
        let span = |span: Duration| super::text::span(span);
        let latency = self.latency.map(|latency| match latency {
            Latency::Times(times) => format!("answers take {times} times as long"),
            Latency::Takes(time) => format!("answers take {}", span(time)),
        });
        let parts = [
            self.errors.map(|errors| format!("{} errors", super::text::percent(errors))),
            latency,
            self.start.map(|time| format!("ready after {}", span(time))),
            self.stop.map(|time| format!("gone {} after deletion", span(time))),
            self.pre_stop.map(|time| format!("preStop of {}", span(time))),
            self.refuses.map(|time| format!("refuses requests {} after deletion", span(time))),
            self.capacity.map(|capacity| format!("a pod serves {capacity} requests/s")),
            self.pull.map(|time| format!("image pulled in {}", span(time))),
            self.pods.as_ref().map(|life| format!("pods {life}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn latency(value: &str) -> Result<Latency, String> {
    match value.strip_suffix('x').map(str::parse::<f64>) {
        Some(Ok(times)) if times.is_finite() && times > 0.0 => Ok(Latency::Times(times)),
        Some(_) => Err(format!("{value:?} is no factor: write 2x, or a time such as 80ms")),
        None => Ok(Latency::Takes(duration(value)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_version() {
        let (version, behaviour) = Behaviour::parse("canary:errors=5%,latency=2x,start=30s").unwrap();
        assert_eq!(version, Version::Canary);
        assert_eq!(behaviour.describe(), "5 % errors, answers take 2 times as long, ready after 30 s");
        for wrong in ["errors=5%", "canary:eror=5%", "canary:errors=500%", "third:errors=5%", "canary:pods=well"] {
            assert!(Behaviour::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_said_later_counts() {
        let mut behaviour = Behaviour::parse("canary:errors=5%,start=30s").unwrap().1;
        behaviour.join(Behaviour::parse("canary:errors=1%").unwrap().1);
        assert_eq!((behaviour.errors, behaviour.start), (Some(0.01), Some(Duration::from_secs(30))));
    }
}
