//! A cluster in memory that speaks HTTP: what the end-to-end scenarios run against without a real one.
//!
//! It runs the models of `siskin::sim` in real time, and no controller of Siskin's. On loopback it serves the API, a
//! gateway whose answers look like those of the workload in `e2e/app`, and Prometheus over those answers. The folder
//! that it is given gets a `kubeconfig` and, last, an `env` with the addresses, under the names of
//! `e2e/cluster/README.md`. It runs until it is told to stop (SIGTERM or SIGINT).

mod gateway;
mod programs;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use siskin::api::crd::crds;
use siskin::runtime::clock::Clock;
use siskin::sim::api_server::serve::kubeconfig;
use siskin::sim::clock::ManualClock;
use siskin::sim::cluster::{Cluster, Settings};
use siskin::sim::driver::drive;
use siskin::sim::object;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

/// What routes name in `parentRefs`, as on the real cluster.
const GATEWAY: (&str, &str) = ("projectcontour", "web");
/// Where the controller's lease is.
const CONTROLLER_NAMESPACE: &str = "argo-rollouts";

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: cluster-in-memory FOLDER; it writes FOLDER/kubeconfig and FOLDER/env");
        return ExitCode::from(2);
    };
    match run(&folder).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(folder: &Path) -> Result<(), Failure> {
    let clock = ManualClock::at(Clock::real().now());
    let cluster = cluster(&clock)?;
    let listen = || TcpListener::bind(("127.0.0.1", 0));
    let (api, gateway, prometheus) = (listen().await?, listen().await?, listen().await?);
    let addresses = (api.local_addr()?, gateway.local_addr()?, prometheus.local_addr()?);
    let (server, queries) = (cluster.server.clone(), cluster.prometheus().router());
    let users = gateway::router(cluster.traffic.door(2));
    let (mut stop, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);

    let mut servants: JoinSet<Result<(), Failure>> = JoinSet::new();
    servants.spawn(async move { Ok(server.serve(api).await?) });
    servants.spawn(async move { Ok(axum::serve(gateway, users).await?) });
    servants.spawn(async move { Ok(axum::serve(prometheus, queries).await?) });
    servants.spawn(async move {
        drive(Arc::new(Mutex::new(cluster)), clock, 1.0).await;
        Ok(())
    });
    describe(folder, addresses)?;
    tokio::select! {
        _ = stop.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        ended = servants.join_next() => match ended {
            Some(Ok(Err(error))) => Err(error),
            other => Err(format!("a part of the cluster has ended: {other:?}").into()),
        },
    }
}

/// A complete cluster, as late in everything as the real one of `e2e/cluster` is on a machine with time to spare.
fn cluster(clock: &ManualClock) -> Result<Cluster, Failure> {
    let millis = Duration::from_millis;
    let settings = Settings {
        seed: 1,
        replica_set_lag: millis(20),
        slice_lag: millis(100),
        route_lag: millis(300),
        endpoint_lag: millis(200),
    };
    let mut cluster = Cluster::new(clock.now(), settings).complete();
    cluster.add(programs::Programs::new(&cluster.server));
    let refused = |what: &str| {
        let what = what.to_owned();
        move |why| format!("cannot make {what}: {why:?}")
    };
    for definition in crds() {
        let name = object::name(&definition).to_owned();
        cluster.server.define(definition).map_err(refused(&name))?;
    }
    cluster.server.create_namespace(GATEWAY.0);
    cluster.server.create_namespace(CONTROLLER_NAMESPACE);
    let gateway = json!({"metadata": {"namespace": GATEWAY.0, "name": GATEWAY.1}, "spec": {}});
    let hand = cluster.server.hand("installer");
    hand.create("Gateway.gateway.networking.k8s.io", gateway).map_err(refused("the gateway"))?;
    Ok(cluster)
}

type Address = std::net::SocketAddr;

fn describe(folder: &Path, (api, gateway, prometheus): (Address, Address, Address)) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    let shown = folder.display();
    std::fs::write(folder.join("kubeconfig"), kubeconfig(api))?;
    let text = format!(
        "TIER=memory\nSTATE_DIR={shown}\nKUBECONFIG={shown}/kubeconfig\nCONTROLLER_KUBECONFIG={shown}/kubeconfig\nAPI_ADDR={api}\n\
         GATEWAY_ADDR={gateway}\nGATEWAY={}/{}\nPROMETHEUS_ADDR={prometheus}\nNO_PROXY=*\n",
        GATEWAY.0, GATEWAY.1
    );
    // The file appears whole, and last: who sees it sees a cluster that is ready.
    let partial = folder.join("env.partial");
    std::fs::write(&partial, text)?;
    Ok(std::fs::rename(partial, folder.join("env"))?)
}
