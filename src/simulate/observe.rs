//! Looks at the stage after each instant, and writes down what has changed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::analyst::News;
use super::stage::{Onlooker, Stage};
use super::steps;
use super::strain::Strain;
use super::sums::Sums;
use super::text::span;
use super::timeline::{Flow, Kind, Pods, Requests, Row, Sample, State, Tone, settle};
use crate::api::names::POD_HASH;
use crate::api::{Rollout, Time};
use crate::rollout::strategy::steps as strategy_steps;
use crate::sim::object;
use crate::sim::traffic::{Reason, Target};

/// A shorter wait is the ordinary pace of things.
const WORTH_TELLING: Duration = Duration::from_secs(3);
/// Flows are kept in pieces of at least this.
const PIECE: Duration = Duration::from_secs(1);

/// Something that is waited for.
struct Waiting {
    since: Time,
    message: String,
    state: State,
    total: Requests,
}

/// The observer.
pub(super) struct Observer {
    key: (String, String),
    target: Option<Target>,
    /// When the release began.
    pub start: Time,
    /// Hash of the revision that ran before.
    pub old: String,
    /// Hash of the revision that is released; empty until it has one.
    pub new: String,
    /// The Rollout as it was seen last.
    pub rollout: Option<Rollout>,
    /// How things stood then.
    pub state: State,
    pub rows: Vec<Row>,
    pub samples: Vec<Sample>,
    pub flows: Vec<Flow>,
    pub sums: Sums,
    /// How hard the pods work.
    pub strain: Strain,
    base: Requests,
    base_lost: BTreeMap<Reason, u64>,
    /// All requests since the begin.
    pub total: Requests,
    waiting: BTreeMap<(String, String), Waiting>,
    /// The store's version at the last look.
    seen: u64,
}

impl Observer {
    /// Begins to observe a stage on which the old version runs.
    pub fn new(stage: &Stage, (key, target): ((&str, &str), Option<Target>), old: &str) -> Self {
        let mut observer = Self {
            key: (key.0.to_owned(), key.1.to_owned()),
            target,
            start: stage.now(),
            old: old.to_owned(),
            new: String::new(),
            rollout: stage.rollout(key),
            state: State::default(),
            rows: Vec::new(),
            samples: Vec::new(),
            flows: Vec::new(),
            sums: Sums::default(),
            strain: Strain::default(),
            base: Requests::default(),
            base_lost: stage.cluster.traffic.record().lock().lost().clone(),
            total: Requests::default(),
            waiting: BTreeMap::new(),
            seen: 0,
        };
        observer.base = observer.count(stage);
        observer.state = observer.read(stage);
        observer.sample(stage.now());
        observer
    }

    /// Since the begin of the release.
    pub fn elapsed(&self, now: Time) -> Duration {
        now.since(self.start)
    }

    /// Writes a row.
    pub fn tell(&mut self, now: Time, (kind, tone): (Kind, Tone), text: impl Into<String>) {
        self.rows.push(Row {
            at: self.elapsed(now),
            kind,
            tone,
            text: text.into(),
            state: self.state.clone(),
            new_share: None,
            lost: 0,
            total: self.total,
        });
    }

    /// Ends the observation: what is still waited for is told.
    pub fn close(&mut self, now: Time) {
        let open = std::mem::take(&mut self.waiting);
        for (_, waiting) in open {
            self.tell_wait(&waiting, now, "still waits");
        }
        self.rows.sort_by_key(|row| row.at);
        settle(&mut self.rows, &self.total);
        self.sums.until(self.elapsed(now), &self.state);
        self.sample(now);
    }

    /// Requests without an answer since the begin, by reason.
    pub fn lost(&self, stage: &Stage) -> BTreeMap<Reason, u64> {
        let mut lost = stage.cluster.traffic.record().lock().lost().clone();
        for (reason, count) in &mut lost {
            *count -= self.base_lost.get(reason).copied().unwrap_or(0).min(*count);
        }
        lost.retain(|_, count| *count > 0);
        lost
    }

