//! A hundred pods, each of which lives for five to thirty minutes: an update comes to its end all the same.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec, template};
use crate::api::Time;
use crate::sim::object;
use crate::sim::random::SplitMix;

const PODS: i64 = 100;
/// From one look at who dies to the next.
const BEAT: Duration = Duration::from_secs(5);
/// An update without churn takes about four minutes.
const PATIENCE: Duration = Duration::from_hours(1);

struct Churn {
    rig: Rig,
    random: SplitMix,
    ends: BTreeMap<String, Time>,
    died: usize,
}

impl Churn {
    fn new(strategy: &Value) -> Self {
        let mut spec = spec(strategy);
        spec["replicas"] = json!(PODS);
        spec["template"] = image("shop:1");
        let mut rig = Rig::bare(7, Some(()));
        rig.most_pods = 250;
        rig.create(&spec);
        rig.run(90).unwrap();
        assert_eq!(rig.shown(), "Healthy");
        Self { rig, random: SplitMix::new(7), ends: BTreeMap::new(), died: 0 }
    }

    /// Pods whose time has come die, and the others live on for a beat.
    fn beat(&mut self) {
        let (user, now) = (self.rig.core.user(), self.rig.core.now());
        for pod in user.list("Pod", KEY.0) {
            let life = Duration::from_secs(300 + self.random.below(1_500));
            let end = *self.ends.entry(object::uid(&pod).to_owned()).or_insert(now + life);
            if end <= now && !object::is_terminating(&pod) {
                user.delete("Pod", KEY.0, object::name(&pod)).unwrap();
                self.died += 1;
            }
        }
        self.rig.run_until(now + BEAT).unwrap();
    }
}

/// Half a minute from creation to ready: at any moment some pods are missing.
fn image(name: &str) -> Value {
    template(name, "", "30")
}

fn completes(strategy: &Value) {
    let mut churn = Churn::new(strategy);
    // The first pods are all of one age: some have to have died before the ages are mixed.
    for _ in 0..240 {
        churn.beat();
    }
    churn.died = 0;
    churn.rig.edit(&json!({"spec": {"template": image("shop:2")}}));
    let began = churn.rig.core.now();
    while churn.rig.core.now().since(began) < PATIENCE {
        churn.beat();
        let status = churn.rig.rollout().unwrap().status;
        if status.stable_rs == status.current_pod_hash && status.phase == "Healthy" {
            assert!(churn.died > 8, "{} pods died", churn.died);
            return;
        }
    }
    panic!("{strategy}: {}", churn.rig.story("not complete after an hour"));
}

#[test]
fn a_canary_completes_while_pods_come_and_go() {
    completes(&json!({"canary": {"steps": [{"setWeight": 20}, {"pause": {"duration": 60}}, {"setWeight": 60}]}}));
}

#[test]
fn a_routed_canary_completes_while_pods_come_and_go() {
    completes(&json!({"canary": {
        "canaryService": "shop-canary", "stableService": "shop-stable",
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
        "steps": [{"setWeight": 20}, {"pause": {"duration": 60}}, {"setWeight": 60}],
    }}));
}

#[test]
fn a_blue_green_completes_while_pods_come_and_go() {
    completes(
        &json!({"blueGreen": {"activeService": "shop-active", "previewService": "shop-preview", "autoPromotionSeconds": 60}}),
    );
}
