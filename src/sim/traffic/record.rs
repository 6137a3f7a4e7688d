//! What has become of all requests: totals, and counts in short buckets for rates over a window.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::flow::{Outcome, PodFacts, Reason};
use super::times::{Histogram, Times};
use crate::api::Time;

/// The length of one bucket, and so the precision of windows.
const BUCKET: Duration = Duration::from_millis(100);
/// How many buckets are kept: half an hour, the longest window that can be asked for.
const MAX_BUCKETS: usize = 18_000;

/// One time series of `http_requests_total`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    /// The Service that answered, or was to answer.
    pub service: String,
    /// Namespace of the pod that answered; empty for lost requests.
    pub namespace: String,
    /// The version that answered; empty for lost requests.
    pub version: String,
    /// `rollouts-pod-template-hash` of the pod that answered; empty for lost requests.
    pub hash: String,
    /// 200, 500 (an error of the version), or 503 (lost).
    pub code: u16,
}

impl Series {
    fn of(outcome: &Outcome) -> Self {
        let (pod, service, code) = match outcome {
            Outcome::Ok { pod, service } => (Some(pod), service, 200),
            Outcome::VersionError { pod, service } => (Some(pod), service, 500),
            Outcome::Lost { service, .. } => (None, service, 503),
        };
        let text = |of: fn(&PodFacts) -> &String| pod.map(of).cloned().unwrap_or_default();
        Self {
            service: service.clone(),
            namespace: text(|pod| &pod.namespace),
            version: text(|pod| &pod.version),
            hash: text(|pod| &pod.hash),
            code,
        }
    }

    /// The labels as Prometheus shows them, without the empty ones.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let all = [
            ("code", self.code.to_string()),
            ("namespace", self.namespace.clone()),
            ("rollouts_pod_template_hash", self.hash.clone()),
            ("service", self.service.clone()),
            ("version", self.version.clone()),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Counts by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Good answers.
    pub ok: u64,
    /// Errors of the version.
    pub errors: u64,
    /// Requests without an answer.
    pub lost: u64,
}

impl Tally {
    /// All requests.
    pub const fn total(self) -> u64 {
        self.ok + self.errors + self.lost
    }

    fn add(&mut self, code: u16, count: u64) {
        match code {
            200 => self.ok += count,
            500 => self.errors += count,
            _ => self.lost += count,
        }
    }
}

/// What has become of all requests.
#[derive(Debug, Default)]
pub struct Record {
    totals: BTreeMap<Series, u64>,
    lost: BTreeMap<Reason, u64>,
    buckets: VecDeque<(Time, BTreeMap<Series, u64>)>,
    times: Times,
}

impl Record {
    /// Adds one request.
    pub fn add(&mut self, outcome: &Outcome, now: Time) {
        self.add_many(outcome, 1, now);
    }

    /// Adds requests of which the same has become.
    pub fn add_many(&mut self, outcome: &Outcome, count: u64, now: Time) {
        let series = Series::of(outcome);
        if let Outcome::Lost { reason, .. } = outcome {
            *self.lost.entry(*reason).or_default() += count;
        }
        *self.totals.entry(series.clone()).or_default() += count;
        if self.buckets.back().is_none_or(|(start, _)| *start + BUCKET <= now) {
            self.buckets.push_back((now, BTreeMap::new()));
        }
        if self.buckets.len() > MAX_BUCKETS {
            self.buckets.pop_front();
        }
        if let Some((_, counts)) = self.buckets.back_mut() {
            *counts.entry(series).or_default() += count;
        }
    }

    /// Adds the seconds that the answer to one request took.
    pub fn took(&mut self, outcome: &Outcome, seconds: f64, now: Time) {
        let mut took = Histogram::default();
        took.add((seconds, 1));
        self.took_many(outcome, &took, now);
    }

    /// Adds the times of many answers.
    pub fn took_many(&mut self, outcome: &Outcome, took: &Histogram, now: Time) {
        self.times.add(Series::of(outcome), took, now);
    }

    /// How long answers took, of pods that say so.
    pub fn times(&self) -> &Times {
        &self.times
    }

    /// Every series that has ever counted, with its total.
    pub fn totals(&self) -> &BTreeMap<Series, u64> {
        &self.totals
    }

    /// Requests without an answer, by reason.
    pub fn lost(&self) -> &BTreeMap<Reason, u64> {
        &self.lost
    }

    /// Everything since the start.
    pub fn total(&self) -> Tally {
        sum(self.totals.iter(), |_| true)
    }

    /// Everything that one version answered.
    pub fn of_version(&self, version: &str) -> Tally {
        sum(self.totals.iter(), |series| series.version == version)
    }

    /// Everything that went to one Service.
    pub fn of_service(&self, service: &str) -> Tally {
        sum(self.totals.iter(), |series| series.service == service)
    }

    /// The counts of each series within the last `window` before `now`; known series without requests count 0.
    pub fn window(&self, now: Time, window: Duration) -> BTreeMap<Series, u64> {
        let mut counts: BTreeMap<Series, u64> = self.totals.keys().map(|series| (series.clone(), 0)).collect();
        for (_, bucket) in self.buckets.iter().rev().take_while(|(start, _)| *start + window > now) {
            for (series, count) in bucket {
                *counts.entry(series.clone()).or_default() += count;
            }
        }
        counts
    }

    /// The recent counts of the series that `wanted` picks.
    pub fn recent(&self, (now, window): (Time, Duration), wanted: impl Fn(&Series) -> bool) -> Tally {
        sum(self.window(now, window).iter(), wanted)
    }
}

fn sum<'a>(counts: impl Iterator<Item = (&'a Series, &'a u64)>, wanted: impl Fn(&Series) -> bool) -> Tally {
    let mut tally = Tally::default();
    for (series, count) in counts.filter(|(series, _)| wanted(series)) {
        tally.add(series.code, *count);
    }
    tally
}
