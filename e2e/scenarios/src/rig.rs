//! What a scenario works with: a namespace of its own, the Rollout's history, users, and the command line.

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::{self, Api};
use crate::cluster::Cluster;
use crate::effects::Recorder;
use crate::http::{Connection, Request};
use crate::load::{Load, Tally};
use crate::manifest::{self, ROLLOUT};
use crate::seen::{Seen, is_ready};
use crate::time;

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(100);
/// Longest wait for one thing, unless a scenario says another: the machine may be slow.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// Until the gateway has certainly taken the first weights: the controller's grace is 5 s.
const SETTLED: Duration = Duration::from_secs(7);

/// Until a controller on a busy machine has certainly heard of an object.
const HEARD: Duration = Duration::from_secs(3);

/// Why a scenario did not pass; the text is for people.
pub type Outcome<T = ()> = Result<T, String>;

/// One scenario's surroundings.
#[derive(Debug)]
pub struct Rig {
    /// The cluster.
    pub cluster: Arc<Cluster>,
    /// The scenario's own namespace.
    pub namespace: String,
    /// What happens in it, where that is compared.
    pub recorder: Option<Recorder>,
    history: Arc<Mutex<Vec<(u64, Seen)>>>,
    /// States before the deployment was done; what scenarios ask about comes after.
    begun: AtomicUsize,
    load: Mutex<Option<Load>>,
    stop: Arc<AtomicBool>,
}

/// An error unless `condition` holds.
pub fn check(condition: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if condition { Ok(()) } else { Err(otherwise()) }
}

impl Rig {
    /// A new namespace; with `parity`, all that happens in it is recorded.
    pub fn new(cluster: Arc<Cluster>, namespace: String, parity: bool) -> Outcome<Self> {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        let object = cluster.api.apply("", &object)?;
        let rig = Self {
            recorder: parity.then(|| Recorder::start(cluster.api, &object)),
            cluster,
            namespace,
            history: Arc::default(),
            begun: AtomicUsize::new(0),
            load: Mutex::new(None),
            stop: Arc::new(AtomicBool::new(false)),
        };
        rig.watch();
        Ok(rig)
    }

    /// The API server.
    pub fn api(&self) -> &Api {
        &self.cluster.api
    }

    /// The host under which users reach the shop.
    pub fn host(&self) -> String {
        format!("{}.example", self.namespace)
    }

