//! Users who send requests at a steady rate.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::flow::{Outcome, Pods, Target, send};
use super::record::Record;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::models::DataPlane;
use crate::sim::random::SplitMix;

/// Requests of one load in one tick; what is beyond is not sent later.
const MAX_PER_TICK: u64 = 100_000;
const MICRO: u128 = 1_000_000;
const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// A stream of requests.
#[derive(Clone, Debug)]
pub struct Load {
    /// Where they go.
    pub target: Target,
    /// Requests per second; precise to a millionth.
    pub rate: f64,
    /// Headers that every request carries, names in lower case.
    pub headers: BTreeMap<String, String>,
}

impl Load {
    /// Users of a route.
    pub fn of_route(namespace: &str, name: &str, rate: f64) -> Self {
        Self { target: Target::Route((namespace.to_owned(), name.to_owned())), rate, headers: BTreeMap::new() }
    }

    /// Users of a Service.
    pub fn of_service(namespace: &str, name: &str, rate: f64) -> Self {
        Self { target: Target::Service((namespace.to_owned(), name.to_owned())), rate, headers: BTreeMap::new() }
    }

    /// Adds a header to every request.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.to_owned());
        self
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits before the cast")]
    fn micro_rate(&self) -> u128 {
        let micro = self.rate * 1e6;
        if micro.is_finite() { micro.clamp(0.0, 1e18) as u128 } else { 0 }
    }
}

struct Stream {
    load: Load,
    /// What is owed, in requests times 10⁶ times 10⁹.
    credit: u128,
}

/// All users, and what has become of their requests.
pub struct Traffic {
    hand: Hand,
    plane: DataPlane,
    streams: Vec<Stream>,
    random: SplitMix,
    last: Option<Time>,
    record: Arc<Mutex<Record>>,
}

impl Traffic {
    /// Nobody yet. The order of choices is a function of `seed`.
    pub fn new(server: &ApiServer, plane: DataPlane, seed: u64) -> Self {
        let record = Arc::new(Mutex::new(Record::default()));
        Self { hand: server.hand("users"), plane, streams: Vec::new(), random: SplitMix::new(seed), last: None, record }
    }

    /// Adds users; they start with the next tick.
    pub fn add(&mut self, load: Load) {
        self.streams.push(Stream { load, credit: 0 });
    }

    /// Sends everybody home.
    pub fn clear(&mut self) {
        self.streams.clear();
    }

    /// What has become of all requests; shared with the model of Prometheus.
    pub fn record(&self) -> Arc<Mutex<Record>> {
        self.record.clone()
    }

    /// Sends what is due since the last tick.
    pub fn tick(&mut self, now: Time) {
        let elapsed = self.last.map_or(0, |last| now.since(last).as_nanos());
        self.last = Some(now);
        let plane = self.plane.clone();
        let view = plane.lock();
        let record = self.record.clone();
        let mut record = record.lock();
        let mut pods = Pods { hand: &self.hand, known: BTreeMap::new() };
        for stream in &mut self.streams {
            stream.credit += stream.load.micro_rate() * elapsed;
            let due = stream.credit / (MICRO * NANOS_PER_SECOND);
            stream.credit %= MICRO * NANOS_PER_SECOND;
            for _ in 0..u64::try_from(due).unwrap_or(MAX_PER_TICK).min(MAX_PER_TICK) {
                let request = (&stream.load.target, &stream.load.headers);
                let outcome: Outcome = send(request, &view, &mut pods, &mut self.random);
                record.add(&outcome, now);
            }
        }
    }
}
