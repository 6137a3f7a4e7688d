//! What holds for any route: the patch touches nothing but its own paths, and leads to the goal in one step.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::fixtures::{CANARY, STABLE, label, patched, weights};
use super::{Backends, Goal, ManagedRoute, RouteError, RouteKind, Wants, acknowledgement, claims, edit, manage, read};

/// Any JSON, with the member names of routes mixed in so that the code gets somewhere.
fn any_json() -> impl Strategy<Value = Value> {
    let word = || {
        select(vec![
            "spec",
            "rules",
            "backendRefs",
            "name",
            "weight",
            "metadata",
            "labels",
            "matches",
            "headers",
            "status",
            "parents",
            "parentRef",
            "parentRefs",
            "conditions",
            "type",
            "Accepted",
            "True",
            "generation",
            "observedGeneration",
            CANARY,
            STABLE,
            "",
        ])
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((word(), inner), 0..5)
                .prop_map(|members| members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Value>()),
        ]
    })
}

/// A route of the right shape around arbitrary parts, in which the code reaches its depths more often.
fn odd_route() -> impl Strategy<Value = Value> {
    (any_json(), any_json(), any_json(), any_json()).prop_map(|(a, b, c, d)| {
        json!({
            "metadata": {"labels": a, "generation": 3},
            "spec": {"parentRefs": [b, {"name": "x"}], "rules": [
                {"backendRefs": [c, {"name": CANARY, "weight": d}, {"name": STABLE}], "matches": b},
                c,
            ]},
            "status": {"parents": [{"parentRef": {"name": "x"}, "conditions": [d, a]}, b]},
        })
    })
}

/// Members that this program knows nothing of.
fn extras() -> impl Strategy<Value = Map<String, Value>> {
    vec((select(vec!["x-new", "filters", "timeouts", "port", "namespace"]), any_json()), 0..3)
        .prop_map(|members| members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
}

fn backend() -> impl Strategy<Value = Value> {
    (select(vec![CANARY, STABLE, "other", "more"]), option::of(0..200i32), extras()).prop_map(
        |(name, weight, mut backend)| {
            backend.insert("name".into(), name.into());
            backend.extend(weight.map(|weight| ("weight".to_owned(), weight.into())));
            Value::Object(backend)
        },
    )
}

fn rule() -> impl Strategy<Value = Value> {
    let name = option::weighted(0.5, select(vec!["hdr", "hdr-1", "hdr-x", "mine"]));
    let refs = prop_oneof![
        vec(backend(), 0..4),
        // The shape that real routes have.
        (0..200i32, 0..200i32)
            .prop_map(|(a, b)| vec![json!({"name": STABLE, "weight": a}), json!({"name": CANARY, "weight": b})]),
    ];
    (name, any::<bool>(), refs, extras()).prop_map(|(name, header, refs, mut rule)| {
        rule.extend(name.map(|name| ("name".to_owned(), name.into())));
        rule.insert("backendRefs".into(), refs.into());
        if header {
            rule.insert("matches".into(), json!([{"headers": [{"name": "X"}]}]));
        }
        Value::Object(rule)
    })
}

fn route() -> impl Strategy<Value = Value> {
    let labels = option::of(
        (any::<bool>(), select(vec!["in-progress", "else"]))
            .prop_map(|(ours, value)| if ours { json!({"a": "b", label().key: value}) } else { json!({"a": "b"}) }),
    );
    (vec(rule(), 0..5), labels, extras(), extras()).prop_map(|(rules, labels, mut spec, mut route)| {
        spec.insert("rules".into(), rules.into());
        let mut metadata = json!({"name": "app", "generation": 2});
        if let Some(labels) = labels {
            metadata["labels"] = labels;
        }
        route.insert("metadata".into(), metadata);
        route.insert("spec".into(), spec.into());
        Value::Object(route)
    })
}

fn any_goal() -> impl Strategy<Value = Goal> {
    (prop_oneof![Just(100), 1..1000i32], 0.0..=1.0f64, any::<bool>()).prop_map(|(max_weight, share, labelled)| Goal {
        kind: RouteKind::Http,
        backends: Backends {
            canary_service: CANARY.into(),
            stable_service: STABLE.into(),
            managed: vec!["hdr".into()],
        },
        #[allow(clippy::cast_possible_truncation)]
        canary_weight: (f64::from(max_weight) * share).round() as i32,
        max_weight,
        label: labelled.then(label),
    })
}

/// Whether a rule belongs to the managed route `hdr`: said anew, so that the test does not repeat the code's mistakes.
fn is_header_rule(rule: &Value) -> bool {
    match rule["name"].as_str() {
        // With both Services it is the rule of a mirror route, whose weights are those of its source.
        Some(_) => is_managed_name(rule) && !(count(rule, CANARY) > 0 && count(rule, STABLE) > 0),
        None => {
            !rule["matches"].is_null()
                && rule["backendRefs"].as_array().is_some_and(|refs| refs.len() == 1 && refs[0]["name"] == CANARY)
        }
    }
}

/// Whether a rule has the name of a managed route; further sources are numbered.
fn is_rule_of(managed: &str, rule: &Value) -> bool {
    let Some(rest) = rule["name"].as_str().and_then(|name| name.strip_prefix(managed)) else { return false };
    rest.is_empty() || rest.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok())
}

