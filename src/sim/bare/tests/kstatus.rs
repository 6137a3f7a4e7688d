//! `--kstatus`: what a reader that knows nothing of Rollouts makes of each status that is ever stored.

use std::sync::Arc;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec, template};
use super::trace::Trace;
use crate::rollout::Settings;
use crate::rollout::settings::StatusDialect;
use crate::sim::object;

/// What kstatus says of a custom resource. Source: `sigs.k8s.io/cli-utils/pkg/kstatus`, the generic rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Current,
    InProgress,
    Failed,
}

fn read(rollout: &Value) -> Read {
    let observed = rollout.pointer("/status/observedGeneration");
    // The reader gives an error here, which is why the dialect exists.
    assert!(observed.is_none_or(Value::is_i64), "observedGeneration is {observed:?}");
    if observed.and_then(Value::as_i64).is_some_and(|observed| observed != object::generation(rollout)) {
        return Read::InProgress;
    }
    for condition in object::list(rollout, "/status/conditions") {
        let holds = object::text(condition, "/status") == "True";
        match object::text(condition, "/type") {
            "Reconciling" if holds => return Read::InProgress,
            "Stalled" if holds => return Read::Failed,
            _ => {}
        }
    }
    let ready = condition(rollout, "Ready").map(|ready| object::text(ready, "/status") == "True");
    if ready == Some(false) { Read::InProgress } else { Read::Current }
}

fn condition<'v>(rollout: &'v Value, kind: &str) -> Option<&'v Value> {
    object::list(rollout, "/status/conditions").iter().find(|condition| object::text(condition, "/type") == kind)
}

/// Lets time pass, and reads every status on the way; returns what is read of the last.
fn run(trace: &mut Trace, seconds: u64) -> Read {
    for moment in trace.run(seconds) {
        honest(&moment.rollout);
    }
    read(&trace.stored())
}

/// A controller that speaks kstatus, and a Rollout.
fn reader(spec: &Value) -> Trace {
    let trace = Trace::new(StatusDialect::Kstatus);
    trace.rig.create(spec);
    trace
}

/// No reader is told that it is over before it is, or that it failed where it goes on.
fn honest(rollout: &Value) {
    let phase = object::text(rollout, "/status/phase");
    if phase.is_empty() {
        return;
    }
    let current = rollout.pointer("/status/observedGeneration") == rollout.pointer("/metadata/generation");
    match read(rollout) {
        Read::Current => assert_eq!((phase, current), ("Healthy", true), "{rollout:#}"),
        Read::Failed => assert_ne!(phase, "Healthy"),
        Read::InProgress => assert!(!current || phase != "Healthy", "{rollout:#}"),
    }
    // Bad news are absent where they are not true; Ready is always there.
    for kind in ["Reconciling", "Stalled"] {
        assert!(condition(rollout, kind).is_none_or(|condition| condition["status"] == "True"));
    }
    assert!(condition(rollout, "Ready").is_some());
    let both = condition(rollout, "Reconciling").is_some() && condition(rollout, "Stalled").is_some();
    assert!(!both, "in progress and stalled at once");
}

