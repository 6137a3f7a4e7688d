//! Rollouts whose template is in another workload: resolving, migrating, and going on.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, template};
use crate::api::names::{DRAINED_FROM, WORKLOAD_GENERATION};
use crate::sim::api_server::Cursor;
use crate::sim::checker::facts::HASH;
use crate::sim::checker::state::State;
use crate::sim::checker::workload::shortage;
use crate::sim::models::kubelet::BEHAVIOUR;
use crate::sim::object;

/// A rig with a Deployment, and whoever counts all of its and the Rollout's pods after each write.
struct Move {
    rig: Rig,
    cursor: Cursor,
    state: State,
    /// Most pods that were wanted at once.
    most: i64,
}

fn deployment(replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop", "namespace": KEY.0},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "shop"}}, "template": template("shop:1", "", "0.5")},
    })
}

fn spec(scale_down: &str, strategy: &Value) -> Value {
    json!({
        "replicas": 10, "strategy": strategy,
        "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop", "scaleDown": scale_down},
    })
}

fn basic() -> Value {
    json!({"canary": {"steps": [{"setWeight": 20}, {"pause": {"duration": 5}}]}})
}

fn routed() -> Value {
    json!({"canary": {
        "canaryService": "shop-canary", "stableService": "shop-stable", "scaleDownDelaySeconds": 3,
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}}, "steps": [{"setWeight": 20}, {"pause": {"duration": 5}}],
    }})
}

fn blue_green() -> Value {
    json!({"blueGreen": {"activeService": "shop-active", "previewService": "shop-preview", "scaleDownDelaySeconds": 3}})
}

impl Move {
    /// Ten pods of a Deployment that serve, and no Rollout yet.
    fn from(deployment: Value) -> Self {
        let mut rig = Rig::bare(1, Some(()));
        let cursor = rig.core.cluster.server.subscribe();
        rig.core.user().create("Deployment", deployment).unwrap();
        rig.run(20).unwrap();
        let mut started = Self { rig, cursor, state: State::default(), most: 0 };
        started.count(None);
        started
    }

    /// The same, with a Rollout on its way.
    fn with(spec: &Value) -> Self {
        let started = Self::from(deployment(10));
        started.rig.create(spec);
        started
    }

    /// Lets time pass; there are always enough pods.
    fn run(&mut self, seconds: u64) {
        self.rig.run(seconds).unwrap();
        self.count(Some(()));
    }

    fn count(&mut self, promised: Option<()>) {
        for entry in self.cursor.drain().unwrap() {
            self.state.apply(&entry);
            let sets = self.state.list("ReplicaSet", KEY.0);
            self.most = self.most.max(sets.map(|rs| object::integer(rs, "/spec/replicas").unwrap_or(0)).sum());
            if let Some((available, floor)) = promised.and_then(|()| shortage(&self.state, KEY.0, KEY.1)) {
                let story = self.rig.story("I24");
                panic!("{story}: {available} of {floor} pods at {} after {} {}", entry.time, entry.kind, entry.name);
            }
        }
    }

    fn rest(&mut self) {
        self.rig.rest().unwrap();
        self.count(Some(()));
    }

    fn deployment(&self) -> Value {
        (*self.rig.core.user().get("Deployment", KEY.0, "shop").unwrap()).clone()
    }

    fn size(&self) -> i64 {
        object::integer(&self.deployment(), "/spec/replicas").unwrap()
    }

    fn edit(&self, patch: &Value) {
        self.rig.core.user().merge("Deployment", (KEY.0, "shop"), patch).unwrap();
    }

    fn update(&self, image: &str) {
        self.edit(&json!({"spec": {"template": template(image, "", "0.5")}}));
    }

    fn images(&self) -> Vec<String> {
        let pods = self.rig.core.user().list("Pod", KEY.0);
        let mut images: Vec<_> =
            pods.iter().map(|pod| object::text(pod, "/spec/containers/0/image").to_owned()).collect();
        images.sort();
        images
    }

    fn events(&self, reason: &str) -> usize {
        self.rig.core.events.iter().filter(|event| event.reason == reason).count()
    }
}

