use proptest::prelude::*;

use super::*;

const MAX: i32 = 100;

fn weight() -> impl Strategy<Value = WrittenWeight> {
    let weight = (1..5_i64, 0..=MAX, any::<bool>(), "[ab]{0,1}", "[ab]{0,1}");
    weight.prop_map(|(generation, canary, managed, canary_hash, stable_hash)| WrittenWeight {
        generation,
        canary,
        managed,
        canary_service: "canary".to_owned(),
        canary_hash,
        stable_hash,
    })
}

/// A memory as looks leave it: generations never fall.
fn memory() -> impl Strategy<Value = RouteMemory> {
    let weights = prop::collection::vec(weight(), 1..=MAX_IN_FLIGHT);
    let since = prop::option::of(0..20_000_000_000_i64);
    (weights, any::<bool>(), since).prop_map(|(mut in_flight, over, since)| {
        in_flight.sort_by_key(|weight| weight.generation);
        let past = if over { Past::Over } else { Past::Unknown };
        RouteMemory { in_flight, past, settling_since: since.map(Time::from_nanos) }
    })
}

fn object() -> ObjectRef {
    ObjectRef { resource: crate::plan::object::HTTP_ROUTE, namespace: "shop".into(), name: "web".into() }
}

/// Through the record as it is written.
fn kept(memory: &RouteMemory) -> RouteStatus {
    let json = serde_json::to_value(route(&object(), memory).unwrap()).unwrap();
    serde_json::from_value(json).unwrap()
}

proptest! {
    #[test]
    fn what_is_read_back_was_so_and_is_never_sooner(memory in memory(), now in 0..60_000_000_000_i64) {
        let now = Time::from_nanos(now);
        let newest = memory.in_flight.last().unwrap();
        let recalled = recall_route(&kept(&memory), newest, (MAX, now)).unwrap();
        match recalled.past {
            Past::Over => prop_assert_eq!(&recalled.in_flight, &memory.in_flight),
            Past::Unknown => prop_assert_eq!(&recalled.in_flight, std::slice::from_ref(newest)),
        }
        prop_assert!(recalled.past == Past::Unknown || memory.past == Past::Over);
        match (recalled.settling_since, memory.settling_since) {
            (None, since) => prop_assert!(since.is_none_or(|since| since + CUT_OFF + CLOCKS_APART > now)),
            (Some(_), None) => prop_assert!(false, "settling out of nothing"),
            (Some(recalled), Some(since)) => {
                prop_assert!(recalled <= now && recalled >= since + CLOCKS_APART);
            }
        }
    }

    #[test]
    fn another_state_of_the_route_is_another_story(memory in memory(), other in weight()) {
        // Whether managed routes lead to the canary is seen in the route, and not recorded.
        let newest = WrittenWeight { managed: other.managed, ..memory.in_flight.last().unwrap().clone() };
        let recalled = recall_route(&kept(&memory), &other, (MAX, Time::from_seconds(30)));
        prop_assert_eq!(recalled.is_some(), other == newest);
    }
}

fn written(generation: i64, canary: i32) -> WrittenWeight {
    WrittenWeight {
        generation,
        canary,
        managed: false,
        canary_service: "canary".into(),
        canary_hash: "b".into(),
        stable_hash: "a".into(),
    }
}

#[test]
fn impossible_weights_before_it_leave_the_past_unknown() {
    let memory = RouteMemory {
        in_flight: vec![written(1, 0), written(2, 20)],
        past: Past::Over,
        settling_since: Some(Time::from_seconds(5)),
    };
    let now = Time::from_seconds(10);
    let recall = |stored: &RouteStatus| recall_route(stored, &written(2, 20), (MAX, now)).unwrap();
    assert_eq!(recall(&kept(&memory)).past, Past::Over);
    let forge: [fn(&mut EarlierWeight); 3] =
        [|w| w.generation = 3, |w| w.canary_weight = MAX + 1, |w| w.canary_weight = -1];
    for forge in forge {
        let mut forged = kept(&memory);
        forge(&mut forged.earlier[0]);
        assert_eq!(recall(&forged).past, Past::Unknown);
    }
    let mut many = kept(&memory);
    many.earlier = vec![many.earlier[0].clone(); MAX_IN_FLIGHT];
    assert_eq!(recall(&many).past, Past::Unknown);
    let mut lately = kept(&memory);
    lately.settled_since = Some(now);
    assert_eq!(recall(&lately).settling_since, None);
}
