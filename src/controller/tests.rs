//! The whole shell over the cluster in memory.

#![allow(clippy::disallowed_methods, reason = "tests wait on the clock that tokio pauses, and end with their tasks")]

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::app::{Controller, Parts};
use super::caches::Scope;
use crate::api::Time;
use crate::rollout::Settings;
use crate::runtime::client::Clients;
use crate::runtime::clock::Clock;
use crate::runtime::limiter::Limits;
use crate::sim::api_server::Hand;
use crate::sim::clock::ManualClock;
use crate::sim::cluster::{Cluster, Settings as ClusterSettings};
use crate::sim::driver::drive;
use crate::telemetry::metrics::Metrics;

struct Rig {
    user: Hand,
    cluster: Arc<Mutex<Cluster>>,
    stop: CancellationToken,
}

fn rig() -> Rig {
    let start: Time = "2026-11-21T12:00:00Z".parse().unwrap();
    let manual = ManualClock::at(start);
    let cluster = Cluster::new(manual.now(), ClusterSettings::default());
    let server = cluster.server.clone();
    let user = server.hand("user");
    let cluster = Arc::new(Mutex::new(cluster));
    tokio::spawn(drive(Arc::clone(&cluster), manual, 1.0));
    let stop = CancellationToken::new();
    let controller = Controller::start(Parts {
        clients: Clients::shared(server.client("rollouts-controller")),
        clock: Clock::scaled(start, 1.0),
        metrics: Metrics::new().unwrap(),
        settings: Settings::default(),
        scope: Scope::default(),
        limits: Limits { qps: 0.0, ..Limits::default() },
        workers: (4, 4),
        prometheus_address: String::new(),
        leadership: None,
    });
    tokio::spawn(controller.run(stop.clone()));
    Rig { user, cluster, stop }
}

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [{"name": "shop", "image": image}]}})
}

fn phase(user: &Hand) -> String {
    let rollout = user.get("Rollout", "default", "shop").unwrap();
    format!(
        "{} {}",
        rollout["status"]["phase"].as_str().unwrap_or(""),
        rollout["status"]["message"].as_str().unwrap_or("")
    )
}

async fn until(rig: &Rig, wanted: &str) {
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if phase(&rig.user).starts_with(wanted) {
            return;
        }
    }
    panic!("wanted {wanted}, is {}", phase(&rig.user));
}

#[tokio::test(start_paused = true)]
async fn a_release_through_the_shell() {
    let rig = rig();
    rig.user
        .create(
            "Rollout",
            json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
                "metadata": {"name": "shop", "namespace": "default"},
                "spec": {
                    "replicas": 3,
                    "selector": {"matchLabels": {"app": "shop"}},
                    "template": template("shop:1"),
                    "strategy": {"canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}},
                },
            }),
        )
        .unwrap();
    until(&rig, "Healthy").await;
    rig.user.merge("Rollout", ("default", "shop"), &json!({"spec": {"template": template("shop:2")}})).unwrap();
    until(&rig, "Paused CanaryPauseStep").await;
    rig.user.merge_status("Rollout", ("default", "shop"), &json!({"status": {"pauseConditions": null}})).unwrap();
    until(&rig, "Healthy").await;

    // At rest nothing is read and nothing is written.
    tokio::time::sleep(Duration::from_mins(1)).await;
    let before = rig.cluster.lock().server.counts();
    tokio::time::sleep(Duration::from_mins(2)).await;
    let after = rig.cluster.lock().server.counts();
    assert_eq!(after.since(&before).writes(), 0);
    rig.stop.cancel();
}