#[test]
fn the_template_comes_from_the_workload() {
    let mut shop = Move::with(&spec("never", &basic()));
    shop.run(30);
    assert_eq!((shop.rig.shown().as_str(), shop.size()), ("Healthy", 10));
    let observed = |shop: &Move| {
        let rollout = shop.rig.rollout().unwrap();
        let noted = rollout.metadata.annotation(WORKLOAD_GENERATION).map(str::to_owned);
        let generation = object::generation(&shop.deployment()).to_string();
        assert_eq!((noted, rollout.status.workload_observed_generation), (Some(generation.clone()), generation));
    };
    observed(&shop);
    // Nothing of it is written into the Rollout.
    let stored = shop.rig.core.user().get("Rollout", KEY.0, KEY.1).unwrap();
    assert_eq!((stored.pointer("/spec/template"), stored.pointer("/spec/selector")), (None, None));

    shop.edit(&json!({"spec": {"replicas": 0}}));
    shop.update("shop:2");
    shop.run(4);
    observed(&shop);
    assert_eq!(shop.rig.shown(), "Paused CanaryPauseStep");
    assert_eq!(shop.images().iter().filter(|image| *image == "shop:2").count(), 2);
    shop.run(30);
    assert_eq!((shop.rig.shown().as_str(), shop.images()), ("Healthy", vec!["shop:2".to_owned(); 10]));
    shop.rest();
}

#[test]
fn a_workload_that_is_missing_or_odd_touches_nothing() {
    let mut rig = Rig::bare(1, Some(()));
    rig.create(&spec("never", &basic()));
    rig.run(5).unwrap();
    let reference = r#"{"apiVersion":"apps/v1","kind":"Deployment","name":"shop"}"#;
    let told = |cause: &str| {
        format!(
            "Degraded InvalidSpec: The Rollout \"shop\" is invalid: spec.workloadRef: Invalid value: {reference}: {cause}"
        )
    };
    assert!(rig.shown().starts_with("Degraded InvalidSpec"), "{}", rig.shown());
    assert!(rig.shown().ends_with(": deployments.apps \"shop\" not found"), "{}", rig.shown());
    rig.core.user().create("Deployment", deployment(0)).unwrap();
    rig.run(25).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig.edit(&json!({"spec": {"workloadRef": {"kind": "StatefulSet", "scaleDown": null}}}));
    rig.run(25).unwrap();
    let odd = told("workload of type apps/StatefulSet is not supported").replace("Deployment", "StatefulSet");
    assert_eq!(rig.shown(), odd);
    rig.edit(&json!({"spec": {"workloadRef": {"kind": "Deployment"}, "template": template("shop:9", "", "0.5")}}));
    rig.run(25).unwrap();
    let beside = "spec.template: Internal error: template must be empty for workload reference rollout";
    assert!(rig.shown().ends_with(beside), "{}", rig.shown());
    assert_eq!(rig.core.user().list("Pod", KEY.0).len(), 10, "an invalid Rollout touches nothing");
}

#[test]
fn other_kinds_have_a_template_too() {
    let bare = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "shop", "namespace": KEY.0},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "shop"}}, "template": template("shop:1", "", "0.5")},
    });
    let only = json!({
        "apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "shop", "namespace": KEY.0},
        "template": template("shop:1", "", "0.5"),
    });
    for (kind, api_version, object) in [("ReplicaSet", "apps/v1", bare), ("PodTemplate", "v1", only)] {
        let mut rig = Rig::bare(1, Some(()));
        rig.core.user().create(kind, object).unwrap();
        let mut spec = spec("progressively", &basic());
        spec["selector"] = json!({"matchLabels": {"app": "shop"}});
        spec["workloadRef"]["kind"] = json!(kind);
        spec["workloadRef"]["apiVersion"] = json!(api_version);
        rig.create(&spec);
        rig.run(30).unwrap();
        assert_eq!(rig.shown(), "Healthy", "{kind}");
        let source = rig.core.user().get(kind, KEY.0, "shop").unwrap();
        assert_ne!(object::integer(&source, "/spec/replicas"), Some(0), "only Deployments are drained");
        rig.rest().unwrap();
    }
}

#[test]
fn migrations_never_lack_pods() {
    for strategy in [basic(), routed(), blue_green()] {
        for scale_down in ["progressively", "onsuccess"] {
            for pace in [0, 20, 300] {
                let mut shop = Move::with(&spec(scale_down, &strategy));
                shop.rig.pace = Duration::from_millis(pace);
                shop.run(60);
                assert_eq!((shop.rig.shown().as_str(), shop.size()), ("Healthy", 0), "{scale_down} {strategy}");
                assert_eq!(object::annotation(&shop.deployment(), DRAINED_FROM), Some("10"));
                assert!(shop.most <= 20, "at most twice the pods: {}", shop.most);
                shop.update("shop:2");
                shop.run(60);
                assert_eq!((shop.rig.shown().as_str(), shop.size()), ("Healthy", 0), "{scale_down} {strategy}");
                assert_eq!(shop.images(), vec!["shop:2".to_owned(); 10]);
                shop.rest();
            }
        }
    }
}

