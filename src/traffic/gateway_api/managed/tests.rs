use serde_json::json;

use super::super::Goal;
use super::super::fixtures::{
    self, CANARY, STABLE, backends, driven, goal, named, pair, patched, route, rule, weights,
};
use super::*;

fn header(name: &str, value: &Value) -> HeaderMatch {
    serde_json::from_value(json!({"headerName": name, "headerValue": value})).unwrap()
}

/// A header route on one exact value.
fn to_canary(name: &str, header_name: &str) -> ManagedRoute {
    ManagedRoute { name: name.into(), wants: Wants::Headers(vec![header(header_name, &json!({"exact": "1"}))]) }
}

fn mirror(name: &str, matches: &Value, percent: i32) -> ManagedRoute {
    let matches = serde_json::from_value(matches.clone()).unwrap();
    ManagedRoute { name: name.into(), wants: Wants::Mirror { matches, percent } }
}

const NAMES: [&str; 3] = ["hdr", "r2", "mir"];

fn managed_on(route: &Value, wanted: &[ManagedRoute]) -> Value {
    let backends = backends(&NAMES);
    let after = patched(route, manage(route, RouteKind::Http, &backends, wanted).unwrap().as_ref());
    assert_eq!(manage(&after, RouteKind::Http, &backends, wanted), Ok(None), "one patch is enough");
    after
}

fn rules_of(route: &Value) -> Vec<Value> {
    route["spec"]["rules"].as_array().unwrap().clone()
}

fn names_of(route: &Value) -> Vec<String> {
    rules_of(route).iter().map(|rule| text(rule, "name").to_owned()).collect()
}

/// A source rule for a path.
fn source(path: &str) -> Value {
    let mut rule = pair(80, 20);
    rule["matches"][0]["path"]["value"] = path.into();
    rule
}

#[test]
fn the_example_of_the_contract() {
    let before = route(&[source("/products"), source("/orders")]);
    let after = managed_on(&before, &[to_canary("hdr", "X-C")]);
    assert_eq!(rules_of(&after)[..2], rules_of(&before)[..]);
    let made = |name: &str, path: &str| {
        json!({
            "name": name,
            "matches": [{
                "path": {"type": "PathPrefix", "value": path},
                "headers": [{"type": "Exact", "name": "X-C", "value": "1"}],
            }],
            "backendRefs": [{"group": "", "kind": "Service", "name": CANARY, "port": 80}],
        })
    };
    assert_eq!(rules_of(&after)[2..], [made("hdr", "/products"), made("hdr-1", "/orders")]);
    assert_eq!(managed_on(&after, &[]), before, "gone without a trace");
}

#[test]
fn matches_and_filters_of_the_source_are_copied() {
    // Acceptance: the source matches X-Security, the step X-QA; four filters stay four.
    let mut rule = source("/");
    rule["matches"] = json!([
        {"headers": [{"type": "Exact", "name": "X-Security", "value": "a"}], "method": "GET"},
        {"path": {"type": "Exact", "value": "/b"}, "queryParams": [{"name": "q", "value": "1"}]},
    ]);
    rule["filters"] = json!([
        {"type": "RequestHeaderModifier", "requestHeaderModifier": {"add": [{"name": "a", "value": "b"}]}},
        {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "audit", "port": 80}}},
    ]);
    rule["timeouts"] = json!({"request": "5s"});
    let after = managed_on(&route(&[rule.clone()]), &[to_canary("hdr", "X-QA")]);
    let made = &rules_of(&after)[1];
    let qa = json!({"type": "Exact", "name": "X-QA", "value": "1"});
    assert_eq!(
        made["matches"],
        json!([
            {"headers": [{"type": "Exact", "name": "X-Security", "value": "a"}, qa], "method": "GET"},
            {"path": {"type": "Exact", "value": "/b"}, "queryParams": [{"name": "q", "value": "1"}], "headers": [qa]},
        ])
    );
    assert_eq!((&made["filters"], made.get("timeouts")), (&rule["filters"], None));
    assert_eq!(rules_of(&after)[0], rule);
}

