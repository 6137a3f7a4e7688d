//! What a restart costs: at most the grace of a route anew, for another's clock may be ahead of ours or behind.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec};
use crate::api::Time;
use crate::rollout::Settings;
use crate::rollout::settings::OwnStatus;

/// Recorded times are cut off to seconds, and the looks around a restart take their pace.
const READ_BACK: Duration = Duration::from_millis(1_500);
/// The grace of a route.
const GRACE: Duration = Duration::from_secs(5);
/// From one restart to the next that is tried.
const SWEEP: usize = 1_300;
/// When the release ends, roughly: restarts are tried until then.
const LENGTH: u64 = 36_000;

/// How a release over a route ends: by itself, or by a person in its last step.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Promoted,
    Aborted,
}

/// What is left, without times and without what is Siskin's own.
fn left(rig: &Rig) -> Value {
    let user = rig.core.user();
    let rollout = user.get("Rollout", KEY.0, KEY.1).unwrap();
    let status = |pointer: &str| rollout.pointer(&format!("/status{pointer}")).cloned().unwrap_or_default();
    let sizes: Vec<Value> = user.list("ReplicaSet", KEY.0).iter().map(|rs| rs["spec"]["replicas"].clone()).collect();
    let selectors: Vec<Value> = user.list("Service", KEY.0).iter().map(|s| s["spec"]["selector"].clone()).collect();
    json!({
        "phase": status("/phase"), "message": status("/message"), "stable": status("/stableRS"),
        "weights": status("/canary/weights"), "sizes": sizes, "selectors": selectors, "weight": rig.weight(),
    })
}

/// Plays a release with a restart at an instant; returns what is left, and when the last write was.
fn play(ending: Ending, own_status: OwnStatus, restart: Option<Duration>) -> (Value, Time) {
    let strategy = json!({"canary": {
        "canaryService": "shop-canary", "stableService": "shop-stable",
        "scaleDownDelaySeconds": 1, "abortScaleDownDelaySeconds": 1,
        "steps": [{"setWeight": 20}, {"pause": {"duration": "7s"}}, {"setWeight": 60}, {"pause": {"duration": "7s"}}],
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
    }});
    let mut rig = Rig::new(&spec(&strategy));
    rig.core.settings = Arc::new(Settings { own_status, ..Settings::default() });
    rig.run(60).unwrap();
    rig.update("shop:2");
    let start = rig.core.now();
    let mut pending: Vec<(Duration, bool)> = restart.map(|at| (at, true)).into_iter().collect();
    if matches!(ending, Ending::Aborted) {
        pending.push((Duration::from_secs(14), false));
    }
    pending.sort_unstable();
    for (at, is_restart) in pending {
        rig.run_until(start + at).unwrap();
        if is_restart { rig.restart() } else { rig.command(&json!({"abort": true})) }
    }
    rig.rest().unwrap();
    let last = rig.core.cluster.server.journal().last().unwrap().time;
    (left(&rig), last)
}

#[test]
fn a_restart_costs_at_most_the_grace_and_never_shortens_it() {
    for ending in [Ending::Promoted, Ending::Aborted] {
        let (end, undisturbed) = play(ending, OwnStatus::Kept, None);
        let (same, by_memory) = play(ending, OwnStatus::Pruned, None);
        assert_eq!((&same, by_memory), (&end, undisturbed), "{ending:?}: a process that lives needs no record");
        let mut longest = Duration::ZERO;
        for at in (0..LENGTH).step_by(SWEEP).map(Duration::from_millis) {
            let (left, with) = play(ending, OwnStatus::Kept, Some(at));
            assert_eq!(left, end, "{ending:?} at {at:?}");
            assert!(with >= undisturbed, "{ending:?} at {at:?}: {:?} sooner", with.until(undisturbed));
            let latest = undisturbed + GRACE + READ_BACK;
            assert!(with <= latest, "{ending:?} at {at:?}: {:?} later", with.since(undisturbed));
            let (left, without) = play(ending, OwnStatus::Pruned, Some(at));
            assert_eq!(left, end, "{ending:?} at {at:?}");
            assert!(without >= undisturbed, "{ending:?} at {at:?}: {:?} sooner", without.until(undisturbed));
            assert!(with <= without + READ_BACK, "{ending:?} at {at:?}: the record costs {:?}", with.since(without));
            longest = longest.max(without.since(undisturbed));
        }
        assert!(longest > READ_BACK, "{ending:?}: without the record it takes {longest:?} longer at most");
    }
}

#[test]
fn a_restart_in_a_pause_writes_nothing() {
    let strategy = json!({"canary": {
        "canaryService": "shop-canary", "stableService": "shop-stable",
        "steps": [{"setWeight": 20}, {"pause": {}}],
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
    }});
    let mut rig = Rig::new(&spec(&strategy));
    rig.run(60).unwrap();
    rig.update("shop:2");
    for seconds in [8, 3, 12, 60] {
        rig.run(seconds).unwrap();
        assert_eq!(rig.shown(), "Paused CanaryPauseStep");
        let written = rig.core.cluster.server.version();
        rig.restart();
        rig.run(20).unwrap();
        assert_eq!(rig.core.cluster.server.version(), written, "{seconds} s later");
    }
}
