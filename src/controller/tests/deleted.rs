//! Rollouts over a Deployment that are deleted: what is left has to serve.

use serde_json::{Value, json};

use super::*;
use crate::api::names::{DRAINED_BY, DRAINED_FROM};
use crate::sim::checker::state::State;
use crate::sim::object;
use crate::sim::search::world::{service, template};

const AT: (&str, &str) = ("default", "shop");
/// Wanted pods.
const WANTED: i64 = 6;
/// A quarter more, of the Rollout and of a Deployment that updates its own pods.
const SURGE: i64 = 2;
/// Without `SISKIN_CASES` only every so many cases; it shares no factor with the stages and the ways to scale down.
const STRIDE: usize = 5;
const SERVICES: [&str; 4] = ["shop-stable", "shop-canary", "shop-active", "shop-preview"];

/// Where a release stands when its Rollout is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The Deployment's pods are being replaced.
    Takeover,
    Healthy,
    /// At a pause step of an update, or before its switch.
    AtStep,
    /// The same, and `spec.paused`.
    Paused,
    Aborted,
    /// A moment after the update was promoted in full.
    Promoted,
}

const STAGES: [Stage; 6] =
    [Stage::Takeover, Stage::Healthy, Stage::AtStep, Stage::Paused, Stage::Aborted, Stage::Promoted];

fn strategies() -> [Value; 3] {
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let routing = json!({"gatewayAPI": {"httpRoute": "shop"}});
    [
        json!({"canary": {"steps": steps}}),
        json!({"canary": {
            "canaryService": "shop-canary", "stableService": "shop-stable", "steps": steps, "trafficRouting": routing,
        }}),
        json!({"blueGreen": {"activeService": "shop-active", "previewService": "shop-preview", "autoPromotionEnabled": false}}),
    ]
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": AT.1, "namespace": AT.0},
        "spec": {
            "replicas": WANTED, "selector": {"matchLabels": {"app": "shop"}}, "template": template("shop:1", "", "0.5"),
        },
    })
}

fn over(scale_down: &str, strategy: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": AT.1, "namespace": AT.0},
        "spec": {
            "replicas": WANTED, "minReadySeconds": 1, "strategy": strategy,
            "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": AT.1, "scaleDown": scale_down},
        },
    })
}

/// A Deployment that serves behind four Services and a route.
async fn serving() -> Rig {
    let rig = rig();
    for name in SERVICES {
        rig.user.create("Service", service(name)).unwrap();
    }
    let backends = json!([{"name": "shop-stable", "port": 80}, {"name": "shop-canary", "port": 80}]);
    let route = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": AT.1, "namespace": AT.0},
        "spec": {"parentRefs": [{"name": "web"}], "rules": [{"backendRefs": backends}]},
    });
    rig.user.create("HTTPRoute", route).unwrap();
    rig.user.create("Deployment", deployment()).unwrap();
    wait(15).await;
    rig
}