fn is_managed_name(rule: &Value) -> bool {
    is_rule_of("hdr", rule)
}

fn count(rule: &Value, service: &str) -> usize {
    rule["backendRefs"].as_array().map_or(0, |refs| refs.iter().filter(|backend| backend["name"] == service).count())
}

/// The route without everything that an edit may touch.
fn without_owned(route: &Value) -> String {
    let mut route = route.clone();
    for rule in route["spec"]["rules"].as_array_mut().unwrap() {
        if is_header_rule(rule) || count(rule, CANARY) == 0 {
            continue;
        }
        for backend in rule["backendRefs"].as_array_mut().unwrap() {
            if backend["name"] == CANARY || backend["name"] == STABLE {
                backend.as_object_mut().unwrap().remove("weight");
            }
        }
    }
    let metadata = route["metadata"].as_object_mut().unwrap();
    let mut labels = metadata.remove("labels").unwrap_or_else(|| json!({}));
    labels.as_object_mut().unwrap().remove(&label().key);
    metadata.insert("labels".into(), labels);
    route.to_string()
}

fn header_route() -> Vec<ManagedRoute> {
    let headers = json!([{"headerName": "X", "headerValue": {"exact": "1"}}]);
    vec![ManagedRoute { name: "hdr".into(), wants: Wants::Headers(serde_json::from_value(headers).unwrap()) }]
}

/// Sets of managed routes: none, a header route, a mirror route, both.
fn managed_routes() -> impl Strategy<Value = Vec<ManagedRoute>> {
    let get = json!([{"method": {"exact": "GET"}}]);
    let mirror = Wants::Mirror { matches: serde_json::from_value(get).unwrap(), percent: 10 };
    let mirror = ManagedRoute { name: "mir".into(), wants: mirror };
    prop::sample::subsequence([header_route(), vec![mirror]].concat(), 0..=2)
}

/// The rules of users.
fn foreign(route: &Value) -> Vec<Value> {
    let is_ours = |rule: &&Value| is_managed_name(rule) || is_rule_of("mir", rule) || is_header_rule(rule);
    route["spec"]["rules"].as_array().unwrap().iter().filter(|rule| !is_ours(rule)).cloned().collect()
}

#[allow(clippy::unwrap_in_result, reason = "a property fails either way")]
fn check_managed(route: &Value, first: &[ManagedRoute], second: &[ManagedRoute]) -> Result<(), TestCaseError> {
    let backends = Backends {
        canary_service: CANARY.into(),
        stable_service: STABLE.into(),
        managed: vec!["hdr".into(), "mir".into()],
    };
    let mut now = route.clone();
    for wanted in [first, second, &[]] {
        let patch = match manage(&now, RouteKind::Http, &backends, wanted) {
            Ok(patch) => patch,
            Err(RouteError::BackendNotFound(_)) => {
                prop_assert!(!wanted.is_empty(), "what is to go needs no source");
                continue;
            }
            other => other.unwrap(),
        };
        let after = patched(&now, patch.as_ref());
        prop_assert_eq!(patch.is_none(), after == now, "a patch is there exactly where it changes something");
        prop_assert_eq!(foreign(&after), foreign(route), "rules of users keep their bytes and their order");
        prop_assert_eq!(manage(&after, RouteKind::Http, &backends, wanted), Ok(None), "one patch is enough");
        let mut rest = after.clone();
        rest["spec"]["rules"] = route["spec"]["rules"].clone();
        prop_assert_eq!(&rest, route, "nothing but the rules");
        now = after;
    }
    prop_assert_eq!(foreign(route), now["spec"]["rules"].as_array().unwrap().clone());
    Ok(())
}