fn routed() -> Value {
    spec(&json!({"canary": {
        "canaryService": "shop-canary", "stableService": "shop-stable", "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
        "steps": [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": 5}}],
    }}))
}

#[test]
fn each_phase_is_read_as_what_it_is() {
    let mut shop = reader(&routed());
    assert_eq!(run(&mut shop, 0), Read::InProgress);
    assert_eq!((run(&mut shop, 40), shop.rig.shown().as_str()), (Read::Current, "Healthy"));
    shop.rig.update("shop:2");
    assert_eq!(read(&shop.stored()), Read::InProgress, "a generation that nobody has seen yet");
    // A pause is not a failure: whoever waits may wait for the person.
    assert_eq!((run(&mut shop, 30), shop.rig.shown().as_str()), (Read::InProgress, "Paused CanaryPauseStep"));
    shop.rig.command(&json!({"abort": true}));
    assert_eq!(run(&mut shop, 30), Read::Failed);
    let stored = shop.stored();
    assert_eq!(condition(&stored, "Stalled").unwrap()["reason"], "UpdateAborted");
    shop.rig.command(&json!({"abort": false}));
    assert_eq!(run(&mut shop, 30), Read::InProgress);
    shop.rig.command(&json!({"pauseConditions": null}));
    assert_eq!((run(&mut shop, 90), shop.rig.shown().as_str()), (Read::Current, "Healthy"));
    shop.rig.rest().unwrap();
}

#[test]
fn what_pods_cannot_mend_is_stalled_at_the_deadline() {
    let mut spec = spec(&json!({"canary": {}}));
    spec["progressDeadlineSeconds"] = json!(60);
    spec["template"] = template("shop:1", "crash-loop", "0.5");
    let mut shop = reader(&spec);
    assert_eq!(run(&mut shop, 50), Read::InProgress);
    assert_eq!(run(&mut shop, 30), Read::Failed, "{}", shop.rig.shown());
    assert_eq!(condition(&shop.stored(), "Stalled").unwrap()["reason"], "DeadlineExceeded");
}

#[test]
fn a_specification_that_is_wrong_fails_at_once_and_one_that_waits_for_others_later() {
    let mut wrong = spec(&json!({"canary": {}}));
    wrong["minReadySeconds"] = json!(-1);
    assert_eq!(run(&mut reader(&wrong), 0), Read::Failed);

    let missing = spec(&json!({"blueGreen": {"activeService": "shop-later"}}));
    let mut shop = reader(&missing);
    assert_eq!(run(&mut shop, 20), Read::InProgress, "the Service may be in the same manifest");
    assert_eq!(run(&mut shop, 30), Read::Failed);
    shop.rig.core.user().create("Service", super::rig::service("shop-later")).unwrap();
    assert_eq!((run(&mut shop, 60), shop.rig.shown().as_str()), (Read::Current, "Healthy"));
}

#[test]
fn what_only_a_person_can_mend_is_stalled_after_a_while() {
    let mut shop = reader(&routed());
    run(&mut shop, 40);
    shop.rig.core.user().delete("HTTPRoute", KEY.0, "shop").unwrap();
    shop.rig.update("shop:2");
    assert_eq!(run(&mut shop, 20), Read::InProgress, "{}", shop.rig.shown());
    assert_eq!(run(&mut shop, 30), Read::Failed, "{}", shop.rig.shown());
    let message = condition(&shop.stored(), "Stalled").unwrap()["message"].to_string();
    assert!(message.contains("create the route"), "{message}");
    // It is still so after a restart, and not new.
    shop.rig.core.restart();
    assert_eq!(run(&mut shop, 5), Read::Failed);
}

#[test]
fn switching_it_on_writes_once_and_off_goes_along() {
    let mut rig = Rig::new(&spec(&json!({"canary": {}})));
    rig.run(30).unwrap();
    let stored = |rig: &Rig| (*rig.core.user().get("Rollout", KEY.0, KEY.1).unwrap()).clone();
    assert_eq!(stored(&rig)["status"]["observedGeneration"], "1");
    rig.core.settings = Arc::new(Settings { dialect: StatusDialect::Kstatus, ..Settings::default() });
    rig.core.look();
    assert_eq!(read(&stored(&rig)), Read::Current);
    rig.core.look();
    assert!(rig.core.plan.is_empty(), "one write is enough");

    rig.core.settings = Arc::new(Settings::default());
    rig.core.look();
    assert!(rig.core.plan.is_empty(), "nothing else is to be written");
    rig.edit(&json!({"spec": {"replicas": 4}}));
    rig.run(30).unwrap();
    let stored = stored(&rig);
    assert_eq!(stored["status"]["observedGeneration"], "2");
    assert!(["Ready", "Reconciling", "Stalled"].iter().all(|kind| condition(&stored, kind).is_none()));
}
