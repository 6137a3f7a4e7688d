//! Many requests at once, for long quiet spans: what becomes of them is drawn per backend and pod, not per request.
//!
//! Between two ticks of the cluster nothing changes for a request, so how many of `n` requests go each way is a
//! binomial draw. Whoever sends each request on its own ([`super::flow`]) gets the same distribution, later.

use std::collections::BTreeMap;
use std::time::Duration;

use super::flow::{Choice, Outcome, Pods, Reason, Target};
use super::loads::Loads;
use super::record::Record;
use super::times::Histogram;
use super::ways::{Way, deciders, ways};
use crate::api::Time;
use crate::sim::models::gateway::{Backend, Key, View};
use crate::sim::random::SplitMix;

/// Below this many requests, or expected hits, each is drawn on its own.
const FEW: u64 = 32;
/// Uniform numbers whose sum stands for a normal one: their variance is 1.
const UNIFORMS: usize = 12;
/// Equally likely times that stand for all answers of one draw.
const STRATA: u64 = 20;

/// Where the outcomes go, and what decides on them.
pub(crate) struct Ledger<'a> {
    pub loads: &'a mut Loads,
    pub record: &'a mut Record,
    pub random: &'a mut SplitMix,
    pub now: Time,
    /// How long the requests took to come.
    pub span: Duration,
}

/// Sends `count` requests with `headers`, each on its own connection.
pub(crate) fn send(
    count: u64,
    (target, headers): (&Target, &BTreeMap<String, String>),
    (view, pods): (&View, &mut Pods<'_>),
    ledger: &mut Ledger<'_>,
) {
    let met = split(count, &vec![1; deciders(target, view)], ledger.random);
    for (decider, count) in met.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        let ways = ways((target, headers), view, decider);
        let weights: Vec<u64> = ways.iter().map(|way| way.weight).collect();
        let counts = split(count, &weights, ledger.random);
        if counts.iter().sum::<u64>() == 0 {
            ledger.lose(Reason::NoBackend, "", count);
            continue;
        }
        for (Way { service, endpoints, .. }, count) in ways.into_iter().zip(counts).filter(|(_, count)| *count > 0) {
            match endpoints {
                None => ledger.lose(Reason::NoBackend, &service.1, count),
                Some([]) => ledger.lose(Reason::NoEndpoint, &service.1, count),
                Some(endpoints) => spread(count, (&service, endpoints), (view, &mut *pods), ledger),
            }
        }
    }
}

/// Spreads requests evenly over the endpoints of a Service.
fn spread(
    count: u64,
    (service, endpoints): (&Key, &[Backend]),
    (view, pods): (&View, &mut Pods<'_>),
    ledger: &mut Ledger<'_>,
) {
    let counts = split(count, &vec![1; endpoints.len()], ledger.random);
    for (endpoint, count) in endpoints.iter().zip(counts).filter(|(_, count)| *count > 0) {
        let pod = pods.get(&(service.0.clone(), endpoint.pod.clone()));
        match pod.filter(|pod| pod.is_reachable(&endpoint.uid, view)) {
            Some(pod) => ledger.answer(&Choice { service: service.clone(), pod }, count),
            None => ledger.lose(Reason::DeadPod, &service.1, count),
        }
    }
}

impl Ledger<'_> {
    fn lose(&mut self, reason: Reason, service: &str, count: u64) {
        self.record.add_many(&Outcome::Lost { reason, service: service.to_owned() }, count, self.now);
    }

    /// What a pod makes of `count` requests.
    fn answer(&mut self, choice: &Choice, count: u64) {
        let Choice { service, pod } = choice;
        if pod.refuses_now() {
            return self.lose(Reason::Draining, &service.1, count);
        }
        let admitted = self.loads.admit_many(pod, count, (self.now, self.span));
        if admitted < count {
            self.lose(Reason::Overload, &service.1, count - admitted);
        }
        let errors = binomial(admitted, pod.error_rate, self.random);
        let (facts, name) = ((**pod).clone(), service.1.clone());
        let failed = Outcome::VersionError { pod: facts.clone(), service: name.clone() };
        let good = Outcome::Ok { pod: facts, service: name };
        for (outcome, count) in [(good, admitted - errors), (failed, errors)] {
            if count > 0 {
                self.record.add_many(&outcome, count, self.now);
                self.time(choice, &outcome, count);
            }
        }
    }

    /// The times of answers, at equal distances over what is likely.
    fn time(&mut self, choice: &Choice, outcome: &Outcome, count: u64) {
        let parts = STRATA.min(count);
        let mut took = Histogram::default();
        for part in 0..parts {
            let share = count / parts + u64::from(part < count % parts);
            let chance = (real(part) + 0.5) / real(parts);
            let Some(seconds) = self.loads.latency(&choice.pod, self.now, chance) else { return };
            took.add((seconds, share));
        }
        self.record.took_many(outcome, &took, self.now);
    }
}

