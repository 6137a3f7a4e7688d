//! Routes and Services in other shapes than two backends and a hundred per cent.

use serde_json::{Value, json};

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("max-weight", "weights of a thousand", max_weight),
    good("ping-pong", "two Services that change their roles with each promotion", ping_pong).long(),
    good("mirror-route", "a mirror route while its step lasts; users meet version 1 alone", mirror_route),
    good("late-services", "a Rollout before its Services and its route: named, then served", late_services),
    good("two-claims", "a second Rollout with the same Services is refused, the first goes on", two_claims),
];

const SERVICES: &[&str] = &["shop-stable", "shop-canary"];

/// 250 of 1000 is a quarter.
fn max_weight(rig: &Rig) -> Outcome {
    let mut strategy = manifest::canary(&json!([{"setWeight": 250}, {"pause": {}}]));
    strategy["canary"]["trafficRouting"]["maxTrafficWeight"] = json!(1000);
    let first = rig.deploy(&manifest::rollout(4, &strategy), SERVICES)?;
    rig.release("2")?;
    let paused = rig.until("pause at a quarter", |seen| seen.paused_at(1) && seen.weight() == 250)?;
    rig.sized(paused.current(), 1)?;
    rig.share("2", 25)?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

/// No selector of the stable side ever moves: the roles do.
fn ping_pong(rig: &Rig) -> Outcome {
    let mut strategy = manifest::canary(&json!([{"setWeight": 50}, {"pause": {}}]));
    if let Some(canary) = strategy["canary"].as_object_mut() {
        canary.remove("stableService");
        canary.remove("canaryService");
        canary.insert("pingPong".to_owned(), json!({"pingService": "shop-ping", "pongService": "shop-pong"}));
    }
    let mut last = rig.deploy(&manifest::rollout(2, &strategy), &["shop-ping", "shop-pong"])?;
    for (tag, side, service) in [("2", "pong", "shop-pong"), ("3", "ping", "shop-ping")] {
        rig.release(tag)?;
        let paused = rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.current() != last.current())?;
        check(rig.selected(service)? == paused.current(), || format!("{service} does not select the canary"))?;
        rig.share(tag, 50)?;
        rig.promote()?;
        last = rig.promoted(&last)?;
        let now = &last.object["status"]["canary"]["stablePingPong"];
        check(now == side, || format!("the stable side is {now}"))?;
        rig.only(tag)?;
    }
    Ok(())
}

/// The copies' answers reach nobody.
fn mirror_route(rig: &Rig) -> Outcome {
    // More than the route's own rule asks for: of two rules with one match, Contour drops the second and says so.
    let route = json!({"name": "copies", "percentage": 100, "match": [{"method": {"exact": "GET"}}]});
    let steps = json!([
        {"setCanaryScale": {"replicas": 1}}, {"setMirrorRoute": route}, {"pause": {}},
        {"setMirrorRoute": {"name": "copies"}}, {"pause": {}},
    ]);
    let mut strategy = manifest::canary(&steps);
    strategy["canary"]["trafficRouting"]["managedRoutes"] = json!([{"name": "copies"}]);
    let first = rig.deploy(&manifest::rollout(2, &strategy), SERVICES)?;
    let rules = |rig: &Rig| -> Outcome<Vec<Value>> {
        let route = rig.api().get("HTTPRoute", &rig.namespace, ROLLOUT)?;
        Ok(route["spec"]["rules"].as_array().cloned().unwrap_or_default())
    };
    let copies = |rule: &Value| rule["filters"][0]["requestMirror"]["backendRef"]["name"] == "shop-canary";
    rig.release("2")?;
    rig.until("pause with the mirror", |seen| seen.paused_at(2))?;
    let now = rules(rig)?;
    check(now.len() == 2 && now.iter().any(copies), || format!("the rules are {now:?}"))?;
    rig.only("1")?;
    rig.promote()?;
    rig.until("pause without it", |seen| seen.paused_at(4))?;
    let now = rules(rig)?;
    check(now.len() == 1 && !now.iter().any(copies), || format!("the rules are {now:?}"))?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

/// Manifests arrive in any order.
fn late_services(rig: &Rig) -> Outcome {
    let rollout = manifest::rollout(2, &manifest::canary(&json!([{"setWeight": 50}, {"pause": {}}])));
    rig.apply(std::slice::from_ref(&rollout))?;
    let refused =
        rig.until("refusal", |seen| seen.phase() == "Degraded" && seen.message().starts_with("InvalidSpec: "))?;
    check(refused.message().contains("service \"shop-"), || format!("it says {:?}", refused.message()))?;
    let first = rig.deploy(&rollout, SERVICES)?;
    check(first.healthy(), || format!("it is {}", first.line()))?;
    rig.release("2")?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    rig.share("2", 50)
}

/// The older keeps what it has; the younger says what is in its way, and touches nothing.
fn two_claims(rig: &Rig) -> Outcome {
    let rollout = manifest::rollout(2, &manifest::canary(&json!([{"setWeight": 50}, {"pause": {}}])));
    let first = rig.deploy(&rollout, SERVICES)?;
    let mut second = rollout;
    second["metadata"]["name"] = json!("cart");
    second["spec"]["selector"]["matchLabels"] = json!({"app": "cart"});
    second["spec"]["template"]["metadata"]["labels"]["app"] = json!("cart");
    rig.apply(&[second])?;
    let message = rig.holds(PATIENCE, "refusal of the second", || {
        let second = rig.api().get("Rollout", &rig.namespace, "cart")?;
        let message = second["status"]["message"].as_str().unwrap_or_default().to_owned();
        Ok((second["status"]["phase"] == "Degraded" && message.starts_with("InvalidSpec: ")).then_some(message))
    })?;
    check(message.contains("shop"), || format!("it does not name the first: {message}"))?;
    check(rig.selected("shop-stable")? == first.stable(), || "the Service was taken".to_owned())?;
    rig.release("2")?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    rig.share("2", 50)?;
    let sets = rig.api().list("ReplicaSet", &rig.namespace, "")?;
    check(sets.len() == 2, || format!("the second has ReplicaSets: {} in all", sets.len()))?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}
