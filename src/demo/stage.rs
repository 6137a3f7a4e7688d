//! The stage: a cluster in memory, the controller, and Prometheus (and the API, where asked for) on loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::scenes::{GATEWAY, NAMESPACE, Scene};
use crate::api::Time;
use crate::api::crd::crds;
use crate::cli::client::Cluster as Connection;
use crate::controller::app::{Controller, Parts, Stopped, Threads};
use crate::controller::caches::Scope;
use crate::rollout::Settings;
use crate::runtime::client::Clients;
use crate::runtime::clock::Clock;
use crate::runtime::limiter::Limits;
use crate::sim::api_server::{Hand, Reject};
use crate::sim::clock::ManualClock;
use crate::sim::cluster::{Cluster, Settings as ClusterSettings};
use crate::sim::driver::drive;
use crate::sim::object;
use crate::sim::traffic::ways::is_open;
use crate::sim::traffic::{Load, Record, Target};
use crate::telemetry::metrics::Metrics;

/// How long after its acknowledgement a route counts as settled: short, for a gateway in the same process.
const ROUTE_GRACE: Duration = Duration::from_secs(1);
/// Workers of the controller: Rollouts, `AnalysisRuns`. There is one of each at most.
const WORKERS: Threads = Threads { rollouts: 2, runs: 2, services: 1 };
/// Time for the controller to end its work.
const FAREWELL: Duration = Duration::from_secs(2);
/// Time between two looks, by the cluster's clock, and the shortest by the computer's.
const FRAME: Duration = Duration::from_millis(50);
const MIN_FRAME: Duration = Duration::from_millis(15);
/// Path of Prometheus on the listener.
const PROMETHEUS: &str = "/prometheus";

/// Whether others can reach the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doors {
    /// Only the controller's queries come through the listener.
    Closed,
    /// The whole API is on loopback.
    Open,
}

/// Why the stage cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// No port.
    #[error("cannot listen on 127.0.0.1: {0}; the demo needs one free port of the loopback interface")]
    Listen(#[from] std::io::Error),
    /// Metrics that do not fit together.
    #[error("cannot set up the controller's metrics: {0}")]
    Metrics(String),
    /// A manifest of the demo's own.
    #[error("cannot read a manifest of the demo: {0}")]
    Manifest(String),
    /// The API server refused.
    #[error("cannot apply {what}: {why:?}")]
    Refused {
        /// What was applied.
        what: String,
        /// The answer.
        why: Reject,
    },
}

/// Everything that runs. It stops when it is dropped; [`Stage::close`] waits for that.
pub struct Stage {
    cluster: Arc<Mutex<Cluster>>,
    clock: ManualClock,
    /// In the name of the person at the terminal.
    pub user: Hand,
    /// Where the listener is.
    pub address: SocketAddr,
    frame: Duration,
    stop: CancellationToken,
    controller: JoinHandle<Result<(), Stopped>>,
    servants: Vec<JoinHandle<()>>,
}

