use super::super::fixtures::*;
use super::*;

fn reading(rules: &[Value]) -> Reading {
    read(&route(rules), &backends(&["hdr"]), Some(&label()))
}

#[test]
fn one_rule_reads_as_written() {
    let reading = reading(&[pair(70, 30)]);
    assert_eq!((reading.canary, reading.stable, reading.agrees, reading.generation), (30, 70, true, 4));
    assert!(reading.is_at(30, 100) && !reading.is_at(30, 1000) && !reading.is_at(20, 90));
    assert_eq!(reading.acknowledgement, Acknowledgement::Unclaimed);
    assert_eq!(reading.canary_share(100), 30);
}

#[test]
fn absent_weights_are_an_even_split() {
    let reading = reading(&[pair(-1, -1)]);
    assert_eq!((reading.canary, reading.stable, reading.agrees), (1, 1, true));
    assert!(!reading.is_at(0, 100));
    assert_eq!((reading.canary_share(100), reading.canary_share(1)), (50, 1));
}

#[test]
fn rules_that_disagree_show_the_largest_of_both() {
    let reading = reading(&[pair(70, 30), pair(90, 10), rule(&[(STABLE, 1)])]);
    assert_eq!((reading.canary, reading.stable, reading.agrees), (30, 90, false));
    assert_eq!(reading.canary_share(100), 30);
    assert_eq!(reading.rules.len(), 3);
    assert_eq!(
        reading.rules[2],
        RuleWeights { rule: "spec.rules[2]".into(), canary: None, stable: Some(1), takes_part: false }
    );
}

#[test]
fn rules_must_agree_on_both_sides() {
    assert!(reading(&[pair(70, 30), pair(70, 30)]).agrees);
    assert!(!reading(&[pair(70, 30), pair(69, 30)]).agrees);
    assert!(!reading(&[pair(70, 30), pair(70, 29)]).agrees);
}

#[test]
fn rules_that_take_no_part_do_not_disturb() {
    let rules = vec![pair(70, 30), rule(&[(STABLE, 1)]), header_rule("hdr"), header_rule(""), rule(&[(CANARY, 1)])];
    let reading = reading(&rules);
    assert!(reading.is_at(30, 100));
    assert_eq!(reading.managed, ["hdr", "spec.rules[3]"]);
}

#[test]
fn the_canary_beside_others_counts() {
    let reading = reading(&[pair(100, 0), rule(&[(CANARY, 40), ("other", 60)])]);
    assert_eq!((reading.canary, reading.agrees, reading.canary_share(100)), (40, false, 40));
}

#[test]
fn shares_are_rounded_up() {
    assert_eq!(reading(&[pair(2, 1)]).canary_share(100), 34);
    assert_eq!(reading(&[pair(1_000_000, 1)]).canary_share(100), 1);
    assert_eq!(reading(&[pair(0, 0)]).canary_share(100), 0);
    assert_eq!(reading(&[pair(0, 7)]).canary_share(100), 100);
}

#[test]
fn repeated_backends_count_together() {
    let reading = reading(&[rule(&[(STABLE, 50), (CANARY, 30), (CANARY, 20)])]);
    assert_eq!((reading.canary, reading.stable), (50, 50));
}

#[test]
fn a_route_without_a_split_agrees_with_nothing() {
    for rules in [vec![], vec![rule(&[(STABLE, 1)])], vec![rule(&[("other", 1)])], vec![rule(&[(CANARY, 1)])]] {
        let reading = reading(&rules);
        assert_eq!((reading.canary, reading.stable, reading.agrees), (0, 0, false));
        assert_eq!(reading.canary_share(100), 0);
    }
}

#[test]
fn the_label_is_read_where_it_is_asked_for() {
    let mut route = route(&[pair(1, 1)]);
    let value = |route: &Value, label: Option<&Label>| read(route, &backends(&[]), label).in_progress_label;
    assert_eq!(value(&route, Some(&label())), None);
    route["metadata"]["labels"][label().key.as_str()] = "in-progress".into();
    assert_eq!(value(&route, Some(&label())), Some("in-progress".into()));
    assert_eq!(value(&route, None), None);
}
