//! Generated worlds, every write of every one of them checked.
//!
//! `SISKIN_CASES` sets how many, `SISKIN_SEED` which ones. All cases are played; each kind of failure is told once,
//! with the smallest world that shows it.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::scenario::{Scenario, scenario};
use crate::sim::search::play::play;

const CASES: u32 = 100;
/// Worlds that are tried to make a failing one smaller.
const MAX_SHRINKS: u32 = 60;

fn number<N: std::str::FromStr>(name: &str) -> Option<N> {
    std::env::var(name).ok()?.parse().ok()
}

/// The kind of a failure: the promise's ID and the object.
fn kind(story: &str) -> String {
    let last = story
        .lines()
        .rev()
        .find(|line| line.starts_with('I') && line.get(1..3).is_some_and(|n| n.parse::<u8>().is_ok()));
    let last = last.or_else(|| story.lines().last()).unwrap_or_default();
    let mut words = last.split(' ');
    let id = words.next().unwrap_or_default();
    let object = last.split(" of ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    format!("{id} {object}")
}

/// The smallest world that fails in the same way.
fn shrink(tree: &mut impl ValueTree<Value = Scenario>, mut story: String) -> (Scenario, String) {
    let wanted = kind(&story);
    let mut smallest = tree.current();
    let mut moved = tree.simplify();
    for _ in 0..MAX_SHRINKS {
        if !moved {
            break;
        }
        match play(&tree.current()) {
            Err(next) if kind(&next) == wanted => {
                smallest = tree.current();
                story = next;
                moved = tree.simplify();
            }
            _ => moved = tree.complicate(),
        }
    }
    (smallest, story)
}

#[test]
fn generated_worlds_keep_every_promise() {
    let config = Config {
        rng_seed: RngSeed::Fixed(number("SISKIN_SEED").unwrap_or(1)),
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let mut found: BTreeMap<String, (u32, Scenario, String)> = BTreeMap::new();
    let cases = number("SISKIN_CASES").unwrap_or(CASES);
    for _ in 0..cases {
        let mut tree = scenario().new_tree(&mut runner).unwrap();
        let Err(story) = play(&tree.current()) else { continue };
        match found.get_mut(&kind(&story)) {
            Some((count, ..)) => *count += 1,
            None => {
                let key = kind(&story);
                let (scenario, story) = shrink(&mut tree, story);
                found.insert(key, (1, scenario, story));
            }
        }
    }
    let told: Vec<String> = found
        .iter()
        .map(|(kind, (count, scenario, story))| format!("##### {kind}: {count} of {cases}\n{scenario:?}\n{story}"))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n\n"));
}
