//! Verdicts that nobody has read, verdicts of other attempts, and what runs are about: none of it lets an update pass.

use std::sync::Arc;

use serde_json::{Value, json};

use super::analyst::Outcome;
use super::rig::{KEY, Rig, analysis_template, spec};
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
