//! A core, its cluster, its analyst and the checker, moved from event to event.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::analyst::Analyst;
use crate::api::{Rollout, Time};
use crate::sim::api_server::{Cursor, Entry, Reject};
use crate::sim::bare::Core;
use crate::sim::checker::facts::HASH;
use crate::sim::checker::{Checker, rest};
use crate::sim::clock::ManualClock;
use crate::sim::cluster::{Cluster, Settings};
use crate::sim::object;

/// Events of one run, before that counts as never ending.
const MAX_EVENTS: usize = 20_000;
/// Looks that write, without anything else moving, before that counts as a loop.
const MAX_WRITES: usize = 60;
/// Journal entries that a failure prints.
const SHOWN: usize = 45;
/// The Rollout's namespace and name.
pub const KEY: (&str, &str) = ("default", "shop");

/// The rig.
pub struct Rig {
    /// The core under test.
    pub core: Core,
    /// The checker, fed with every write.
    pub checker: Checker,
    /// The AnalysisRun controller.
    pub analyst: Analyst,
    /// From a look that wrote to the next.
    pub pace: Duration,
    /// When the controller looked last at the world.
    looked_at: u64,
    busy: usize,
    cursor: Cursor,
    last: Vec<Arc<Entry>>,
    /// The first request of a user that was refused: the world is not the one that was meant.
    refused: RefCell<Option<String>>,
}

/// The pod template of an image; `behaviour` may be empty.
pub fn template(image: &str, behaviour: &str, start: &str) -> Value {
    let mut annotations = json!({"sim.siskin.dev/start": start});
    if !behaviour.is_empty() {
        annotations["sim.siskin.dev/behaviour"] = json!(behaviour);
    }
    json!({
        "metadata": {"labels": {"app": "shop"}, "annotations": annotations},
        "spec": {"containers": [{"name": "shop", "image": image}]},
    })
}

/// A Service over the Rollout's pods.
pub fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": KEY.0},
        "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80}]},
    })
}

/// The specification of a Rollout with five replicas.
pub fn spec(strategy: &Value) -> Value {
    json!({
        "replicas": 5, "selector": {"matchLabels": {"app": "shop"}},
        "template": template("shop:1", "", "0.5"), "strategy": strategy,
    })
}

/// An AnalysisTemplate with one metric.
pub fn analysis_template(name: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": name, "namespace": KEY.0},
        "spec": {"metrics": [{
            "name": "errors", "count": 1, "interval": "1s", "successCondition": "result[0] > 0",
            "provider": {"prometheus": {"address": "http://prometheus", "query": "1"}},
        }]},
    })
}

impl Rig {
    /// A cluster with Services, a route, an analysis template and, with `gateway`, a data plane; no Rollout yet.
    pub fn bare(seed: u64, gateway: Option<()>) -> Self {
        let rig = Self::empty(seed, "2026-11-21T12:00:00Z".parse().unwrap_or_default());
        rig.furnish(gateway);
        rig
    }

    /// A cluster with nothing in it, at an instant.
    pub fn empty(seed: u64, now: Time) -> Self {
        let clock = ManualClock::at(now);
        let cluster = Cluster::new(clock.now(), Settings { seed, ..Settings::default() });
        let cursor = cluster.server.subscribe();
        let analyst = Analyst::new(&cluster.server);
        let core = Core::new(cluster, clock, KEY);
        Self {
            core,
            checker: Checker::default(),
            analyst,
            pace: Duration::from_millis(20),
            looked_at: 0,
            busy: 0,
            cursor,
            last: Vec::new(),
            refused: RefCell::new(None),
        }
    }

    fn furnish(&self, gateway: Option<()>) {
        let user = self.core.user();
        let create = |kind: &str, object: Value| self.did(user.create(kind, object));
        for name in ["shop-stable", "shop-canary", "shop-active", "shop-preview"] {
            create("Service", service(name));
        }
        create("AnalysisTemplate", analysis_template("errors"));
        let group = "gateway.networking.k8s.io/v1";
        if gateway.is_some() {
            create(
                "GatewayClass",
                json!({
                    "apiVersion": group, "kind": "GatewayClass", "metadata": {"name": "sim"},
                    "spec": {"controllerName": "siskin.dev/sim"},
                }),
            );
            create(
                "Gateway",
                json!({
                    "apiVersion": group, "kind": "Gateway", "metadata": {"name": "web", "namespace": KEY.0},
                    "spec": {
                        "gatewayClassName": "sim",
                        "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
                    },
                }),
            );
        }
        let backends = json!([{"name": "shop-stable", "port": 80}, {"name": "shop-canary", "port": 80}]);
        create(
            "HTTPRoute",
            json!({
                "apiVersion": group, "kind": "HTTPRoute", "metadata": {"name": "shop", "namespace": KEY.0},
                "spec": {"parentRefs": [{"name": "web"}], "rules": [{"backendRefs": backends}]},
            }),
        );
    }

