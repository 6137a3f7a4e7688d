//! Analysis in updates: gates, verdicts, replacements; exactly one run for each attempt.

use std::sync::Arc;

use serde_json::{Value, json};

use super::analyst::Outcome;
use super::rig::{KEY, Rig, spec};
use crate::sim::object;

fn declared() -> Value {
    json!({"templates": [{"templateName": "errors"}]})
}

fn canary(steps: &Value) -> Value {
    spec(&json!({"canary": {"steps": steps}}))
}

/// A rig whose first revision is healthy and whose second is being rolled out; runs end as told.
fn updating(spec: &Value, outcomes: &[Outcome]) -> Rig {
    let mut rig = Rig::new(spec);
    rig.analyst.outcomes = outcomes.to_vec();
    rig.run(20).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig.update("shop:2");
    rig.run(12).unwrap();
    rig
}

fn runs(rig: &Rig) -> Vec<Arc<Value>> {
    rig.core.user().list("AnalysisRun", KEY.0)
}

fn names(rig: &Rig) -> Vec<String> {
    runs(rig)
        .iter()
        .map(|run| object::name(run).trim_start_matches("shop-").split_once('-').unwrap().1.to_owned())
        .collect()
}

fn count(rig: &Rig, reason: &str) -> usize {
    rig.core.events.iter().filter(|event| event.reason == reason).count()
}

#[test]
fn a_step_waits_for_its_run() {
    let steps = json!([{"setWeight": 20}, {"analysis": declared()}, {"pause": {}}]);
    let mut rig = updating(&canary(&steps), &[Outcome::Running]);
    assert_eq!(rig.rollout().unwrap().status.current_step_index, Some(1), "{}", rig.story("waits"));
    assert_eq!(names(&rig), ["2-1"]);
    rig.core.restart();
    rig.run(500).unwrap();
    assert_eq!(rig.rollout().unwrap().status.current_step_index, Some(1));
    assert_eq!(runs(&rig).len(), 1);
}

#[test]
fn a_successful_run_lets_the_step_pass() {
    let steps = json!([{"setWeight": 20}, {"analysis": declared()}, {"pause": {}}]);
    let rig = updating(&canary(&steps), &[Outcome::Successful]);
    assert_eq!(rig.shown(), "Paused CanaryPauseStep");
    assert_eq!(count(&rig, "AnalysisRunSuccessful"), 1);
}

#[test]
fn success_without_a_measurement_is_none() {
    let steps = json!([{"setWeight": 20}, {"analysis": declared()}, {"pause": {}}]);
    let mut rig = updating(&canary(&steps), &[Outcome::Empty, Outcome::Successful]);
    assert_eq!(rig.shown(), "Paused InconclusiveAnalysisRun");
    rig.command(&json!({"pauseConditions": null}));
    rig.run(20).unwrap();
    assert_eq!(rig.shown(), "Paused CanaryPauseStep");
    assert_eq!(names(&rig), ["2-1", "2-1.1"]);
}

#[test]
fn a_bad_run_aborts() {
    for (outcome, reason) in [(Outcome::Failed, "AnalysisRunFailed"), (Outcome::Error, "AnalysisRunError")] {
        let steps = json!([{"setWeight": 20}, {"analysis": declared()}]);
        let mut rig = updating(&canary(&steps), &[outcome]);
        let shown = rig.shown();
        assert!(
            shown.starts_with(
                "Degraded RolloutAborted: Rollout aborted update to revision 2: Step-based analysis phase error/failed"
            ),
            "{shown}"
        );
        assert_eq!(count(&rig, reason), 1);
        rig.rest().unwrap();
    }
}

#[test]
fn a_retry_measures_anew_and_once() {
    let steps = json!([{"setWeight": 20}, {"analysis": declared()}, {"pause": {}}]);
    let mut rig = updating(&canary(&steps), &[Outcome::Failed, Outcome::Failed, Outcome::Successful]);
    for runs_so_far in [2, 3] {
        rig.core.restart();
        rig.command(&json!({"abort": false}));
        rig.run(20).unwrap();
        assert_eq!(runs(&rig).len(), runs_so_far, "{:?}", names(&rig));
    }
    assert_eq!(rig.shown(), "Paused CanaryPauseStep");
    assert_eq!(names(&rig), ["2-1", "2-1.1", "2-1.2"]);
}

#[test]
fn an_inconclusive_run_waits_for_a_person_and_is_replaced_once() {
    let steps = json!([{"setWeight": 20}, {"analysis": declared()}, {"pause": {}}]);
    let mut rig = updating(&canary(&steps), &[Outcome::Inconclusive, Outcome::Inconclusive, Outcome::Successful]);
    for runs_so_far in [1, 2] {
        assert_eq!(rig.shown(), "Paused InconclusiveAnalysisRun");
        assert_eq!(runs(&rig).len(), runs_so_far);
        rig.command(&json!({"pauseConditions": null}));
        rig.core.restart();
        rig.run(20).unwrap();
    }
    assert_eq!(rig.shown(), "Paused CanaryPauseStep", "{}", rig.story("resumed twice"));
    assert_eq!(names(&rig), ["2-1", "2-1.1", "2-1.2"]);
}

