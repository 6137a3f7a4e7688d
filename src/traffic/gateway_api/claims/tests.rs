use super::super::fixtures::*;
use super::*;

#[test]
fn a_rollout_claims_the_backends_it_names() {
    let route = route(&[pair(70, 30), rule(&[("other", 1)]), header_rule("hdr")]);
    let claim = |rule, backend, service: &str| Claim { rule, backend, service: service.into() };
    assert_eq!(
        claims(&route, CANARY, STABLE).into_iter().collect::<Vec<_>>(),
        [claim(0, 0, STABLE), claim(0, 1, CANARY), claim(2, 0, CANARY)]
    );
    assert!(claims(&route, "", "").is_empty());
}

#[test]
fn two_rollouts_contest_a_backend_that_both_name() {
    let route = route(&[rule(&[(STABLE, 1), (CANARY, 1), ("b-stable", 1), ("b-canary", 1)]), pair(1, 1)]);
    let ours = claims(&route, CANARY, STABLE);
    assert_eq!(contested(&ours, &claims(&route, "b-canary", "b-stable")), None, "one rule, other backends");
    let theirs = claims(&route, "b-canary", STABLE);
    assert_eq!(contested(&ours, &theirs), Some(&Claim { rule: 0, backend: 0, service: STABLE.into() }));
    let swapped = claims(&route, STABLE, CANARY);
    assert_eq!(contested(&ours, &swapped).map(|claim| claim.rule), Some(0), "in whatever part");
}
