//! Whatever happens, history leads from every version to every later one.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Bench, bench, rollout};
use crate::sim::api_server::request::Options;
use crate::sim::api_server::table::Shape;
use crate::sim::api_server::watch::Stream;
use crate::sim::object;

#[derive(Clone, Debug)]
enum Deed {
    Create(usize),
    Scale(usize, u64),
    Label(usize, &'static str),
    Delete(usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        (0..4_usize).prop_map(Deed::Create),
        (0..4_usize, 0..5_u64).prop_map(|(name, size)| Deed::Scale(name, size)),
        (0..4_usize, prop_oneof![Just("x"), Just("y")]).prop_map(|(name, label)| Deed::Label(name, label)),
        (0..4_usize).prop_map(Deed::Delete),
    ];
    prop::collection::vec(deed, 1..40)
}

/// Refused deeds (a name that is taken, an object that is not there) are part of the game.
fn commit(bench: &Bench, deed: &Deed) {
    let name = |number: &usize| format!("r{number}");
    let merge = |number, patch: Value| bench.hand.merge("Rollout", ("default", &name(number)), &patch).map(drop);
    let _ = match deed {
        Deed::Create(number) => bench.hand.create("Rollout", rollout(&name(number))).map(drop),
        Deed::Scale(number, size) => merge(number, json!({ "spec": { "replicas": size } })),
        Deed::Label(number, label) => merge(number, json!({ "metadata": { "labels": { "app": label } } })),
        Deed::Delete(number) => bench.hand.delete("Rollout", "default", &name(number)).map(drop),
    };
}

type State = BTreeMap<String, Value>;

fn state(objects: &[Arc<Value>], label: Option<&str>) -> State {
    let chosen = objects.iter().filter(|object| label.is_none() || object::label(object, "app") == label);
    chosen.map(|object| (object::name(object).to_owned(), (**object).clone())).collect()
}

/// Applies everything that a watch from `version` tells to `state`.
fn replay(bench: &Bench, state: &mut State, version: u64, selector: &str) {
    let options =
        Options { resource_version: version.to_string(), label_selector: selector.to_owned(), ..Options::default() };
    let resource: Arc<str> = "rollouts.argoproj.io".into();
    let mut stream = Stream::start(&bench.server, (&resource, ""), (&options, Shape::Whole)).unwrap();
    while let Some(Some(chunk)) = stream.next().now_or_never() {
        for line in chunk.unwrap().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let event: Value = serde_json::from_slice(line).unwrap();
            let object = &event["object"];
            let name = object::name(object).to_owned();
            let known = match event["type"].as_str().unwrap() {
                "ADDED" => state.insert(name, object.clone()).is_none(),
                "MODIFIED" => state.insert(name, object.clone()).is_some(),
                "DELETED" => state.remove(&name).is_some(),
                other => panic!("unexpected {other}"),
            };
            assert!(known, "an event that does not fit what was told before: {event}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_version_leads_to_the_last(deeds in deeds()) {
        let bench = bench();
        let mut past = Vec::new();
        for deed in &deeds {
            past.push((bench.server.version(), bench.hand.list("Rollout", "")));
            commit(&bench, deed);
        }
        let last = bench.hand.list("Rollout", "");
        for (version, objects) in past {
            let exact = Options { resource_version: version.to_string(), version_match: "Exact".to_owned(), ..Options::default() };
            let page = bench.server.with_store(|store| store.list("rollouts.argoproj.io", "", &exact)).unwrap();
            prop_assert_eq!(page.items, objects.clone());
            for (selector, label) in [("", None), ("app=x", Some("x"))] {
                let mut follower = state(&objects, label);
                replay(&bench, &mut follower, version, selector);
                prop_assert_eq!(follower, state(&last, label));
            }
        }
    }

    #[test]
    fn strategic_and_merge_patches_never_panic(object in any_json(), patch in any_json()) {
        let mut target = object.clone();
        crate::sim::api_server::strategic::merge(&mut target, &patch);
        let mut merged = object.clone();
        json_patch::merge(&mut merged, &patch);
        prop_assert!(object::already_says(Some(&merged), &patch), "what a patch has made says it already");
        if object::already_says(Some(&object), &patch) {
            prop_assert_eq!(without_nulls(merged), without_nulls(object));
        }
    }
}

/// Outside lists, where a merge patch does not look, a null says as much as a missing field.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        other => other,
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let key =
        prop_oneof![Just("spec"), Just("name"), Just("ports"), Just("containers"), Just("$patch"), Just("$retainKeys")];
    let leaf =
        prop_oneof![Just(Value::Null), Just(json!("delete")), Just(json!("replace")), Just(json!(1)), Just(json!("a"))];
    leaf.prop_recursive(3, 16, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map(key.clone(), inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}
