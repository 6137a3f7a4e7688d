//! A header route: testers meet the canary before anybody else does.

use std::time::Duration;

use serde_json::json;

use crate::load::Load;
use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] =
    &[good("header-route", "a header leads to the canary at weight 0, others never; an abort ends it", play)
        .parity()
        .long()
        .smoke()];

/// What testers send.
const TESTER: (&str, &str) = ("X-Tester", "yes");
/// Long enough for a request that goes astray to be seen.
const WATCHED: Duration = Duration::from_secs(6);

/// Testers on version 2 at weight 0, all others on version 1; then at 50 %, then an abort.
pub fn play(rig: &Rig) -> Outcome {
    let header = json!({"headerName": TESTER.0, "headerValue": {"exact": TESTER.1}});
    let steps = json!([
        {"setCanaryScale": {"replicas": 1}}, {"setHeaderRoute": {"name": "testers", "match": [header]}}, {"pause": {}},
        {"setCanaryScale": {"matchTrafficWeight": true}}, {"setWeight": 50}, {"pause": {}},
    ]);
    let mut strategy = manifest::canary(&steps);
    strategy["canary"]["trafficRouting"]["managedRoutes"] = json!([{"name": "testers"}]);
    let first = rig.deploy(&manifest::rollout(2, &strategy), &["shop-stable", "shop-canary"])?;
    let mut testers = rig.users_with(TESTER);
    only(rig, &testers, "1")?;

    rig.release("2")?;
    rig.until("pause at weight 0", |seen| seen.paused_at(2) && seen.weight() == 0)?;
    only(rig, &testers, "2")?;
    let (others, tested) = (rig.traffic(WATCHED), testers.during(WATCHED));
    check(others.requests() > 0 && others.of("2") == 0, || format!("others met version 2: {others:?}"))?;
    check(tested.requests() > 0 && tested.of("1") == 0, || format!("testers met version 1: {tested:?}"))?;

    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    let second = rig.until("pause at 50 %", |seen| seen.paused_at(5) && seen.weight() == 50)?;
    rig.share("2", 50)?;
    let tested = testers.during(WATCHED);
    check(tested.of("1") == 0, || format!("testers met version 1 at 50 %: {tested:?}"))?;

    rig.told(&["abort", ROLLOUT], &["rollout 'shop' aborted"])?;
    rig.until("abort", |seen| seen.aborted() && seen.phase() == "Degraded" && seen.weight() == 0)?;
    rig.only("1")?;
    only(rig, &testers, "1")?;
    let route = rig.api().get("HTTPRoute", &rig.namespace, ROLLOUT)?;
    let rules = route["spec"]["rules"].as_array().map_or(0, Vec::len);
    check(rules == 1, || format!("{rules} rules are left of one: {}", route["spec"]["rules"]))?;
    rig.holds(PATIENCE, "end of version 2's pods", || Ok((rig.size(second.current())? == 0).then_some(())))?;
    check(rig.now()?.stable() == first.stable(), || "the aborted version is stable".to_owned())?;
    let all = testers.stop();
    check(all.lost == 0, || format!("{} requests of testers were lost: {:?}", all.lost, all.stories))
}

/// Waits until testers get answers of one version alone.
fn only(rig: &Rig, testers: &Load, version: &str) -> Outcome {
    rig.holds(PATIENCE, &format!("testers on version {version} alone"), || {
        let tally = testers.during(Duration::from_secs(2));
        Ok((tally.requests() > 0 && tally.of(version) == tally.requests()).then_some(()))
    })
}
