//! Users who send requests at a steady rate.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::bulk::{self, Ledger};
use super::connections::{Connections, Pool, Way};
use super::door::Door;
use super::flow::{Astray, Choice, Pods, Target, answer, lead};
use super::loads::Loads;
use super::profile::Profile;
use super::record::Record;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::models::DataPlane;
use crate::sim::models::gateway::View;
use crate::sim::random::SplitMix;

/// Requests of one load in one tick; what is beyond is not sent later.
const MAX_PER_TICK: u64 = 100_000;
/// The same where they are drawn at once.
const MAX_AT_ONCE: u64 = 1_000_000_000;
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
    /// How the rate changes in time.
    pub profile: Profile,
    /// Whether requests stay with a pod.
    pub connections: Connections,
}

impl Load {
    /// Users of a route.
    pub fn of_route(namespace: &str, name: &str, rate: f64) -> Self {
        Self::to(Target::Route((namespace.to_owned(), name.to_owned())), rate)
    }

    /// Users of a Service.
    pub fn of_service(namespace: &str, name: &str, rate: f64) -> Self {
        Self::to(Target::Service((namespace.to_owned(), name.to_owned())), rate)
    }

    /// Steady users of a target, each request on its own.
    pub fn to(target: Target, rate: f64) -> Self {
        let (profile, connections) = (Profile::Steady, Connections::PerRequest);
        Self { target, rate, headers: BTreeMap::new(), profile, connections }
    }

    /// Lets the rate follow a course.
    #[must_use]
    pub fn in_course(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Sends requests over connections that stay open.
    #[must_use]
    pub fn over(mut self, connections: Connections) -> Self {
        self.connections = connections;
        self
    }

    /// Adds a header to every request.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.to_owned());
        self
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits before the cast")]
    fn micro_rate(&self, now: Time) -> u128 {
        let micro = self.rate * self.profile.factor(now) * 1e6;
        if micro.is_finite() { micro.clamp(0.0, 1e18) as u128 } else { 0 }
    }
}

#[derive(Clone)]
struct Stream {
    load: Load,
    /// What is owed, in requests times 10⁶ times 10⁹.
    credit: u128,
    pool: Pool,
}

impl Stream {
    /// Leads one request to a pod: over its connection where it has one.
    fn lead(&mut self, view: &View, pods: &mut Pods<'_>, random: &mut SplitMix) -> Result<Choice, Astray> {
        let request = (&self.load.target, &self.load.headers);
        let now = pods.now;
        match self.pool.next(self.load.connections, pods, now) {
            None => lead(request, view, pods, random).map(|(choice, _)| choice),
            Some(Way::To(choice)) => Ok(choice),
            Some(Way::Broken(reason, service)) => Err(Astray { reason, service }),
            Some(Way::Open(place)) => {
                let (choice, pod) = lead(request, view, pods, random)?;
                self.pool.keep(place, &choice, pod, now);
                Ok(choice)
            }
        }
    }
}

/// How due requests are sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Each,
    Together,
}

/// All users, and what has become of their requests.
#[derive(Clone)]
pub struct Traffic {
    hand: Hand,
    plane: DataPlane,
    streams: Vec<Stream>,
    random: SplitMix,
    last: Option<Time>,
    record: Arc<Mutex<Record>>,
    loads: Arc<Mutex<Loads>>,
}

impl Traffic {
    /// Nobody yet. The order of choices is a function of `seed`.
    pub fn new(server: &ApiServer, plane: DataPlane, seed: u64) -> Self {
        let record = Arc::new(Mutex::new(Record::default()));
        let (hand, loads) = (server.hand("users"), Arc::default());
        Self { hand, plane, streams: Vec::new(), random: SplitMix::new(seed), last: None, record, loads }
    }

    /// Adds users; they start with the next tick.
    pub fn add(&mut self, load: Load) {
        self.streams.push(Stream { load, credit: 0, pool: Pool::default() });
    }

    /// Sends everybody home.
    pub fn clear(&mut self) {
        self.streams.clear();
    }

    /// A way in for requests from outside of the model.
    pub fn door(&self, seed: u64) -> Door {
        Door {
            hand: self.hand.clone(),
            plane: self.plane.clone(),
            record: self.record.clone(),
            loads: self.loads.clone(),
            random: Arc::new(Mutex::new(SplitMix::new(seed))),
        }
    }

    /// What has become of all requests; shared with the model of Prometheus.
    pub fn record(&self) -> Arc<Mutex<Record>> {
        self.record.clone()
    }

    /// How busy pods are; shared with the model of the autoscaler.
    pub fn loads(&self) -> Arc<Mutex<Loads>> {
        self.loads.clone()
    }

    /// Sends what is due since the last tick, each request on its own.
    pub fn tick(&mut self, now: Time) {
        self.send(now, Manner::Each);
    }

    /// Sends what is due since the last tick, many requests in one draw where they need no connection: for spans in
    /// which nothing has happened to the cluster. Call it before the cluster's tick at the end of such a span.
    pub fn pass(&mut self, now: Time) {
        self.send(now, Manner::Together);
    }

    fn send(&mut self, now: Time, manner: Manner) {
        let span = self.last.map_or(Duration::ZERO, |last| now.since(last));
        let elapsed = span.as_nanos();
        self.last = Some(now);
        let plane = self.plane.clone();
        let view = plane.lock();
        let record = self.record.clone();
        let mut record = record.lock();
        let mut loads = self.loads.lock();
        loads.forget(now);
        let mut pods = Pods { hand: &self.hand, now, known: BTreeMap::new() };
        for stream in &mut self.streams {
            stream.credit += stream.load.micro_rate(now) * elapsed;
            let due = stream.credit / (MICRO * NANOS_PER_SECOND);
            stream.credit %= MICRO * NANOS_PER_SECOND;
            if manner == Manner::Together && stream.load.connections == Connections::PerRequest {
                let due = u64::try_from(due).unwrap_or(MAX_AT_ONCE).min(MAX_AT_ONCE);
                let (loads, record, random) = (&mut *loads, &mut *record, &mut self.random);
                let mut ledger = Ledger { loads, record, random, now, span };
                bulk::send(due, (&stream.load.target, &stream.load.headers), (&view, &mut pods), &mut ledger);
                continue;
            }
            for _ in 0..u64::try_from(due).unwrap_or(MAX_PER_TICK).min(MAX_PER_TICK) {
                let led = stream.lead(&view, &mut pods, &mut self.random);
                let (outcome, took) = match led {
                    Ok(choice) => answer(choice, &mut loads, &mut self.random, now),
                    Err(lost) => (lost.into(), None),
                };
                record.add(&outcome, now);
                if let Some(seconds) = took {
                    record.took(&outcome, seconds, now);
                }
            }
        }
    }
}
