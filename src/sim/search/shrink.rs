//! From a failing case to a short one that fails in the same way.

use super::play::Ended;
use super::scenario::Case;

/// Cases that are tried to make a failing one smaller.
const MAX_TRIES: usize = 150;

/// Without these a strategy is one that nobody would apply: its failures would be others.
const NEEDED: &[&str] = &["canaryService", "stableService", "pingPong", "activeService"];

/// Whether a line tells of a broken promise, as in `I30 at …`.
pub fn names_promise(line: &str) -> bool {
    line.starts_with('I') && line.get(1..3).is_some_and(|number| number.parse::<u8>().is_ok())
}

/// The kind of a failure: the promise's ID and the kind of object.
pub fn kind(story: &str) -> String {
    let last =
        story.lines().rev().find(|line| names_promise(line)).or_else(|| story.lines().last()).unwrap_or_default();
    let mut words = last.split([' ', ':']);
    let id = words.next().unwrap_or_default();
    let object = last.split(" of ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    format!("{id} {object}").trim().to_owned()
}

/// The smallest case that was found to fail in the same way, and its story.
pub fn shrink(case: Case, story: String, play: &dyn Fn(&Case) -> Result<Ended, String>) -> (Case, String) {
    let wanted = kind(&story);
    let (mut best, mut told) = (case, story);
    let mut tries = 0;
    loop {
        let mut found = None;
        for smaller in smaller(&best) {
            tries += 1;
            if tries > MAX_TRIES {
                return (best, told);
            }
            match play(&smaller) {
                Err(next) if kind(&next) == wanted => {
                    found = Some((smaller, next));
                    break;
                }
                _ => {}
            }
        }
        match found {
            Some((smaller, next)) => (best, told) = (smaller, next),
            None => return (best, told),
        }
    }
}

/// Cases with one thing less.
fn smaller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    let mut push = |change: &dyn Fn(&mut Case)| {
        let mut next = case.clone();
        change(&mut next);
        if next != *case {
            all.push(next);
        }
    };
    push(&|next| next.faults.clear());
    for at in 0..case.faults.len() {
        push(&|next| drop(next.faults.remove(at)));
    }
    for at in (0..case.scenario.script.len()).rev() {
        push(&|next| {
            let (wait, _) = next.scenario.script.remove(at);
            if let Some((later, _)) = next.scenario.script.get_mut(at) {
                *later += wait;
            }
        });
        push(&|next| {
            next.scenario.script.remove(at);
        });
    }
    for strategy in ["canary", "blueGreen"] {
        let Some(map) = case.scenario.strategy.get(strategy).and_then(|map| map.as_object()) else { continue };
        for key in map.keys().filter(|key| !NEEDED.contains(&key.as_str())) {
            push(&|next| {
                let map = next.scenario.strategy.get_mut(strategy).and_then(|map| map.as_object_mut());
                map.map(|map| map.remove(key));
            });
        }
        let steps = map.get("steps").and_then(|steps| steps.as_array()).map_or(0, Vec::len);
        for at in 0..steps {
            push(&|next| {
                let steps = next.scenario.strategy.pointer_mut(&format!("/{strategy}/steps"));
                steps.and_then(|steps| steps.as_array_mut()).map(|steps| steps.remove(at));
            });
        }
    }
    push(&|next| next.scenario.replicas = (next.scenario.replicas - 1).max(1));
    push(&|next| next.scenario.min_ready = 0);
    push(&|next| next.scenario.pace = 20);
    push(&|next| next.scenario.deadline_abort = false);
    push(&|next| next.scenario.start = ["0.5".to_owned(), "0.5".to_owned(), "0.5".to_owned()]);
    push(&|next| next.scenario.outcomes.truncate(1));
    all
}
