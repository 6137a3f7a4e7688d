//! Random cases: a seed draws a configuration, a script and a schedule of faults.
//!
//! Each seed first draws which sorts of events and faults it uses at all: runs with few sorts go deeper into each.

use serde_json::{Value, json};

use super::analyst::Outcome;
use super::scenario::{Action, Beside, Case, Fault, Scenario, Side};
use super::systematic::{AHEAD, AWAY};
use crate::sim::bare::strike::Strike;
use crate::sim::bare::view::Trouble;
use crate::sim::random::SplitMix;

/// Kinds whose events may be late or lost.
pub const WATCHED: &[&str] =
    &["Rollout", "ReplicaSet", "Pod", "Service", "EndpointSlice", "HTTPRoute", "AnalysisRun", "Deployment"];

/// Chance, in the words of generators.
struct Dice(SplitMix);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    fn number(&mut self, bound: u64) -> i32 {
        i32::try_from(self.0.below(bound)).unwrap_or(0)
    }

    fn one_in(&mut self, of: u64) -> bool {
        self.0.below(of) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T], default: T) -> T {
        let at = usize::try_from(self.0.below(from.len() as u64)).unwrap_or(0);
        from.get(at).cloned().unwrap_or(default)
    }
}

/// The case of a seed.
pub fn case(seed: u64) -> Case {
    let mut dice = Dice(SplitMix::new(seed));
    let scenario = scenario(&mut dice, seed);
    let faults = faults(&mut dice);
    Case { scenario, faults }
}

fn scenario(dice: &mut Dice, seed: u64) -> Scenario {
    let strategy = match dice.below(7) {
        0 | 1 => basic(dice),
        2..=4 => routed(dice),
        _ => blue_green(dice),
    };
    let start = [(); 3].map(|()| dice.pick(&["0", "0.5", "2", "7"], "0.5").to_owned());
    let outcomes = (0..=dice.below(3)).map(|_| outcome(dice)).collect();
    let workload = dice.one_in(10).then(|| dice.pick(&["never", "onsuccess", "progressively"], "never").to_owned());
    let traits = Traits {
        routed: strategy.pointer("/canary/trafficRouting").is_some(),
        canary: strategy.get("canary").is_some(),
        deployment: workload.is_some(),
    };
    Scenario {
        strategy,
        replicas: dice.number(8),
        min_ready: dice.pick(&[0, 0, 0, 2], 0),
        deadline_abort: dice.one_in(2),
        gateway: !dice.one_in(5),
        seed,
        pace: dice.pick(&[0, 1, 20, 300], 20),
        start,
        outcomes,
        script: script(dice, traits),
        more: more(dice, seed),
        workload,
        beside: beside(dice),
    }
}

/// What a scenario is like, as far as it matters to what can happen in it.
#[derive(Clone, Copy)]
struct Traits {
    routed: bool,
    canary: bool,
    deployment: bool,
}

fn more(dice: &mut Dice, seed: u64) -> Value {
    let mut more = json!({});
    // From a stream of its own: what a seed means otherwise stays.
    if SplitMix::new(!seed).below(6) == 0 {
        put(&mut more, "failFast", json!(true));
    }
    if dice.one_in(5) {
        put(&mut more, "rollbackWindow", json!({"revisions": 1 + dice.number(3)}));
    }
    if dice.one_in(5) {
        put(&mut more, "revisionHistoryLimit", json!(dice.number(4)));
    }
    more
}

fn beside(dice: &mut Dice) -> Vec<Beside> {
    let mut beside = Vec::new();
    if dice.one_in(8) {
        beside.push(Beside::Budget(dice.number(3)));
    }
    if dice.one_in(12) {
        beside.push(Beside::Autoscaler(1 + dice.number(7)));
    }
    if dice.one_in(16) {
        beside.push(Beside::Nodes);
    }
    beside
}