#[test]
fn progressively_is_step_by_step_and_on_success_is_not() {
    // Pods become ready one by one, so that there is something between.
    let slow = |scale_down| {
        let mut shop = Move::from(deployment(10));
        shop.edit(&json!({"spec": {"replicas": 10}}));
        let mut spec = spec(scale_down, &basic());
        spec["minReadySeconds"] = json!(3);
        shop.rig.create(&spec);
        let mut sizes = Vec::new();
        for _ in 0..100 {
            shop.run_until_changed(&mut sizes);
        }
        shop.rest();
        sizes
    };
    let progressive = slow("progressively");
    assert!(progressive.is_sorted_by(|a, b| a >= b) && progressive.last() == Some(&0), "{progressive:?}");
    assert_eq!(slow("onsuccess"), [10, 0]);
    assert_eq!(slow("never"), [10]);
    assert_eq!(slow("Never ever"), [10], "any other text is never");
}

impl Move {
    fn run_until_changed(&mut self, sizes: &mut Vec<i64>) {
        let at = self.rig.core.now() + Duration::from_millis(200);
        self.rig.run_until(at).unwrap();
        self.count(Some(()));
        if sizes.last() != Some(&self.size()) {
            sizes.push(self.size());
        }
    }
}

impl Move {
    /// Hurts so many of the Rollout's own pods that are not hurt yet; a pod that is hurt before it starts never does.
    fn hurt(&self, count: usize) {
        let user = self.rig.core.user();
        let own = |pod: &&std::sync::Arc<Value>| object::label(pod, HASH).is_some() && !hurt(pod);
        for pod in user.list("Pod", KEY.0).iter().filter(own).take(count) {
            user.merge("Pod", (KEY.0, object::name(pod)), &behaves(&json!("never-ready"))).unwrap();
        }
    }

    fn heal(&self) {
        let user = self.rig.core.user();
        for pod in user.list("Pod", KEY.0).iter().filter(|pod| hurt(pod)) {
            user.merge("Pod", (KEY.0, object::name(pod)), &behaves(&Value::Null)).unwrap();
        }
    }
}

fn hurt(pod: &Value) -> bool {
    object::annotation(pod, BEHAVIOUR).is_some()
}

fn behaves(how: &Value) -> Value {
    json!({"metadata": {"annotations": {BEHAVIOUR: how}}})
}

#[test]
fn pods_that_never_come_leave_the_deployment_as_it_is() {
    for scale_down in ["progressively", "onsuccess"] {
        let mut shop = Move::with(&spec(scale_down, &basic()));
        for _ in 0..600 {
            let at = shop.rig.core.now() + Duration::from_millis(100);
            shop.rig.run_until(at).unwrap();
            shop.count(Some(()));
            shop.hurt(10);
        }
        assert_eq!(shop.size(), 10);
        assert!(shop.rig.shown().starts_with("Progressing"), "{}", shop.rig.shown());
    }
}

#[test]
fn pods_that_fail_in_the_middle_of_a_migration_are_given_back() {
    let mut shop = Move::with(&spec("progressively", &basic()));
    let at = shop.rig.core.now() + Duration::from_millis(200);
    shop.rig.run_until(at).unwrap();
    shop.hurt(5);
    shop.run(20);
    assert_eq!(shop.size(), 5, "half of the pods are here, half are there");
    // From here on pods are lost, which no controller can help.
    shop.hurt(3);
    shop.rig.run(20).unwrap();
    assert_eq!(shop.size(), 8, "{}", shop.rig.story("given back"));
    shop.heal();
    shop.rig.run(30).unwrap();
    assert_eq!((shop.rig.shown().as_str(), shop.size()), ("Healthy", 0));
    // A finished migration is over: its own ReplicaSet makes new pods, and the Deployment stays drained.
    shop.hurt(4);
    shop.rig.run(30).unwrap();
    assert_eq!(shop.size(), 0);
    shop.heal();
    shop.rig.run(30).unwrap();
    shop.rig.rest().unwrap();
}

#[test]
fn what_somebody_scales_up_again_is_drained_again_within_bounds() {
    for scale_down in ["progressively", "onsuccess"] {
        let mut shop = Move::with(&spec(scale_down, &basic()));
        shop.run(60);
        // GitOps applies the Deployment every three minutes, also in the middle of an update.
        for round in 0..6 {
            if round == 2 {
                shop.update("shop:2");
            }
            shop.edit(&json!({"spec": {"replicas": 10}}));
            shop.run(180);
            assert_eq!((shop.rig.shown().as_str(), shop.size()), ("Healthy", 0), "{scale_down} {round}");
            assert!(shop.most <= 23, "{}", shop.most);
        }
        // Somebody who does it at once and for ever is drained six times a minute, and then told.
        let before = shop.events("ScalingWorkload");
        for _ in 0..300 {
            shop.edit(&json!({"spec": {"replicas": 10}}));
            let at = shop.rig.core.now() + Duration::from_millis(200);
            shop.rig.run_until(at).unwrap();
            shop.count(Some(()));
        }
        let drained = shop.events("ScalingWorkload") - before;
        assert!((6..=12).contains(&drained), "{drained} times in a minute");
        let blockers = shop.rig.rollout().unwrap().status.siskin.unwrap().blockers;
        assert_eq!(blockers[0].code, "FieldOwnershipConflict");
        shop.run(120);
        assert_eq!(shop.size(), 0);
        shop.rest();
    }
}