    /// Keeps every state of the Rollout.
    fn watch(&self) {
        let (api, namespace) = (self.cluster.api, self.namespace.clone());
        let (history, stop) = (Arc::clone(&self.history), Arc::clone(&self.stop));
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let event = |event: Value| {
                    if event["object"]["kind"] == "Rollout" && event["object"]["metadata"]["name"] == ROLLOUT {
                        let seen = Seen { object: event["object"].clone() };
                        history.lock().unwrap_or_else(PoisonError::into_inner).push((time::now(), seen));
                    }
                    !stop.load(Ordering::Relaxed)
                };
                if api.watch(("Rollout", &namespace), "", event).is_err() {
                    thread::sleep(POLL);
                }
            }
        });
    }

    fn history(&self) -> MutexGuard<'_, Vec<(u64, Seen)>> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The states of the Rollout in order, each with its time; equal ones once.
    pub fn story(&self) -> Vec<String> {
        let mut lines: Vec<(u64, String)> = Vec::new();
        for (at, seen) in self.history().iter() {
            let line = seen.line();
            if lines.last().is_none_or(|last| last.1 != line) {
                lines.push((*at, line));
            }
        }
        lines.into_iter().map(|(at, line)| format!("{} {line}", time::clock(at))).collect()
    }

    /// All states since the deployment was done.
    pub fn states(&self) -> Vec<Seen> {
        self.history().iter().skip(self.begun.load(Ordering::Relaxed)).map(|(_, seen)| seen.clone()).collect()
    }

    /// Weights of the canary in the order in which they were set since then, without repetitions.
    pub fn weights(&self) -> Vec<i64> {
        let mut weights: Vec<i64> = self.states().iter().map(Seen::weight).collect();
        weights.dedup();
        weights
    }

    /// The last state.
    pub fn now(&self) -> Outcome<Seen> {
        self.history().last().map(|(_, seen)| seen.clone()).ok_or_else(|| "the Rollout was never seen".to_owned())
    }

    /// Waits for a state.
    pub fn until(&self, what: &str, holds: impl Fn(&Seen) -> bool) -> Outcome<Seen> {
        self.within(PATIENCE, what, holds)
    }

    /// Waits for a state, for so long.
    pub fn within(&self, limit: Duration, what: &str, holds: impl Fn(&Seen) -> bool) -> Outcome<Seen> {
        self.holds(limit, what, || Ok(self.now().ok().filter(&holds)))
    }

    /// Waits until `look` finds something.
    pub fn holds<T>(&self, limit: Duration, what: &str, look: impl Fn() -> Outcome<Option<T>>) -> Outcome<T> {
        let began = Instant::now();
        loop {
            if let Some(found) = look()? {
                return Ok(found);
            }
            if began.elapsed() > limit {
                let now = self.now().map_or_else(|error| error, |seen| seen.line());
                return Err(format!("no {what} within {} s; now: {now}", limit.as_secs()));
            }
            thread::sleep(POLL);
        }
    }

    /// Checks that a state lasts.
    pub fn stays(&self, time: Duration, what: &str, holds: impl Fn(&Seen) -> bool) -> Outcome {
        let began = Instant::now();
        while began.elapsed() < time {
            let now = self.now()?;
            check(holds(&now), || format!("{what} did not last: {}", now.line()))?;
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Creates or changes objects.
    pub fn apply(&self, objects: &[Value]) -> Outcome {
        objects.iter().try_for_each(|object| self.api().apply(&self.namespace, object).map(drop))
    }

    /// Changes the Rollout by a merge patch.
    pub fn patch(&self, patch: &Value) -> Outcome {
        self.api().merge("Rollout", (&self.namespace, ROLLOUT), patch).map(drop)
    }

    /// Gives the Rollout another size, through the subresource that `kubectl scale` and autoscalers write.
    pub fn scale(&self, replicas: i64) -> Outcome {
        let path = api::path("Rollout", &self.namespace, ROLLOUT) + "/scale";
        self.api().ask("PATCH", &path, api::MERGE, &json!({"spec": {"replicas": replicas}})).map(drop)
    }

    /// Takes a pause away, as the dashboard's Resume does: the step that paused is not skipped.
    pub fn resume(&self) -> Outcome {
        let patch = json!({"status": {"pauseConditions": null}});
        self.api().merge_status("Rollout", (&self.namespace, ROLLOUT), &patch).map(drop)
    }

    /// Gives the Rollout another version.
    pub fn release(&self, tag: &str) -> Outcome {
        self.patch(&json!({"spec": {"template": manifest::template(tag)}}))
    }

    /// As `deploy_at_once`, then lets the first weights settle.
    pub fn deploy(&self, rollout: &Value, services: &[&str]) -> Outcome<Seen> {
        self.deploy_at_once(rollout, services)?;
        thread::sleep(SETTLED);
        self.now()
    }

    /// A Rollout with its Services and route, Healthy at version 1, and users who ask for it.
    pub fn deploy_at_once(&self, rollout: &Value, services: &[&str]) -> Outcome<Seen> {
        self.route(services)?;
        if self.recorder.is_some() {
            // A controller that has not heard of the Services yet says so first: true, but not the same each time.
            thread::sleep(HEARD);
        }
        self.apply(std::slice::from_ref(rollout))?;
        let seen = self.until("first Healthy", Seen::healthy)?;
        self.open()?;
        Ok(seen)
    }

    /// Services, and the route to those of them that are no preview.
    pub fn route(&self, services: &[&str]) -> Outcome {
        self.apply(&services.iter().map(|name| manifest::service(name)).collect::<Vec<_>>())?;
        let routed: Vec<&str> = services.iter().filter(|name| !name.ends_with("-preview")).copied().collect();
        self.apply(&[manifest::route(&self.cluster.gateway_name, &self.host(), &routed)])
    }

    /// Lets the users in, as soon as somebody answers.
    pub fn open(&self) -> Outcome {
        self.holds(PATIENCE, "first answer through the gateway", || Ok(self.answers().then_some(())))?;
        *self.users() = Some(Load::start(self.cluster.gateway, &self.host(), None));
        self.begun.store(self.history().len().saturating_sub(1), Ordering::Relaxed);
        Ok(())
    }

    /// More users, all of whose requests carry a header.
    pub fn users_with(&self, header: (&'static str, &'static str)) -> Load {
        Load::start(self.cluster.gateway, &self.host(), Some(header))
    }

    fn answers(&self) -> bool {
        let request = Request { method: "GET", path: "/", host: &self.host(), content_type: "", header: None };
        let ask = || Connection::open(self.cluster.gateway, Duration::from_secs(5))?.ask(request, &[]);
        ask().is_ok_and(|answer| answer.status == 200)
    }

    fn users(&self) -> MutexGuard<'_, Option<Load>> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What users get from now on, for so long.
    pub fn traffic(&self, time: Duration) -> Tally {
        self.users().as_ref().map(|load| load.during(time)).unwrap_or_default()
    }

    /// Ends the load, and the watch; what users got.
    pub fn finish(&self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        self.users().as_mut().map(Load::stop).unwrap_or_default()
    }

    /// Waits until users get answers of one version alone.
    pub fn only(&self, version: &str) -> Outcome {
        self.holds(PATIENCE, &format!("traffic on version {version} alone"), || {
            let tally = self.traffic(Duration::from_secs(2));
            Ok((tally.requests() > 0 && tally.of(version) == tally.requests()).then_some(()))
        })
    }

    /// Waits until a version has about its share of the answers: proxies follow a route a little later.
    pub fn share(&self, version: &str, percent: u64) -> Outcome {
        // With 160 requests, five standard deviations of a half are 20 points.
        const SLACK: u64 = 20;
        self.holds(PATIENCE, &format!("{percent} % of the traffic for version {version}"), || {
            let tally = self.traffic(Duration::from_secs(4));
            let share = tally.percent(version);
            let near = share.abs_diff(percent) <= SLACK && (share > 0) == (percent > 0);
            Ok((tally.requests() > 0 && near).then_some(()))
        })
    }

    /// Runs `siskin` as a person does: exit code, and what it printed.
    pub fn siskin(&self, arguments: &[&str]) -> Outcome<(i32, String)> {
        let mut command = Command::new(&self.cluster.siskin);
        command.args(arguments).args(["--namespace", &self.namespace, "--kubeconfig"]).arg(&self.cluster.kubeconfig);
        let output = command.output().map_err(|error| format!("siskin {arguments:?}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        Ok((output.status.code().unwrap_or(-1), text.into_owned()))
    }

    /// Runs `siskin`, which must succeed and print `expected` somewhere.
    pub fn told(&self, arguments: &[&str], expected: &[&str]) -> Outcome {
        let (code, text) = self.siskin(arguments)?;
        check(code == 0, || format!("siskin {arguments:?} ended with {code}: {text}"))?;
        let missing = expected.iter().find(|part| !text.contains(**part));
        missing.map_or(Ok(()), |part| Err(format!("siskin {arguments:?} does not say {part:?}: {text}")))
    }

    /// Runs the cluster's kubectl on a manifest, as a delivery tool does.
    pub fn kubectl_apply(&self, manifest: &Value) -> Outcome<String> {
        let path = self.cluster.logs.join(format!("{}.json", self.namespace));
        std::fs::write(&path, manifest.to_string()).map_err(|error| error.to_string())?;
        let (worked, text) = self.kubectl(&["apply", "--filename", &path.to_string_lossy()])?;
        check(worked, || format!("kubectl apply: {text}"))?;
        Ok(text)
    }

    /// Runs the cluster's kubectl in the namespace: whether it succeeded, and what it printed.
    pub fn kubectl(&self, arguments: &[&str]) -> Outcome<(bool, String)> {
        let program = self.cluster.kubectl.as_ref().ok_or("there is no kubectl")?;
        let mut command = Command::new(program);
        command.args(arguments).args(["--namespace", &self.namespace, "--kubeconfig"]).arg(&self.cluster.kubeconfig);
        let output = command.output().map_err(|error| format!("kubectl: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        Ok((output.status.success(), text.into_owned()))
    }

    /// Messages of the events with a reason.
    pub fn events(&self, reason: &str) -> Outcome<Vec<String>> {
        let events = self.api().list("Event", &self.namespace, "")?;
        let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
        Ok(events.iter().filter(|event| text(event, "reason") == reason).map(|event| text(event, "message")).collect())
    }

    /// Reasons of the Rollout's events, in the order in which the API server stored them.
    pub fn reasons(&self) -> Outcome<Vec<String>> {
        let mut events = self.api().list("Event", &self.namespace, "")?;
        let version = |event: &Value| event["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok());
        events.retain(|event| event["involvedObject"]["kind"] == "Rollout");
        events.sort_by_key(|event| version(event).unwrap_or(0_u64));
        Ok(events.iter().map(|event| event["reason"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Waits for an event; events arrive a little after what they tell of.
    pub fn event(&self, reason: &str) -> Outcome<Vec<String>> {
        self.holds(Duration::from_secs(30), &format!("event {reason}"), || {
            Ok(Some(self.events(reason)?).filter(|messages| !messages.is_empty()))
        })
    }

    /// Names of a revision's pods that are ready and stay.
    pub fn ready_pods(&self, hash: &str) -> Outcome<Vec<String>> {
        let query = format!("?labelSelector=rollouts-pod-template-hash%3D{hash}");
        let name = |pod: &Value| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        Ok(self.api().list("Pod", &self.namespace, &query)?.iter().filter(|pod| is_ready(pod)).map(name).collect())
    }

    /// Phases of all analysis runs, in the order of their creation.
    pub fn runs(&self) -> Outcome<Vec<String>> {
        let mut runs = self.api().list("AnalysisRun", &self.namespace, "")?;
        runs.sort_by_key(|run| run["metadata"]["creationTimestamp"].to_string());
        Ok(runs.iter().map(|run| run["status"]["phase"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Waits until a revision has this size, and as many ready pods.
    pub fn sized(&self, hash: &str, size: i64) -> Outcome {
        let ready = usize::try_from(size).unwrap_or(0);
        self.holds(PATIENCE, &format!("size {size} of revision {hash}"), || {
            Ok((self.size(hash)? == size && self.ready_pods(hash)?.len() == ready).then_some(()))
        })
    }

    /// Waits until the newest revision is Healthy and stable, and is another than `first`.
    pub fn promoted(&self, first: &Seen) -> Outcome<Seen> {
        let done = |seen: &Seen| seen.healthy() && seen.promoted() && seen.stable() != first.stable();
        self.within(PATIENCE * 2, "promotion", done)
    }

    /// Ends the pause of the step, or skips the step, as a person does.
    pub fn promote(&self) -> Outcome {
        self.told(&["promote", ROLLOUT], &["promoted"])
    }

    /// Aborts as a person does, and waits until the weights are back.
    pub fn abort(&self) -> Outcome<Seen> {
        self.told(&["abort", ROLLOUT], &["aborted"])?;
        self.until("abort", |seen| {
            seen.observed() && seen.aborted() && seen.phase() == "Degraded" && seen.weight() == 0
        })
    }

    /// Hash and size of every `ReplicaSet`.
    pub fn replica_sets(&self) -> Outcome<Vec<(String, i64)>> {
        let sets = self.api().list("ReplicaSet", &self.namespace, "")?;
        let hash = |set: &Value| set["metadata"]["labels"]["rollouts-pod-template-hash"].as_str().map(str::to_owned);
        Ok(sets
            .iter()
            .map(|set| (hash(set).unwrap_or_default(), set["spec"]["replicas"].as_i64().unwrap_or(0)))
            .collect())
    }

    /// The size of a revision's `ReplicaSet`; 0 where there is none.
    pub fn size(&self, hash: &str) -> Outcome<i64> {
        Ok(self.replica_sets()?.iter().find(|set| set.0 == hash).map_or(0, |set| set.1))
    }

    /// When a revision's pods may go, where that is recorded.
    pub fn deadline(&self, hash: &str) -> Outcome<Option<String>> {
        let sets = self.api().list("ReplicaSet", &self.namespace, "")?;
        let set = sets.iter().find(|set| set["metadata"]["labels"]["rollouts-pod-template-hash"] == hash);
        let at = set.map(|set| &set["metadata"]["annotations"]["scale-down-deadline"]);
        let at = at.and_then(Value::as_str).map(str::to_owned);
        Ok(at.filter(|at| !at.is_empty()))
    }

    /// The revision that a Service selects.
    pub fn selected(&self, service: &str) -> Outcome<String> {
        let service = self.api().get("Service", &self.namespace, service)?;
        Ok(service["spec"]["selector"]["rollouts-pod-template-hash"].as_str().unwrap_or_default().to_owned())
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
