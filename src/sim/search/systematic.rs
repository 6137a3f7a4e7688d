//! Systematic cases: for each hand-made scenario, every write meets every strike, every event every trouble, one a run.

use serde_json::{Value, json};

use super::analyst::Outcome;
use super::play::Ended;
use super::scenario::{Action, Case, Fault, Scenario, Side};
use super::swarm::{STRIKES, WATCHED};
use crate::sim::bare::view::Trouble;

/// What an event can meet.
const TROUBLES: &[Trouble] = &[
    Trouble::Behind(1),
    Trouble::Behind(4),
    Trouble::Late(3_000),
    Trouble::Late(60_000),
    Trouble::Lost(1_000),
    Trouble::Lost(60_000),
];
/// How late all events of a kind can be, in milliseconds.
const LAGS: &[u64] = &[30, 700, 8_000, 60_000];
/// By how many versions an API server can be behind.
const BEHIND: &[u64] = &[1, 5, 20, 80];
/// For how many milliseconds there is no controller: longer than a deadline.
pub const AWAY: u64 = 90_000;
/// By how many milliseconds the clock of a second leader can be ahead (pitfalls B95).
pub const AHEAD: &[i64] = &[-10_000, 10_000];

/// What somebody does at any moment.
const ACTIONS: &[Action] = &[
    Action::Abort,
    Action::Apply(2),
    Action::Apply(0),
    Action::PromoteFull,
    Action::Promote,
    Action::Pause(true),
    Action::Scale(5),
    Action::Kill(Side::New, 9),
    Action::Hurt(Side::Stable, 1),
];
/// What only a data plane does.
const OF_PLANES: &[Action] = &[Action::Refuse];

fn analysis() -> Value {
    json!({"templates": [{"templateName": "errors"}]})
}

fn routed(more: &Value) -> Value {
    let mut canary = json!({
        "canaryService": "shop-canary", "stableService": "shop-stable",
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
        "scaleDownDelaySeconds": 2, "abortScaleDownDelaySeconds": 2,
    });
    json_patch::merge(&mut canary, more);
    json!({"canary": canary})
}

/// Strategies by name.
fn strategies() -> Vec<(&'static str, Value)> {
    let steps = json!([{"setWeight": 20}, {"pause": {"duration": 2}}, {"setWeight": 60}, {"pause": {"duration": 2}}]);
    let measured = json!([{"setWeight": 34}, {"analysis": analysis()}, {"setWeight": 67}]);
    let header = json!({"headerName": "X-Test", "headerValue": {"exact": "yes"}});
    let scaled = json!([{"setCanaryScale": {"replicas": 1}}, {"setWeight": 10}, {"pause": {"duration": 1}},
        {"setCanaryScale": {"matchTrafficWeight": true}}, {"setWeight": 50}]);
    vec![
        ("basic", json!({"canary": {"steps": steps, "maxSurge": 1, "maxUnavailable": 0}})),
        ("rolling", json!({"canary": {"maxSurge": "50%", "maxUnavailable": 1}})),
        ("routed", routed(&json!({"steps": steps}))),
        ("routed, measured", routed(&json!({"steps": measured, "analysis": analysis()}))),
        ("routed, scaled", routed(&json!({"steps": scaled, "maxUnavailable": 0}))),
        (
            "routed, dynamic",
            routed(&json!({"steps": steps, "dynamicStableScale": true, "scaleDownDelaySeconds": null})),
        ),
        (
            "ping-pong",
            routed(&json!({
                "steps": steps, "canaryService": null, "stableService": null,
                "pingPong": {"pingService": "shop-canary", "pongService": "shop-stable"},
            })),
        ),
        (
            "routed, managed",
            routed(&json!({
                "trafficRouting": {"managedRoutes": [{"name": "hdr"}]},
                "steps": [
                    {"setCanaryScale": {"replicas": 1}}, {"setHeaderRoute": {"name": "hdr", "match": [header]}},
                    {"pause": {"duration": 9}}, {"setHeaderRoute": {"name": "hdr"}}, {"setWeight": 50},
                ],
            })),
        ),
        ("blue-green", json!({"blueGreen": {"activeService": "shop-active", "scaleDownDelaySeconds": 3}})),
        (
            "blue-green, by hand",
            json!({"blueGreen": {
                "activeService": "shop-active", "previewService": "shop-preview", "autoPromotionEnabled": false,
                "scaleDownDelaySeconds": 3,
            }}),
        ),
        (
            "blue-green, gated",
            json!({"blueGreen": {
                "activeService": "shop-active", "previewService": "shop-preview", "autoPromotionSeconds": 3,
                "previewReplicaCount": 1, "scaleDownDelaySeconds": 3, "abortScaleDownDelaySeconds": 2,
                "prePromotionAnalysis": analysis(), "postPromotionAnalysis": analysis(),
            }}),
        ),
    ]
}

