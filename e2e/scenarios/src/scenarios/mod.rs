//! The scenarios, one promise each, by theme.

mod abort;
mod analysis;
mod blue_green;
mod events;
mod header_route;
mod invalid;
mod kill;
mod midway;
mod objects;
mod people;
mod pods;
mod reapply;
mod rolling;
mod routing;
mod sizes;
mod steps;
mod switch;
mod verdicts;
mod waiting;
mod workload;

use crate::scenario::Scenario;

/// The tables of all themes.
const THEMES: &[&[Scenario]] = &[
    abort::SCENARIOS,
    analysis::SCENARIOS,
    blue_green::SCENARIOS,
    events::SCENARIOS,
    header_route::SCENARIOS,
    invalid::SCENARIOS,
    kill::SCENARIOS,
    midway::SCENARIOS,
    objects::SCENARIOS,
    people::SCENARIOS,
    pods::SCENARIOS,
    reapply::SCENARIOS,
    rolling::SCENARIOS,
    routing::SCENARIOS,
    sizes::SCENARIOS,
    steps::SCENARIOS,
    switch::SCENARIOS,
    verdicts::SCENARIOS,
    waiting::SCENARIOS,
    workload::SCENARIOS,
];

/// All scenarios; the long ones first, so that none is left alone at the end.
pub fn all() -> Vec<&'static Scenario> {
    let mut all: Vec<&Scenario> = THEMES.iter().copied().flatten().collect();
    all.sort_by_key(|scenario| !scenario.long);
    all
}
