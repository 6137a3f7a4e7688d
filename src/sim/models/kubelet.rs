//! Scheduler and kubelet in one: pods get a node and an address, start, become ready, and stop when they are told to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::containers::{self, Behaviour, Moment, Stage};
use super::feed::{Agenda, Event, Feed, key_of};
use super::gateway::Key;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;

/// Seconds from creation to ready, with a fraction. On the pod, so usually in the template.
pub const START: &str = "sim.siskin.dev/start";
/// Seconds from deletion to gone, with a fraction; never more than the pod's grace period.
pub const STOP: &str = "sim.siskin.dev/stop";
/// Seconds that the image takes to a node that does not have it yet; they come before the start.
pub const PULL: &str = "sim.siskin.dev/pull";
/// Seconds of the `preStop` hook: the pod goes on serving for so long before it begins to stop.
pub const PRE_STOP: &str = "sim.siskin.dev/pre-stop";
/// Seconds from its start after which the program of a pod that is not always restarted ends for good.
pub const EXIT_AFTER: &str = "sim.siskin.dev/exit-after";
/// The exit code that it ends with; 0 where absent.
pub const EXIT_CODE: &str = "sim.siskin.dev/exit-code";
/// On a Node: its kubelet is not heard of any more. Nothing happens to its pods, and nobody reaches them.
pub const LOST: &str = "sim.siskin.dev/lost";
/// `never-pulls`, `crash-loop` (which stands still: good for tests), `never-ready`, or a life of restarts with back-off:
/// `crash-back-off`, `out-of-memory`, `unhealthy` (the liveness probe fails). May be put on a running pod, and taken
/// off again.
pub const BEHAVIOUR: &str = "sim.siskin.dev/behaviour";

const DEFAULT_START: Duration = Duration::from_millis(500);
const DEFAULT_STOP: Duration = Duration::from_millis(300);
/// The longest start or stop that an annotation can ask for.
const MAX_SECONDS: f64 = 86_400.0;
const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];

#[derive(Clone, Copy)]
struct Seen {
    /// When the pod was first seen on its node.
    first: Time,
    /// How long its image takes.
    pull: Duration,
    /// When it was first seen terminating.
    stopping: Option<Time>,
}

/// The model. Its actor name is `kubelet`.
#[derive(Clone)]
pub struct Kubelet {
    hand: Hand,
    feed: Feed,
    agenda: Agenda<Key>,
    /// What is known of each pod, by uid.
    seen: BTreeMap<String, Seen>,
    addresses: u32,
    placement: Placement,
    /// Nodes whose kubelet is silent.
    lost: BTreeSet<String>,
    /// The images that each node has.
    images: BTreeSet<(String, String)>,
}

/// Who gives pods a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// The kubelet itself, in turn: there is room for everything.
    InTurn,
    /// A scheduler.
    Scheduled,
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
        let feed = Feed::new(&hand, &["Pod", "Node"]);
        let (lost, images) = (BTreeSet::new(), BTreeSet::new());
        let placement = Placement::InTurn;
        Self { hand, feed, agenda: Agenda::new(), seen: BTreeMap::new(), addresses: 0, placement, lost, images }
    }

    /// Changes who gives pods a node.
    pub fn set_placement(&mut self, placement: Placement) {
        self.placement = placement;
    }

    /// Does what is due; returns when there is more to do if nothing changes.
    pub fn tick(&mut self, now: Time) -> Option<Time> {
        for event in self.feed.pull().events {
            match (&event.before, &event.after) {
                _ if event.kind == "Node" => self.hear_node(&event, now),
                (_, Some(pod)) => self.agenda.add(key_of(pod), now),
                (Some(gone), None) => drop(self.seen.remove(object::uid(gone))),
                (None, None) => {}
            }
        }
        for key in self.agenda.take(now) {
            let Some(pod) = self.hand.get("Pod", &key.0, &key.1) else { continue };
            let node = object::text(&pod, "/spec/nodeName");
            if self.lost.contains(node) || (node.is_empty() && self.placement == Placement::Scheduled) {
                continue;
            }
            let pull = self.pull(&pod);
            // A pod that runs already, under a kubelet that has just come up, is not started again.
            let started = || object::text(&pod, "/status/startTime").parse().unwrap_or(now);
            let known = self.seen.entry(object::uid(&pod).to_owned());
            let known = known.or_insert_with(|| Seen { first: started(), pull, stopping: None });
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

    fn hear_node(&mut self, event: &Event, now: Time) {
        let Some(node) = &event.after else { return };
        let name = object::name(node).to_owned();
        if object::annotation(node, LOST).is_some() {
            self.lost.insert(name);
        } else if self.lost.remove(&name) {
            // Back again: it catches up with what was ordered meanwhile.
            let pods = self.hand.list("Pod", "");
            let here = pods.iter().filter(|pod| object::text(pod, "/spec/nodeName") == name);
            here.for_each(|pod| self.agenda.add(key_of(pod), now));
        }
    }

    /// How long a new pod's image takes to its node.
    fn pull(&mut self, pod: &Value) -> Duration {
        let takes = span(pod, PULL, Duration::ZERO);
        if takes.is_zero() || self.seen.contains_key(object::uid(pod)) {
            return takes;
        }
        let image = object::text(pod, "/spec/containers/0/image").to_owned();
        let is_new = self.images.insert((object::text(pod, "/spec/nodeName").to_owned(), image));
        if is_new { takes } else { Duration::ZERO }
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
        let (running, ready) = (known.first + known.pull + start / 2, known.first + known.pull + start);
        let exit = exit_after(pod).map(|span| running + span);
        if exit.is_some_and(|exit| exit <= now) {
            return self.end(pod, now);
        }
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
        let moment = Moment { stage, behaviour: Behaviour::of(pod), running_for: now.since(running), now };
        let mut status = containers::status(pod, &moment);
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
        let turn = [running, ready].into_iter().find(|at| *at > now);
        turn.into_iter().chain(moment.next()).chain(exit).min()
    }

    /// The program of a pod has ended.
    fn end(&self, pod: &Value, now: Time) -> Option<Time> {
        if matches!(object::text(pod, "/status/phase"), "Succeeded" | "Failed") {
            return None;
        }
        let code = object::annotation(pod, EXIT_CODE).and_then(|code| code.parse().ok()).unwrap_or(0);
        let status = json!({ "status": containers::ended(pod, code, now) });
        // A pod that is gone needs no status.
        let _ = self.hand.merge_status("Pod", (object::namespace(pod), object::name(pod)), &status);
        None
    }
}

fn stop_after(pod: &Value) -> Duration {
    let grace = object::integer(pod, "/metadata/deletionGracePeriodSeconds").unwrap_or(30);
    (span(pod, PRE_STOP, Duration::ZERO) + span(pod, STOP, DEFAULT_STOP)).min(Duration::from_secs(grace.unsigned_abs()))
}

/// Only the program of a pod that may stay ended does end.
fn exit_after(pod: &Value) -> Option<Duration> {
    let ends = object::text(pod, "/spec/restartPolicy") != "Always" && object::annotation(pod, EXIT_AFTER).is_some();
    ends.then(|| span(pod, EXIT_AFTER, Duration::ZERO))
}

fn span(pod: &Value, annotation: &str, default: Duration) -> Duration {
    let seconds = object::annotation(pod, annotation).and_then(|text| text.trim_end_matches('s').parse::<f64>().ok());
    let seconds = seconds.filter(|seconds| seconds.is_finite()).map(|seconds| seconds.clamp(0.0, MAX_SECONDS));
    seconds.map_or(default, Duration::from_secs_f64)
}