#[test]
fn a_source_without_matches_gets_the_headers_alone() {
    let mut rule = pair(80, 20);
    rule.as_object_mut().unwrap().remove("matches");
    let after = managed_on(&route(&[rule]), &[to_canary("hdr", "X-C")]);
    assert_eq!(rules_of(&after)[1]["matches"], json!([{"headers": [{"type": "Exact", "name": "X-C", "value": "1"}]}]));
}

#[test]
fn values_of_headers() {
    for (value, expected) in [
        (json!({"exact": "a"}), Ok(("Exact", "a"))),
        (json!({"prefix": "a."}), Ok(("RegularExpression", "a..*"))),
        (json!({"regex": "a|b"}), Ok(("RegularExpression", "a|b"))),
        (json!({"exact": "a", "regex": "b"}), Ok(("Exact", "a"))),
        (json!({}), Err(RouteError::NoHeaderValue)),
        (json!(null), Err(RouteError::NoHeaderValue)),
    ] {
        let found = header_match("H", header("H", &value).header_value.as_ref());
        let expected = expected.map(|(kind, text)| json!({"type": kind, "name": "H", "value": text}));
        assert_eq!(found, expected, "{value}");
    }
    assert_eq!(RouteError::NoHeaderValue.to_string(), "invalid header match type");
}

#[test]
fn the_set_is_brought_from_anything_to_anything() {
    let base = [source("/"), named("mine", rule(&[(STABLE, 1)])), fixtures::header_rule("mine-too")];
    let (one, two) = (to_canary("hdr", "X-1"), to_canary("r2", "X-2"));
    let many = mirror("mir", &json!([{"method": {"exact": "GET"}}]), 100);
    let sets = [vec![], vec![one.clone()], vec![two.clone(), one.clone()], vec![one, many.clone(), two], vec![many]];
    for from in &sets {
        let start = managed_on(&route(&base), from);
        for to in &sets {
            let after = managed_on(&start, to);
            let rest: Vec<Value> = rules_of(&after).into_iter().filter(|rule| !is_ours(rule)).collect();
            assert_eq!(rest, base, "from {from:?} to {to:?}");
            let ours: Vec<Value> = rules_of(&after).into_iter().filter(is_ours).collect();
            assert_eq!(ours, rules_of(&managed_on(&route(&base), to)).into_iter().filter(is_ours).collect::<Vec<_>>());
        }
    }
}

fn is_ours(rule: &Value) -> bool {
    NAMES.contains(&text(rule, "name"))
}

#[test]
fn repeated_headers_keep_both_routes_in_the_order_of_their_steps() {
    let after = managed_on(&route(&[source("/")]), &[to_canary("r2", "X-C"), to_canary("hdr", "X-C")]);
    assert_eq!(names_of(&after), ["", "r2", "hdr"]);
}

#[test]
fn what_the_api_server_fills_in_or_drops_is_no_difference() {
    let wanted = [mirror("mir", &json!([{"headers": {"X": {"exact": "1"}}}]), 100), to_canary("hdr", "X-C")];
    let mut stored = managed_on(&route(&[source("/")]), &wanted);
    for rule in stored["spec"]["rules"].as_array_mut().unwrap() {
        let rule = rule.as_object_mut().unwrap();
        rule.remove("name");
        for backend in rule["backendRefs"].as_array_mut().unwrap() {
            if backend.get("weight").is_none() {
                backend["weight"] = json!(1);
            }
        }
    }
    assert_eq!(manage(&stored, RouteKind::Http, &backends(&NAMES), &wanted), Ok(None));
    let bare = managed_on(&stored, &[]);
    assert_eq!(rules_of(&bare).len(), 1, "found by their shape, and taken away: {bare:#}");
}

#[test]
fn without_managed_routes_nothing_unnamed_is_ours() {
    let users = route(&[pair(80, 20), fixtures::header_rule("")]);
    assert_eq!(manage(&users, RouteKind::Http, &backends(&[]), &[]), Ok(None));
    assert!(manage(&users, RouteKind::Http, &backends(&["hdr"]), &[]).unwrap().is_some());
}

