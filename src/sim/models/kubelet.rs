//! Scheduler and kubelet in one: pods get a node and an address, start, become ready, and stop when they are told to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::containers::{self, Behaviour, Stage};
use super::feed::{Agenda, Feed, key_of};
use super::gateway::Key;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;

/// Seconds from creation to ready, with a fraction. On the pod, so usually in the template.
pub const START: &str = "sim.siskin.dev/start";
/// Seconds from deletion to gone, with a fraction; never more than the pod's grace period.
pub const STOP: &str = "sim.siskin.dev/stop";
/// `never-pulls`, `crash-loop` or `never-ready`. May be put on a running pod, and taken off again.
pub const BEHAVIOUR: &str = "sim.siskin.dev/behaviour";

const DEFAULT_START: Duration = Duration::from_millis(500);
const DEFAULT_STOP: Duration = Duration::from_millis(300);
/// The longest start or stop that an annotation can ask for.
const MAX_SECONDS: f64 = 86_400.0;
const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];

#[derive(Clone, Copy)]
struct Seen {
    /// When the pod was first seen.
    first: Time,
    /// When it was first seen terminating.
    stopping: Option<Time>,
}

/// The model. Its actor name is `kubelet`.
pub struct Kubelet {
    hand: Hand,
    feed: Feed,
    agenda: Agenda<Key>,
    /// What is known of each pod, by uid.
    seen: BTreeMap<String, Seen>,
    addresses: u32,
}

impl Kubelet {
    /// A kubelet over three nodes, which it registers.
    pub fn new(server: &ApiServer) -> Self {
        let hand = server.hand("kubelet");
        for name in NODES {
            // A node that is there already is what is wanted.
            let _ = hand
                .create("Node", json!({ "metadata": { "name": name, "labels": { "kubernetes.io/hostname": name } } }));
            let ready = json!({ "status": { "conditions": [{ "type": "Ready", "status": "True" }] } });
            let _ = hand.merge_status("Node", ("", name), &ready);
        }
        let feed = Feed::new(&hand, &["Pod"]);
        Self { hand, feed, agenda: Agenda::new(), seen: BTreeMap::new(), addresses: 0 }
    }

    /// Does what is due; returns when there is more to do if nothing changes.
    pub fn tick(&mut self, now: Time) -> Option<Time> {
        for event in self.feed.pull().events {
            match (&event.before, &event.after) {
                (_, Some(pod)) => self.agenda.add(key_of(pod), now),
                (Some(gone), None) => drop(self.seen.remove(object::uid(gone))),
                (None, None) => {}
            }
        }
        for key in self.agenda.take(now) {
            let Some(pod) = self.hand.get("Pod", &key.0, &key.1) else { continue };
            let known = self.seen.entry(object::uid(&pod).to_owned()).or_insert(Seen { first: now, stopping: None });
            if object::is_terminating(&pod) {
                known.stopping = known.stopping.or(Some(now));
            }
            let known = *known;
            if let Some(timer) = self.attend(&pod, known, now) {
                self.agenda.add(key, timer);
            }
        }
        self.agenda.next()
    }

    /// Moves one pod on; returns its next timer.
    fn attend(&mut self, pod: &Value, known: Seen, now: Time) -> Option<Time> {
        let key = (object::namespace(pod), object::name(pod));
        if let Some(since) = known.stopping {
            let gone = since + stop_after(pod);
            if gone > now {
                return Some(gone);
            }
            // Somebody may have deleted it by force.
            let _ = self.hand.delete_now("Pod", key.0, key.1);
            return None;
        }
        let start = span(pod, START, DEFAULT_START);
        let (running, ready) = (known.first + start / 2, known.first + start);
        let stage = if now >= ready {
            Stage::Ready
        } else if now >= running {
            Stage::Running
        } else {
            Stage::Creating
        };
        if object::text(pod, "/spec/nodeName").is_empty() {
            let node = NODES.get(self.addresses as usize % NODES.len()).copied().unwrap_or_default();
            let _ = self.hand.merge("Pod", key, &json!({ "spec": { "nodeName": node } }));
        }
        let mut status = containers::status(pod, (stage, Behaviour::of(pod)), now);
        if object::text(pod, "/status/startTime").is_empty() {
            object::put(&mut status, &["startTime"], json!(now));
        }
        if stage != Stage::Creating && object::text(pod, "/status/podIP").is_empty() {
            self.addresses += 1;
            let number = self.addresses;
            let address = format!("10.{}.{}.{}", 244 + (number / 62_500) % 10, (number / 250) % 250, number % 250 + 1);
            object::put(&mut status, &["podIPs"], json!([{ "ip": address }]));
            object::put(&mut status, &["podIP"], json!(address));
        }
        if !object::already_says(pod.get("status"), &status) {
            // A pod that is gone needs no status.
            let _ = self.hand.merge_status("Pod", key, &json!({ "status": status }));
        }
        [running, ready].into_iter().find(|at| *at > now)
    }
}

fn stop_after(pod: &Value) -> Duration {
    let grace = object::integer(pod, "/metadata/deletionGracePeriodSeconds").unwrap_or(30);
    span(pod, STOP, DEFAULT_STOP).min(Duration::from_secs(grace.unsigned_abs()))
}

fn span(pod: &Value, annotation: &str, default: Duration) -> Duration {
    let seconds = object::annotation(pod, annotation).and_then(|text| text.trim_end_matches('s').parse::<f64>().ok());
    let seconds = seconds.filter(|seconds| seconds.is_finite()).map(|seconds| seconds.clamp(0.0, MAX_SECONDS));
    seconds.map_or(default, Duration::from_secs_f64)
}