impl Stage {
    /// Starts everything, at `speed` times the usual pace of time.
    pub async fn set(speed: f64, doors: Doors) -> Result<Self, StageError> {
        // At real speed the cluster's clock is the wall clock, so that ages are right in another terminal too.
        let start = Clock::real().now();
        let manual = ManualClock::at(start);
        let cluster = Cluster::new(manual.now(), ClusterSettings::default()).complete();
        let server = cluster.server.clone();
        for definition in crds() {
            let name = object::name(&definition).to_owned();
            server.define(definition).map_err(|why| StageError::Refused { what: name, why })?;
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let prometheus = cluster.prometheus().router();
        let router = match doors {
            Doors::Closed => axum::Router::new().nest(PROMETHEUS, prometheus),
            Doors::Open => server.router().nest(PROMETHEUS, prometheus),
        };
        let cluster = Arc::new(Mutex::new(cluster));
        let metrics = Metrics::new().map_err(|error| StageError::Metrics(error.to_string()))?;
        let servants = vec![
            tokio::spawn(drive(Arc::clone(&cluster), manual.clone(), speed)),
            tokio::spawn(async move {
                // A listener that fails shows as measurements in error.
                let _ = axum::serve(listener, router).await;
            }),
        ];
        let stop = CancellationToken::new();
        let controller = Controller::start(Parts {
            clients: Clients::shared(server.client("rollouts-controller")),
            // The cluster's own: on a busy computer both go slower, and no measurement looks for traffic that
            // has not come yet.
            clock: Clock::told(manual.now(), speed),
            metrics,
            settings: Settings { route_grace: ROUTE_GRACE, ..Settings::default() },
            scope: Scope::default(),
            limits: Limits { qps: 0.0, ..Limits::default() },
            workers: WORKERS,
            prometheus_address: format!("http://{address}{PROMETHEUS}"),
            leadership: None,
            seed: 1,
        });
        let controller = tokio::spawn(controller.run(stop.clone()));
        let user = server.hand("user");
        let frame = FRAME.div_f64(speed.max(1.0)).max(MIN_FRAME);
        let stage = Self { cluster, clock: manual, user, address, frame, stop, controller, servants };
        stage.apply(GATEWAY)?;
        Ok(stage)
    }

    /// Creates what is not there yet, Rollouts last: they name the others.
    pub fn apply(&self, manifests: &str) -> Result<(), StageError> {
        let mut objects = manifests.split("\n---\n").map(yaml).collect::<Result<Vec<Value>, _>>()?;
        objects.sort_by_key(|object| object::text(object, "/kind") == "Rollout");
        for object in objects {
            let group = object::text(&object, "/apiVersion").rsplit_once('/').map(|(group, _)| group);
            let kind = object::text(&object, "/kind").to_owned();
            let kind = group.map_or_else(|| kind.clone(), |group| format!("{kind}.{group}"));
            let name = object::name(&object).to_owned();
            if self.user.get(&kind, NAMESPACE, &name).is_some() {
                continue;
            }
            let refused = |why| StageError::Refused { what: format!("{kind} {name}"), why };
            self.user.create(&kind, object).map_err(refused)?;
        }
        Ok(())
    }

    /// Merge-patches a Rollout.
    pub fn patch(&self, rollout: &str, patch: &str) -> Result<(), StageError> {
        let refused = |why| StageError::Refused { what: format!("a patch of Rollout {rollout}"), why };
        self.user.merge("Rollout", (NAMESPACE, rollout), &yaml(patch)?).map(drop).map_err(refused)
    }

    /// The cluster's clock.
    pub fn now(&self) -> Time {
        self.clock.time()
    }

    /// Waits until it is time to look again.
    pub async fn next_frame(&self) {
        tokio::time::sleep(self.frame).await;
    }

    /// What has become of all requests.
    pub fn record(&self) -> Arc<Mutex<Record>> {
        self.cluster.lock().traffic.record()
    }

    /// Sends users.
    pub fn send(&self, users: Load) {
        self.cluster.lock().traffic.add(users);
    }

    /// Sends all users home.
    pub fn clear(&self) {
        self.cluster.lock().traffic.clear();
    }

    /// Whether requests would be answered: users who come before a gateway knows the way would be lost to nobody's fault.
    pub fn is_open(&self, scene: &Scene) -> bool {
        let plane = self.cluster.lock().gateway.plane();
        let plane = plane.lock();
        is_open(&scene.target, &plane)
    }

    /// The weights that the gateway has in force, by Service; empty where users do not come through a route.
    pub fn weights(&self, target: &Target) -> Vec<(String, i64)> {
        let Target::Route(key) = target else { return Vec::new() };
        let plane = self.cluster.lock().gateway.plane();
        let plane = plane.lock();
        let backends = plane.routes.get(key).map(|(_, spec)| backends(spec)).unwrap_or_default();
        let weight = |backend: &Value| {
            (object::text(backend, "/name").to_owned(), object::integer(backend, "/weight").unwrap_or(1))
        };
        backends.iter().map(weight).collect()
    }

    /// A connection for the CLI's verbs.
    pub fn connection(&self) -> Connection {
        Connection::new(self.user.server().client("user"), NAMESPACE)
    }

    /// Stops the controller in order, then the rest.
    pub async fn close(mut self) {
        self.stop.cancel();
        // One that does not end in time ends with the process.
        let _ = tokio::time::timeout(FAREWELL, &mut self.controller).await;
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
        for servant in &self.servants {
            servant.abort();
        }
    }
}

fn backends(spec: &Value) -> Vec<Value> {
    object::list(spec, "/rules").iter().flat_map(|rule| object::list(rule, "/backendRefs")).cloned().collect()
}

fn yaml(text: &str) -> Result<Value, StageError> {
    serde_saphyr::from_str(text).map_err(|error| StageError::Manifest(error.to_string()))
}