    /// What the update waits for now.
    pub fn waits(&self) -> Vec<String> {
        self.waiting.iter().map(|((_, object), waiting)| format!("{} ({object})", waiting.message)).collect()
    }

    fn tell_wait(&mut self, waiting: &Waiting, now: Time, verb: &str) {
        let lasted = now.since(waiting.since);
        if lasted < WORTH_TELLING || waiting.since < self.start {
            return;
        }
        self.rows.push(Row {
            at: self.elapsed(waiting.since),
            kind: Kind::Wait,
            tone: Tone::Neutral,
            text: format!("{verb} {}: {}", span(lasted), waiting.message),
            state: waiting.state.clone(),
            new_share: None,
            lost: 0,
            total: waiting.total,
        });
    }

    fn sample(&mut self, now: Time) {
        let (at, state) = (self.elapsed(now), self.state.clone());
        match self.samples.last_mut() {
            Some(last) if last.at == at => last.state = state,
            _ => self.samples.push(Sample { at, state }),
        }
    }

    /// All requests so far, by version.
    fn count(&self, stage: &Stage) -> Requests {
        let record = stage.cluster.traffic.record();
        let record = record.lock();
        let mut requests = Requests::default();
        for (series, count) in record.totals() {
            let is_new = !self.new.is_empty() && series.hash == self.new;
            let tally = if is_new { &mut requests.new } else { &mut requests.old };
            match series.code {
                200 => tally.ok += count,
                500 => tally.errors += count,
                _ => requests.lost += count,
            }
        }
        requests
    }

    /// How things stand.
    fn read(&self, stage: &Stage) -> State {
        let Some(rollout) = &self.rollout else { return State::default() };
        let (mut old, mut new) = (Pods::default(), Pods::default());
        let is_new = |labels: &Value| {
            let hash = labels.get(POD_HASH).and_then(Value::as_str).unwrap_or_default();
            !self.new.is_empty() && hash == self.new
        };
        let ours = self.selector(stage, rollout);
        let none = json!({});
        for set in stage.user.list("ReplicaSet", &self.key.0) {
            let labels = set.pointer("/metadata/labels").unwrap_or(&none);
            if object::has_labels(&set, &ours) {
                let side = if is_new(labels) { &mut new } else { &mut old };
                side.wanted += object::integer(&set, "/spec/replicas").unwrap_or(0);
            }
        }
        for pod in stage.user.list("Pod", &self.key.0) {
            let labels = pod.pointer("/metadata/labels").unwrap_or(&none);
            if object::has_labels(&pod, &ours) {
                let side = if is_new(labels) { &mut new } else { &mut old };
                side.existing += 1;
                side.ready += i64::from(object::is_ready(&pod) && !object::is_terminating(&pod));
            }
        }
        let index = strategy_steps::index(rollout);
        State {
            step: index.map(|index| (index, strategy_steps::len(rollout))),
            weight: self.weight(stage),
            old,
            new,
            replicas: self.replicas(stage, rollout),
        }
    }

    fn replicas(&self, stage: &Stage, rollout: &Rollout) -> i64 {
        if let Some(replicas) = rollout.spec.replicas {
            return i64::from(replicas);
        }
        let stored = stage.user.get("Rollout", &self.key.0, &self.key.1);
        stored.and_then(|stored| object::integer(&stored, "/spec/replicas")).unwrap_or(self.state.replicas.max(1))
    }

    /// Labels of all pods: the Rollout's selector, or that of the workload that it refers to.
    fn selector(&self, stage: &Stage, rollout: &Rollout) -> Value {
        let own = rollout.spec.selector.as_ref().map(|selector| json!(selector.match_labels));
        let own = own.filter(|labels| labels.as_object().is_some_and(|map| !map.is_empty()));
        own.unwrap_or_else(|| {
            let reference = rollout.spec.workload_ref.as_ref();
            let workload = reference.and_then(|to| stage.user.get(&to.kind, &self.key.0, &to.name));
            workload.and_then(|found| found.pointer("/spec/selector/matchLabels").cloned()).unwrap_or_default()
        })
    }

