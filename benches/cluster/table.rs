//! What was measured, and how it is printed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

#[derive(Default)]
struct Pair {
    siskin: Vec<Duration>,
    floor: Vec<Duration>,
}

/// Times by what was measured.
#[derive(Default)]
pub struct Table(BTreeMap<&'static str, Pair>);

impl Table {
    /// Siskin took so long.
    pub fn siskin(&mut self, what: &'static str, time: Duration) {
        self.0.entry(what).or_default().siskin.push(time);
    }

    /// The trivial client took so long.
    pub fn floor(&mut self, what: &'static str, time: Duration) {
        self.0.entry(what).or_default().floor.push(time);
    }
}

/// The smallest time that `percent` of all do not exceed.
fn percentile(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(rank).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nmilliseconds on a real API server, idle controller, one-replica canaries\n")?;
        writeln!(
            f,
            "{:<28}{:>8}{:>10}{:>10}{:>10}{:>10}{:>8}",
            "", "samples", "p50", "p99", "floor p50", "floor p99", "ratio"
        )?;
        for (what, pair) in &self.0 {
            let [p50, p99] = [50, 99].map(|percent| percentile(&pair.siskin, percent));
            let [floor50, floor99] = [50, 99].map(|percent| percentile(&pair.floor, percent));
            let (samples, ratio) = (pair.siskin.len().min(pair.floor.len()), p50 / floor50);
            writeln!(f, "{what:<28}{samples:>8}{p50:>10.1}{p99:>10.1}{floor50:>10.1}{floor99:>10.1}{ratio:>8.2}")?;
        }
        Ok(())
    }
}