fn put(map: &mut Value, key: &str, value: Value) {
    if let Some(map) = map.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

fn limit(dice: &mut Dice) -> Value {
    if dice.one_in(2) {
        json!(dice.number(5))
    } else {
        json!(dice.pick(&["0%", "1%", "25%", "34%", "50%", "100%"], "25%"))
    }
}

fn room(dice: &mut Dice, canary: &mut Value) {
    let (surge, missing) = (limit(dice), limit(dice));
    let zero = |value: &Value| value.as_str() == Some("0%") || value.as_i64() == Some(0);
    if !(zero(&surge) && zero(&missing)) {
        put(canary, "maxSurge", surge);
        put(canary, "maxUnavailable", missing);
    }
}

fn seconds(dice: &mut Dice, map: &mut Value, key: &str) {
    if dice.one_in(2) {
        put(map, key, json!(dice.pick(&[0, 1, 3, 10, 40], 3)));
    }
}

fn analysis() -> Value {
    json!({"templates": [{"templateName": "errors"}]})
}

fn step(dice: &mut Dice, routed: bool) -> Value {
    match dice.below(if routed { 12 } else { 8 }) {
        0..=3 => json!({"setWeight": dice.pick(&[0, 1, 5, 20, 33, 50, 75, 99, 100], 20)}),
        4 => json!({"pause": {}}),
        5 | 6 => json!({"pause": {"duration": 1 + dice.number(7)}}),
        7 => json!({"analysis": analysis()}),
        8 => {
            let name = dice.pick(&["hdr", "beta"], "hdr");
            let header = json!({"headerName": "X-Test", "headerValue": {"exact": name}});
            json!({"setHeaderRoute": {"name": name, "match": if dice.one_in(2) { json!([]) } else { json!([header]) }}})
        }
        9 => {
            let matches = json!([{"method": {"exact": "GET"}}]);
            let matches = if dice.one_in(2) { json!([]) } else { matches };
            json!({"setMirrorRoute": {"name": "mir", "percentage": 30, "match": matches}})
        }
        _ => match dice.below(3) {
            0 => json!({"setCanaryScale": {"replicas": dice.number(6)}}),
            1 => json!({"setCanaryScale": {"weight": dice.number(101)}}),
            _ => json!({"setCanaryScale": {"matchTrafficWeight": true}}),
        },
    }
}

fn steps(dice: &mut Dice, canary: &mut Value, routed: bool) {
    if !dice.one_in(4) {
        let steps: Vec<Value> = (0..=dice.below(5)).map(|_| step(dice, routed)).collect();
        put(canary, "steps", json!(steps));
    }
}

fn basic(dice: &mut Dice) -> Value {
    let mut canary = json!({});
    if dice.one_in(3) {
        canary = json!({"canaryService": "shop-canary", "stableService": "shop-stable"});
    }
    steps(dice, &mut canary, false);
    room(dice, &mut canary);
    if dice.one_in(3) {
        put(&mut canary, "analysis", analysis());
    }
    dress(dice, &mut canary, ("canaryMetadata", "stableMetadata"));
    json!({"canary": canary})
}

fn routed(dice: &mut Dice) -> Value {
    let mut canary = json!({
        "trafficRouting": {
            "gatewayAPI": {"httpRoute": "shop"},
            "managedRoutes": [{"name": "hdr"}, {"name": "beta"}, {"name": "mir"}],
        },
    });
    if dice.one_in(8) {
        put(&mut canary, "pingPong", json!({"pingService": "shop-canary", "pongService": "shop-stable"}));
    } else {
        put(&mut canary, "canaryService", json!("shop-canary"));
        put(&mut canary, "stableService", json!("shop-stable"));
    }
    steps(dice, &mut canary, true);
    room(dice, &mut canary);
    if dice.one_in(4) {
        put(&mut canary, "dynamicStableScale", json!(true));
    } else {
        seconds(dice, &mut canary, "scaleDownDelaySeconds");
        if dice.one_in(3) {
            put(&mut canary, "scaleDownDelayRevisionLimit", json!(dice.number(3)));
        }
    }
    seconds(dice, &mut canary, "abortScaleDownDelaySeconds");
    if dice.one_in(6) {
        put(&mut canary, "minPodsPerReplicaSet", json!(dice.number(4)));
    }
    if dice.one_in(6) {
        let kind = dice.pick(&["Pods", "Percent"], "Pods");
        let value = if kind == "Pods" { dice.number(4) } else { dice.pick(&[1, 40, 80, 100], 80) };
        put(&mut canary, "replicaProgressThreshold", json!({"type": kind, "value": value}));
    }
    if dice.one_in(3) {
        put(&mut canary, "analysis", analysis());
    }
    dress(dice, &mut canary, ("canaryMetadata", "stableMetadata"));
    json!({"canary": canary})
}

/// Metadata by part, and anti-affinity.
fn dress(dice: &mut Dice, strategy: &mut Value, (updating, stable): (&str, &str)) {
    if dice.one_in(6) {
        put(strategy, updating, json!({"annotations": {"part": "new"}, "labels": {"part": "new"}}));
        put(strategy, stable, json!({"annotations": {"part": "stable"}}));
    }
    if dice.one_in(10) {
        put(strategy, "antiAffinity", json!({"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 7}}));
    }
}

fn blue_green(dice: &mut Dice) -> Value {
    let mut map = json!({"activeService": "shop-active"});
    if dice.one_in(2) {
        put(&mut map, "previewService", json!("shop-preview"));
    }
    if dice.one_in(2) {
        put(&mut map, "autoPromotionEnabled", json!(false));
    }
    if dice.one_in(2) {
        put(&mut map, "autoPromotionSeconds", json!(1 + dice.number(9)));
    }
    if dice.one_in(3) {
        put(&mut map, "previewReplicaCount", json!(1 + dice.number(3)));
    }
    seconds(dice, &mut map, "scaleDownDelaySeconds");
    seconds(dice, &mut map, "abortScaleDownDelaySeconds");
    if dice.one_in(3) {
        put(&mut map, "scaleDownDelayRevisionLimit", json!(dice.number(3)));
    }
    if dice.one_in(2) {
        put(&mut map, "maxUnavailable", limit(dice));
    }
    for gate in ["prePromotionAnalysis", "postPromotionAnalysis"] {
        if dice.one_in(3) {
            put(&mut map, gate, analysis());
        }
    }
    dress(dice, &mut map, ("previewMetadata", "activeMetadata"));
    json!({"blueGreen": map})
}

fn side(dice: &mut Dice) -> Side {
    if dice.one_in(2) { Side::New } else { Side::Stable }
}

fn action(dice: &mut Dice, traits: Traits) -> Action {
    let few = |dice: &mut Dice| 1 + usize::try_from(dice.below(3)).unwrap_or(0);
    let service = |dice: &mut Dice| usize::try_from(dice.below(4)).unwrap_or(0);
    match dice.below(58) {
        0..=7 => Action::Apply(u8::try_from(dice.below(6)).unwrap_or(0)),
        8..=10 => Action::Abort,
        11..=13 => Action::Retry,
        20 | 21 => Action::PromoteFull,
        22 | 23 => Action::Pause(dice.one_in(2)),
        24..=27 => Action::Scale(dice.number(9)),
        28 | 29 => Action::Kill(side(dice), few(dice)),
        30 | 31 => Action::Hurt(side(dice), few(dice)),
        32 | 33 => Action::Heal,
        34 => Action::Weigh(i64::from(dice.number(101))),
        35 => Action::Select(service(dice), side(dice)),
        36 => Action::Unselect(service(dice)),
        37 => Action::Delete(side(dice)),
        38 => Action::Unscale,
        39..=41 => Action::Restart,
        42 | 43 => Action::Evict(side(dice), few(dice)),
        44 | 45 => Action::Renew,
        46 | 47 if traits.canary => Action::Skip,
        48 if traits.canary => Action::Steps(u8::try_from(dice.below(3)).unwrap_or(0)),
        49 | 50 if traits.canary => Action::Wear(u8::try_from(dice.below(3)).unwrap_or(0)),
        51 if traits.deployment => Action::Grow(dice.number(9)),
        52 if traits.routed => Action::Plane(dice.pick(&[0, 3_000, 20_000, 60_000], 3_000)),
        53 if traits.routed => Action::Refuse,
        54 => Action::Lose(usize::try_from(dice.below(3)).unwrap_or(0)),
        55 | 56 => Action::Tamper(u8::try_from(dice.below(8)).unwrap_or(0)),
        _ => Action::Promote,
    }
}

fn wait(dice: &mut Dice) -> u64 {
    match dice.below(9) {
        0..=2 => dice.below(400),
        3..=5 => 400 + dice.below(2_600),
        6 | 7 => 3_000 + dice.below(17_000),
        _ => 20_000 + dice.below(70_000),
    }
}

fn script(dice: &mut Dice, traits: Traits) -> Vec<(u64, Action)> {
    let first =
        if dice.one_in(7) { (wait(dice), action(dice, traits)) } else { (dice.below(20_000), Action::Apply(1)) };
    let more = dice.below(7);
    let rest: Vec<_> = (0..more).map(|_| (wait(dice), action(dice, traits))).collect();
    [first].into_iter().chain(rest).collect()
}

fn outcome(dice: &mut Dice) -> Outcome {
    use Outcome::{Empty, Error, Failed, Inconclusive, Running, Successful};
    dice.pick(&[Successful, Successful, Successful, Failed, Error, Inconclusive, Empty, Running], Successful)
}

/// Every strike that a write can meet.
pub const STRIKES: &[Strike] = &[
    Strike::CrashBefore,
    Strike::CrashAfter,
    Strike::LoseResponse,
    Strike::Conflict,
    Strike::TooMany(3),
    Strike::Internal,
    Strike::Timeout,
    Strike::FROZEN,
];

fn trouble(dice: &mut Dice) -> Trouble {
    match dice.below(3) {
        0 => Trouble::Late(dice.pick(&[200, 1_000, 5_000, 20_000, 60_000], 1_000)),
        1 => Trouble::Behind(1 + usize::try_from(dice.below(8)).unwrap_or(0)),
        _ => Trouble::Lost(dice.pick(&[500, 5_000, 60_000], 5_000)),
    }
}

fn faults(dice: &mut Dice) -> Vec<Fault> {
    let sorts = 1 + dice.below(15);
    let mut faults = Vec::new();
    let kind = |dice: &mut Dice| dice.pick(WATCHED, "Pod").to_owned();
    if sorts & 1 > 0 {
        for _ in 0..=dice.below(6) {
            faults.push(Fault::Write { number: dice.below(40), strike: dice.pick(STRIKES, Strike::Conflict) });
        }
    }
    if sorts & 2 > 0 {
        for _ in 0..=dice.below(6) {
            let kind = kind(dice);
            faults.push(Fault::Watch { kind, number: dice.below(80), trouble: trouble(dice) });
        }
    }
    if sorts & 4 > 0 {
        for _ in 0..=dice.below(2) {
            let kind = kind(dice);
            faults.push(Fault::Lag { kind, millis: dice.pick(&[50, 500, 3_000, 20_000], 500) });
        }
    }
    if sorts & 8 > 0 {
        faults.push(Fault::Older { number: dice.below(40), versions: 1 + dice.below(60) });
    }
    if dice.one_in(6) {
        faults.push(Fault::Clock { number: dice.below(40), ahead: dice.pick(AHEAD, 0) });
    }
    if dice.one_in(12) {
        faults.push(Fault::Away { number: dice.below(40), millis: dice.pick(&[2_000, 20_000, AWAY], AWAY) });
    }
    faults
}