    /// A rig with a data plane and a Rollout of this specification.
    pub fn new(spec: &Value) -> Self {
        let rig = Self::bare(1, Some(()));
        rig.create(spec);
        rig
    }

    /// Remembers what came of a request of a user: one that is refused makes the next run fail, for the world is then
    /// not the one that was meant.
    pub fn did<T>(&self, answer: Result<T, Reject>) {
        if let Err(reject) = answer {
            self.refused.borrow_mut().get_or_insert_with(|| reject.to_string());
        }
    }

    /// Creates the Rollout.
    pub fn create(&self, spec: &Value) {
        let rollout = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
            "metadata": {"name": KEY.1, "namespace": KEY.0}, "spec": spec,
        });
        self.did(self.core.user().create("Rollout", rollout));
    }

    /// Lets events happen until an instant; returns early, with the clock there, where nothing moves any more.
    ///
    /// # Errors
    /// A broken promise, or a loop.
    pub fn run_until(&mut self, end: Time) -> Result<(), String> {
        if let Some(refused) = self.refused.take() {
            return Err(self.story(&format!("a user was refused: {refused}")));
        }
        for _ in 0..MAX_EVENTS {
            let due = self.models()?;
            let wrote = self.look()?;
            let now = self.core.now();
            if wrote {
                self.core.clock.advance(self.pace);
                continue;
            }
            let next = [due, self.core.plan.wake_at].into_iter().flatten().min();
            match next {
                Some(next) if next < end => {
                    // A due time that has passed without a change is looked at again a moment later.
                    self.core.clock.advance(now.until(next).max(Duration::from_millis(1)));
                }
                _ => {
                    self.core.clock.advance(now.until(end));
                    return Ok(());
                }
            }
        }
        Err(self.story("I34: never comes to an end"))
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// As [`Rig::run_until`].
    pub fn run(&mut self, seconds: u64) -> Result<(), String> {
        let end = self.core.now() + Duration::from_secs(seconds);
        self.run_until(end)
    }

    /// Runs on to the end of everything, and judges what is left there.
    ///
    /// # Errors
    /// As [`Rig::run_until`], and where the rest is none.
    pub fn rest(&mut self) -> Result<(), String> {
        self.run(20_000)?;
        rest::judge(&self.checker.state, KEY.0, KEY.1).map_err(|message| self.story(&message))?;
        self.core.look();
        if self.core.plan.is_empty() {
            Ok(())
        } else {
            Err(self.story(&format!("I40: writes at rest: {:#?}", self.core.plan)))
        }
    }

    /// Lets the cluster answer to what was written; returns when it has more to do.
    fn models(&mut self) -> Result<Option<Time>, String> {
        for _ in 0..MAX_EVENTS {
            let before = self.core.cluster.server.version();
            let due = self.core.cluster.tick();
            let analysis = self.analyst.tick(self.core.now());
            self.check()?;
            if self.core.cluster.server.version() == before {
                return Ok([due, analysis].into_iter().flatten().min());
            }
            self.busy = 0;
        }
        Err(self.story("the cluster never comes to rest at one instant"))
    }

    /// One look where something has changed or a time has come; returns whether it wrote.
    fn look(&mut self) -> Result<bool, String> {
        let version = self.core.cluster.server.version();
        let woken = self.core.plan.wake_at.is_some_and(|at| at <= self.core.now());
        if version == self.looked_at && !woken {
            return Ok(false);
        }
        if let Some(applied) = self.core.look()
            && let Some(failure) = applied.failures.iter().find(|failure| !failure.refused)
        {
            return Err(self.story(&format!("refused: {failure:?}")));
        }
        self.looked_at = version;
        let wrote = self.core.cluster.server.version() != version;
        self.busy = if wrote { self.busy + 1 } else { 0 };
        self.check()?;
        if self.busy > MAX_WRITES {
            return Err(self.story("I40: writes again and again"));
        }
        Ok(wrote)
    }

    fn check(&mut self) -> Result<(), String> {
        for entry in self.cursor.drain().map_err(|missed| missed.to_string())? {
            self.last.push(Arc::clone(&entry));
            if let Err(violation) = self.checker.observe(&entry) {
                return Err(self.story(&violation.to_string()));
            }
        }
        Ok(())
    }

    /// A failure with the last writes before it.
    pub fn story(&self, what: &str) -> String {
        let status = self.rollout().map(|rollout| format!("{:#?}", rollout.status.siskin)).unwrap_or_default();
        let from = self.last.len().saturating_sub(SHOWN);
        let lines: Vec<String> = self.last.iter().skip(from).map(|entry| describe(entry)).collect();
        format!("{}\n{status}\nblockers {:#?}\n{what}", lines.join("\n"), self.core.plan.blockers)
    }

    /// The controller ends, and another looks at everything at once.
    pub fn restart(&mut self) {
        self.core.restart();
        self.looked_at = 0;
    }

    /// The Rollout.
    pub fn rollout(&self) -> Option<Rollout> {
        self.core.rollout()
    }

    /// Phase and message.
    pub fn shown(&self) -> String {
        self.rollout().map(|r| format!("{} {}", r.status.phase, r.status.message).trim().to_owned()).unwrap_or_default()
    }

    /// Merge-patches the Rollout as a user.
    pub fn edit(&self, patch: &Value) {
        self.did(self.core.user().merge("Rollout", KEY, patch));
    }

    /// Applies a pod template as a user.
    pub fn update(&self, image: &str) {
        self.edit(&json!({"spec": {"template": template(image, "", "0.5")}}));
    }

    /// Merge-patches the Rollout's status as a user.
    pub fn command(&self, status: &Value) {
        self.did(self.core.user().merge_status("Rollout", KEY, &json!({"status": status})));
    }

    /// The canary's weight in the route.
    pub fn weight(&self) -> i64 {
        let route = self.core.user().get("HTTPRoute", KEY.0, "shop");
        route.and_then(|route| object::integer(&route, "/spec/rules/0/backendRefs/1/weight")).unwrap_or(-1)
    }
}

