//! `controller`: the controller itself.

use super::failure::Failure;
use super::session::Session;
use crate::config::ControllerFlags;
use crate::controller::app::{Controller as App, Leadership, Parts};
use crate::controller::gauges::Gauges;
use crate::runtime::client::{Clients, ClusterFlags, connect};
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Shutdown;
use crate::server;
use crate::telemetry::{logs, metrics::Metrics};

/// Run the controller
///
/// Watches Rollouts and AnalysisRuns and carries them out. Flags that Argo Rollouts' controller has keep their names and
/// defaults; Siskin's own are marked.
#[derive(Debug, clap::Args)]
pub struct Controller {
    #[command(flatten)]
    flags: ControllerFlags,
}

fn failure(error: &dyn std::error::Error) -> Failure {
    Failure::new(error.to_string())
}

impl Controller {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let flags = self.flags;
        let format = flags.logformat.parse().map_err(|error: logs::LogError| failure(&error))?;
        logs::init(&session.flags().loglevel, format).map_err(|error| failure(&error))?;
        for flag in flags.without_effect.given() {
            tracing::warn!("{flag} has no effect: what it is about is not supported yet");
        }
        let shutdown = Shutdown::new();
        shutdown.listen()?;
        let metrics = Metrics::new().map_err(|error| failure(&error))?;

        // Before anything else can fail: a probe sees the process, and a person a taken port.
        let metrics_port =
            server::http::listen(flags.metrics_port, "--metricsPort").map_err(|error| failure(&error))?;
        let health_port = server::http::listen(flags.healthz_port, "--healthzPort").map_err(|error| failure(&error))?;

        let clients = connected(session).await?;
        let leadership = flags.leader_elect.then(|| Leadership {
            namespace: flags.namespace(),
            name: flags.lease_name(),
            identity: identity(),
            terms: flags.terms(),
        });
        let app = App::start(Parts {
            settings: flags.settings(),
            scope: flags.scope(&clients.namespace),
            limits: flags.limits(),
            workers: flags.threads(),
            prometheus_address: flags.prometheus_address.clone(),
            clock: Clock::real(),
            metrics: metrics.clone(),
            leadership,
            clients,
            seed: seed(),
        });
        let gauges = Gauges::new(app.caches(), metrics.clone()).and_then(|gauges| metrics.register(gauges));
        gauges.map_err(|error| failure(&error))?;
        let readiness = app.readiness();
        let stop = shutdown.part();
        let serve_metrics = server::http::serve(metrics_port, server::exposition::router(metrics), stop.clone());
        let serve_health =
            server::http::serve(health_port, server::health::router(move || readiness.missing()), stop.clone());
        #[allow(clippy::disallowed_methods, reason = "joined below")]
        let servers = tokio::spawn(async move { tokio::try_join!(serve_metrics, serve_health) });
        let result = Box::pin(app.run(stop)).await;
        shutdown.request();
        // The servers end with the stop; that they served until then is all that was asked of them.
        drop(servers.await);
        result.map_err(|error| failure(&error))
    }
}

/// The clients, once the API server has answered.
async fn connected(session: &Session) -> Result<Clients, Failure> {
    let flags = session.flags();
    let chosen = ClusterFlags {
        kubeconfig: flags.kubeconfig.clone(),
        context: flags.context.clone(),
        cluster: flags.cluster.clone(),
        user: flags.user.clone(),
    };
    let mut config = connect::cluster_config(&chosen).await.map_err(|error| failure(&error))?;
    if let Some(namespace) = &flags.namespace {
        config.default_namespace.clone_from(namespace);
    }
    let clients = Clients::new(config).map_err(|error| failure(&error))?;
    let version = clients.check(&Clock::real()).await.map_err(|error| failure(&error))?;
    tracing::info!(server = %clients.server, %version, "connected");
    Ok(clients)
}

/// Of the jitter of this process: it has to differ between replicas, nothing more.
fn seed() -> u64 {
    let nanos = Clock::real().now().nanos().unsigned_abs();
    nanos ^ u64::from(std::process::id()).rotate_left(32)
}

/// `<hostname>_<random>`, as Argo names its replicas.
fn identity() -> String {
    let host =
        std::fs::read_to_string("/etc/hostname").map_or_else(|_| "siskin".to_owned(), |name| name.trim().to_owned());
    let mut random = [0_u8; 16];
    // Without a source of randomness the process id still differs between replicas of one host.
    if getrandom::fill(&mut random).is_err() {
        random.iter_mut().zip(std::process::id().to_le_bytes()).for_each(|(byte, id)| *byte = id);
    }
    format!("{host}_{:032x}", u128::from_be_bytes(random))
}
