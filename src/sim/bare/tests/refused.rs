//! A route that the API server will not have, as a validating webhook does: everything waits safely, people are told
//! why, and once it is accepted the release goes on.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec};
use crate::sim::bare::strike::Strike;
use crate::sim::checker::facts::wanted;
use crate::sim::object;

const SAID: &str = "admission webhook \"routes.example.com\" denied the request: the latest rule has no owner";
/// Writes in ten minutes, at most: the back-off ends at half a minute.
const MAX_WRITES: usize = 60;

fn strategies() -> [Value; 2] {
    let steps = json!([{"setWeight": 20}, {"pause": {"duration": 10}}, {"setWeight": 60}, {"pause": {"duration": 10}}]);
    let plain = json!({"canary": {
        "canaryService": "shop-canary", "stableService": "shop-stable", "steps": steps, "abortScaleDownDelaySeconds": 5,
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}}, "scaleDownDelaySeconds": 30,
    }});
    let matches = json!([{"headerName": "beta", "headerValue": {"exact": "yes"}}]);
    let mut managed = plain.clone();
    managed["canary"]["trafficRouting"]["managedRoutes"] = json!([{"name": "beta"}]);
    managed["canary"]["steps"] = json!([
        {"setCanaryScale": {"weight": 20}}, {"setHeaderRoute": {"name": "beta", "match": matches}},
        {"setCanaryScale": {"matchTrafficWeight": true}}, {"setWeight": 20}, {"pause": {"duration": 10}},
        {"setWeight": 60}, {"pause": {"duration": 10}},
    ]);
    [plain, managed]
}

/// When the route begins to be refused, in tenths of a second of the update: from before it to its end.
const INSTANTS: [u64; 10] = [0, 8, 20, 80, 126, 140, 200, 250, 262, 280];

fn updating(strategy: &Value, tenths: u64) -> Rig {
    let mut rig = Rig::new(&spec(strategy));
    rig.run(30).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig.update("shop:2");
    rig.run_until(rig.core.now() + Duration::from_millis(100 * tenths)).unwrap();
    rig
}

fn refuse(rig: &mut Rig) {
    rig.troubled = true;
    rig.core.process.strikes.denied = Some(("HTTPRoute", SAID));
}

/// The end of the refusal: nothing is told of it, the next attempt just succeeds.
fn accept(rig: &mut Rig) {
    rig.core.process.strikes.denied = None;
}

fn promoted(rig: &Rig) -> bool {
    let status = rig.rollout().unwrap().status;
    status.stable_rs == status.current_pod_hash
}

/// Blockers that speak of the refusal.
fn told(rig: &Rig) -> Vec<(String, String)> {
    let blockers = rig.rollout().unwrap().status.siskin.map(|own| own.blockers).unwrap_or_default();
    let refused = blockers.into_iter().filter(|blocker| blocker.code == "WriteDenied");
    refused.map(|blocker| (blocker.object, blocker.message)).collect()
}

/// Ten minutes of refusal. Where it concerns anything, it is told, and asked for with patience.
fn endure(rig: &mut Rig, what: &str) {
    let before = (rig.written(), rig.core.process.strikes.writes);
    rig.run(600).unwrap_or_else(|story| panic!("{what}: {story}"));
    let attempts = usize::try_from(rig.core.process.strikes.writes - before.1).unwrap();
    assert!(attempts <= MAX_WRITES, "{what}: {attempts} writes, {} of them committed", rig.written() - before.0);
    let denied = rig.core.plan.effects.iter().any(|effect| effect.object.resource.kind == "HTTPRoute");
    if denied {
        assert_eq!(told(rig), [("HTTPRoute/shop".to_owned(), SAID.to_owned())], "{what}: {}", rig.story("not told"));
    }
    // Whatever the route says, the pods for it are there.
    let pods = rig.core.user().list("Pod", KEY.0).len();
    assert!(pods >= 5, "{what}: {pods} pods");
}

#[test]
fn a_refused_route_holds_a_release_and_harms_nobody() {
    let mut held = 0;
    for strategy in strategies() {
        for tenths in INSTANTS {
            let what = format!("{tenths} {strategy}");
            let mut rig = updating(&strategy, tenths);
            refuse(&mut rig);
            endure(&mut rig, &what);
            if !told(&rig).is_empty() {
                held += 1;
                assert_ne!(rig.shown(), "Healthy", "{what}");
            }
            rig.core.restart();
            rig.run(60).unwrap();
            accept(&mut rig);
            rig.run(300).unwrap_or_else(|story| panic!("{what}: {story}"));
            assert_eq!((rig.shown().as_str(), told(&rig).len()), ("Healthy", 0), "{what}: {}", rig.story("the end"));
            rig.rest().unwrap();
            let sets = rig.core.user().list("ReplicaSet", KEY.0);
            assert_eq!(sets.iter().map(|rs| wanted(rs)).sum::<i64>(), 5, "{what}");
        }
    }
    assert!(held >= 12, "{held} releases met a refusal");
}

#[test]
fn a_refused_route_holds_an_abort_with_all_pods_there() {
    let mut held = 0;
    for strategy in strategies() {
        for tenths in INSTANTS {
            let what = format!("abort at {tenths} {strategy}");
            let mut rig = updating(&strategy, tenths);
            if promoted(&rig) {
                continue;
            }
            refuse(&mut rig);
            rig.command(&json!({"abort": true}));
            endure(&mut rig, &what);
            let weight = rig.weight();
            let canary = rig.rollout().unwrap().status.current_pod_hash;
            let sets = rig.core.user().list("ReplicaSet", KEY.0);
            let serving =
                sets.iter().filter(|rs| object::name(rs).ends_with(&canary)).map(|rs| wanted(rs)).sum::<i64>();
            if weight > 0 {
                held += 1;
                assert_eq!(told(&rig).len(), 1, "{what}: {}", rig.story("not told"));
                assert!(serving * 100 >= 5 * weight, "{what}: {serving} pods for {weight} %");
            }
            accept(&mut rig);
            rig.run(300).unwrap_or_else(|story| panic!("{what}: {story}"));
            assert!(rig.shown().starts_with("Degraded RolloutAborted"), "{what}: {}", rig.shown());
            assert_eq!((rig.weight(), told(&rig).len()), (0, 0), "{what}");
            rig.command(&json!({"abort": false}));
            rig.run(300).unwrap_or_else(|story| panic!("{what}: {story}"));
            assert_eq!(rig.shown(), "Healthy", "{what}: {}", rig.story("retried"));
            rig.rest().unwrap();
        }
    }
    assert!(held >= 6, "{held} aborts met a refusal");
}

/// What passes by itself, as a server that is busy, is no call for help.
#[test]
fn what_passes_is_not_told() {
    let strikes = [Strike::Conflict, Strike::TooMany(1), Strike::Internal, Strike::Timeout];
    for strike in strikes {
        let mut rig = updating(&strategies()[0], 0);
        rig.troubled = true;
        let from = rig.core.process.strikes.writes;
        // Every second write, so that the record of what has failed gets through.
        rig.core.process.strikes.ordered = (from..from + 40).step_by(2).map(|number| (number, strike)).collect();
        rig.run(600).unwrap();
        assert_eq!(rig.shown(), "Healthy", "{strike:?}");
        let journal = rig.core.cluster.server.journal();
        let told = journal.iter().filter_map(|entry| entry.after.as_ref()).any(|after| {
            let blockers = after.pointer("/status/siskin/blockers");
            blockers.is_some_and(|blockers| blockers.to_string().contains("WriteDenied"))
        });
        assert!(!told, "{strike:?}: {}", rig.story("told"));
    }
}