    /// The share that the data plane's own view of the route gives to Services that select the new revision.
    fn weight(&self, stage: &Stage) -> Option<f64> {
        let Some(Target::Route(key)) = &self.target else { return None };
        let plane = stage.cluster.gateway.plane();
        let plane = plane.lock();
        let (_, spec) = plane.routes.get(key)?;
        let rules = object::list(spec, "/rules");
        // Rules of managed routes have matches; the one that splits has the most backends.
        let rule = rules.iter().max_by_key(|rule| object::list(rule, "/backendRefs").len())?;
        let (mut to_new, mut whole) = (0, 0);
        for backend in object::list(rule, "/backendRefs") {
            let weight = object::integer(backend, "/weight").unwrap_or(1).max(0).unsigned_abs();
            let service = stage.user.get("Service", &self.key.0, object::text(backend, "/name"));
            let selected = service
                .and_then(|service| service.pointer("/spec/selector")?.get(POD_HASH)?.as_str().map(str::to_owned));
            whole += weight;
            if !self.new.is_empty() && selected.as_deref() == Some(&self.new) {
                to_new += weight;
            }
        }
        (whole > 0).then(|| super::text::real(to_new) / super::text::real(whole))
    }

    /// Rows for what has changed in the record.
    fn compare(&mut self, before: &Rollout, after: &Rollout, now: Time) {
        let (from, to) = (strategy_steps::index(before).unwrap_or(0), strategy_steps::index(after).unwrap_or(0));
        if from < to && !self.new.is_empty() && before.status.current_pod_hash == after.status.current_pod_hash {
            for index in from..to {
                let words = strategy_steps::at(after, index).map(steps::describe).unwrap_or_default();
                self.tell(now, (Kind::Step, Tone::Neutral), format!("step {} done: {words}", index + 1));
            }
        }
        if after.status.abort && !before.status.abort {
            let why = steps::why_aborted(after);
            self.tell(now, (Kind::Abort, Tone::Bad), format!("aborted: {why}"));
            self.sums.aborted(self.elapsed(now), &self.total);
        }
        let failed = |rollout: &Rollout| {
            let progressing = rollout.status.condition("Progressing");
            progressing.is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded")
        };
        if failed(after) && !failed(before) {
            let text = "the progress deadline has passed: pods do not become available";
            self.tell(now, (Kind::Decision, Tone::Bad), text);
        }
        let active = |rollout: &Rollout| rollout.status.blue_green.active_selector.clone();
        if active(after) != active(before) && !active(before).is_empty() {
            self.tell(now, (Kind::Decision, Tone::Neutral), "the active Service is switched");
        }
        let paused = |rollout: &Rollout| !rollout.status.pause_conditions.is_empty();
        if paused(after) && !paused(before) {
            let text = match steps::waits_for_a_person(after) {
                Some(why) => format!("waits for a person: {why}"),
                None => strategy_steps::current(after).map_or_else(|| "pauses".to_owned(), steps::describe),
            };
            self.tell(now, (Kind::Pause, Tone::Neutral), text);
        }
        if after.status.stable_rs != before.status.stable_rs && after.status.stable_rs == self.new {
            self.tell(now, (Kind::Decision, Tone::Good), "promoted: the new version is the stable one");
        }
    }

    /// Rows for what analyses have said.
    fn hear(&mut self, news: Vec<News>, now: Time) {
        for one in news {
            match one {
                News::Measured { metric, phase, value } => {
                    let tone = tone_of(&phase);
                    let text = format!("{metric}: {} {}", phase.to_lowercase(), shortened(&value));
                    self.tell(now, (Kind::Measurement, tone), text);
                }
                News::Ended { run, phase, message } => {
                    let why = if message.is_empty() { String::new() } else { format!(": {message}") };
                    let text = format!("analysis {run} is {}{why}", phase.to_lowercase());
                    self.tell(now, (Kind::Verdict, tone_of(&phase)), text);
                }
            }
        }
    }

