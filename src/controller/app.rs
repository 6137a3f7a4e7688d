//! The controller as a whole: caches, queues, workers, leadership, in the order of start and of stop.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::analysis_run::RunController;
use super::caches::{Caches, Queues, Scope};
use super::definition;
use super::deployment::DeploymentController;
use super::execute::Executor;
use super::rollout::RolloutController;
use super::service::ServiceController;
use crate::api::names::COMPONENT;
use crate::provider::{Settings as SourceSettings, Sources};
use crate::rollout::Settings;
use crate::runtime::client::{Api, Clients};
use crate::runtime::clock::Clock;
use crate::runtime::events::Recorder;
use crate::runtime::expectations::Expectations;
use crate::runtime::lease::{ApiLeaseStore, Election, Fence, Lost, Terms};
use crate::runtime::limiter::{Limiter, Limits};
use crate::runtime::queue::Queue;
use crate::runtime::random::SplitMix;
use crate::runtime::watch::{Ended, Readiness, Watches};
use crate::runtime::worker::Workers;
use crate::telemetry::metrics::Metrics;

/// Time for work under way to end after a stop was asked for.
pub const DRAIN: Duration = Duration::from_secs(20);
/// Time for events to be sent after the last write.
const FLUSH: Duration = Duration::from_secs(3);
/// Requests of the lease a second; it has a limiter of its own, so that load never costs leadership.
const LEASE_QPS: f64 = 10.0;

/// What the controller is made of.
pub struct Parts {
    /// Connections.
    pub clients: Clients,
    /// Time.
    pub clock: Clock,
    /// Metrics.
    pub metrics: Metrics,
    /// What decisions depend on.
    pub settings: Settings,
    /// Which part of the cluster.
    pub scope: Scope,
    /// Limits of requests.
    pub limits: Limits,
    /// Workers.
    pub workers: Threads,
    /// Prometheus for metrics that name none; empty for none.
    pub prometheus_address: String,
    /// Leadership; `None`: this is the only replica.
    pub leadership: Option<Leadership>,
    /// Of all jitter: another one for each process, so that replicas do not act in step.
    pub seed: u64,
}

/// Keys that are worked on at once, of each kind.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    /// Rollouts.
    pub rollouts: usize,
    /// AnalysisRuns.
    pub runs: usize,
    /// Services, and as many for Deployments: what deleted Rollouts leave behind is little.
    pub services: usize,
}

/// The lease to contend for.
pub struct Leadership {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// Unique to this process.
    pub identity: String,
    /// Lengths.
    pub terms: Terms,
}

