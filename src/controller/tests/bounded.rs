//! However much others say, a status stays small, and says the same at the next look.

use std::time::Duration;

use serde_json::{Value, json};

use super::routed::{analysis, furnish, gateway, prometheus, rollout};
use super::{Rig, definition, rests, rig_set, template, until};
use crate::api::text::LONGEST;
use crate::controller::caches::Scope;
use crate::rollout::Settings;
use crate::rollout::settings::StatusDialect;
use crate::sim::api_server::{Fault, RequestInfo, Verb};

const KEY: (&str, &str) = ("default", "shop");
const MOST: usize = 64 << 10;
const DEADLINE: Duration = Duration::from_mins(1);

/// A megabyte of which every character is dear in JSON.
fn much() -> String {
    "\"no\"\n".repeat(1 << 18)
}

/// The size of the status, which has to be small.
fn size(rig: &Rig) -> usize {
    let status = rig.user.get("Rollout", KEY.0, KEY.1).unwrap()["status"].to_string();
    assert!(status.len() <= MOST, "{} bytes: {status:.2000}", status.len());
    for event in rig.user.list("Event", KEY.0) {
        assert!(event["message"].to_string().len() <= (4 << 10) + 2, "{}", event["reason"]);
    }
    status.len()
}

/// The status says something that was cut, and does not grow from look to look.
async fn stays_small(rig: &Rig) {
    // Until the deadline is over too, which has something to say of its own.
    tokio::time::sleep(2 * DEADLINE).await;
    let before = size(rig);
    let status = rig.user.get("Rollout", KEY.0, KEY.1).unwrap()["status"].to_string();
    assert!(status.contains('…'), "{status}");
    tokio::time::sleep(3 * DEADLINE).await;
    let after = size(rig);
    assert!(after.abs_diff(before) < LONGEST / 2, "{before} bytes, then {after}");
}

async fn shop(dialect: StatusDialect, address: &str) -> Rig {
    let settings = Settings { resync: Duration::from_mins(1), dialect, ..Settings::default() };
    let steps = json!([{"setWeight": 25}, {"analysis": {"templates": [{"templateName": "errors"}]}}, {"pause": {}}]);
    let rig = rig_set(definition(), vec![("rollouts-controller", Scope::default())], &settings, |user| {
        gateway(user);
        furnish(user, "shop");
        analysis(user, "errors", address);
        let mut rollout = rollout("shop", &steps);
        rollout["spec"]["progressDeadlineSeconds"] = json!(DEADLINE.as_secs());
        user.create("Rollout", rollout).unwrap();
    });
    until(&rig, "Healthy").await;
    rig
}

fn release(rig: &Rig, image: &str) {
    let change = json!({"spec": {"template": {"spec": template(image)["spec"]}}});
    rig.user.merge("Rollout", KEY, &change).unwrap();
}

/// Denies what `refused` picks, at length.
fn deny(rig: &Rig, refused: impl Fn(&RequestInfo) -> bool + Send + Sync + 'static) {
    let message = format!("admission webhook \"policy\" denied the request: {}", much());
    rig.user.server().set_faults(move |request: &RequestInfo| {
        refused(request).then(|| Fault::Denial { code: 403, message: message.clone() })
    });
}

#[tokio::test(start_paused = true)]
async fn a_source_of_metrics_may_say_much() {
    let refusal = json!({"status": "error", "errorType": "bad_data", "error": much()});
    let measured = prometheus(&refusal).await;
    let rig = shop(StatusDialect::Kstatus, &measured.uri()).await;
    release(&rig, "shop:2");
    until(&rig, "Degraded RolloutAborted").await;
    stays_small(&rig).await;
    rests(&rig).await;
    let runs: Vec<usize> = rig.user.list("AnalysisRun", KEY.0).iter().map(|run| run.to_string().len()).collect();
    assert!(runs.iter().all(|bytes| *bytes <= MOST), "{runs:?}");
    rig.stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_may_say_much() {
    let measured = prometheus(&Value::Null).await;
    let rig = shop(StatusDialect::Argo, &measured.uri()).await;
    deny(&rig, |request| request.verb == Verb::Create && request.kind == "ReplicaSet");
    release(&rig, "shop:2");
    tokio::time::sleep(Duration::from_secs(10)).await;
    let status = rig.user.get("Rollout", KEY.0, KEY.1).unwrap()["status"].to_string();
    let denied = r#"Failed to create new replica set \"shop-"#;
    assert!(["ReplicaSetCreateError", denied, "WriteDenied"].iter().all(|told| status.contains(told)), "{status}");
    stays_small(&rig).await;
    deny(&rig, |request| request.verb == Verb::Patch && request.kind == "HTTPRoute");
    stays_small(&rig).await;
    rig.user.server().clear_faults();
    until(&rig, "Degraded RolloutAborted").await;
    rig.stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn pods_and_specifications_may_say_much() {
    let measured = prometheus(&Value::Null).await;
    let rig = shop(StatusDialect::Kstatus, &measured.uri()).await;
    let broken = json!({"sim.siskin.dev/behaviour": "never-pulls"});
    rig.user.merge("Rollout", KEY, &json!({"spec": {"template": {"metadata": {"annotations": broken}}}})).unwrap();
    release(&rig, &"i".repeat(300_000));
    until(&rig, "Progressing").await;
    stays_small(&rig).await;

    let misfit = json!({"spec": {"strategy": {"canary": {"canaryService": "s".repeat(300_000)}}}});
    rig.user.merge("Rollout", KEY, &misfit).unwrap();
    stays_small(&rig).await;
    rests(&rig).await;
    let conditions = rig.user.get("Rollout", KEY.0, KEY.1).unwrap()["status"]["conditions"].to_string();
    assert!(conditions.contains("InvalidSpec"), "{conditions}");
    rig.stop.cancel();
}