    /// Keeps book of blockers.
    fn follow(&mut self, stage: &Stage, now: Time) {
        if !stage.controller.is_up(now) {
            return;
        }
        let present: BTreeMap<(String, String), String> = stage
            .controller
            .plan
            .blockers
            .iter()
            .map(|blocker| ((blocker.code.to_owned(), blocker.object.clone()), blocker.message.clone()))
            .collect();
        let gone: Vec<(String, String)> =
            self.waiting.keys().filter(|key| !present.contains_key(*key)).cloned().collect();
        for key in gone {
            if let Some(waiting) = self.waiting.remove(&key) {
                self.tell_wait(&waiting, now, "waited");
            }
        }
        for (key, message) in present {
            let (state, total) = (self.state.clone(), self.total);
            self.waiting.entry(key).or_insert(Waiting { since: now, message, state, total });
        }
    }
}

fn tone_of(phase: &str) -> Tone {
    match phase {
        "Successful" => Tone::Good,
        "Failed" | "Error" => Tone::Bad,
        _ => Tone::Neutral,
    }
}

/// The beginning of a value or message; numbers with four digits after the point.
fn shortened(value: &str) -> String {
    const MOST: usize = 90;
    let numbers: Option<Vec<String>> = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .map_or(vec![value], |inside| inside.split(',').collect())
        .into_iter()
        .map(|part| part.trim().parse::<f64>().ok().map(|number| ((number * 1e4).round() / 1e4).to_string()))
        .collect();
    match numbers {
        Some(numbers) if value.starts_with('[') => format!("[{}]", numbers.join(", ")),
        Some(numbers) => numbers.concat(),
        None if value == "[]" => "[] (no data)".to_owned(),
        None if value.chars().count() > MOST => value.chars().take(MOST).chain(['…']).collect(),
        None => value.to_owned(),
    }
}

impl Onlooker for Observer {
    fn look(&mut self, stage: &mut Stage) {
        let now = stage.now();
        let news = std::mem::take(&mut stage.analyst.news);
        let version = stage.cluster.server.version();
        if version == self.seen {
            self.hear(news, now);
        } else {
            self.seen = version;
            self.sums.until(self.elapsed(now), &self.state);
            let before = self.rollout.take();
            self.rollout = stage.rollout((&self.key.0, &self.key.1));
            let current = self.rollout.as_ref().map(|rollout| rollout.status.current_pod_hash.clone());
            self.new = current.filter(|hash| *hash != self.old).unwrap_or_default();
            let state = self.read(stage);
            if state.replicas != self.state.replicas && self.state.replicas > 0 {
                let (from, to) = (self.state.replicas, state.replicas);
                self.state = state;
                self.tell(now, (Kind::Scale, Tone::Neutral), format!("replicas {from} → {to}"));
            } else {
                self.state = state;
            }
            self.sums.sized(&self.state);
            self.sample(now);
            self.follow(stage, now);
            self.hear(news, now);
            if let (Some(before), Some(after)) = (before, self.rollout.clone()) {
                self.compare(&before, &after, now);
            }
        }
    }

    fn flow(&mut self, stage: &Stage) {
        if let Some(rollout) = &self.rollout {
            let at = stage.now().since(self.start);
            self.strain.look(stage, at, (rollout, &self.state), (&self.old, &self.new));
        }
        let total = self.count(stage).since(&self.base);
        let added = total.since(&self.total);
        self.total = total;
        if added.total() == 0 {
            return;
        }
        let to = self.elapsed(stage.now());
        match self.flows.as_mut_slice() {
            [.., before, last] if last.to.saturating_sub(before.to) < PIECE => {
                *last = Flow { to, requests: last.requests.and(&added) };
            }
            _ => self.flows.push(Flow { to, requests: added }),
        }
    }
}
