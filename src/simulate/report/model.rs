//! The report as a value.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::rollout::strategy::steps;
use crate::sim::traffic::Reason;
use crate::simulate::behaviour::Version;
use crate::simulate::input::Input;
use crate::simulate::options::{Approval, Options};
use crate::simulate::steps::describe;
use crate::simulate::sums::Sums;
use crate::simulate::timeline::{Flow, Requests, Row, Sample};

/// How a simulation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The new version serves everybody.
    Finished,
    /// The old version serves everybody again.
    Aborted,
    /// The time was over first.
    Unfinished,
    /// It waits for somebody who does not come.
    Waiting,
    /// A promise of the controller was broken.
    Violated,
}

impl Outcome {
    /// The exit code: 0 finished, 2 aborted or not finished, 3 violated.
    pub const fn exit(self) -> u8 {
        match self {
            Self::Finished => 0,
            Self::Aborted | Self::Unfinished | Self::Waiting => 2,
            Self::Violated => 3,
        }
    }
}

/// How it ended, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// In one word.
    pub outcome: Outcome,
    /// In one sentence, without its point.
    pub text: String,
    /// When it was decided, since the begin of the release.
    pub at: Option<Duration>,
}

impl Verdict {
    /// A verdict without a time.
    pub fn new(outcome: Outcome, text: impl Into<String>) -> Self {
        Self { outcome, text: text.into(), at: None }
    }
}

/// What was simulated.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// Name of the Rollout.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The strategy in a few words.
    pub strategy: String,
    /// Steps in words; empty for a blue-green.
    pub steps: Vec<String>,
    /// Replicas before the release.
    pub replicas: i64,
    /// Images of the version that ran before.
    pub old_images: Vec<String>,
    /// The hash of its revision.
    pub old_revision: String,
    /// Images of the version that is released.
    pub new_images: Vec<String>,
    /// The hash of its revision; empty where it never had one.
    pub new_revision: String,
    /// The users.
    pub users: String,
    /// What was said of the versions.
    pub behaviour: Vec<String>,
    /// What went wrong.
    pub faults: Vec<String>,
    /// What is done about pauses that wait for a person.
    pub approval: String,
    /// Of all chance.
    pub seed: u64,
}

impl Head {
    /// The head of a simulation; `revisions` are the hashes of the old and the new one.
    pub(in crate::simulate) fn of(input: &Input, options: &Options, revisions: (&str, &str)) -> Self {
        let said = [(Version::Stable, "stable"), (Version::Canary, "canary")];
        let behaviour = said.into_iter().map(|(version, name)| (name, options.behaviour(version).describe()));
        let behaviour =
            behaviour.filter(|(_, words)| !words.is_empty()).map(|(name, words)| format!("{name}: {words}"));
        Self {
            name: input.read.metadata.name.clone(),
            namespace: input.read.metadata.namespace.clone(),
            strategy: strategy(input),
            steps: steps::steps(&input.read).iter().map(describe).collect(),
            replicas: input.replicas(),
            old_images: input.release.images.0.clone(),
            old_revision: revisions.0.to_owned(),
            new_images: input.release.images.1.clone(),
            new_revision: revisions.1.to_owned(),
            users: format!("{}, through {}", options.users.describe(), input.furniture.via),
            behaviour: behaviour.collect(),
            faults: options.faults.iter().map(|fault| fault.text.clone()).collect(),
            approval: match options.approval {
                Approval::After(wait) => {
                    format!("pauses without duration are approved after {}", crate::simulate::text::span(wait))
                }
                Approval::Never => "pauses without duration are not approved".to_owned(),
            },
            seed: options.seed,
        }
    }
}

fn strategy(input: &Input) -> String {
    let strategy = &input.read.spec.strategy;
    if strategy.blue_green.is_some() {
        return "blue-green".to_owned();
    }
    let count = steps::steps(&input.read).len() as u64;
    let routed = strategy.canary.as_ref().is_some_and(|canary| canary.traffic_routing.is_some());
    let by = if routed { "traffic split by routes" } else { "traffic split by numbers of pods" };
    let workload = if input.release.workload.is_some() { ", pods of a referenced workload" } else { "" };
    format!("canary in {}, {by}{workload}", crate::simulate::text::counted(count, "step"))
}

/// Something that the reader should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// What kind of thing, in CamelCase: stable, for scripts.
    pub code: &'static str,
    /// What it is, with numbers.
    pub text: String,
    /// File and line; empty where it is about no place in the files.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub place: String,
}

/// Everything that a simulation has shown.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was simulated.
    pub head: Head,
    /// How it ended.
    pub verdict: Verdict,
    /// From the begin of the release to the end of the simulation.
    pub lasted: Duration,
    /// The timeline.
    pub rows: Vec<Row>,
    /// Sizes over time.
    pub samples: Vec<Sample>,
    /// Requests over time.
    pub flows: Vec<Flow>,
    /// What it came to.
    pub sums: Sums,
    /// Requests since the begin.
    pub total: Requests,
    /// Requests without an answer, by reason.
    pub lost: BTreeMap<Reason, u64>,
    /// What the reader should look at.
    pub warnings: Vec<Warning>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// Why a request got no answer, in words.
pub(in crate::simulate) const fn why_lost(reason: Reason) -> &'static str {
    match reason {
        Reason::NoBackend => "no route or Service",
        Reason::NoEndpoint => "no ready endpoint",
        Reason::DeadPod => "the pod was gone",
        Reason::Draining => "the pod refused while it stopped",
        Reason::Overload => "the pods had too much to do",
    }
}