async fn wait(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn size(rig: &Rig) -> i64 {
    object::integer(&rig.user.get("Deployment", AT.0, AT.1).unwrap(), "/spec/replicas").unwrap()
}

async fn bring(rig: &Rig, stage: Stage) {
    if stage == Stage::Takeover {
        tokio::time::sleep(Duration::from_millis(1_300)).await;
        return;
    }
    wait(30).await;
    assert_eq!(phase(&rig.user).trim(), "Healthy");
    if stage == Stage::Healthy {
        return;
    }
    let update = json!({"spec": {"template": template("shop:2", "", "0.5")}});
    rig.user.merge("Deployment", AT, &update).unwrap();
    wait(20).await;
    assert!(phase(&rig.user).starts_with("Paused"), "{}", phase(&rig.user));
    let command = |status: Value| {
        rig.user.merge_status("Rollout", AT, &json!({"status": status})).unwrap();
    };
    match stage {
        Stage::Paused => {
            rig.user.merge("Rollout", AT, &json!({"spec": {"paused": true}})).unwrap();
        }
        Stage::Aborted => command(json!({"abort": true})),
        Stage::Promoted => command(json!({"promoteFull": true})),
        _ => {}
    }
    wait(3).await;
}

/// What serves behind every Service once all has come to rest: as many of the Deployment's pods as are wanted.
fn serves(rig: &Rig, told: &str) {
    for name in SERVICES {
        let service = rig.user.get("Service", AT.0, name).unwrap();
        assert_eq!(service["spec"]["selector"], json!({"app": "shop"}), "{told}: {name}");
    }
    let pods = rig.user.list("Pod", AT.0);
    let ready = pods.iter().filter(|pod| {
        let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
        conditions.into_iter().flatten().any(|c| c["type"] == "Ready" && c["status"] == "True")
    });
    assert_eq!(i64::try_from(ready.count()).unwrap(), WANTED, "{told}");
    assert_eq!((size(rig), pods.len()), (WANTED, usize::try_from(WANTED).unwrap()), "{told}");
}

/// Most pods that were wanted at once.
fn most(cursor: &mut Cursor, state: &mut State) -> i64 {
    let mut most = 0;
    for entry in cursor.drain().unwrap() {
        state.apply(&entry);
        let sets = state.list("ReplicaSet", AT.0);
        most = most.max(sets.map(|rs| object::integer(rs, "/spec/replicas").unwrap_or(0)).sum());
    }
    most
}

/// A runtime for one cluster: what drives a cluster goes on until its runtime ends.
fn alone(case: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(case);
}

async fn deleted_at(stage: Stage, scale_down: &str, strategy: &Value) {
    let told = format!("{scale_down} {stage:?} {strategy}");
    let rig = serving().await;
    let (mut cursor, mut state) = (rig.cluster.lock().server.subscribe_after(0), State::default());
    rig.user.create("Rollout", over(scale_down, strategy)).unwrap();
    bring(&rig, stage).await;
    rig.user.delete("Rollout", AT.0, AT.1).unwrap();
    wait(60).await;
    serves(&rig, &told);
    // A Deployment that is never drained updates its own pods as well.
    let whole = if scale_down == "never" { 3 } else { 2 };
    let most = most(&mut cursor, &mut state);
    assert!(most <= whole * WANTED + 2 * SURGE, "{told}: {most} pods");
    let left = rig.user.get("Deployment", AT.0, AT.1).unwrap();
    assert_eq!([DRAINED_BY, DRAINED_FROM].map(|note| object::annotation(&left, note)), [None; 2], "{told}");
    rests(&rig).await;
    rig.stop.cancel();
}

/// Without a finalizer nothing can bring pods before the Rollout's own go, but afterwards all is as before the Rollout.
#[test]
fn the_deployment_serves_again_whenever_its_rollout_is_deleted() {
    let all = std::env::var("SISKIN_CASES").is_ok();
    let mut number = 0;
    for strategy in strategies() {
        for scale_down in ["never", "onsuccess", "progressively"] {
            for stage in STAGES {
                number += 1;
                if all || number % STRIDE == 0 {
                    alone(deleted_at(stage, scale_down, &strategy));
                }
            }
        }
    }
}

/// In the foreground the pods go first: the Deployment does not wait for that.
#[tokio::test(start_paused = true)]
async fn an_end_in_sight_is_enough() {
    let rig = serving().await;
    rig.user.create("Rollout", over("onsuccess", &strategies()[0])).unwrap();
    bring(&rig, Stage::Healthy).await;
    assert_eq!(size(&rig), 0);
    rig.user.merge("Rollout", AT, &json!({"metadata": {"finalizers": ["somebody.example/holds"]}})).unwrap();
    rig.user.delete("Rollout", AT.0, AT.1).unwrap();
    wait(30).await;
    assert_eq!(size(&rig), WANTED);
    rig.user.merge("Rollout", AT, &json!({"metadata": {"finalizers": null}})).unwrap();
    wait(30).await;
    serves(&rig, "after its end");
    rig.stop.cancel();
}

/// An autoscaler had asked for more than the Deployment ever had.
#[tokio::test(start_paused = true)]
async fn as_many_pods_come_back_as_were_wanted_last() {
    let rig = serving().await;
    rig.user.create("Rollout", over("progressively", &strategies()[0])).unwrap();
    bring(&rig, Stage::Healthy).await;
    rig.user.scale("Rollout", AT, 9).unwrap();
    wait(20).await;
    rig.user.delete("Rollout", AT.0, AT.1).unwrap();
    wait(30).await;
    assert_eq!(size(&rig), 9);
    rig.stop.cancel();
}

/// Pods that are left behind on purpose serve on, and are taken over again with the next Rollout of the name.
#[tokio::test(start_paused = true)]
async fn orphans_serve_instead_of_the_deployment() {
    let rig = serving().await;
    rig.user.create("Rollout", over("progressively", &strategies()[0])).unwrap();
    bring(&rig, Stage::Healthy).await;
    let before = created(&rig.user);
    rig.user.orphan("Rollout", AT.0, AT.1).unwrap();
    wait(60).await;
    assert_eq!((size(&rig), created(&rig.user)), (0, before.clone()));
    rig.user.create("Rollout", over("progressively", &strategies()[0])).unwrap();
    wait(30).await;
    assert_eq!((phase(&rig.user).trim(), size(&rig), created(&rig.user)), ("Healthy", 0, before));
    // Without them it is the Deployment's turn.
    rig.user.orphan("Rollout", AT.0, AT.1).unwrap();
    wait(15).await;
    for set in rig.user.list("ReplicaSet", AT.0).iter().filter(|set| object::controller_uid(set).is_none()) {
        rig.user.delete("ReplicaSet", AT.0, object::name(set)).unwrap();
    }
    wait(60).await;
    assert_eq!(size(&rig), WANTED);
    rig.stop.cancel();
}

/// A Rollout that goes on without the Deployment owes it nothing, and its own end starts nothing.
#[tokio::test(start_paused = true)]
async fn a_migration_that_is_over_is_not_undone() {
    let rig = serving().await;
    rig.user.create("Rollout", over("progressively", &strategies()[0])).unwrap();
    bring(&rig, Stage::Healthy).await;
    let own = json!({"spec": {
        "workloadRef": null, "template": template("shop:1", "", "0.5"), "selector": {"matchLabels": {"app": "shop"}},
    }});
    rig.user.merge("Rollout", AT, &own).unwrap();
    wait(60).await;
    assert_eq!(object::annotation(&rig.user.get("Deployment", AT.0, AT.1).unwrap(), DRAINED_BY), None);
    rig.user.delete("Rollout", AT.0, AT.1).unwrap();
    wait(60).await;
    assert_eq!(size(&rig), 0);
    rests(&rig).await;
    rig.stop.cancel();
}

/// A size that a user has chosen after the drain was taken back is theirs; none is no choice.
#[tokio::test(start_paused = true)]
async fn a_size_that_was_taken_back_is_the_users() {
    for (chosen, left) in [(Some(2), 2), (None, WANTED)] {
        let rig = serving().await;
        rig.user.create("Rollout", over("progressively", &strategies()[0])).unwrap();
        bring(&rig, Stage::Healthy).await;
        rig.user.merge("Rollout", AT, &json!({"spec": {"workloadRef": {"scaleDown": "never"}}})).unwrap();
        if let Some(size) = chosen {
            rig.user.merge("Deployment", AT, &json!({"spec": {"replicas": size}})).unwrap();
        }
        wait(30).await;
        rig.user.delete("Rollout", AT.0, AT.1).unwrap();
        wait(60).await;
        assert_eq!(size(&rig), left, "{chosen:?}");
        rig.stop.cancel();
    }
}
