use serde_json::json;

use super::super::fixtures::*;
use super::*;

#[test]
fn names_of_a_managed_route() {
    for (name, base, expected) in [
        ("hdr", "hdr", true),
        ("hdr-1", "hdr", true),
        ("hdr--1", "hdr", true),
        ("hdr-+1", "hdr", true),
        ("hdr-", "hdr", false),
        ("hdr-x", "hdr", false),
        ("hdr1", "hdr", false),
        ("hdr-1-2", "hdr", false),
        ("hdr-1-2", "hdr-1", true),
        ("hd", "hdr", false),
        ("-1", "", false),
    ] {
        assert_eq!(is_name_of(name, base), expected, "{name} of {base:?}");
    }
}

#[test]
fn managed_by_name_or_by_shape() {
    let stable_only = json!({"matches": [{"headers": [{"name": "a"}]}], "backendRefs": [backend(STABLE, 1)]});
    for (case, rule, expected) in [
        ("named", named("hdr", pair(50, 50)), true),
        ("numbered", named("hdr-2", pair(50, 50)), true),
        ("another name, shape of a header rule", header_rule("mine"), false),
        ("unnamed header rule", header_rule(""), true),
        ("unnamed canary without header match", rule(&[(CANARY, 1)]), false),
        ("unnamed pair", pair(50, 50), false),
        ("unnamed stable behind a header", stable_only, false),
    ] {
        assert_eq!(is_managed(&rule, &[], &backends(&["hdr"])), expected, "{case}");
    }
}

#[test]
fn which_rules_take_part() {
    for (case, rule, splits, takes_part) in [
        ("pair", pair(50, 50), true, true),
        ("pair and others", rule(&[(STABLE, 1), (CANARY, 1), ("other", 5)]), true, true),
        ("canary and others", rule(&[(CANARY, 1), ("other", 5)]), false, true),
        ("canary and others by default weight", rule(&[(CANARY, 1), ("other", -1)]), false, true),
        ("canary and idle others", rule(&[(CANARY, 1), ("other", 0)]), false, false),
        ("canary alone", rule(&[(CANARY, 1)]), false, false),
        ("stable alone", rule(&[(STABLE, 1)]), false, false),
        ("stable and others", rule(&[(STABLE, 1), ("other", 5)]), false, false),
        ("managed pair", named("hdr", pair(1, 1)), false, true),
    ] {
        let route = route(&[rule]);
        let found = rules(&route, &backends(&["hdr"]));
        let [only] = found.as_slice() else { panic!("{case}: {} rules", found.len()) };
        assert_eq!((only.splits(), only.takes_part()), (splits, takes_part), "{case}");
    }
}

#[test]
fn backends_match_by_name_only() {
    let mut odd = pair(1, 1);
    odd["backendRefs"][1]["namespace"] = "elsewhere".into();
    odd["backendRefs"][1]["kind"] = "ServiceImport".into();
    assert!(rules(&route(&[odd]), &backends(&[])).iter().all(Rule::splits));
    let same = Backends { stable_service: CANARY.into(), ..backends(&[]) };
    assert!(!rules(&route(&[pair(1, 1)]), &same).iter().any(Rule::splits), "one name for both is no split");
    let empty = Backends { canary_service: String::new(), stable_service: String::new(), managed: vec![] };
    assert!(rules(&json!({"spec": {"rules": [{"backendRefs": [{}, {"name": ""}]}]}}), &empty).is_empty());
}

#[test]
fn the_default_weight_is_one() {
    for (written, expected) in
        [(json!(7), 7), (json!(0), 0), (json!(-3), 0), (json!(1i64 << 40), i32::MAX), (json!(null), 1)]
    {
        assert_eq!(in_force(Some(&written)), expected);
    }
    assert_eq!(in_force(None), 1);
}
