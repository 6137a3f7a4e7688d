//! Canaries that Prometheus judges.

use std::time::Duration;

use serde_json::{Value, json};

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, Rig, check};
use crate::scenario::{Scenario, bad, good};
use crate::seen::Seen;

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("canary-good-numbers", "Prometheus' numbers are good: promoted by itself", good_numbers).long().smoke(),
    bad("canary-bad-numbers", "Prometheus' numbers are bad: aborted by itself", bad_numbers).long().smoke(),
    bad(
        "background-bad-numbers",
        "numbers that are measured beside the steps turn bad: aborted in a long pause",
        background,
    )
    .long(),
    good("inconclusive", "numbers that say nothing pause it; who resumes it gets them measured again", inconclusive)
        .long(),
];

/// Analysis and weights take longer than anything else, on a machine that is busy.
const LIMIT: Duration = Duration::from_mins(4);

fn judged(rig: &Rig) -> Outcome<Seen> {
    rig.apply(&[manifest::success_rate(&rig.cluster.prometheus, &rig.namespace)])?;
    let steps = json!([{"setWeight": 20}, {"analysis": manifest::analysis()}, {"setWeight": 50}, {"setWeight": 100}]);
    rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), &["shop-stable", "shop-canary"])
}

fn run_phases(rig: &Rig) -> Outcome<Vec<String>> {
    let runs = rig.api().list("AnalysisRun", &rig.namespace, "")?;
    Ok(runs.iter().map(|run| run["status"]["phase"].as_str().unwrap_or_default().to_owned()).collect())
}

/// 20, 50, 100 per cent, with nobody there.
pub fn good_numbers(rig: &Rig) -> Outcome {
    let first = judged(rig)?;
    rig.release("2")?;
    let last =
        rig.within(LIMIT, "promotion", |seen| seen.healthy() && seen.promoted() && seen.stable() != first.stable())?;
    rig.only("2")?;
    check(rig.weights() == [0, 20, 50, 100, 0], || format!("the weights were {:?}", rig.weights()))?;
    check(run_phases(rig)? == ["Successful"], || format!("the runs are {:?}", run_phases(rig)))?;
    check(rig.selected("shop-stable")? == last.stable(), || "the stable Service selects another revision".to_owned())?;
    for reason in ["RolloutStepCompleted", "TrafficWeightUpdated", "RolloutCompleted"] {
        rig.event(reason)?;
    }
    rig.holds(LIMIT, "end of version 1's pods", || Ok((rig.size(first.stable())? == 0).then_some(())))
}

/// The bad version answers every second request with an error, for a fifth of the users, for a few seconds.
pub fn bad_numbers(rig: &Rig) -> Outcome {
    let first = judged(rig)?;
    rig.release("bad")?;
    let last = rig.within(LIMIT, "abort", |seen| seen.observed() && seen.aborted() && seen.phase() == "Degraded")?;
    check(last.message().starts_with("RolloutAborted: "), || format!("it says {:?}", last.message()))?;
    rig.only("1")?;
    check(rig.weights() == [0, 20, 0], || format!("the weights were {:?}", rig.weights()))?;
    check(run_phases(rig)? == ["Failed"], || format!("the runs are {:?}", run_phases(rig)))?;
    check(last.stable() == first.stable(), || "another revision is stable".to_owned())?;
    let messages = rig.event("RolloutAborted")?;
    check(messages.iter().any(|text| text.contains("success-rate")), || format!("the event says {messages:?}"))?;
    rig.holds(LIMIT, "end of the bad pods", || Ok((rig.size(last.current())? == 0).then_some(())))?;
    let (code, text) = rig.siskin(&["status", ROLLOUT, "--watch=false"])?;
    check(code == 1 && text.contains("degraded"), || format!("siskin status: {code} {text}"))?;
    // A correction is a new revision, and needs nobody to take the abort back.
    rig.patch(&json!({"spec": {"template": manifest::template("1")}}))?;
    rig.until("Healthy after the correction", |seen| {
        seen.healthy() && seen.object["status"]["abort"] != Value::Bool(true)
    })
    .map(drop)
}

/// Analysis beside the steps ends a pause that would have lasted ten minutes.
pub fn background(rig: &Rig) -> Outcome {
    rig.apply(&[manifest::success_rate(&rig.cluster.prometheus, &rig.namespace)])?;
    let mut strategy = manifest::canary(&json!([{"setWeight": 30}, {"pause": {"duration": "10m"}}, {"setWeight": 60}]));
    strategy["canary"]["analysis"] = manifest::analysis();
    strategy["canary"]["analysis"]["startingStep"] = json!(1);
    let first = rig.deploy(&manifest::rollout(2, &strategy), &["shop-stable", "shop-canary"])?;
    rig.release("bad")?;
    rig.until("pause at 30 %", |seen| seen.paused_at(1))?;
    let last = rig.within(LIMIT, "abort", |seen| seen.aborted() && seen.phase() == "Degraded")?;
    check(last.message().contains("Background analysis"), || format!("it says {:?}", last.message()))?;
    check(last.stable() == first.stable(), || "another revision is stable".to_owned())?;
    rig.only("1")?;
    check(rig.weights() == [0, 30, 0], || format!("the weights were {:?}", rig.weights()))?;
    check(run_phases(rig)? == ["Failed"], || format!("the runs are {:?}", run_phases(rig)))
}

/// Numbers that say nothing pause the update; whoever resumes it gets another measurement, not the next step.
pub fn inconclusive(rig: &Rig) -> Outcome {
    let prometheus = &rig.cluster.prometheus;
    rig.apply(&[manifest::verdict(prometheus, "vector(0)")])?;
    let analysis = json!({"templates": [{"templateName": "verdict"}]});
    let steps = json!([{"setWeight": 30}, {"analysis": analysis}, {"setWeight": 60}, {"pause": {"duration": 3}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), &["shop-stable", "shop-canary"])?;
    rig.release("2")?;
    let inconclusive = |seen: &Seen| seen.paused_at(1) && seen.message() == "InconclusiveAnalysisRun";
    rig.within(LIMIT, "pause of an inconclusive run", inconclusive)?;
    rig.stays(Duration::from_secs(4), "the pause", |seen| inconclusive(seen) && seen.weight() == 30)?;
    check(run_phases(rig)? == ["Inconclusive"], || format!("the runs are {:?}", run_phases(rig)))?;

    // The same numbers again: the same pause. Then good ones.
    rig.resume()?;
    // The second run exists before the status says that the pause is over.
    rig.within(LIMIT, "end of the pause", |seen| seen.phase() == "Progressing")?;
    rig.holds(LIMIT, "second run", || Ok((run_phases(rig)?.len() == 2).then_some(())))?;
    rig.within(LIMIT, "second pause", inconclusive)?;
    rig.apply(&[manifest::verdict(prometheus, "vector(1)")])?;
    rig.resume()?;
    rig.within(LIMIT, "promotion", |seen| seen.healthy() && seen.promoted() && seen.stable() != first.stable())?;
    let mut phases = run_phases(rig)?;
    phases.sort();
    check(phases == ["Inconclusive", "Inconclusive", "Successful"], || format!("the runs are {phases:?}"))?;
    check(rig.weights() == [0, 30, 60, 100, 0], || format!("the weights were {:?}", rig.weights()))?;
    rig.only("2")
}