/// Why the controller stopped.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// Leadership ended.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// A watch ended.
    #[error(transparent)]
    Blind(#[from] Ended),
    /// The terms of leadership do not fit together.
    #[error(transparent)]
    Terms(#[from] crate::runtime::lease::TermsError),
}

/// A controller that watches, and works once it leads.
pub struct Controller {
    parts: Parts,
    queues: Queues,
    caches: Caches,
    watches: Watches,
}

impl Controller {
    /// Starts to watch.
    pub fn start(parts: Parts) -> Self {
        let mut random = SplitMix::seeded(parts.seed);
        let queue = |name: &str, random: &mut SplitMix| {
            Queue::new(parts.clock.clone(), parts.metrics.queue(name), random.next_u64())
        };
        let queues = Queues {
            rollouts: queue("Rollouts", &mut random),
            runs: queue("AnalysisRuns", &mut random),
            services: queue("Services", &mut random),
            deployments: queue("Deployments", &mut random),
        };
        let caches = Caches::new(&queues);
        let watch_metrics = parts.metrics.watches.clone();
        let mut watches =
            Watches::new(parts.clients.watches.clone(), parts.clock.clone(), watch_metrics, random.next_u64());
        caches.watch(&mut watches, &parts.scope);
        Self { parts, queues, caches, watches }
    }

    /// Which caches are filled.
    pub fn readiness(&self) -> Readiness {
        self.watches.readiness()
    }

    /// The caches, for metrics.
    pub fn caches(&self) -> Caches {
        self.caches.clone()
    }

    /// Waits for the caches and for leadership, then works until `stop`.
    ///
    /// # Errors
    /// What makes this process unfit to go on: another leader, a blind eye.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Stopped> {
        let readiness = self.watches.readiness();
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            ended = self.watches.ended() => return Err(ended.into()),
            () = readiness.synced() => tracing::info!("caches are filled"),
        }
        // The definition of Rollouts is there, since they were listed.
        let api = self.api(&self.parts.clients.calls, self.parts.limits);
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            own_status = definition::own_status(&api, &self.parts.clock) => self.parts.settings.own_status = own_status,
        }
        match self.parts.leadership.take() {
            None => {
                let fence = Fence::open(self.parts.clock.clone());
                self.work(fence, &stop, std::future::pending()).await
            }
            Some(leadership) => Box::pin(self.lead(leadership, stop)).await,
        }
    }

    /// Requests over a client, with a limiter of their own.
    fn api(&self, client: &kube::Client, limits: Limits) -> Api {
        let (clock, requests) = (self.parts.clock.clone(), self.parts.metrics.requests.clone());
        Api::new(client.clone(), Limiter::new(limits, clock.clone()), clock, requests, COMPONENT)
    }

    async fn lead(mut self, leadership: Leadership, stop: CancellationToken) -> Result<(), Stopped> {
        let api = self.api(&self.parts.clients.lease, Limits { qps: LEASE_QPS, ..Limits::default() });
        let store = ApiLeaseStore::new(api, &leadership.namespace, &leadership.name);
        let mut election = Election::new(store, self.parts.clock.clone(), &leadership.identity, leadership.terms)?;
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            ended = self.watches.ended() => return Err(ended.into()),
            () = election.acquire() => tracing::info!(identity = %leadership.identity, "leading"),
        }
        self.parts.metrics.leader.set(1);
        let leader = self.parts.metrics.leader.clone();
        let result = self.work(election.fence(), &stop, election.hold()).await;
        leader.set(0);
        if result.is_ok() {
            election.release().await;
        }
        result
    }

    /// Works until told to stop; `lost` resolves when leadership ends.
    async fn work(
        mut self,
        fence: Fence,
        stop: &CancellationToken,
        lost: impl Future<Output = Lost>,
    ) -> Result<(), Stopped> {
        let (workers, recorder) = self.start_workers(&fence);
        let mut lost = std::pin::pin!(lost);
        let unfit = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            ended = self.watches.ended() => Some(Stopped::from(ended)),
            lost = &mut lost => Some(Stopped::from(lost)),
        };
        if let Some(unfit) = unfit {
            // Another may lead by now, or we are blind: nothing that is under way may go on.
            for workers in workers {
                workers.abort().await;
            }
            return Err(unfit);
        }
        let drain = async {
            for workers in workers {
                workers.drain(DRAIN).await;
            }
            recorder.flush(FLUSH).await;
        };
        // The lease is renewed until the last write is out: draining may take longer than a lease lasts.
        tokio::select! {
            biased;
            () = drain => Ok(()),
            lost = &mut lost => Err(lost.into()),
        }
    }

    fn start_workers(&self, fence: &Fence) -> (Vec<Workers>, Recorder) {
        let parts = &self.parts;
        let api = self.api(&parts.clients.calls, parts.limits);
        let recorder = Recorder::new(api.clone(), parts.clock.clone(), COMPONENT, parts.metrics.events_dropped.clone());
        let api = api.fenced(fence.clone());
        let executor = || {
            Arc::new(Executor {
                api: api.clone(),
                recorder: recorder.clone(),
                expectations: Arc::new(Expectations::new(parts.clock.clone())),
                metrics: parts.metrics.clone(),
            })
        };
        let settings = Arc::new(parts.settings.clone());
        let rollouts = RolloutController::new(self.caches.clone(), executor(), parts.clock.clone(), settings);
        let now = parts.clock.clone();
        let sources = Sources::new(SourceSettings {
            prometheus_address: parts.prometheus_address.clone(),
            clock: Arc::new(move || now.now()),
        });
        let timing = (parts.clock.clone(), self.queues.runs.clone());
        let runs = RunController::new(self.caches.clone(), executor(), timing, sources);
        let services = ServiceController::new(self.caches.clone(), executor());
        let deployments = DeploymentController::new(self.caches.clone(), executor());
        let workers = vec![
            Workers::start(parts.workers.rollouts, &self.queues.rollouts, &parts.clock, rollouts),
            Workers::start(parts.workers.runs, &self.queues.runs, &parts.clock, runs),
            Workers::start(parts.workers.services, &self.queues.services, &parts.clock, services),
            Workers::start(parts.workers.services, &self.queues.deployments, &parts.clock, deployments),
        ];
        (workers, recorder)
    }
}
