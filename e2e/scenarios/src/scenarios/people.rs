//! What people do in the middle of an update, and to the list of its steps.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};
use crate::seen::Seen;

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("timed-pause", "a pause of seconds ends by itself, and not before", timed_pause),
    good("skip-step", "a person skips a step that is not a pause", skip_step),
    good("superseded-back", "a third version at 20 %, then the stable one again: no steps", superseded_back),
    good("undo-to-revision", "back to a revision by its number", undo_to_revision),
    good("set-image", "a new image on the command line is a new revision", set_image),
    good("rollback-window", "back to a recent revision without its steps", rollback_window),
    good("steps-changed", "another list of steps in the middle begins at the first", steps_changed).parity(),
    good("labels-only", "labels and annotations of the Rollout make no revision", labels_only),
    good("paused-before", "`spec.paused` before an update: it waits for its turn", paused_before),
    good("restart", "all pods anew, one by one, without a revision", restart),
    good("restart-budget", "a restart where no pod may be missing", restart_budget),
    good("weight-down", "a smaller weight after a larger one", weight_down),
    good("no-steps", "behind a router and without steps: all pods first, then all of the traffic", no_steps),
];

const SERVICES: &[&str] = &["shop-stable", "shop-canary"];
/// Long enough for a controller that would go on to show it.
const WATCHED: Duration = Duration::from_secs(4);

/// Eight seconds.
fn timed_pause(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 50}, {"pause": {"duration": "8s"}}, {"setWeight": 75}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    rig.release("2")?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    let began = Instant::now();
    rig.until("end of the pause", |seen| seen.index() == 2)?;
    let took = began.elapsed();
    // Times in the status are whole seconds; the pause was seen a little after it began.
    check(took >= Duration::from_secs(6) && took < Duration::from_secs(20), || format!("the pause took {took:?}"))?;
    rig.promoted(&first)?;
    check(rig.weights() == [0, 50, 75, 100, 0], || format!("the weights were {:?}", rig.weights()))?;
    rig.only("2")
}

