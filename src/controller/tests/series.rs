//! Metrics have a series for each thing that there is, and none for what there was.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::routed::{analysis, furnish, gateway, one, prometheus, rollout, unfurnish};
use super::{Rig, definition, rig_set, template};
use crate::controller::caches::Scope;
use crate::rollout::Settings;

/// Each with two revisions, a run, Services and a route.
const AT_ONCE: usize = 5;
const BATCHES: usize = 9;

fn steps() -> Value {
    json!([{"setWeight": 25}, {"analysis": {"templates": [{"templateName": "errors"}]}}, {"pause": {}}])
}

/// Every series that is exposed, with its labels; those of the process come with its files and memory.
fn series(rig: &Rig) -> BTreeSet<String> {
    // A scrape ends the series of what is gone; the next shows what is left.
    rig.metrics.render().unwrap();
    let text = rig.metrics.render().unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("process_"));
    lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

async fn all_show(rig: &Rig, names: &[String], phase: &str) {
    for _ in 0..1_200 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let shown = |name: &String| rig.user.get("Rollout", "default", name).unwrap()["status"]["phase"] == phase;
        if names.iter().all(shown) {
            return;
        }
    }
    panic!("not all are {phase}");
}

/// Rollouts come, release, measure and go.
async fn lives(rig: &Rig, names: &[String]) {
    for name in names {
        furnish(&rig.user, name);
        rig.user.create("Rollout", rollout(name, &steps())).unwrap();
    }
    all_show(rig, names, "Healthy").await;
    let change = json!({"spec": {"template": {"spec": template("shop:2")["spec"]}}});
    for name in names {
        rig.user.merge("Rollout", ("default", name), &change).unwrap();
    }
    all_show(rig, names, "Paused").await;
    assert_eq!(rig.user.list("AnalysisRun", "default").len(), names.len() + 1, "each has measured");
    let exposed = series(rig);
    for name in names {
        assert!(exposed.iter().filter(|line| line.contains(name.as_str())).count() > 20, "{name} is seen");
        rig.user.delete("Rollout", "default", name).unwrap();
    }
    // The Services are given back before they go, which asks for the Rollout that has gone.
    tokio::time::sleep(Duration::from_secs(30)).await;
    for name in names {
        unfurnish(&rig.user, name);
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(rig.user.list("AnalysisRun", "default").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_has_no_series() {
    let measured = prometheus(&one()).await;
    let scopes = vec![("rollouts-controller", Scope::default())];
    let rig = rig_set(definition(), scopes, &Settings::default(), |user| {
        gateway(user);
        analysis(user, "errors", &measured.uri());
        furnish(user, "stays");
        user.create("Rollout", rollout("stays", &steps())).unwrap();
    });
    let stays = ["stays".to_owned()];
    all_show(&rig, &stays, "Healthy").await;
    let change = json!({"spec": {"template": {"spec": template("shop:2")["spec"]}}});
    rig.user.merge("Rollout", ("default", "stays"), &change).unwrap();
    all_show(&rig, &stays, "Paused").await;
    let batch = |batch: usize| (0..AT_ONCE).map(|number| format!("passes-{batch}-{number}")).collect::<Vec<_>>();
    lives(&rig, &batch(0)).await;
    let before = series(&rig);
    for number in 1..=BATCHES {
        lives(&rig, &batch(number)).await;
    }
    let after = series(&rig);
    let gone: Vec<&String> = after.iter().filter(|line| line.contains("passes-")).collect();
    assert_eq!(gone, [""; 0], "series of what is gone");
    assert_eq!(after, before);
    rig.stop.cancel();
}
