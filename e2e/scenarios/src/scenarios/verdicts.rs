//! What analyses are about, when they begin and end, and what their verdicts do.

use std::time::Duration;

use serde_json::{Value, json};

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("dry-run", "a metric that is only tried out fails, and nothing happens", dry_run),
    good("arguments", "an argument comes from the Rollout's own labels", arguments),
    good(
        "background-later",
        "analysis beside the steps begins with its step, and ends with the last",
        background_later,
    ),
    good("metric-errors", "a Prometheus that is not there aborts, and says so", metric_errors),
    good("analysis-retry", "a failed analysis is asked again on retry", analysis_retry).parity(),
    good("promote-past-analysis", "a full promotion ends the analysis that would have failed", promote_past_analysis),
];

const SERVICES: &[&str] = &["shop-stable", "shop-canary"];

fn step(templates: &Value) -> Value {
    json!([{"setWeight": 50}, {"analysis": templates}, {"pause": {}}])
}

fn verdicts() -> Value {
    json!({"templates": [{"templateName": "verdict"}]})
}

/// The same number fails a metric that counts, and is noted of one that does not.
fn dry_run(rig: &Rig) -> Outcome {
    rig.apply(&[manifest::verdict(&rig.cluster.prometheus, "vector(2)")])?;
    let mut analysis = verdicts();
    analysis["dryRun"] = json!([{"metricName": "verdict"}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&step(&analysis))), SERVICES)?;
    rig.release("2")?;
    rig.until("pause after the analysis", |seen| seen.paused_at(2) && seen.weight() == 50)?;
    check(rig.runs()? == ["Successful"], || format!("the runs are {:?}", rig.runs()))?;
    let runs = rig.api().list("AnalysisRun", &rig.namespace, "")?;
    let tried = runs.iter().any(|run| run["status"]["dryRunSummary"]["failed"] == 1);
    check(tried, || format!("the runs say {:?}", runs.iter().map(|run| &run["status"]).collect::<Vec<_>>()))?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

/// The query is made of a label: 1 is good.
fn arguments(rig: &Rig) -> Outcome {
    let mut template = manifest::verdict(&rig.cluster.prometheus, "vector({{args.grade}})");
    template["spec"]["args"] = json!([{"name": "grade"}]);
    rig.apply(&[template])?;
    let mut analysis = verdicts();
    analysis["args"] = json!([{"name": "grade", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['grade']"}}}]);
    let mut rollout = manifest::rollout(2, &manifest::canary(&step(&analysis)));
    rollout["metadata"]["labels"] = json!({"grade": "1"});
    let first = rig.deploy(&rollout, SERVICES)?;
    rig.release("2")?;
    rig.until("pause after the analysis", |seen| seen.paused_at(2))?;
    rig.promote()?;
    let second = rig.promoted(&first)?;
    rig.patch(&json!({"metadata": {"labels": {"grade": "2"}}}))?;
    rig.release("3")?;
    let last = rig.until("abort", |seen| seen.observed() && seen.aborted() && seen.phase() == "Degraded")?;
    check(last.stable() == second.stable(), || "version 3 is stable".to_owned())?;
    rig.only("2")
}

/// No run at the first two steps; a good one beside the last, which ends with the update.
fn background_later(rig: &Rig) -> Outcome {
    let mut template = manifest::verdict(&rig.cluster.prometheus, "vector(1)");
    template["spec"]["metrics"][0]["interval"] = json!("2s");
    rig.apply(&[template])?;
    let mut strategy = manifest::canary(&json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]));
    strategy["canary"]["analysis"] = verdicts();
    strategy["canary"]["analysis"]["startingStep"] = json!(2);
    let first = rig.deploy(&manifest::rollout(2, &strategy), SERVICES)?;
    rig.release("2")?;
    rig.until("pause at 20 %", |seen| seen.paused_at(1))?;
    rig.stays(Duration::from_secs(3), "the pause", |seen| seen.paused_at(1))?;
    check(rig.runs()?.is_empty(), || format!("there are runs too early: {:?}", rig.runs()))?;
    rig.promote()?;
    rig.until("pause at 50 %", |seen| seen.paused_at(3) && seen.weight() == 50)?;
    rig.holds(PATIENCE, "run", || Ok((rig.runs()? == ["Running"]).then_some(())))?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.holds(PATIENCE, "end of the run", || Ok((rig.runs()? == ["Successful"]).then_some(())))?;
    rig.only("2")
}

/// Nobody listens at the address: errors, not silence.
fn metric_errors(rig: &Rig) -> Outcome {
    let mut template = manifest::verdict("127.0.0.1:9", "vector(1)");
    template["spec"]["metrics"][0]["consecutiveErrorLimit"] = json!(1);
    template["spec"]["metrics"][0]["interval"] = json!("1s");
    template["spec"]["metrics"][0]["count"] = json!(5);
    rig.apply(&[template])?;
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&step(&verdicts()))), SERVICES)?;
    rig.release("2")?;
    let last = rig.until("abort", |seen| seen.observed() && seen.aborted() && seen.phase() == "Degraded")?;
    check(last.message().contains("Step-based analysis phase error/failed"), || {
        format!("it says {:?}", last.message())
    })?;
    check(last.stable() == first.stable(), || "version 2 is stable".to_owned())?;
    check(rig.runs()? == ["Error"], || format!("the runs are {:?}", rig.runs()))?;
    rig.event("AnalysisRunError")?;
    rig.only("1")
}

/// Bad at first, good when somebody asks again.
fn analysis_retry(rig: &Rig) -> Outcome {
    rig.apply(&[manifest::verdict(&rig.cluster.prometheus, "vector(2)")])?;
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&step(&verdicts()))), SERVICES)?;
    rig.release("2")?;
    rig.until("abort", |seen| seen.observed() && seen.aborted() && seen.phase() == "Degraded" && seen.weight() == 0)?;
    rig.only("1")?;
    rig.apply(&[manifest::verdict(&rig.cluster.prometheus, "vector(1)")])?;
    rig.told(&["retry", "rollout", ROLLOUT], &["retried"])?;
    rig.until("pause after the analysis", |seen| seen.paused_at(2) && !seen.aborted())?;
    let mut runs = rig.runs()?;
    runs.sort();
    check(runs == ["Failed", "Successful"], || format!("the runs are {runs:?}"))?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

/// Somebody knows better than the analysis, which has not spoken yet.
fn promote_past_analysis(rig: &Rig) -> Outcome {
    let mut late = manifest::verdict(&rig.cluster.prometheus, "vector(2)");
    late["spec"]["metrics"][0]["initialDelay"] = json!("10m");
    rig.apply(&[late])?;
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&step(&verdicts()))), SERVICES)?;
    rig.release("2")?;
    rig.holds(PATIENCE, "run", || Ok((rig.runs()? == ["Running"]).then_some(())))?;
    rig.told(&["promote", ROLLOUT, "--full"], &["fully promoted"])?;
    rig.promoted(&first)?;
    rig.holds(PATIENCE, "end of the run", || Ok((rig.runs()? == ["Successful"]).then_some(())))?;
    rig.only("2")
}