/// Scripts by name: milliseconds to wait, and then what.
fn scripts() -> Vec<(&'static str, Vec<(u64, Action)>)> {
    use Action::{
        Abort, Apply, Evict, Heal, Hurt, Kill, Promote, PromoteFull, Renew, Restart, Retry, Scale, Select, Weigh,
    };
    let update = (8_000, Apply(1));
    vec![
        ("update", vec![update]),
        ("abort and retry", vec![update, (2_500, Abort), (6_000, Retry)]),
        ("superseded", vec![update, (1_800, Apply(2))]),
        ("rolled back", vec![update, (3_600, Apply(0))]),
        ("there and back", vec![update, (1_700, Apply(0)), (800, Apply(1))]),
        ("scaled", vec![update, (1_500, Scale(6)), (2_500, Scale(2))]),
        ("canary killed", vec![update, (2_600, Kill(Side::New, 1)), (2_000, Kill(Side::New, 2))]),
        ("canary hurt", vec![update, (2_600, Hurt(Side::New, 9)), (9_000, Heal)]),
        ("stable hurt", vec![update, (3_000, Hurt(Side::Stable, 2)), (9_000, Heal)]),
        ("without replicas", vec![(8_000, Action::Unscale), (2_000, Apply(1))]),
        ("promoted", vec![update, (2_500, Promote)]),
        ("promoted in full", vec![update, (1_600, PromoteFull)]),
        ("in full, then aborted", vec![update, (1_600, PromoteFull), (700, Abort), (4_000, Promote)]),
        ("restarted pods", vec![(8_000, Renew), (3_000, Apply(1)), (9_000, Renew)]),
        ("evicted", vec![update, (2_000, Evict(Side::Stable, 1)), (2_000, Evict(Side::New, 1))]),
        (
            "foreign hands",
            vec![update, (1_500, Weigh(90)), (2_000, Select(1, Side::Stable)), (2_000, Select(2, Side::New))],
        ),
        ("weighed", vec![update, (2_500, Weigh(90)), (25_000, Weigh(50))]),
        (
            "restart and three revisions",
            vec![update, (1_500, Restart), (1_500, Apply(2)), (400, Apply(0)), (1, Restart)],
        ),
        (
            "crowded",
            vec![
                update,
                (1_500, Hurt(Side::Stable, 2)),
                (100, Scale(5)),
                (100, Apply(2)),
                (3_000, Apply(0)),
                (4_000, Heal),
            ],
        ),
        ("broken image", vec![update, (12_000, Apply(4)), (3_000, Abort), (4_000, Apply(1))]),
    ]
}

/// All scenarios by name.
pub fn scenarios() -> Vec<(String, Scenario)> {
    let mut all = Vec::new();
    for (strategy_name, strategy) in strategies() {
        for (number, (script_name, script)) in scripts().into_iter().enumerate() {
            // Each strategy meets each script; sizes, data planes and where the template is kept change from one to the next.
            // As few pods as show a part of them missing: what a run costs is what its pods do.
            let even = (number + strategy_name.len()) % 2 == 0;
            let deployment = script_name == "update" && even;
            let scenario = Scenario {
                replicas: if even { 3 } else { 2 },
                min_ready: i32::from(number % 5 == 4),
                deadline_abort: !even,
                gateway: number % 4 != 3,
                workload: deployment.then(|| "progressively".to_owned()),
                ..plain(strategy.clone(), script)
            };
            all.push((format!("{strategy_name}, {} pods: {script_name}", scenario.replicas), scenario));
        }
    }
    all.push(("routed, 2 pods: somebody insists".to_owned(), insisted()));
    all
}

/// Two pods, and nothing else that a scenario may have.
fn plain(strategy: Value, script: Vec<(u64, Action)>) -> Scenario {
    Scenario {
        strategy,
        replicas: 2,
        min_ready: 0,
        deadline_abort: false,
        gateway: true,
        seed: 1,
        pace: 20,
        start: ["0.5".to_owned(), "0.5".to_owned(), "2".to_owned()],
        outcomes: vec![Outcome::Successful],
        script,
        more: Value::Null,
        workload: None,
        beside: Vec::new(),
    }
}

/// Somebody writes the same weight again and again, for longer than it is answered at once.
fn insisted() -> Scenario {
    let again = std::iter::repeat_n((1_500, Action::Weigh(90)), 24);
    plain(routed(&json!({})), [(8_000, Action::Weigh(90))].into_iter().chain(again).collect())
}

/// Every single fault of a scenario that has come to its end without any.
pub fn faults(scenario: &Scenario, ended: &Ended) -> Vec<Fault> {
    let routed = scenario.gateway && scenario.strategy.pointer("/canary/trafficRouting").is_some();
    let actions: Vec<Action> = ACTIONS.iter().chain(OF_PLANES.iter().filter(|_| routed)).copied().collect();
    let at = |turn: u64| actions.iter().map(move |action| Fault::Act { turn, action: *action });
    let mut faults: Vec<Fault> = (0..ended.turns).flat_map(at).collect();
    for number in 0..ended.writes {
        faults.extend(STRIKES.iter().map(|strike| Fault::Write { number, strike: *strike }));
        faults.extend(BEHIND.iter().map(|versions| Fault::Older { number, versions: *versions }));
        faults.push(Fault::Away { number, millis: AWAY });
        faults.extend(AHEAD.iter().map(|ahead| Fault::Clock { number, ahead: *ahead }));
    }
    for kind in WATCHED {
        let events = ended.events.get(*kind).copied().unwrap_or(0);
        for number in 0..events {
            let watch = |trouble: &Trouble| Fault::Watch { kind: (*kind).to_owned(), number, trouble: *trouble };
            faults.extend(TROUBLES.iter().map(watch));
        }
        if events > 0 {
            faults.extend(LAGS.iter().map(|millis| Fault::Lag { kind: (*kind).to_owned(), millis: *millis }));
        }
    }
    faults
}

/// The case of a scenario with one fault; none for the undisturbed one.
pub fn case(scenario: &Scenario, fault: Option<Fault>) -> Case {
    Case { scenario: scenario.clone(), faults: fault.into_iter().collect() }
}
