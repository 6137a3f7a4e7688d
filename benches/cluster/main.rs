//! How fast Siskin answers on a real API server, beside the *floor*: a trivial client that does the same one write
//! on the same event, in the same run.
//!
//! `make bench` starts the cluster and names its kubeconfig in `SISKIN_BENCH_KUBECONFIG`. Everything is alone: one
//! Rollout of one pod at a time, one after the other, a pause before each measurement.

#![allow(clippy::panic, reason = "a benchmark that cannot go on says why")]
#![allow(clippy::disallowed_methods, reason = "it measures time that passes, in tasks that end with it")]

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

mod floor;
mod seen;
mod table;

use seen::Seen;
use table::Table;

/// Measurements of each kind, unless `SISKIN_BENCH_SAMPLES` says another.
const SAMPLES: usize = 110;
/// Before each measurement: nothing is under way.
const QUIET: Duration = Duration::from_millis(250);
const NAMESPACE: &str = "siskin-bench";
/// The label by which the two tell their Rollouts apart.
const INSTANCE: &str = "argo-rollouts.argoproj.io/controller-instance-id";
const FLOOR: &str = "floor";

fn template(revision: usize) -> Value {
    json!({
        "metadata": {"labels": {"app": "shop"}},
        "spec": {"nodeSelector": {"type": "kwok"}, "containers": [{
            "name": "shop", "image": format!("shop:{revision}"), "ports": [{"containerPort": 8080}],
        }]},
    })
}

/// A Rollout of one pod and three steps with a pause behind each weight.
fn rollout(name: &str, instance: Option<&str>) -> Value {
    let steps = json!([{"setWeight": 50}, {"pause": {}}, {"setWeight": 75}, {"pause": {}}]);
    let mut template = template(1);
    template["metadata"]["labels"]["app"] = json!(name);
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": instance.map(|id| json!({INSTANCE: id}))},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template,
            "strategy": {"canary": {"steps": steps}}},
    })
}

/// A change of the pod template.
fn update(name: &str) -> Value {
    let mut template = template(2);
    template["metadata"]["labels"]["app"] = json!(name);
    json!({"spec": {"template": template}})
}

fn resume() -> Value {
    json!({"status": {"pauseConditions": null}})
}

fn index(rollout: &Value) -> i64 {
    rollout["status"]["currentStepIndex"].as_i64().unwrap_or(-1)
}

fn ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.is_some_and(|list| list.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"))
}

/// One Rollout's life under Siskin: deployed, updated, promoted twice.
async fn siskin(seen: &mut Seen, name: &str, table: &mut Table) {
    seen.create(&rollout(name, None)).await;
    let pod = seen.until(name, "Pod", ready).await;
    let healthy = seen.until(name, "Rollout", |rollout| rollout["status"]["phase"] == "Healthy").await;
    table.siskin("pod ready -> Healthy", healthy - pod);

    tokio::time::sleep(QUIET).await;
    let begun = seen.patch(name, "", &update(name)).await;
    let image = "/spec/template/spec/containers/0/image";
    let created = seen.until(name, "ReplicaSet", |rs| rs.pointer(image).is_some_and(|image| image == "shop:2")).await;
    table.siskin("spec change -> ReplicaSet", created - begun);

    for step in [1, 3] {
        let paused = move |rollout: &Value| rollout["status"]["phase"] == "Paused" && index(rollout) == step;
        seen.until(name, "Rollout", paused).await;
        tokio::time::sleep(QUIET).await;
        let begun = seen.patch(name, "status", &resume()).await;
        let next = seen.until(name, "Rollout", move |rollout| index(rollout) > step).await;
        table.siskin("promote -> step index", next - begun);
    }
    seen.forget(name).await;
}

/// The same with the trivial client.
async fn floor(seen: &mut Seen, name: &str, table: &mut Table) {
    seen.create(&rollout(name, Some(FLOOR))).await;
    let pod = seen.until(name, "Pod", ready).await;
    let healthy = seen.until(name, "Rollout", |rollout| rollout["status"]["phase"] == "Healthy").await;
    table.floor("pod ready -> Healthy", healthy - pod);

    tokio::time::sleep(QUIET).await;
    let begun = seen.patch(name, "", &update(name)).await;
    let second = format!("{name}-2");
    let created = seen.until(name, "ReplicaSet", move |rs| rs["metadata"]["name"] == second.as_str()).await;
    table.floor("spec change -> ReplicaSet", created - begun);

    for step in [1, 3] {
        let pause = json!({"status": {"currentStepIndex": step, "phase": "Paused",
            "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-11-21T12:00:00Z"}]}});
        seen.patch(name, "status", &pause).await;
        seen.until(name, "Rollout", move |rollout| index(rollout) == step).await;
        tokio::time::sleep(QUIET).await;
        let begun = seen.patch(name, "status", &resume()).await;
        let next = seen.until(name, "Rollout", move |rollout| index(rollout) > step).await;
        table.floor("promote -> step index", next - begun);
    }
    seen.forget(name).await;
}

/// The controller under test; it ends with the benchmark.
struct Controller(Child);

impl Controller {
    fn start(kubeconfig: &str) -> Self {
        let log = std::env::var("SISKIN_BENCH_LOG").unwrap_or_else(|_| "/dev/null".to_owned());
        let log = std::fs::File::create(&log).unwrap_or_else(|error| panic!("{log}: {error}"));
        let level = std::env::var("LOGLEVEL").unwrap_or_else(|_| "info".to_owned());
        let mut command = Command::new(env!("CARGO_BIN_EXE_siskin"));
        command.args(["controller", "--kubeconfig", kubeconfig, "--leader-elect", "false", "--loglevel", &level]);
        command.args(["--metricsPort", "0", "--healthzPort", "0"]).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap_or_else(|error| panic!("{error}"))).stderr(log);
        Self(command.spawn().unwrap_or_else(|error| panic!("siskin controller: {error}")))
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::main]
async fn main() {
    let Ok(kubeconfig) = std::env::var("SISKIN_BENCH_KUBECONFIG") else {
        println!("\ncluster: SKIPPED: SISKIN_BENCH_KUBECONFIG names no cluster; `make bench` starts one");
        return;
    };
    let samples = std::env::var("SISKIN_BENCH_SAMPLES").ok().and_then(|text| text.parse().ok()).unwrap_or(SAMPLES);
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = seen::client(&kubeconfig).await;
    seen::namespace(&client).await;
    let _controller = Controller::start(&kubeconfig);
    let (mut seen, mut table) = (Seen::start(&client), Table::default());
    let floor_client = tokio::spawn(floor::run(client));
    for n in 0..samples {
        siskin(&mut seen, &format!("siskin-{n:04}"), &mut table).await;
        floor(&mut seen, &format!("floor-{n:04}"), &mut table).await;
    }
    floor_client.abort();
    println!("{table}");
}
