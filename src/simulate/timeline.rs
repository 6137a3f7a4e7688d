//! What is told of a simulation: rows of the timeline, samples of sizes, flows of requests.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::sim::traffic::Tally;

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The release begins.
    Begin,
    /// A step is done.
    Step,
    /// The controller's phase, or a decision on record.
    Decision,
    /// A pause begins or ends.
    Pause,
    /// A measurement.
    Measurement,
    /// The verdict of an analysis.
    Verdict,
    /// Something that was waited for.
    Wait,
    /// A fault begins or ends.
    Fault,
    /// The number of replicas changes.
    Scale,
    /// A bad end.
    Abort,
    /// A good end.
    Finish,
}

/// How good the news of a row are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Tone {
    /// As it should be.
    Good,
    /// Neither.
    Neutral,
    /// As it should not be.
    Bad,
}

/// Pods of one version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pods {
    /// That take traffic.
    pub ready: i64,
    /// That are wanted.
    pub wanted: i64,
    /// That exist, those on their way out included.
    pub existing: i64,
}

/// Sizes and weights at an instant.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Steps done, and steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<(i32, i32)>,
    /// Share of the traffic that the routes give the new version, as in force; none without a route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// Pods of the version that ran before, those of a referenced workload included.
    pub old: Pods,
    /// Pods of the version that is released.
    pub new: Pods,
    /// Replicas that the Rollout asks for.
    pub replicas: i64,
}

/// One row of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Since the begin of the release.
    #[serde(rename = "atSeconds", serialize_with = "seconds")]
    pub at: Duration,
    /// What it is about.
    pub kind: Kind,
    /// Good or bad.
    pub tone: Tone,
    /// What has happened.
    pub text: String,
    /// How things stand.
    #[serde(flatten)]
    pub state: State,
    /// Share of the answered requests from then on, until the next row at least a second later, that the new version
    /// answered; none where there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_share: Option<f64>,
    /// Requests without an answer until the next row.
    pub lost: u64,
    /// All requests until then.
    #[serde(skip)]
    pub(super) total: Requests,
}

/// Fills in what became of the requests after each row; rows are in order of time, `end` is the sum of all.
pub(super) fn settle(rows: &mut [Row], end: &Requests) {
    const APART: Duration = Duration::from_secs(1);
    for index in 0..rows.len() {
        let (Some(row), later) = (rows.get(index), rows.get(index + 1..).unwrap_or_default()) else { continue };
        let distant = later.iter().find(|other| other.at >= row.at + APART).map_or(*end, |other| other.total);
        let next = later.first().map_or(*end, |other| other.total);
        let (share, lost) = (distant.since(&row.total).new_share(), next.since(&row.total).lost);
        if let Some(row) = rows.get_mut(index) {
            (row.new_share, row.lost) = (share, lost);
        }
    }
}

/// Sizes from an instant on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// Since the begin of the release.
    #[serde(rename = "atSeconds", serialize_with = "seconds")]
    pub at: Duration,
    /// How things stand.
    #[serde(flatten)]
    pub state: State,
}

/// Requests of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flow {
    /// End of the span, since the begin of the release.
    pub to: Duration,
    /// What has become of them.
    pub requests: Requests,
}

/// Requests by version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Answered by the version that ran before.
    pub old: Tally,
    /// Answered by the version that is released.
    pub new: Tally,
    /// Without an answer.
    pub lost: u64,
}

impl Requests {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.old.total() + self.new.total() + self.lost
    }

    /// The share that the new version answered, of those that were answered.
    pub fn new_share(&self) -> Option<f64> {
        let answered = self.old.total() + self.new.total();
        (answered > 0).then(|| super::text::real(self.new.total()) / super::text::real(answered))
    }

    /// What has been added since `earlier`.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            old: less(self.old, earlier.old),
            new: less(self.new, earlier.new),
            lost: self.lost.saturating_sub(earlier.lost),
        }
    }

    /// Both together.
    #[must_use]
    pub const fn and(&self, other: &Self) -> Self {
        Self { old: more(self.old, other.old), new: more(self.new, other.new), lost: self.lost + other.lost }
    }
}

const fn less(a: Tally, b: Tally) -> Tally {
    Tally {
        ok: a.ok.saturating_sub(b.ok),
        errors: a.errors.saturating_sub(b.errors),
        lost: a.lost.saturating_sub(b.lost),
    }
}

const fn more(a: Tally, b: Tally) -> Tally {
    Tally { ok: a.ok + b.ok, errors: a.errors + b.errors, lost: a.lost + b.lost }
}

/// Seconds with a fraction of at most three digits.
pub(super) fn seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(rounded(*span))
}

/// Seconds, to a thousandth.
pub(super) fn rounded(span: Duration) -> f64 {
    (span.as_secs_f64() * 1000.0).round() / 1000.0
}
