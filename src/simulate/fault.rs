//! What goes wrong in a simulation, and when: `node-loss@5m..8m`, `gateway-lag=30s`, `api-errors=5%`.
//!
//! ```text
//! fault := name ["=" value] ["@" time [".." time]]
//! ```
//!
//! Times count from the begin of the release. Without one, a fault holds from the begin on.

use std::time::Duration;

use super::behaviour::Version;
use super::text::{clock, duration, share, span};
use crate::cli::suggest::nearest;

/// One kind of fault: name, an example, what happens.
pub struct Kind {
    /// As it is written.
    pub name: &'static str,
    /// A whole fault.
    pub example: &'static str,
    /// For people.
    pub meaning: &'static str,
}

/// All kinds of faults.
pub const KINDS: &[Kind] = &[
    kind(
        "node-loss",
        "node-loss@5m..15m",
        "the node with the most pods is not heard of any more; with an end, it comes back",
    ),
    kind("gateway-lag", "gateway-lag=30s@2m", "a changed route takes so long to be in force"),
    kind("gateway-refuses", "gateway-refuses@2m..5m", "changed routes are refused; what was in force stays so"),
    kind("endpoint-lag", "endpoint-lag=10s", "changed endpoints take so long to reach the data plane"),
    kind("image-pull", "image-pull=canary:90s", "a version's image takes so long to each node"),
    kind("crash", "crash=canary@5m", "from then on, the pods of a version crash again and again"),
    kind("errors", "errors=canary:20%@10m", "from then on, a version answers this share of requests with an error"),
    kind("api-errors", "api-errors=5%", "this share of the controller's writes is refused"),
    kind("api-down", "api-down@3m..4m", "the API server answers the controller nothing"),
    kind(
        "controller-crash",
        "controller-crash@3m",
        "the controller dies; another takes over when its lease has run out",
    ),
    kind("prometheus-down", "prometheus-down@4m..6m", "nobody answers queries"),
];

const fn kind(name: &'static str, example: &'static str, meaning: &'static str) -> Kind {
    Kind { name, example, meaning }
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// A node is lost.
    NodeLoss,
    /// Routes take longer.
    GatewayLag(Duration),
    /// Changed routes are refused.
    GatewayRefuses,
    /// Endpoints take longer.
    EndpointLag(Duration),
    /// Images take longer.
    ImagePull(Version, Duration),
    /// Pods crash.
    Crash(Version),
    /// A version's errors.
    Errors(Version, f64),
    /// Writes are refused.
    ApiErrors(f64),
    /// All reads and writes of the controller wait.
    ApiDown,
    /// The controller dies.
    ControllerCrash,
    /// Queries are not answered.
    PrometheusDown,
}

/// A fault and its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What happens.
    pub what: What,
    /// From when, after the begin of the release.
    pub from: Duration,
    /// Until when; none: it does not end.
    pub to: Option<Duration>,
    /// As it was written.
    pub text: String,
}

impl Fault {
    /// Reads one fault.
    ///
    /// # Errors
    /// What is wrong; an unknown name lists what there is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (head, time) = text.split_once('@').map_or((text, None), |(head, time)| (head, Some(time)));
        let (name, value) = head.split_once('=').map_or((head, None), |(name, value)| (name, Some(value)));
        let kind = KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| unknown(name))?;
        let malformed = |why: String| format!("fault {text:?}: {why}; write it like {}", kind.example);
        let value = value.ok_or_else(|| malformed("it needs a value".to_owned()));
        let (from, to) = time.map_or(Ok((Duration::ZERO, None)), times).map_err(malformed)?;
        let versioned = |value: &str| -> Result<(Version, String), String> {
            let (version, rest) = value.split_once(':').ok_or_else(|| "it names no version".to_owned())?;
            Ok((Version::parse(version)?, rest.to_owned()))
        };
        let what = match name {
            "node-loss" => What::NodeLoss,
            "gateway-lag" => What::GatewayLag(value.and_then(|value| duration(value).map_err(malformed))?),
            "gateway-refuses" => What::GatewayRefuses,
            "endpoint-lag" => What::EndpointLag(value.and_then(|value| duration(value).map_err(malformed))?),
            "image-pull" => {
                let (version, time) = versioned(value?).map_err(malformed)?;
                What::ImagePull(version, duration(&time).map_err(malformed)?)
            }
            "errors" => {
                let (version, errors) = versioned(value?).map_err(malformed)?;
                What::Errors(version, share(&errors).map_err(malformed)?)
            }
            "crash" => What::Crash(value.and_then(|value| Version::parse(value).map_err(malformed))?),
            "api-errors" => What::ApiErrors(value.and_then(|value| share(value).map_err(malformed))?),
            "api-down" => What::ApiDown,
            "controller-crash" => What::ControllerCrash,
            _ => What::PrometheusDown,
        };
        Ok(Self { what, from, to, text: text.to_owned() })
    }

    /// Whether it holds at an instant after the begin of the release.
    pub fn holds(&self, at: Duration) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// What happens when it begins, for the timeline.
    pub fn begins(&self) -> String {
        let meaning = KINDS.iter().find(|kind| self.text.starts_with(kind.name)).map_or("", |kind| kind.meaning);
        let meaning = meaning.split(';').next().unwrap_or_default();
        let lasting = self.to.map(|to| format!(" (for {})", span(to.saturating_sub(self.from)))).unwrap_or_default();
        format!("fault {}: {meaning}{lasting}", self.text)
    }

    /// What is said when it ends.
    pub fn ends(&self) -> String {
        format!("fault {} is over after {}", self.text, clock(self.to.unwrap_or_default().saturating_sub(self.from)))
    }
}

fn times(text: &str) -> Result<(Duration, Option<Duration>), String> {
    let (from, to) = text.split_once("..").map_or((text, None), |(from, to)| (from, Some(to)));
    let (from, to) = (duration(from)?, to.map(duration).transpose()?);
    match to {
        Some(to) if to <= from => Err(format!("it ends at {} before it begins", clock(to))),
        _ => Ok((from, to)),
    }
}

fn unknown(name: &str) -> String {
    let meant = nearest(name, KINDS.iter().map(|kind| kind.name));
    let meant = meant.map(|meant| format!(" (did you mean {meant:?}?)")).unwrap_or_default();
    let lines: Vec<String> = KINDS.iter().map(|kind| format!("  {:<26} {}", kind.example, kind.meaning)).collect();
    format!("there is no fault {name:?}{meant}; there are:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_read() {
        for kind in KINDS {
            let fault = Fault::parse(kind.example).unwrap();
            let meaning = kind.meaning.split(';').next().unwrap();
            assert!(fault.begins().contains(meaning), "{}", kind.example);
        }
    }

    #[test]
    fn a_fault_holds_in_its_time() {
        let fault = Fault::parse("prometheus-down@4m..6m").unwrap();
        let minutes = Duration::from_mins;
        assert_eq!([3, 4, 5, 6].map(|at| fault.holds(minutes(at))), [false, true, true, false]);
        assert!(Fault::parse("gateway-lag=30s").unwrap().holds(Duration::ZERO));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |text: &str| Fault::parse(text).unwrap_err();
        assert!(error("node-los@5m").contains("did you mean \"node-loss\"") && error("x").contains("api-errors=5%"));
        assert!(error("gateway-lag").contains("needs a value"));
        assert!(error("api-errors=500%").contains("no share"));
        assert!(error("api-down@4m..3m").contains("before it begins"));
        assert!(error("image-pull=90s").contains("names no version"));
    }
}
