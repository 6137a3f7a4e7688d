//! Systematic runs of one scenario, each begun where its fault strikes: up to there it is the run that all of them share.
//!
//! A run that is played like this is the same, write by write, as the one from the start: a test says so.

use std::collections::{BTreeMap, VecDeque};

use super::play::{Ended, Moment, Player, order, set_up};
use super::scenario::{Case, Fault, Scenario};

/// What a base has counted: writes, and events of each kind. Faults are numbered by it.
struct Counts {
    writes: u64,
    /// None after a restart: the watches that faults name have gone with their process.
    events: Option<BTreeMap<String, u64>>,
    turns: u64,
}

impl Counts {
    fn of(player: &Player<'_>) -> Self {
        let process = &player.rig.core.process;
        let counts = process.view.counts().map(|(kind, count)| (kind.to_owned(), count));
        let events = player.rig.events.is_empty().then(|| counts.collect());
        Self { writes: process.strikes.writes, events, turns: player.turned }
    }

    /// Whether a fault has struck by now, had it been ordered.
    fn includes(&self, fault: &Fault) -> bool {
        match fault {
            Fault::Lag { .. } => true,
            Fault::Act { turn, .. } => *turn < self.turns,
            Fault::Write { number, .. }
            | Fault::Older { number, .. }
            | Fault::Away { number, .. }
            | Fault::Clock { number, .. } => *number < self.writes,
            Fault::Watch { kind, number, .. } => {
                self.events.as_ref().is_some_and(|events| events.get(kind).is_some_and(|count| number < count))
            }
        }
    }
}

/// Plays a scenario with each of these faults, one a run, and hands out what came of each. A fault that never strikes is
/// no run. `hear` says whether the search goes on.
///
/// # Errors
/// The story of the run without any fault, where that breaks a promise.
pub fn branches(
    scenario: &Scenario,
    faults: &[Fault],
    hear: &mut dyn FnMut(&Fault, Result<Ended, String>) -> bool,
) -> Result<(), String> {
    // What a checker may demand depends on what can go wrong: each sort of it has a base of its own.
    let mut families: BTreeMap<(bool, bool), VecDeque<&Fault>> = BTreeMap::new();
    for fault in faults {
        families.entry((fault.hurts(), fault.delays())).or_default().push_back(fault);
    }
    for (demands, faults) in families {
        if !family(scenario, faults, demands, hear)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Faults that share one base: one in which requests may fail, and one in which views may be late. Returns whether the
/// search goes on.
fn family(
    scenario: &Scenario,
    mut waiting: VecDeque<&Fault>,
    (troubled, late): (bool, bool),
    hear: &mut dyn FnMut(&Fault, Result<Ended, String>) -> bool,
) -> Result<bool, String> {
    let mut base = Player::begin(set_up(&Case { scenario: scenario.clone(), faults: Vec::new() }), scenario);
    base.rig.troubled = troubled;
    base.rig.checker.state.late_views = late;
    loop {
        let before = base.save();
        let over = base.turn()?;
        let counts = Counts::of(&base);
        let (struck, rest): (VecDeque<_>, _) = waiting.into_iter().partition(|fault| counts.includes(fault));
        waiting = rest;
        if !struck.is_empty() && !strike(&mut base, &before, struck, hear) {
            return Ok(false);
        }
        if over || waiting.is_empty() {
            return Ok(true);
        }
    }
}

/// Plays on from a moment with each of these faults, and returns to where the base was.
fn strike<'s>(
    base: &mut Player<'s>,
    before: &Moment<'s>,
    faults: VecDeque<&Fault>,
    hear: &mut dyn FnMut(&Fault, Result<Ended, String>) -> bool,
) -> bool {
    let after = base.save();
    for fault in faults {
        let mut branch = Player::load(before);
        order(&mut branch.rig, fault);
        if !hear(fault, branch.play_on()) {
            return false;
        }
    }
    *base = Player::load(&after);
    true
}
