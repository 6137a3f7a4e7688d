//! How long answers took: a histogram for each series, in total and in short buckets for rates over a window.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::record::Series;
use crate::api::Time;

/// Upper bounds in seconds, as Prometheus' clients have them by default; the last, infinity, is not listed.
pub const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// The length of one bucket of time.
const BUCKET: Duration = Duration::from_millis(500);
/// Half an hour.
const MAX_BUCKETS: usize = 3_600;

/// One histogram: not cumulative, the last place is for what is beyond all bounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Answers by bound.
    pub counts: [u64; 12],
    /// Seconds in all.
    pub sum: f64,
}

impl Histogram {
    /// Adds answers that took the same time: (seconds, answers).
    pub fn add(&mut self, (seconds, answers): (f64, u64)) {
        let place = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        if let Some(count) = self.counts.get_mut(place) {
            *count += answers;
        }
        self.sum += seconds * real(answers);
    }

    fn join(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.sum += other.sum;
    }
}

/// The histograms of all series that have one.
#[derive(Debug, Default)]
pub struct Times {
    totals: BTreeMap<Series, Histogram>,
    buckets: VecDeque<(Time, BTreeMap<Series, Histogram>)>,
}

impl Times {
    pub(crate) fn add(&mut self, series: Series, took: &Histogram, now: Time) {
        self.totals.entry(series.clone()).or_default().join(took);
        if self.buckets.back().is_none_or(|(start, _)| *start + BUCKET <= now) {
            self.buckets.push_back((now, BTreeMap::new()));
        }
        if self.buckets.len() > MAX_BUCKETS {
            self.buckets.pop_front();
        }
        if let Some((_, series_of)) = self.buckets.back_mut() {
            series_of.entry(series).or_default().join(took);
        }
    }

    /// Since the start.
    pub fn totals(&self) -> &BTreeMap<Series, Histogram> {
        &self.totals
    }

    /// Within the last `window` before `now`; known series without answers are empty.
    pub fn window(&self, now: Time, window: Duration) -> BTreeMap<Series, Histogram> {
        let mut all: BTreeMap<Series, Histogram> =
            self.totals.keys().map(|series| (series.clone(), Histogram::default())).collect();
        for (_, bucket) in self.buckets.iter().rev().take_while(|(start, _)| *start + window > now) {
            for (series, histogram) in bucket {
                all.entry(series.clone()).or_default().join(histogram);
            }
        }
        all
    }
}

#[allow(clippy::cast_precision_loss, reason = "answers of a model stay far below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}