#[test]
fn background_analysis_runs_beside_the_steps_and_aborts_them() {
    let steps = json!([{"setWeight": 20}, {"pause": {}}]);
    let strategy = json!({"canary": {"steps": steps, "analysis": declared()}});
    let mut rig = updating(&spec(&strategy), &[Outcome::Running]);
    assert_eq!(rig.shown(), "Paused CanaryPauseStep");
    assert_eq!(runs(&rig).len(), 1);
    let at = (KEY.0, object::name(&runs(&rig)[0]).to_owned());
    let status = Outcome::Failed.status(rig.core.now());
    rig.core.user().merge_status("AnalysisRun", (at.0, &at.1), &json!({"status": status})).unwrap();
    rig.run(10).unwrap();
    assert!(rig.shown().contains("Background analysis phase error/failed"), "{}", rig.shown());
}

#[test]
fn background_analysis_begins_at_its_starting_step_and_ends_with_the_update() {
    let steps = json!([{"pause": {}}, {"setWeight": 20}, {"pause": {}}]);
    let mut background = declared();
    background["startingStep"] = json!(2);
    let strategy = json!({"canary": {"steps": steps, "analysis": background}});
    let mut rig = updating(&spec(&strategy), &[Outcome::Running]);
    assert_eq!(runs(&rig).len(), 0);
    rig.command(&json!({"pauseConditions": null}));
    rig.run(10).unwrap();
    assert_eq!(runs(&rig).len(), 1);
    rig.command(&json!({"pauseConditions": null}));
    rig.run(20).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    assert_eq!(runs(&rig)[0].pointer("/spec/terminate"), Some(&json!(true)));
}

fn blue_green(pre: Option<()>, post: Option<()>) -> Value {
    let mut strategy = json!({"activeService": "shop-active", "previewService": "shop-preview"});
    if pre.is_some() {
        strategy["prePromotionAnalysis"] = declared();
    }
    if post.is_some() {
        strategy["postPromotionAnalysis"] = declared();
    }
    spec(&json!({"blueGreen": strategy}))
}

fn active(rig: &Rig) -> String {
    rig.rollout().unwrap().status.blue_green.active_selector
}

#[test]
fn pre_promotion_guards_the_switch() {
    let mut rig = updating(&blue_green(Some(()), None), &[Outcome::Running]);
    let status = rig.rollout().unwrap().status;
    assert_eq!((active(&rig), status.blue_green.preview_selector), (status.stable_rs, status.current_pod_hash));
    assert_eq!(names(&rig), ["2-pre"]);
    rig.run(500).unwrap();
    assert_eq!(runs(&rig).len(), 1);
    for (outcome, phase) in [(Outcome::Successful, "Healthy"), (Outcome::Failed, "Degraded")] {
        let mut rig = updating(&blue_green(Some(()), None), &[outcome]);
        assert!(rig.shown().starts_with(phase), "{}", rig.shown());
        let status = rig.rollout().unwrap().status;
        assert_eq!(active(&rig), status.stable_rs);
        rig.rest().unwrap();
    }
}

#[test]
fn post_promotion_takes_users_back() {
    let mut rig = updating(&blue_green(None, Some(())), &[Outcome::Failed]);
    assert!(rig.shown().contains("Blue/green post-promotion analysis phase error/failed"), "{}", rig.shown());
    let status = rig.rollout().unwrap().status;
    assert_eq!(active(&rig), status.stable_rs);
    assert_ne!(status.stable_rs, status.current_pod_hash);
    assert_eq!(count(&rig, "SwitchService"), 5, "{:?}", rig.core.events);
    rig.rest().unwrap();
}

#[test]
fn promote_full_skips_analysis() {
    let mut rig = updating(&blue_green(Some(()), Some(())), &[Outcome::Running]);
    rig.command(&json!({"promoteFull": true}));
    rig.run(60).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig.rest().unwrap();
}

#[test]
fn a_skipped_step_takes_its_run_with_it() {
    let steps = json!([{"setWeight": 20}, {"analysis": declared()}, {"setWeight": 40}, {"analysis": declared()}, {"pause": {}}]);
    let mut rig = updating(&canary(&steps), &[Outcome::Running, Outcome::Running]);
    let index = |rig: &Rig| rig.rollout().unwrap().status.current_step_index;
    rig.command(&json!({"currentStepIndex": 2}));
    rig.run(60).unwrap();
    assert_eq!((index(&rig), rig.shown().starts_with("Progressing")), (Some(3), true), "{}", rig.story("skipped"));
    assert_eq!(names(&rig), ["2-1", "2-3"], "the next analysis has a run of its own");
    // The run of the step before says nothing of the next, not even a success.
    let mut rig = updating(&canary(&json!([{"analysis": declared()}, {"analysis": declared()}])), &[Outcome::Running]);
    let name = rig.rollout().unwrap().status.canary.current_step_analysis_run_status.unwrap().name;
    let recorded = json!({"currentStepAnalysisRunStatus": {"name": name, "status": "Successful"}});
    rig.command(&json!({"currentStepIndex": 1, "canary": recorded}));
    rig.run(60).unwrap();
    assert_eq!(index(&rig), Some(1), "{}", rig.story("measured by another"));
}

#[test]
fn what_analysis_has_paused_is_no_approval() {
    let canary = spec(&json!({"canary": {"analysis": declared(), "steps": [{"setWeight": 40}, {"pause": {}}]}}));
    let mut rig = updating(&canary, &[Outcome::Inconclusive, Outcome::Running]);
    rig.run(60).unwrap();
    let index = |rig: &Rig| rig.rollout().unwrap().status.current_step_index;
    assert!(index(&rig) < Some(2), "the pause step is passed without a person: {}", rig.story("inconclusive"));
    rig.command(&json!({"pauseConditions": null}));
    rig.run(60).unwrap();
    let pauses = rig.rollout().unwrap().status.pause_conditions.len();
    assert!(index(&rig) == Some(2) || pauses > 0, "{}", rig.story("resumed"));
}
