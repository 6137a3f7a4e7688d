//! Verdicts that nobody has read, verdicts of other attempts, and what runs are about: none of it lets an update pass.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::analyst::Outcome;
use super::rig::{KEY, Rig, analysis_template, spec};
use crate::sim::checker::facts::HASH;
use crate::sim::models::kubelet::BEHAVIOUR;
use crate::sim::object;

fn declared() -> Value {
    json!({"templates": [{"templateName": "errors"}]})
}

/// An update waits at each of the four gates, by name.
fn gates() -> [(&'static str, Value); 4] {
    let steps = json!([{"setWeight": 20}, {"analysis": declared()}, {"setWeight": 40}]);
    let services = json!({"activeService": "shop-active", "previewService": "shop-preview"});
    let guarded = |gate: &str| {
        let mut strategy = services.clone();
        strategy[gate] = declared();
        json!({"blueGreen": strategy})
    };
    [
        ("step", json!({"canary": {"steps": steps}})),
        (
            "routed step",
            json!({"canary": {
                "canaryService": "shop-canary", "stableService": "shop-stable",
                "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}}, "steps": steps,
            }}),
        ),
        ("before the switch", guarded("prePromotionAnalysis")),
        ("after the switch", guarded("postPromotionAnalysis")),
    ]
}

/// An update whose run is under way, and whose runs never end by themselves.
fn waiting(strategy: &Value) -> Rig {
    let mut rig = Rig::new(&spec(strategy));
    rig.analyst.outcomes = vec![Outcome::Running];
    rig.run(30).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig.update("shop:2");
    rig.run(20).unwrap();
    assert_eq!(runs(&rig).len(), 1, "{}", rig.story("no run"));
    rig
}

fn runs(rig: &Rig) -> Vec<Arc<Value>> {
    rig.core.user().list("AnalysisRun", KEY.0)
}

fn newest(rig: &Rig) -> Arc<Value> {
    let mut all = runs(rig);
    all.sort_by_key(|run| object::version(run));
    all.pop().unwrap()
}

/// Ends the newest run.
fn end(rig: &Rig, outcome: Outcome) {
    let status = json!({"status": outcome.status(rig.core.now())});
    let run = newest(rig);
    rig.core.user().merge_status("AnalysisRun", (KEY.0, object::name(&run)), &status).unwrap();
}

fn promoted(rig: &Rig) -> bool {
    let status = rig.rollout().unwrap().status;
    status.stable_rs == status.current_pod_hash
}

/// Runs that were ever created.
fn created(rig: &Rig) -> usize {
    let journal = rig.core.cluster.server.journal();
    journal.iter().filter(|entry| entry.kind == "AnalysisRun" && entry.before.is_none()).count()
}

/// Whether the update has got past the gate that it waits at.
fn passed(rig: &Rig) -> bool {
    promoted(rig) || rig.rollout().unwrap().status.current_step_index.is_some_and(|index| index > 1)
}

/// A run that goes before its end is read, however it ended, says nothing; another one does, and no more than one each time.
#[test]
fn a_verdict_that_nobody_has_read_is_none() {
    for (gate, strategy) in gates() {
        for ending in [None, Some(Outcome::Successful), Some(Outcome::Failed), Some(Outcome::Error)] {
            let mut rig = waiting(&strategy);
            for round in 1..=12 {
                let run = newest(&rig);
                if let Some(ending) = ending {
                    end(&rig, ending);
                }
                rig.core.user().delete("AnalysisRun", KEY.0, object::name(&run)).unwrap();
                if round % 4 == 0 {
                    rig.core.restart();
                }
                rig.run(10).unwrap();
                assert!(!passed(&rig), "{gate} {ending:?}: {}", rig.story("passed without a verdict"));
                assert!(!rig.rollout().unwrap().status.abort, "{gate} {ending:?}: {}", rig.story("aborted"));
                assert_eq!((runs(&rig).len(), created(&rig)), (1, round + 1), "{gate} {ending:?}");
                assert_ne!(object::uid(&run), object::uid(&newest(&rig)));
            }
            end(&rig, Outcome::Successful);
            rig.run(60).unwrap();
            assert_eq!(rig.shown(), "Healthy", "{gate}: {}", rig.story("a verdict at last"));
            rig.rest().unwrap();
        }
    }
}

/// What a run needs goes, not the run: it ends in an error, or never, and neither is a success.
#[test]
fn a_template_that_goes_leaves_the_gate_shut() {
    for (gate, strategy) in gates() {
        let mut rig = waiting(&strategy);
        rig.core.user().delete("AnalysisTemplate", KEY.0, "errors").unwrap();
        let run = newest(&rig);
        rig.core.user().delete("AnalysisRun", KEY.0, object::name(&run)).unwrap();
        rig.run(120).unwrap();
        assert!(!passed(&rig), "{gate}: {}", rig.story("passed without a template"));
        assert!(runs(&rig).is_empty(), "{gate}");
        rig.core.user().create("AnalysisTemplate", analysis_template("errors")).unwrap();
        rig.run(30).unwrap();
        assert_eq!(runs(&rig).len(), 1, "{gate}: {}", rig.story("no run"));
        end(&rig, Outcome::Successful);
        rig.run(60).unwrap();
        assert_eq!(rig.shown(), "Healthy", "{gate}: {}", rig.story("the template is back"));
    }
}

fn behave(rig: &Rig, image: &str, how: &Value, count: usize) {
    let user = rig.core.user();
    let pods = user.list("Pod", KEY.0);
    let of = |pod: &&Arc<Value>| object::text(pod, "/spec/containers/0/image") == image;
    for pod in pods.iter().filter(of).take(count) {
        let note = json!({"metadata": {"annotations": {BEHAVIOUR: how}}});
        user.merge("Pod", (KEY.0, object::name(pod)), &note).unwrap();
    }
}

/// The pods of the new revision come and go while they are measured: only the run's own end opens the gate.
#[test]
fn pods_that_flap_open_no_gate() {
    for (gate, strategy) in gates().into_iter().skip(2) {
        for count in [1, 5] {
            let mut rig = waiting(&strategy);
            for round in 0..20 {
                let how = if round % 2 == 0 { json!("never-ready") } else { Value::Null };
                behave(&rig, "shop:2", &how, count);
                rig.run(3 + round % 5).unwrap();
                assert!(!promoted(&rig), "{gate} {count}: {}", rig.story("promoted without a verdict"));
                assert_eq!(created(&rig), 1, "{gate} {count}: {}", rig.story("another run"));
            }
            behave(&rig, "shop:2", &Value::Null, count);
            rig.run(5).unwrap();
            assert!(!promoted(&rig));
            end(&rig, Outcome::Successful);
            rig.run(60).unwrap();
            assert_eq!(rig.shown(), "Healthy", "{gate} {count}: {}", rig.story("a verdict at last"));
            rig.rest().unwrap();
        }
    }
}

/// A person aborts and retries faster than the clock of the record ticks: each attempt is measured by a run of its own.
#[test]
fn an_attempt_within_the_same_second_is_another_attempt() {
    let first = json!({"canary": {"steps": [{"analysis": declared()}, {"pause": {}}]}});
    let mut all: Vec<(&str, Value)> = gates().into_iter().skip(2).collect();
    all.push(("first step", first));
    for (gate, strategy) in all {
        for millis in [0, 150, 400, 800] {
            let mut fast = spec(&strategy);
            fast["template"]["metadata"]["annotations"]["sim.siskin.dev/start"] = json!("0");
            let mut rig = Rig::new(&fast);
            rig.analyst.outcomes = vec![Outcome::Running];
            rig.pace = Duration::from_millis(1);
            rig.run(30).unwrap();
            // The attempt begins at the beginning of a second, so that all that follows lies within it.
            let into = rig.core.now().since(rig.core.now().truncated());
            let edge = Duration::from_secs(1).saturating_sub(into);
            rig.run_until(rig.core.now() + edge).unwrap();
            rig.edit(&json!({"spec": {"template": {"spec": {"containers": [{"name": "shop", "image": "shop:2"}]}}}}));
            rig.run_until(rig.core.now() + Duration::from_millis(100)).unwrap();
            let before = runs(&rig);
            rig.command(&json!({"abort": true}));
            rig.run_until(rig.core.now() + Duration::from_millis(40)).unwrap();
            // The run of the attempt before ends well, although nobody waits for it any more.
            if let Some(run) = before.first() {
                let status = json!({"status": Outcome::Successful.status(rig.core.now())});
                rig.core.user().merge_status("AnalysisRun", (KEY.0, object::name(run)), &status).unwrap();
            }
            rig.run_until(rig.core.now() + Duration::from_millis(millis)).unwrap();
            rig.command(&json!({"abort": false}));
            rig.run(30).unwrap();
            let told = format!("{gate} {millis}");
            assert!(!promoted(&rig), "{told}: {}", rig.story("promoted by an earlier attempt"));
            assert!(rig.rollout().unwrap().status.current_step_index != Some(1), "{told}: {}", rig.story("step"));
            assert_eq!(runs(&rig).len(), before.len() + 1, "{told}: {}", rig.story("runs"));
            end(&rig, Outcome::Successful);
            rig.run(30).unwrap();
            assert!(rig.shown() == "Healthy" || rig.shown() == "Paused CanaryPauseStep", "{told}: {}", rig.shown());
        }
    }
}

/// A rollback under way keeps its attempt's time. A revision that it comes to for the second time is measured anew.
#[test]
fn a_revision_that_was_left_is_measured_anew() {
    for (gate, strategy) in gates().into_iter().skip(2) {
        let mut strategy = strategy;
        strategy["blueGreen"]["autoPromotionEnabled"] = json!(false);
        let mut rig = Rig::new(&spec(&strategy));
        rig.run(30).unwrap();
        for image in ["shop:2", "shop:3"] {
            rig.update(image);
            rig.run(30).unwrap();
            rig.command(&json!({"pauseConditions": null}));
            rig.run(120).unwrap();
            assert_eq!(rig.shown(), "Healthy");
        }
        rig.analyst.outcomes = vec![Outcome::Running];
        let after = gate == "after the switch";
        for image in ["shop:4", "shop:1", "shop:2", "shop:1"] {
            let before = created(&rig);
            rig.update(image);
            rig.run(20).unwrap();
            if after {
                rig.command(&json!({"pauseConditions": null}));
                rig.run(20).unwrap();
            }
            assert_eq!(created(&rig), before + 1, "{gate} {image}: {}", rig.story("no run of its own"));
            assert!(!promoted(&rig), "{gate} {image}");
            if !after {
                end(&rig, Outcome::Successful);
            }
            rig.run(20).unwrap();
        }
    }
}

/// A template that asks for both hashes.
fn hashes() -> Value {
    let mut template = analysis_template("hashes");
    template["spec"]["args"] = json!([{"name": "latest"}, {"name": "stable"}]);
    template
}

fn asks() -> Value {
    let of = |which: &str| json!({"podTemplateHashValue": which});
    json!({
        "templates": [{"templateName": "hashes"}],
        "args": [{"name": "latest", "valueFrom": of("Latest")}, {"name": "stable", "valueFrom": of("Stable")}],
    })
}

fn argument(run: &Value, name: &str) -> String {
    let args = run.pointer("/spec/args").and_then(Value::as_array).unwrap();
    args.iter().find(|arg| arg["name"] == name).unwrap()["value"].as_str().unwrap_or_default().to_owned()
}

/// Arguments that name revisions mean those of the moment, also once another revision has come in the middle.
#[test]
fn arguments_name_the_revisions_that_are_compared() {
    let steps = json!([{"setWeight": 20}, {"analysis": asks()}, {"pause": {}}]);
    let strategies = [
        json!({"canary": {"analysis": asks(), "steps": steps}}),
        json!({"canary": {
            "canaryService": "shop-canary", "stableService": "shop-stable", "analysis": asks(), "steps": steps,
            "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
        }}),
        json!({"blueGreen": {
            "activeService": "shop-active", "previewService": "shop-preview", "prePromotionAnalysis": asks(),
            "postPromotionAnalysis": asks(),
        }}),
    ];
    for strategy in strategies {
        let mut rig = Rig::bare(1, Some(()));
        rig.core.user().create("AnalysisTemplate", hashes()).unwrap();
        rig.create(&spec(&strategy));
        rig.analyst.outcomes = vec![Outcome::Running];
        rig.run(30).unwrap();
        let mut stable = rig.rollout().unwrap().status.stable_rs;
        let mut seen = Vec::new();
        for (image, ends) in [("shop:2", None), ("shop:3", Some(())), ("shop:4", None), ("shop:2", Some(()))] {
            rig.update(image);
            rig.run(20).unwrap();
            let latest = rig.rollout().unwrap().status.current_pod_hash;
            let mut measured = 0;
            for _ in 0..3 {
                for run in runs(&rig) {
                    if seen.contains(&object::uid(&run).to_owned()) {
                        continue;
                    }
                    seen.push(object::uid(&run).to_owned());
                    measured += 1;
                    let named = (argument(&run, "latest"), argument(&run, "stable"));
                    assert_eq!(named, (latest.clone(), stable.clone()), "{image} {strategy}");
                    assert_eq!(object::label(&run, HASH), Some(latest.as_str()));
                    if ends.is_some() {
                        let status = json!({"status": Outcome::Successful.status(rig.core.now())});
                        rig.core.user().merge_status("AnalysisRun", (KEY.0, object::name(&run)), &status).unwrap();
                    }
                }
                rig.run(30).unwrap();
            }
            assert!(measured > 0, "{image} {strategy}: {}", rig.story("nothing was measured"));
            if ends.is_some() {
                rig.command(&json!({"pauseConditions": null}));
                rig.run(90).unwrap();
                assert_eq!(rig.shown(), "Healthy", "{image} {strategy}: {}", rig.story("end"));
                stable = latest;
            }
        }
    }
}

/// A background run with a `startingStep` begins when the gateway has said that the canary has its weight; one after the
/// switch when the active Service has been switched.
#[test]
fn nothing_is_measured_before_users_are_there() {
    let mut background = declared();
    background["startingStep"] = json!(1);
    let steps = json!([{"setWeight": 20}, {"setWeight": 40}, {"pause": {}}]);
    let routed = json!({"canary": {
        "canaryService": "shop-canary", "stableService": "shop-stable", "analysis": background, "steps": steps,
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
    }});
    let after = json!({"blueGreen": {"activeService": "shop-active", "postPromotionAnalysis": declared()}});
    for lag in [0, 700, 5_000] {
        for strategy in [&routed, &after] {
            let mut rig = Rig::new(&spec(strategy));
            rig.analyst.outcomes = vec![Outcome::Running];
            rig.run(30).unwrap();
            rig.core.cluster.gateway.set_route_lag(Duration::from_millis(lag));
            rig.update("shop:2");
            rig.run(60).unwrap();
            let latest = rig.rollout().unwrap().status.current_pod_hash;
            let journal = rig.core.cluster.server.journal();
            let begun = journal.iter().find(|entry| entry.kind == "AnalysisRun").map(|entry| entry.version);
            let begun = begun.unwrap_or_else(|| panic!("{strategy}: {}", rig.story("no run")));
            let there = journal.iter().find(|entry| {
                let Some(after) = entry.after.as_ref() else { return false };
                if strategy.get("blueGreen").is_some() {
                    return entry.kind == "Service"
                        && object::text(after, "/spec/selector/rollouts-pod-template-hash") == latest;
                }
                let weighed = object::integer(after, "/spec/rules/0/backendRefs/1/weight") == Some(20);
                let conditions = after.pointer("/status/parents/0/conditions").and_then(Value::as_array);
                let accepted = conditions.into_iter().flatten().any(|condition| {
                    condition["observedGeneration"].as_i64() == Some(object::generation(after))
                        && condition["status"] == "True"
                });
                entry.kind == "HTTPRoute" && weighed && accepted
            });
            let there = there.unwrap_or_else(|| panic!("{strategy}: {}", rig.story("never there"))).version;
            assert!(there < begun, "{lag} {strategy}: {}", rig.story("measured too early"));
        }
    }
}