#[test]
fn drift_of_a_managed_rule_is_repaired_where_it_stands() {
    let wanted = [to_canary("hdr", "X-1"), to_canary("r2", "X-2")];
    let good = managed_on(&route(&[source("/")]), &wanted);
    for (pointer, value) in [
        ("/spec/rules/1/matches/0/headers/0/value", json!("2")),
        ("/spec/rules/1/backendRefs/0/name", json!(STABLE)),
        ("/spec/rules/1/backendRefs/0/weight", json!(0)),
        ("/spec/rules/2/name", json!("hdr-1")),
    ] {
        let mut drifted = good.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        drifted.pointer_mut(parent).unwrap()[key] = value;
        assert_eq!(managed_on(&drifted, &wanted), good, "{pointer}");
    }
}

#[test]
fn the_canary_is_found_where_the_source_finds_it() {
    let mut rule = source("/");
    rule["backendRefs"][1]["namespace"] = json!("shop");
    rule["backendRefs"][1]["filters"] = json!([{"type": "x"}]);
    rule["backendRefs"][1]["port"] = json!(8080);
    let after = managed_on(&route(&[rule]), &[to_canary("hdr", "X-C")]);
    assert_eq!(
        rules_of(&after)[1]["backendRefs"],
        json!([{"group": "", "kind": "Service", "namespace": "shop", "name": CANARY, "port": 8080}])
    );
}

#[test]
fn grpc_rules_copy_the_method_alone() {
    let mut rule = pair(80, 20);
    rule["matches"] = json!([{"method": {"service": "shop.Cart"}, "path": {"value": "/"}}]);
    let before = route(&[rule]);
    let patch = manage(&before, RouteKind::Grpc, &backends(&NAMES), &[to_canary("hdr", "x-c")]).unwrap();
    let mut after = patched(&before, patch.as_ref());
    let header = json!({"type": "Exact", "name": "x-c", "value": "1"});
    assert_eq!(rules_of(&after)[1]["matches"], json!([{"method": {"service": "shop.Cart"}, "headers": [header]}]));
    after["spec"]["rules"][1]["matches"][0]["method"]["type"] = json!("Exact");
    assert_eq!(manage(&after, RouteKind::Grpc, &backends(&NAMES), &[to_canary("hdr", "x-c")]), Ok(None));
}

#[test]
fn a_mirror_stands_before_its_source_and_splits_with_it() {
    let wanted = [mirror("mir", &json!([{"method": {"exact": "GET"}, "path": {"prefix": "/api"}}]), 25)];
    let mine = rule(&[("other", 1)]);
    let before = route(&[mine.clone(), source("/"), source("/orders")]);
    let after = managed_on(&before, &wanted);
    assert_eq!(names_of(&after), ["", "mir", "", ""]);
    let backend = json!({"group": "", "kind": "Service", "name": CANARY, "port": 80});
    assert_eq!(
        rules_of(&after)[1],
        json!({
            "name": "mir",
            "matches": [{"path": {"type": "PathPrefix", "value": "/api"}, "method": "GET"}],
            "filters": [{"type": "RequestMirror", "requestMirror": {"backendRef": backend, "percent": 25}}],
            "backendRefs": rules_of(&before)[1]["backendRefs"],
        })
    );
    let weighed = driven(&after, &Goal { backends: backends(&NAMES), ..goal(60) });
    assert_eq!(
        (0..4).map(|rule| weights(&weighed, rule)).collect::<Vec<_>>(),
        [vec![1], vec![40, 60], vec![40, 60], vec![40, 60]]
    );
    assert_eq!(manage(&weighed, RouteKind::Http, &backends(&NAMES), &wanted), Ok(None));
    assert_eq!(managed_on(&after, &[]), before);
}

