use super::Acknowledgement as A;

fn all() -> [A; 4] {
    [
        A::Accepted,
        A::Unclaimed,
        A::Waiting { parent: "Gateway a/b".into(), what: "no status yet".into() },
        A::Refused {
            parent: "Gateway a/b".into(),
            condition: "ResolvedRefs".into(),
            reason: "BackendNotFound".into(),
            message: "no Service".into(),
        },
    ]
}

#[test]
fn only_an_acceptance_is_verified() {
    assert_eq!(all().map(|a| a.verified()), [Some(true), None, Some(false), Some(false)]);
}

#[test]
fn together_the_worse_one_counts() {
    let all = all();
    for (i, a) in all.iter().enumerate() {
        for (j, b) in all.iter().enumerate() {
            assert_eq!(a.clone().and(b.clone()), all[i.max(j)]);
        }
    }
}

#[test]
fn it_reads_as_a_sentence() {
    let [_, _, waiting, refused] = all();
    assert_eq!(waiting.to_string(), "waiting for Gateway a/b: no status yet");
    assert_eq!(refused.to_string(), "Gateway a/b refuses the route: ResolvedRefs says BackendNotFound (no Service)");
}