/// One write in one line.
fn describe(entry: &Entry) -> String {
    let after = entry.after.as_deref().unwrap_or(&Value::Null);
    let time = entry.time.to_micro();
    let hash = |pointer: &str| {
        after.pointer(pointer).and_then(|map| map.get(HASH)).and_then(Value::as_str).unwrap_or("-").to_owned()
    };
    let told = match entry.kind.as_str() {
        "ReplicaSet" => {
            let n = |pointer: &str| object::integer(after, pointer).unwrap_or(0);
            let deadline = object::annotation(after, crate::api::names::SCALE_DOWN_DEADLINE).unwrap_or("");
            format!(
                "{}/{} of {} {deadline}",
                n("/status/availableReplicas"),
                n("/status/replicas"),
                n("/spec/replicas")
            )
        }
        "Service" => hash("/spec/selector"),
        "HTTPRoute" => format!(
            "{} gen {} ack {}",
            after.pointer("/spec/rules/0/backendRefs").unwrap_or(&Value::Null),
            object::generation(after),
            crate::sim::checker::routes::acknowledged(after)
        ),
        "Rollout" => {
            let status = after.get("status").cloned().unwrap_or_default();
            let part = |key: &str| status.get(key).map(ToString::to_string).unwrap_or_default();
            format!(
                "{} {} index {} abort {} full {} pauses {} resumed {} stable {} current {} weights {}",
                part("phase"),
                part("message"),
                part("currentStepIndex"),
                part("abort"),
                part("promoteFull"),
                part("pauseConditions"),
                part("controllerPause"),
                part("stableRS"),
                part("currentPodHash"),
                status.pointer("/canary/weights/canary/weight").unwrap_or(&Value::Null)
            )
        }
        "AnalysisRun" | "Pod" => object::text(after, "/status/phase").to_owned(),
        _ => return format!("{time} {} {} {}", entry.actor, entry.kind, entry.name),
    };
    format!(
        "{time} {} {:?} {} {} {}: {told}",
        entry.actor,
        entry.verb,
        entry.kind,
        entry.name,
        entry.subresource.as_deref().unwrap_or("")
    )
}