#[test]
fn which_requests_a_mirror_copies() {
    for (source_match, step, expected) in [
        (json!({}), json!({}), Some(json!({"path": {"type": "PathPrefix", "value": "/"}}))),
        (
            json!({"path": {"type": "Exact", "value": "/a"}}),
            json!({"path": {"prefix": "/"}}),
            Some(json!({"path": {"type": "Exact", "value": "/a"}})),
        ),
        (
            json!({"path": {"value": "/a"}}),
            json!({"path": {"prefix": "/a/b"}}),
            Some(json!({"path": {"type": "PathPrefix", "value": "/a/b"}})),
        ),
        (
            json!({"path": {"value": "/a/b/"}}),
            json!({"path": {"prefix": "/a"}}),
            Some(json!({"path": {"type": "PathPrefix", "value": "/a/b/"}})),
        ),
        (json!({"path": {"value": "/a"}}), json!({"path": {"exact": "/ab"}}), None),
        (json!({"path": {"value": "/a"}}), json!({"path": {"prefix": "/b"}}), None),
        (json!({"method": "GET"}), json!({"method": {"exact": "POST"}}), None),
        (
            json!({"method": "GET"}),
            json!({}),
            Some(json!({"method": "GET", "path": {"type": "PathPrefix", "value": "/"}})),
        ),
        (
            json!({"headers": [{"name": "A", "value": "1"}]}),
            json!({"headers": {"B": {"prefix": "x"}}, "path": {"regex": "/[0-9]"}}),
            Some(json!({
                "path": {"type": "RegularExpression", "value": "/[0-9]"},
                "headers": [{"name": "A", "value": "1"}, {"type": "RegularExpression", "name": "B", "value": "x.*"}],
            })),
        ),
    ] {
        let mut rule = pair(80, 20);
        rule["matches"] = json!([source_match]);
        let after = managed_on(&route(&[rule]), &[mirror("mir", &json!([step]), 100)]);
        let found = rules_of(&after).iter().find(|rule| is_ours(rule)).map(|rule| rule["matches"][0].clone());
        assert_eq!(found, expected, "{source_match} and {step}");
    }
}

#[test]
fn what_no_rule_can_say_is_refused() {
    let route_of = |source: Value| {
        let mut rule = pair(80, 20);
        rule["matches"] = json!([source]);
        route(&[rule])
    };
    let error = |route: &Value, kind, wanted| manage(route, kind, &backends(&NAMES), &[wanted]).unwrap_err();
    let regex = error(
        &route_of(json!({"path": {"value": "/a"}})),
        RouteKind::Http,
        mirror("mir", &json!([{"path": {"regex": "x"}}]), 5),
    );
    assert!(matches!(regex, RouteError::MirrorMatch { .. }));
    let method = error(&route_of(json!({})), RouteKind::Http, mirror("mir", &json!([{"method": {"prefix": "P"}}]), 5));
    assert!(method.to_string().contains("a method other than exact"), "{method}");
    let grpc = error(&route_of(json!({})), RouteKind::Grpc, mirror("mir", &json!([{}]), 5));
    assert_eq!(grpc, RouteError::MirrorKind(RouteKind::Grpc));
    let no_source = error(&route(&[rule(&[(STABLE, 1)])]), RouteKind::Grpc, to_canary("hdr", "X"));
    assert_eq!(no_source.to_string(), "backendRef was not found in grpcRoute");
}

#[test]
fn a_percentage_that_the_definition_drops_is_told() {
    let wanted = [mirror("mir", &json!([{}]), 25)];
    let mut stored = managed_on(&route(&[source("/")]), &wanted);
    stored.pointer_mut("/spec/rules/0/filters/0/requestMirror").unwrap().as_object_mut().unwrap().remove("percent");
    let error = manage(&stored, RouteKind::Http, &backends(&NAMES), &wanted).unwrap_err();
    assert_eq!(error, RouteError::PercentPruned { rule: "mir".into() });
    assert_eq!(rules_of(&managed_on(&stored, &[])).len(), 1, "it can still be taken away");
    let all = [mirror("mir", &json!([{}]), 100)];
    assert_eq!(manage(&stored, RouteKind::Http, &backends(&NAMES), &all), Ok(None), "all is the default");
}

#[test]
fn a_route_changed_in_between_refuses_the_patch() {
    let with = managed_on(&route(&[source("/")]), &[to_canary("hdr", "X-1")]);
    for wanted in [vec![], vec![to_canary("hdr", "X-2")]] {
        let patch = manage(&with, RouteKind::Http, &backends(&NAMES), &wanted).unwrap().unwrap();
        let patch: json_patch::Patch = serde_json::from_value(patch).unwrap();
        let mut changed = with.clone();
        changed["spec"]["rules"].as_array_mut().unwrap().insert(0, rule(&[("other", 1)]));
        assert!(json_patch::patch(&mut changed, &patch).is_err());
    }
}
