//! Generated worlds: a specification, a pace, and what people and chance do to it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::analyst::Outcome;
pub use crate::sim::search::scenario::{Action, Scenario, Side};

fn number(most: i32) -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..=most).prop_map(|n| json!(n)),
        prop::sample::select(vec!["0%", "1%", "25%", "34%", "50%", "100%"]).prop_map(|text| json!(text)),
    ]
}

fn optional<S: Strategy<Value = Value> + 'static>(key: &'static str, value: S) -> BoxedStrategy<Value> {
    prop_oneof![Just(json!({})), value.prop_map(move |value| json!({key: value}))].boxed()
}

fn merged(parts: Vec<BoxedStrategy<Value>>) -> impl Strategy<Value = Value> {
    parts.prop_map(|parts| {
        let mut whole = json!({});
        for part in parts {
            json_patch::merge(&mut whole, &part);
        }
        whole
    })
}

fn room() -> BoxedStrategy<Value> {
    (number(4), number(4))
        .prop_map(|(surge, missing)| {
            let zero = |value: &Value| matches!(value.as_str(), Some("0%")) || value.as_i64() == Some(0);
            if zero(&surge) && zero(&missing) {
                json!({})
            } else {
                json!({"maxSurge": surge, "maxUnavailable": missing})
            }
        })
        .boxed()
}

fn seconds() -> BoxedStrategy<Value> {
    prop::sample::select(vec![0, 1, 3, 10, 40]).prop_map(|s| json!(s)).boxed()
}

fn analysis() -> Value {
    json!({"templates": [{"templateName": "errors"}]})
}

fn step(routed: Option<()>) -> BoxedStrategy<Value> {
    let weight = prop::sample::select(vec![0, 1, 5, 20, 33, 50, 75, 99, 100]).prop_map(|w| json!({"setWeight": w}));
    let pause = prop_oneof![Just(json!({"pause": {}})), (1..8_i32).prop_map(|s| json!({"pause": {"duration": s}}))];
    let analysed = Just(json!({"analysis": analysis()}));
    if routed.is_none() {
        return prop_oneof![4 => weight, 3 => pause, 1 => analysed].boxed();
    }
    let scale = prop_oneof![
        (0..6_i32).prop_map(|n| json!({"setCanaryScale": {"replicas": n}})),
        (0..=100_i32).prop_map(|n| json!({"setCanaryScale": {"weight": n}})),
        Just(json!({"setCanaryScale": {"matchTrafficWeight": true}})),
    ];
    let managed = (prop::sample::select(vec!["hdr", "beta"]), any::<bool>()).prop_map(|(name, set)| {
        let header = json!({"headerName": "X-Test", "headerValue": {"exact": name}});
        json!({"setHeaderRoute": {"name": name, "match": if set { json!([header]) } else { json!([]) }}})
    });
    prop_oneof![5 => weight, 3 => pause, 1 => analysed, 1 => scale, 1 => managed].boxed()
}

fn steps(routed: Option<()>) -> BoxedStrategy<Value> {
    optional("steps", prop::collection::vec(step(routed), 1..6).prop_map(Value::from))
}

fn basic() -> impl Strategy<Value = Value> {
    let services = prop_oneof![
        2 => Just(json!({})),
        1 => Just(json!({"canaryService": "shop-canary", "stableService": "shop-stable"})),
    ];
    merged(vec![steps(None), room(), services.boxed(), optional("analysis", Just(analysis()))])
        .prop_map(|canary| json!({"canary": canary}))
}

fn routed() -> impl Strategy<Value = Value> {
    let routing = json!({
        "canaryService": "shop-canary", "stableService": "shop-stable",
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}, "managedRoutes": [{"name": "hdr"}, {"name": "beta"}]},
    });
    merged(vec![
        steps(Some(())),
        room(),
        Just(routing).boxed(),
        optional("scaleDownDelaySeconds", seconds()),
        optional("abortScaleDownDelaySeconds", seconds()),
        optional("scaleDownDelayRevisionLimit", (0..3_i32).prop_map(|n| json!(n))),
        optional("analysis", Just(analysis())),
    ])
    .prop_map(|canary| json!({"canary": canary}))
}

fn blue_green() -> impl Strategy<Value = Value> {
    merged(vec![
        Just(json!({"activeService": "shop-active"})).boxed(),
        optional("previewService", Just(json!("shop-preview"))),
        optional("autoPromotionEnabled", Just(json!(false))),
        optional("autoPromotionSeconds", (1..10_i32).prop_map(|n| json!(n))),
        optional("previewReplicaCount", (1..4_i32).prop_map(|n| json!(n))),
        optional("scaleDownDelaySeconds", seconds()),
        optional("abortScaleDownDelaySeconds", seconds()),
        optional("scaleDownDelayRevisionLimit", (0..3_i32).prop_map(|n| json!(n))),
        optional("maxUnavailable", number(3)),
        optional("prePromotionAnalysis", Just(analysis())),
        optional("postPromotionAnalysis", Just(analysis())),
    ])
    .prop_map(|blue_green| json!({"blueGreen": blue_green}))
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::New), Just(Side::Stable)]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => (0..6_u8).prop_map(Action::Apply),
        3 => Just(Action::Abort),
        3 => Just(Action::Retry),
        6 => Just(Action::Promote),
        2 => Just(Action::PromoteFull),
        2 => any::<bool>().prop_map(Action::Pause),
        4 => (0..13_i32).prop_map(Action::Scale),
        2 => (side(), 1..4_usize).prop_map(|(side, count)| Action::Kill(side, count)),
        2 => (side(), 1..4_usize).prop_map(|(side, count)| Action::Hurt(side, count)),
        2 => Just(Action::Heal),
        1 => (0..=100_i64).prop_map(Action::Weigh),
        1 => (0..4_usize, side()).prop_map(|(at, side)| Action::Select(at, side)),
        1 => (0..4_usize).prop_map(Action::Unselect),
        1 => side().prop_map(Action::Delete),
        3 => Just(Action::Restart),
    ]
}

fn wait() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0..400_u64, 3 => 400..3_000_u64, 2 => 3_000..20_000_u64, 1 => 20_000..90_000_u64]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    use Outcome::{Empty, Error, Failed, Inconclusive, Running, Successful};
    prop::sample::select(vec![Successful, Successful, Successful, Failed, Error, Inconclusive, Empty, Running])
}

/// Any world.
pub fn scenario() -> impl Strategy<Value = Scenario> {
    let strategy = prop_oneof![2 => basic().boxed(), 3 => routed().boxed(), 2 => blue_green().boxed()];
    let start = prop::sample::select(vec!["0", "0.5", "2", "7"]);
    let first = prop_oneof![6 => (0..20_000_u64, Just(Action::Apply(1))), 1 => (wait(), action())];
    let script = (first, prop::collection::vec((wait(), action()), 0..9)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        rest
    });
    (
        strategy,
        (0..13_i32, prop::sample::select(vec![0, 0, 0, 2])),
        (prop::option::of(Just(())), prop::option::weighted(0.8, Just(()))),
        (any::<u32>(), prop::sample::select(vec![0_u64, 1, 20, 300])),
        [start.clone(), start.clone(), start],
        prop::collection::vec(outcome(), 1..4),
        script,
    )
        .prop_map(
            |(strategy, (replicas, min_ready), (deadline_abort, gateway), (seed, pace), start, outcomes, script)| {
                Scenario {
                    strategy,
                    replicas,
                    min_ready,
                    deadline_abort,
                    gateway,
                    seed: seed.into(),
                    pace,
                    start,
                    outcomes,
                    script,
                }
            },
        )
}