/// An analysis that would take ten minutes is left behind.
fn skip_step(rig: &Rig) -> Outcome {
    let mut late = manifest::verdict(&rig.cluster.prometheus, "vector(1)");
    late["spec"]["metrics"][0]["initialDelay"] = json!("10m");
    rig.apply(&[late])?;
    let analysis = json!({"templates": [{"templateName": "verdict"}]});
    let steps = json!([{"setWeight": 20}, {"analysis": analysis}, {"setWeight": 50}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    rig.release("2")?;
    rig.until("the analysis", |seen| seen.index() == 1 && seen.weight() == 20)?;
    rig.holds(PATIENCE, "run", || Ok((rig.runs()? == ["Running"]).then_some(())))?;
    rig.promote()?;
    rig.until("pause at 50 %", |seen| seen.paused_at(3) && seen.weight() == 50)?;
    rig.holds(PATIENCE, "end of the run", || Ok((rig.runs()? == ["Successful"]).then_some(())))?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

/// Neither the second nor the third version is wanted any more.
fn superseded_back(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 20}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    rig.release("2")?;
    let second = rig.until("pause of version 2", |seen| seen.paused_at(1) && seen.weight() == 20)?;
    rig.release("3")?;
    let third = rig.until("pause of version 3", |seen| {
        seen.paused_at(1) && seen.weight() == 20 && seen.current() != second.current()
    })?;
    rig.release("1")?;
    let back = rig.until("way back", |seen| seen.healthy() && seen.current() == first.stable())?;
    check(back.promoted() && back.revision() == "4", || format!("revision {}: {}", back.revision(), back.line()))?;
    rig.only("1")?;
    for gone in [second.current(), third.current()] {
        rig.sized(gone, 0)?;
    }
    check(rig.size(first.stable())? == 2, || "version 1 did not keep its size".to_owned())?;
    rig.event("SkipSteps").map(drop)
}

/// Three versions; then the first again, which is revision 4.
fn undo_to_revision(rig: &Rig) -> Outcome {
    let first = rig.deploy(&manifest::rollout(1, &json!({"canary": {}})), &["shop"])?;
    let mut last = first.clone();
    for tag in ["2", "3"] {
        rig.release(tag)?;
        last = rig.promoted(&last)?;
    }
    rig.told(&["undo", ROLLOUT, "--to-revision=1"], &["rollout 'shop' undo"])?;
    let back = rig.promoted(&last)?;
    let expected = (first.stable(), "4");
    check((back.stable(), back.revision()) == expected, || format!("revision {}: {}", back.revision(), back.line()))?;
    check(rig.replica_sets()?.len() == 3, || format!("the revisions are {:?}", rig.replica_sets()))?;
    let (code, text) = rig.siskin(&["undo", ROLLOUT, "--to-revision=9"])?;
    check(code == 1 && text.contains('9'), || format!("a revision that never was: {code} {text}"))?;
    rig.only("1")
}

/// The release of everyday.
fn set_image(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    rig.told(&["set", "image", ROLLOUT, "shop=e2e.local/app:2"], &["rollout \"shop\" image updated"])?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    rig.share("2", 50)?;
    // The same image again is no update.
    rig.told(&["set", "image", ROLLOUT, "shop=e2e.local/app:2"], &[])?;
    rig.stays(WATCHED, "the pause", |seen| seen.paused_at(1) && seen.revision() == "2")?;
    let (code, text) = rig.siskin(&["set", "image", ROLLOUT, "cart=e2e.local/app:3"])?;
    check(code == 1 && text.contains("cart"), || format!("a container that is not there: {code} {text}"))?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

/// The way there has a pause, the way back has none.
fn rollback_window(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let mut rollout = manifest::rollout(2, &manifest::canary(&steps));
    rollout["spec"]["rollbackWindow"] = json!({"revisions": 2});
    let first = rig.deploy(&rollout, SERVICES)?;
    rig.release("2")?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1))?;
    rig.promote()?;
    let second = rig.promoted(&first)?;
    rig.only("2")?;
    let before = rig.states().len();
    rig.told(&["undo", ROLLOUT], &["rollout 'shop' undo"])?;
    let back = rig.promoted(&second)?;
    check(back.stable() == first.stable(), || format!("it is {}", back.line()))?;
    let paused = rig.states().iter().skip(before).any(|seen| seen.phase() == "Paused");
    check(!paused, || "the way back paused".to_owned())?;
    let skipped = rig.event("SkipSteps")?;
    check(skipped.iter().any(|text| text.contains("RollbackWindow")), || format!("the events say {skipped:?}"))?;
    rig.only("1")
}

/// In the middle the update begins anew; at rest nothing happens.
fn steps_changed(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    let change = |steps: &Value| rig.patch(&json!({"spec": {"strategy": {"canary": {"steps": steps}}}}));
    rig.release("2")?;
    rig.until("pause at 20 %", |seen| seen.paused_at(1))?;
    rig.promote()?;
    let before = rig.until("pause at 50 %", |seen| seen.paused_at(3) && seen.weight() == 50)?;
    change(&json!([{"setWeight": 30}, {"pause": {}}]))?;
    let anew = rig.until("pause at 30 %", |seen| seen.paused_at(1) && seen.weight() == 30)?;
    check(anew.current() == before.current() && anew.revision() == "2", || format!("it is {}", anew.line()))?;
    rig.share("2", 30)?;
    rig.promote()?;
    let last = rig.promoted(&first)?;
    change(&json!([{"setWeight": 10}, {"pause": {}}, {"setWeight": 40}]))?;
    rig.until("the new list seen", |seen| seen.healthy() && seen.index() == 3)?;
    rig.stays(WATCHED, "Healthy", |seen| seen.healthy() && seen.stable() == last.stable() && seen.weight() == 0)?;
    rig.only("2")
}

/// What a delivery tool writes at each of its passes. Annotations reach the `ReplicaSet`, nothing reaches the pods.
fn labels_only(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    let pods = rig.ready_pods(first.stable())?;
    let change = json!({"metadata": {"labels": {"team": "shop"}, "annotations": {"example.com/ticket": "42"}}});
    rig.patch(&change)?;
    rig.holds(PATIENCE, "annotation of the ReplicaSet", || {
        let sets = rig.api().list("ReplicaSet", &rig.namespace, "")?;
        Ok(sets.iter().any(|set| set["metadata"]["annotations"]["example.com/ticket"] == "42").then_some(()))
    })?;
    rig.stays(WATCHED, "Healthy", |seen| seen.healthy() && seen.revision() == "1")?;
    check(rig.replica_sets()?.len() == 1, || format!("the revisions are {:?}", rig.replica_sets()))?;
    check(rig.ready_pods(first.stable())? == pods, || "pods were replaced".to_owned())?;
    rig.only("1")
}

/// The new revision gets no pod before somebody says so.
fn paused_before(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    rig.told(&["pause", ROLLOUT], &["paused"])?;
    rig.release("2")?;
    let paused = rig.until("manual pause", |seen| {
        seen.observed() && seen.message() == "manually paused" && seen.current() != first.current()
    })?;
    rig.stays(WATCHED, "the pause", |seen| seen.phase() == "Paused" && seen.weight() == 0)?;
    check(rig.size(paused.current())? == 0, || "the new revision has pods".to_owned())?;
    rig.only("1")?;
    rig.patch(&json!({"spec": {"paused": false}}))?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

/// Every pod is another afterwards, and all along enough of them answer.
fn restart(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(3, &manifest::canary(&steps)), SERVICES)?;
    restarted(rig, &first)
}

fn restarted(rig: &Rig, first: &Seen) -> Outcome {
    let before = rig.ready_pods(first.stable())?;
    rig.told(&["restart", ROLLOUT], &["rollout 'shop' restarts in 0s"])?;
    rig.holds(PATIENCE, "other pods", || {
        let now = rig.ready_pods(first.stable())?;
        Ok((now.len() == before.len() && now.iter().all(|pod| !before.contains(pod))).then_some(()))
    })?;
    let done = rig.until("end of the restart", |seen| {
        seen.healthy() && seen.object["status"]["restartedAt"] == seen.object["spec"]["restartAt"]
    })?;
    check(done.revision() == "1", || format!("it is revision {}", done.revision()))?;
    check(rig.replica_sets()?.len() == 1, || format!("the revisions are {:?}", rig.replica_sets()))?;
    rig.only("1")
}

/// Both the Rollout and a budget say that no pod may be missing: one more comes first.
fn restart_budget(rig: &Rig) -> Outcome {
    let budget = json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": ROLLOUT},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": ROLLOUT}}},
    });
    rig.apply(&[budget])?;
    let mut strategy = manifest::canary(&json!([{"setWeight": 50}, {"pause": {}}]));
    strategy["canary"]["maxUnavailable"] = json!(0);
    let first = rig.deploy(&manifest::rollout(2, &strategy), SERVICES)?;
    restarted(rig, &first)?;
    let least = rig.states().iter().map(|seen| seen.object["status"]["availableReplicas"].as_i64().unwrap_or(0)).min();
    check(least >= Some(2), || format!("only {least:?} pods were available"))
}

/// The weight goes first, the pods after it.
fn weight_down(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 75}, {"pause": {}}, {"setWeight": 25}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(4, &manifest::canary(&steps)), SERVICES)?;
    rig.release("2")?;
    let large = rig.until("pause at 75 %", |seen| seen.paused_at(1) && seen.weight() == 75)?;
    rig.sized(large.current(), 3)?;
    rig.promote()?;
    rig.until("pause at 25 %", |seen| seen.paused_at(3) && seen.weight() == 25)?;
    rig.sized(large.current(), 1)?;
    rig.share("2", 25)?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

/// One promotion, one shift.
fn no_steps(rig: &Rig) -> Outcome {
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&json!([]))), SERVICES)?;
    rig.release("2")?;
    let last = rig.promoted(&first)?;
    rig.only("2")?;
    check(rig.selected("shop-stable")? == last.stable(), || "the stable Service selects another revision".to_owned())?;
    rig.sized(first.stable(), 0)
}
