//! A start over a cluster in which one object of a hundred, of every kind that is ours to read, is of wrong types.

use std::time::Duration;

use serde_json::{Value, json};

use super::routed::{analysis, furnish, gateway, one, prometheus, rollout};
use super::{Hand, Rig, asked, definition, rig_set, template, until};
use crate::controller::caches::Scope;
use crate::rollout::Settings;

const MANY: usize = 300;
/// Bad ones of each kind of analysis.
const BAD: [usize; 3] = [1, 2, 3];
/// Rollouts that are bad themselves; the first six refer to a bad template.
const BAD_ROLLOUTS: [usize; 3] = [100, 200, 299];
/// Rollouts of bad ClusterAnalysisTemplates are so much further than these.
const CLUSTER: usize = 3;
/// Rollouts behind routes, the first three of which are bad.
const ROUTED: std::ops::Range<usize> = 7..27;

fn open_definition() -> Value {
    let mut open = definition();
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    open["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = json!({
        "type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"status": anything},
    });
    open
}

/// Wrong types, others for each number.
fn spoil(object: &mut Value, number: usize, list: &str) {
    match number % 3 {
        0 => object["spec"] = json!("none"),
        1 => object["spec"][list] = json!("a"),
        _ => object["spec"][list] = json!([7, "seven", null]),
    }
}

fn of_argo(kind: &str, name: &str, spec: &Value) -> Value {
    let meta = json!({"name": name, "namespace": "default"});
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": meta, "spec": spec})
}

fn analyses(user: &Hand, address: &str) {
    let metric = json!({
        "name": "errors", "count": 1, "successCondition": "result[0] > 0",
        "provider": {"prometheus": {"address": address, "query": "1"}},
    });
    for number in 0..MANY {
        for kind in ["AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun"] {
            let mut object = of_argo(kind, &format!("a-{number}"), &json!({"metrics": [metric]}));
            if kind == "ClusterAnalysisTemplate" {
                object["metadata"].as_object_mut().unwrap().remove("namespace");
            }
            if BAD.contains(&number) {
                spoil(&mut object, number, "metrics");
            }
            user.create(kind, object).unwrap();
        }
    }
}

fn name(number: usize) -> String {
    format!("r-{number}")
}

/// A Rollout that names a template, and perhaps Services and a route.
fn sound(number: usize) -> Value {
    let template = match number {
        4..=6 => json!({"templateName": format!("a-{}", number - CLUSTER), "clusterScope": true}),
        _ => json!({"templateName": format!("a-{number}")}),
    };
    let steps = json!([{"setWeight": 50}, {"analysis": {"templates": [template]}}]);
    let mut rollout = rollout(&name(number), &steps);
    rollout["spec"]["replicas"] = json!(1);
    if !ROUTED.contains(&number) {
        rollout["spec"]["strategy"] = json!({"canary": {"steps": steps}});
    }
    rollout
}

fn rollouts(user: &Hand) {
    for number in 0..MANY {
        if ROUTED.contains(&number) {
            furnish(user, &name(number));
        }
        let mut rollout = sound(number);
        if BAD_ROLLOUTS.contains(&number) {
            spoil(&mut rollout, number, "strategy");
        }
        user.create("Rollout", rollout).unwrap();
        if BAD_ROLLOUTS.contains(&number) {
            let status = json!({"status": {"conditions": "none", "replicas": "five"}});
            user.merge_status("Rollout", ("default", &name(number)), &status).unwrap();
        }
    }
    let specs = [
        json!("none"),
        json!({"rules": {"backendRefs": 7}, "parentRefs": "web"}),
        json!({"rules": [{"backendRefs": [7, {"name": [], "weight": "much"}]}, "rule"]}),
    ];
    for (number, spec) in (ROUTED.start..).zip(specs) {
        let mut route = (*user.get("HTTPRoute", "default", &name(number)).unwrap()).clone();
        route["spec"] = spec;
        user.replace("HTTPRoute", route).unwrap();
    }
}

fn shown(rig: &Rig, number: usize) -> String {
    let status = rig.user.get("Rollout", "default", &name(number)).unwrap()["status"].clone();
    format!("{} {}", status["phase"].as_str().unwrap_or_default(), status["message"].as_str().unwrap_or_default())
}

/// Whatever is not bad, and names nothing that is, gets there.
async fn others_are_healthy(rig: &Rig) {
    let bad = |number: &usize| (1..ROUTED.start + 3).contains(number) || BAD_ROLLOUTS.contains(number);
    let others: Vec<usize> = (0..MANY).filter(|number| !bad(number)).collect();
    let mut waiting = Vec::new();
    for _ in 0..120 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        waiting = others.iter().map(|number| shown(rig, *number)).collect();
        waiting.retain(|shown| !shown.starts_with("Healthy"));
        if waiting.is_empty() {
            return;
        }
    }
    panic!("{} are not healthy: {}", waiting.len(), waiting[0]);
}