#[test]
fn without_replicas_the_deployment_says_how_many() {
    for strategy in [basic(), routed(), blue_green()] {
        let mut spec = spec("progressively", &strategy);
        spec["replicas"] = Value::Null;
        let mut shop = Move::with(&spec);
        shop.run(60);
        assert_eq!((shop.rig.shown().as_str(), shop.size()), ("Healthy", 0), "{strategy}");
        assert_eq!(shop.images().len(), 10);
        // Nothing shrinks it on the way of an update either.
        shop.update("shop:2");
        shop.run(60);
        assert_eq!(
            (shop.rig.shown().as_str(), shop.images()),
            ("Healthy", vec!["shop:2".to_owned(); 10]),
            "{strategy}"
        );
        assert_eq!(shop.rig.rollout().unwrap().spec.replicas, None);
    }
}

#[test]
fn a_deployment_in_the_middle_of_its_own_update_is_drained_with_care() {
    for pace in [0, 20, 300] {
        let mut shop = Move::from(deployment(10));
        shop.update("shop:2");
        let at = shop.rig.core.now() + Duration::from_millis(300);
        shop.rig.run_until(at).unwrap();
        shop.count(None);
        shop.rig.pace = Duration::from_millis(pace);
        shop.rig.create(&spec("progressively", &basic()));
        shop.run(60);
        assert_eq!((shop.rig.shown().as_str(), shop.size()), ("Healthy", 0));
        shop.rest();
    }
}

#[test]
fn a_restart_in_the_middle_changes_nothing() {
    for instant in 0..30 {
        let mut shop = Move::with(&spec("progressively", &routed()));
        let at = shop.rig.core.now() + Duration::from_millis(100 * instant);
        shop.rig.run_until(at).unwrap();
        shop.rig.core.restart();
        shop.run(60);
        assert_eq!((shop.rig.shown().as_str(), shop.size()), ("Healthy", 0));
        shop.rest();
    }
}

#[test]
fn a_pause_stops_the_drain() {
    let mut paused = spec("progressively", &basic());
    paused["paused"] = json!(true);
    let mut shop = Move::with(&paused);
    shop.run(60);
    assert_eq!(shop.size(), 10);
    shop.rig.edit(&json!({"spec": {"paused": false}}));
    shop.run(60);
    assert_eq!((shop.rig.shown().as_str(), shop.size()), ("Healthy", 0));
}

#[test]
fn the_way_back_leads_over_scale_down_never() {
    let mut shop = Move::with(&spec("progressively", &basic()));
    shop.run(60);
    shop.rig.edit(&json!({"spec": {"workloadRef": {"scaleDown": "never"}}}));
    shop.edit(&json!({"spec": {"replicas": 10}}));
    shop.run(60);
    assert_eq!((shop.rig.shown().as_str(), shop.size()), ("Healthy", 10));
    shop.rig.core.user().delete("Rollout", KEY.0, KEY.1).unwrap();
    shop.rig.run(30).unwrap();
    assert_eq!(shop.images().len(), 10, "the Deployment's pods serve alone");
}

#[test]
fn the_template_moves_into_the_rollout_without_a_new_revision() {
    let mut shop = Move::with(&spec("onsuccess", &basic()));
    shop.run(60);
    let before = shop.rig.rollout().unwrap().status;
    shop.rig.edit(&json!({"spec": {
        "workloadRef": null, "template": template("shop:1", "", "0.5"), "selector": {"matchLabels": {"app": "shop"}},
    }}));
    shop.rig.run(20).unwrap();
    let rollout = shop.rig.rollout().unwrap();
    assert_eq!((shop.rig.shown().as_str(), shop.size()), ("Healthy", 0));
    assert_eq!(
        (&rollout.status.current_pod_hash, &rollout.status.stable_rs),
        (&before.current_pod_hash, &before.stable_rs)
    );
    assert_eq!(rollout.metadata.annotation(WORKLOAD_GENERATION), None);
    assert_eq!(rollout.status.workload_observed_generation, "");
    shop.rest();
}