/// How many of `count` go to each of the places, by weight; none anywhere where no place has a weight.
fn split(count: u64, weights: &[u64], random: &mut SplitMix) -> Vec<u64> {
    let mut left = count;
    let mut rest: u64 = weights.iter().sum();
    let mut counts = Vec::with_capacity(weights.len());
    for weight in weights {
        let part = if *weight >= rest && rest > 0 {
            left
        } else if *weight == 0 {
            0
        } else {
            binomial(left, real(*weight) / real(rest), random)
        };
        counts.push(part);
        left -= part;
        rest -= weight;
    }
    counts
}

/// How many of `count` trials hit that hit with `chance` each. Few trials are drawn one by one, rare hits by inversion,
/// many hits from a normal distribution; nothing but sums, products and a square root, so that every platform draws
/// the same.
fn binomial(count: u64, chance: f64, random: &mut SplitMix) -> u64 {
    if count == 0 || chance <= 0.0 {
        return 0;
    }
    if chance >= 1.0 {
        return count;
    }
    if chance > 0.5 {
        return count - binomial(count, 1.0 - chance, random);
    }
    if count <= FEW {
        return (0..count).map(|_| u64::from(random.unit() < chance)).sum();
    }
    let mean = real(count) * chance;
    if mean < real(FEW) { inverted(count, chance, random) } else { normal(count, chance, random) }
}

/// By going through the distribution from its lower end.
fn inverted(count: u64, chance: f64, random: &mut SplitMix) -> u64 {
    let odds = chance / (1.0 - chance);
    let mut probability = power(1.0 - chance, count);
    let mut point = random.unit();
    let mut hits = 0;
    while point > probability && hits < count {
        point -= probability;
        hits += 1;
        probability *= odds * real(count - hits + 1) / real(hits);
    }
    hits
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the number of trials")]
fn normal(count: u64, chance: f64, random: &mut SplitMix) -> u64 {
    let uniforms: f64 = (0..UNIFORMS).map(|_| random.unit()).sum();
    let deviate = uniforms - real(UNIFORMS as u64) / 2.0;
    let mean = real(count) * chance;
    let drawn = mean + deviate * (mean * (1.0 - chance)).sqrt();
    drawn.round().clamp(0.0, real(count)) as u64
}

/// `base` to the power of `exponent`, by squaring.
fn power(base: f64, exponent: u64) -> f64 {
    let (mut result, mut square, mut left) = (1.0, base, exponent);
    while left > 0 {
        if left % 2 == 1 {
            result *= square;
        }
        square *= square;
        left /= 2;
    }
    result
}

#[allow(clippy::cast_precision_loss, reason = "requests of a model stay far below 2^53")]
fn real(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_mean_and_spread_that_they_should() {
        let mut random = SplitMix::new(7);
        for (count, chance) in [(10_u64, 0.3), (500, 0.01), (500, 0.2), (100_000, 0.7), (3000, 0.999)] {
            let draws: Vec<f64> = (0..4000).map(|_| real(binomial(count, chance, &mut random))).collect();
            let mean = draws.iter().sum::<f64>() / 4000.0;
            let spread = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / 4000.0;
            let (wanted, variance) = (real(count) * chance, real(count) * chance * (1.0 - chance));
            assert!((mean - wanted).abs() < 5.0 * (variance / 4000.0).sqrt(), "{count} {chance}: mean {mean}");
            assert!((spread / variance - 1.0).abs() < 0.15, "{count} {chance}: variance {spread}, not {variance}");
        }
    }

    #[test]
    fn a_split_loses_nothing_and_gives_nothing_to_no_weight() {
        let mut random = SplitMix::new(1);
        for count in [0, 1, 7, 1000, 123_456] {
            let counts = split(count, &[5, 0, 20, 75], &mut random);
            assert_eq!((counts.iter().sum::<u64>(), counts[1]), (count, 0));
        }
        assert_eq!(split(10, &[0, 0], &mut random), [0, 0]);
        assert_eq!(split(10, &[], &mut random), [0_u64; 0]);
    }
}