#[allow(clippy::unwrap_in_result, reason = "a property fails either way")]
fn check(route: &Value, goal: &Goal) -> Result<(), TestCaseError> {
    let rules = route["spec"]["rules"].as_array().unwrap();
    let splits = |rule: &Value| count(rule, CANARY) > 0 && count(rule, STABLE) > 0;
    let is_source = |rule: &Value| splits(rule) && !is_managed_name(rule);
    let patch = match edit(route, goal) {
        Err(RouteError::BackendNotFound(_)) => {
            prop_assert!(!rules.iter().any(is_source));
            return Ok(());
        }
        Err(RouteError::Repeated { .. }) => {
            prop_assert!(rules.iter().any(|rule| count(rule, CANARY) > 1 || count(rule, STABLE) > 1));
            return Ok(());
        }
        other => other.unwrap(),
    };
    prop_assert!(rules.iter().any(is_source));
    let after = patched(route, patch.as_ref());
    prop_assert_eq!(patch.is_none(), after == *route, "a patch is there exactly where it changes something");
    prop_assert_eq!(without_owned(route), without_owned(&after));
    prop_assert_eq!(edit(&after, goal), Ok(None), "one patch is enough");
    prop_assert!(read(&after, &goal.backends, None).is_at(goal.canary_weight, goal.max_weight));
    if goal.label.is_some() {
        prop_assert_eq!(after["metadata"]["labels"].get(&label().key).is_some(), goal.canary_weight != 0);
    } else {
        prop_assert_eq!(&after["metadata"], &route["metadata"]);
    }
    for (index, rule) in after["spec"]["rules"].as_array().unwrap().iter().enumerate() {
        let changed = weights(&after, index) != weights(route, index);
        if splits(rule) {
            let ours = rule["backendRefs"].as_array().unwrap().iter();
            let sum: i64 = ours
                .filter(|backend| backend["name"] == CANARY || backend["name"] == STABLE)
                .map(|backend| backend["weight"].as_i64().unwrap())
                .sum();
            prop_assert_eq!(sum, i64::from(goal.max_weight));
        } else if changed {
            let sum: i64 = weights(&after, index).iter().map(|weight| if *weight < 0 { 1 } else { *weight }).sum();
            prop_assert!(sum > 0, "an edit never leaves a rule that turns all requests away");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn an_edit_touches_its_own_paths_and_reaches_the_goal((route, goal) in (route(), any_goal())) {
        check(&route, &goal)?;
    }

    #[test]
    fn managed_routes_touch_their_own_rules_alone(
        (route, first, second) in (route(), managed_routes(), managed_routes()),
    ) {
        check_managed(&route, &first, &second)?;
    }

    #[test]
    fn nothing_panics_on_any_json((route, goal) in (prop_oneof![any_json(), odd_route()], any_goal())) {
        let reading = read(&route, &goal.backends, goal.label.as_ref());
        let share = reading.canary_share(goal.max_weight);
        prop_assert!((0..=goal.max_weight).contains(&share));
        prop_assert_eq!(acknowledgement(&route).verified(), reading.acknowledgement.verified());
        claims(&route, CANARY, STABLE);
        for wanted in [vec![], header_route()] {
            let _ = manage(&route, RouteKind::Http, &goal.backends, &wanted);
            let _ = manage(&route, RouteKind::Grpc, &goal.backends, &wanted);
        }
        if let Ok(patch) = edit(&route, &goal) {
            // What is no route may have members that clash with the patch's paths, but never weights out of place.
            let after = patched(&route, patch.as_ref());
            prop_assert_eq!(edit(&after, &goal), Ok(None));
        }
    }
}