/// Objects about which there is an event with a reason.
fn told(rig: &Rig, reason: &str) -> Vec<String> {
    let events = rig.user.list("Event", "default");
    let about = events.iter().filter(|event| event["reason"] == reason);
    let mut names: Vec<String> =
        about.map(|event| event["involvedObject"]["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

fn the_bad_are_told(rig: &Rig) {
    for number in BAD {
        let (own, cluster) = (shown(rig, number), shown(rig, number + CLUSTER));
        for (told, kind) in [(own, "AnalysisTemplate"), (cluster, "ClusterAnalysisTemplate")] {
            assert!(told.starts_with("Degraded InvalidSpec"), "{told}");
            assert!(told.contains(&format!("{kind} \"a-{number}\" cannot be read: spec")), "{told}");
        }
        let run = rig.user.get("AnalysisRun", "default", &format!("a-{number}")).unwrap();
        assert_eq!(run.get("status"), None, "nobody writes what cannot be read");
    }
    for number in BAD_ROLLOUTS {
        assert!(shown(rig, number).starts_with("Degraded InvalidSpec"), "{}", shown(rig, number));
    }
    for number in (ROUTED.start..).take(3) {
        assert!(!shown(rig, number).starts_with("Healthy"), "{number}: {}", shown(rig, number));
    }
    assert_eq!(told(rig, "InvalidSpec"), BAD_ROLLOUTS.map(name));
    assert_eq!(told(rig, "AnalysisRunUnreadable"), BAD.map(|number| format!("a-{number}")));
    let text = rig.metrics.render().unwrap();
    for kind in ["rollouts", "analysistemplates", "clusteranalysistemplates", "analysisruns"] {
        for line in ["siskin_watch_invalid_objects{kind=\"@\"} 3\n", "siskin_watch_relists_total{kind=\"@\"} 1\n"] {
            let line = line.replace('@', &format!("{kind}.argoproj.io"));
            assert!(text.contains(&line), "{line} is not in {text}");
        }
    }
}

fn mend(rig: &Rig) {
    let metrics = rig.user.get("AnalysisTemplate", "default", "a-0").unwrap()["spec"].clone();
    for number in BAD {
        let name = format!("a-{number}");
        for (kind, namespace) in [("AnalysisTemplate", "default"), ("ClusterAnalysisTemplate", "")] {
            let mut whole = (*rig.user.get(kind, namespace, &name).unwrap()).clone();
            whole["spec"] = metrics.clone();
            rig.user.replace(kind, whole).unwrap();
        }
    }
    for number in BAD_ROLLOUTS {
        let status = json!({"status": {"replicas": null}});
        rig.user.merge_status("Rollout", ("default", &name(number)), &status).unwrap();
        let mut whole = (*rig.user.get("Rollout", "default", &name(number)).unwrap()).clone();
        whole["spec"] = sound(number)["spec"].clone();
        rig.user.replace("Rollout", whole).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn one_bad_object_of_a_hundred_stops_nobody_else() {
    let measured = prometheus(&one()).await;
    let scopes = vec![("rollouts-controller", Scope::default())];
    let rig = rig_set(open_definition(), scopes, &Settings::default(), |user| {
        gateway(user);
        analyses(user, &measured.uri());
        rollouts(user);
    });
    others_are_healthy(&rig).await;
    let runs = rig.user.list("AnalysisRun", "default");
    let well = runs.iter().filter(|run| run["status"]["phase"] == "Successful").count();
    assert_eq!(well, MANY - BAD.len());
    the_bad_are_told(&rig);
    // The watches go on: what is mended is seen.
    mend(&rig);
    tokio::time::sleep(Duration::from_secs(45)).await;
    for number in (1..=6).chain(BAD_ROLLOUTS) {
        assert!(shown(&rig, number).starts_with("Healthy"), "{number}: {}", shown(&rig, number));
    }
    rig.stop.cancel();
}

/// The run of a step that somebody has spoilt is neither a verdict nor made a second time; it says so until it has gone.
#[tokio::test(start_paused = true)]
async fn a_spoilt_run_holds_its_step_until_it_is_deleted() {
    let measured = prometheus(&one()).await;
    let scopes = vec![("rollouts-controller", Scope::default())];
    let steps = json!([{"setWeight": 25}, {"analysis": {"templates": [{"templateName": "errors"}]}}, {"pause": {}}]);
    let rig = rig_set(definition(), scopes, &Settings::default(), |user| {
        gateway(user);
        furnish(user, "shop");
        analysis(user, "errors", &measured.uri());
        user.create("Rollout", rollout("shop", &steps)).unwrap();
    });
    until(&rig, "Healthy").await;
    let key = ("default", "errors");
    let whole = rig.user.get("AnalysisTemplate", key.0, key.1).unwrap();
    let mut slow = (*whole).clone();
    slow["spec"]["metrics"][0]["initialDelay"] = json!("1h");
    rig.user.replace("AnalysisTemplate", slow).unwrap();
    let change = json!({"spec": {"template": {"spec": template("shop:2")["spec"]}}});
    rig.user.merge("Rollout", ("default", "shop"), &change).unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let runs = rig.user.list("AnalysisRun", "default");
    assert_eq!(runs.len(), 1);
    let name = runs[0]["metadata"]["name"].as_str().unwrap();
    rig.user.merge("AnalysisRun", ("default", name), &json!({"spec": {"metrics": "many"}})).unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let before = rig.cluster.lock().server.counts();
    tokio::time::sleep(Duration::from_mins(2)).await;
    let after = rig.cluster.lock().server.counts();
    assert_eq!(asked(&after.since(&before)), [], "it is not tried again and again");
    let status = rig.user.get("Rollout", "default", "shop").unwrap()["status"].clone();
    let said = format!("AnalysisRun {name:?} is there and cannot be read: spec.metrics: expected a list");
    let blocker = &status["siskin"]["blockers"][0];
    assert!(blocker["message"].as_str().unwrap().starts_with(&said), "{blocker}");
    assert_eq!(told(&rig, "AnalysisRunUnreadable"), [name]);

    let mut quick = (*rig.user.get("AnalysisTemplate", key.0, key.1).unwrap()).clone();
    quick["spec"] = whole["spec"].clone();
    rig.user.replace("AnalysisTemplate", quick).unwrap();
    rig.user.delete("AnalysisRun", "default", name).unwrap();
    until(&rig, "Paused CanaryPauseStep").await;
    rig.stop.cancel();
}
