//! Replays a script step by step.

use super::play::{Player, set_up};
use super::scenario::Case;

/// What a replay has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Every write of every actor, one a line.
    pub lines: Vec<String>,
    /// What the controller wanted to write and what it waited for at the end, one a line.
    pub in_mind: Vec<String>,
    /// The broken promise, if there is one.
    pub failure: Option<String>,
}

/// Replays a script: a case as JSON. A seed takes the place of the one in it.
///
/// # Errors
/// Where the script is no case.
pub fn replay(script: &str, seed: Option<u64>) -> Result<Trace, serde_json::Error> {
    let mut case: Case = serde_json::from_str(script)?;
    case.scenario.seed = seed.unwrap_or(case.scenario.seed);
    Ok(trace(&case))
}

/// Plays a case and keeps every write.
pub fn trace(case: &Case) -> Trace {
    let mut player = Player::begin(set_up(case), &case.scenario);
    let failure = player.act_out().err();
    let failure = failure.and_then(|story| story.lines().last().map(str::to_owned));
    Trace { lines: player.rig.lines(), in_mind: player.rig.in_mind(), failure }
}
