//! The owner of all watch tasks: none may end unseen.

use std::collections::HashMap;

use http::Request;
use kube::client::Body;
use serde::de::DeserializeOwned;
use tokio::task::{Id, JoinSet};

use super::{KindState, Phase, Readiness, Runner, SplitMix, Watch};
use crate::runtime::cache::Cached;
use crate::runtime::clock::Clock;
use crate::runtime::limiter::{Class, Limiter, Limits};
use crate::telemetry::metrics::WatchMetrics;

/// A watch task has ended, which none should: the process cannot see that kind any more and has to end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the watch of {kind} has ended: {cause}; this process ends, since it is blind to that kind")]
pub struct Ended {
    /// Name of the kind.
    pub kind: String,
    /// Why.
    pub cause: String,
}

/// All watch tasks. Dropping it ends them.
pub struct Watches {
    client: kube::Client,
    clock: Clock,
    metrics: WatchMetrics,
    readiness: Readiness,
    random: SplitMix,
    tasks: JoinSet<()>,
    names: HashMap<Id, String>,
}

impl std::fmt::Debug for Watches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watches").field("tasks", &self.tasks.len()).finish_non_exhaustive()
    }
}

impl Watches {
    /// No watches yet. `seed` decides how relists are spread.
    pub fn new(client: kube::Client, clock: Clock, metrics: WatchMetrics, seed: u64) -> Self {
        Self {
            client,
            clock,
            metrics,
            readiness: Readiness::default(),
            random: SplitMix::seeded(seed),
            tasks: JoinSet::new(),
            names: HashMap::new(),
        }
    }

    /// Starts a watch; its kind counts as not ready until its cache is filled.
    pub fn start<K: Cached + DeserializeOwned>(&mut self, watch: Watch<K>) {
        let name = watch.name();
        match &watch.gate {
            // Nobody waits for a kind that nobody asks for; opening the gate makes it one that is waited for.
            Some(gate) => gate.bind(&self.readiness, &name),
            None => self.readiness.set(&name, KindState { phase: Phase::Starting, error: None }),
        }
        let runner = Runner {
            watch,
            name: name.clone(),
            client: paced(&self.client, &self.clock),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
            readiness: self.readiness.clone(),
            random: SplitMix::seeded(self.random.next_u64()),
        };
        let task = self.tasks.spawn(runner.run());
        self.names.insert(task.id(), name);
    }

    /// State of all kinds.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// Waits for a watch task to end, which is always a fault. For ever, where there is none.
    pub async fn ended(&mut self) -> Ended {
        let Some(joined) = self.tasks.join_next_with_id().await else { return std::future::pending().await };
        let (id, cause) = match joined {
            Ok((id, ())) => (id, "it returned".to_owned()),
            Err(error) => (error.id(), error.to_string()),
        };
        let kind = self.names.remove(&id).unwrap_or_default();
        Ended { kind, cause }
    }
}

/// Watches of one kind that may be started at once, and then each second. kube starts the next as soon as one has
/// ended without an error: with a proxy that closes every watch this is a busy loop.
const STARTS: Limits = Limits { qps: 1.0, burst: 10, in_flight: 64 };

/// The same client, but watches are started no faster than [`STARTS`] says. Pages of a list are not held up.
fn paced(client: &kube::Client, clock: &Clock) -> kube::Client {
    let (inner, limiter) = (client.clone(), Limiter::new(STARTS, clock.clone()));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, limiter) = (inner.clone(), limiter.clone());
        async move {
            if request.uri().query().is_some_and(|query| query.contains("watch=")) {
                drop(limiter.acquire(Class::Decision).await);
            }
            client.send(request).await
        }
    });
    kube::Client::new(service, client.default_namespace())
}
