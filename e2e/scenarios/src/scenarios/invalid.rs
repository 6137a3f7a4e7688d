//! Manifests with mistakes, given to a Rollout that serves.

use std::time::Duration;

use serde_json::{Value, json};

use crate::manifest;
use crate::rig::{Outcome, Rig, check};
use crate::scenario::{Scenario, good};
use crate::seen::Seen;

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] =
    &[good("bad-manifests", "each mistake is named, and nothing moves", play).long().smoke()];

/// Long enough for a controller that would act on half of a manifest.
const WATCHED: Duration = Duration::from_secs(3);

/// A mistake with what is said of it.
fn mistakes() -> Vec<(&'static str, Value, &'static str)> {
    let canary = |change: Value| json!({"spec": {"strategy": {"canary": change}}});
    vec![
        (
            "unsupported field",
            canary(json!({"steps": [{"plugin": {"name": "example/gate"}}]})),
            "not supported yet: spec.strategy.canary.steps[0].plugin",
        ),
        (
            "no router",
            canary(json!({"trafficRouting": {"plugins": null}})),
            "spec.strategy.canary.trafficRouting: Required value: no router is configured",
        ),
        ("missing Service", canary(json!({"canaryService": "shop-nowhere"})), "service \"shop-nowhere\" not found"),
        (
            "one Service twice",
            canary(json!({"canaryService": "shop-stable"})),
            "This rollout uses the same service for the stable and canary services",
        ),
    ]
}

/// Each mistake comes with a new version, as mistakes do; it is refused as a whole.
pub fn play(rig: &Rig) -> Outcome {
    let good = manifest::rollout(2, &manifest::canary(&json!([{"setWeight": 50}])));
    let first = rig.deploy(&good, &["shop-stable", "shop-canary"])?;
    let still = |rig: &Rig| -> Outcome<Vec<Value>> {
        let route = rig.api().get("HTTPRoute", &rig.namespace, "shop")?["metadata"]["generation"].clone();
        Ok(vec![json!(rig.replica_sets()?), route, json!([rig.selected("shop-stable")?, rig.selected("shop-canary")?])])
    };
    let before = still(rig)?;
    for (what, mut patch, said) in mistakes() {
        patch["spec"]["template"] = manifest::template("2");
        rig.patch(&patch)?;
        let refused = rig.until(&format!("refusal: {what}"), |seen| {
            seen.observed() && seen.phase() == "Degraded" && seen.message().starts_with("InvalidSpec: ")
        })?;
        check(refused.message().contains(said), || format!("{what}: it says {:?}", refused.message()))?;
        rig.stays(WATCHED, what, |seen| seen.phase() == "Degraded")?;
        let now = still(rig)?;
        check(now == before, || format!("{what}: {before:?} became {now:?}"))?;
        let nulls = json!({"steps": good["spec"]["strategy"]["canary"]["steps"], "canaryService": "shop-canary",
            "trafficRouting": good["spec"]["strategy"]["canary"]["trafficRouting"]});
        rig.patch(&json!({"spec": {"template": manifest::template("1"), "strategy": {"canary": nulls}}}))?;
        rig.until("Healthy again", |seen: &Seen| seen.healthy() && seen.stable() == first.stable())?;
    }
    let now = still(rig)?;
    check(now == before, || format!("at the end {before:?} became {now:?}"))?;
    rig.only("1")
}
