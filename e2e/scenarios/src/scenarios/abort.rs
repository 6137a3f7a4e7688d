//! Aborts by people.

use serde_json::json;

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, Rig, check};
use crate::scenario::{Scenario, good};
use crate::seen::Seen;

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[good("abort-retry", "a person aborts at each step and tries again", play).long()];

/// Steps after which the scenario aborts: each of them once.
const STEPS: i64 = 4;

/// Aborts at every step, sees all users back on version 1, tries again; lets the last attempt pass.
pub fn play(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), &["shop-stable", "shop-canary"])?;
    rig.release("2")?;
    for stop in 0..STEPS {
        reach(rig, &first, stop)?;
        rig.told(&["abort", ROLLOUT], &["rollout 'shop' aborted"])?;
        let gone = |seen: &Seen| seen.aborted() && seen.phase() == "Degraded" && seen.weight() == 0;
        let aborted = rig.until(&format!("abort at step {stop}"), gone)?;
        check(aborted.message().starts_with("RolloutAborted: "), || format!("it says {:?}", aborted.message()))?;
        check(aborted.stable() == first.stable(), || "the aborted version is stable".to_owned())?;
        rig.only("1")?;
        rig.told(&["retry", "rollout", ROLLOUT], &["rollout 'shop' retried"])?;
    }
    reach(rig, &first, STEPS - 1)?;
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.until("promotion", |seen| seen.healthy() && seen.promoted() && seen.stable() != first.stable())?;
    check(!rig.event("RolloutAborted")?.is_empty(), || "no event".to_owned())?;
    rig.only("2")
}

/// Leads an attempt to a step, or past it where it is over faster than it is seen.
fn reach(rig: &Rig, first: &Seen, step: i64) -> Outcome {
    let begun = |seen: &Seen| seen.observed() && !seen.aborted() && seen.current() != first.current();
    if step == 0 {
        return rig.until("the first step", |seen| begun(seen) && seen.phase() != "Degraded").map(drop);
    }
    rig.until("pause at 20 %", |seen| begun(seen) && seen.paused_at(1))?;
    if step == 1 {
        return Ok(());
    }
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    if step == 2 {
        return rig.until("the step to 60 %", |seen| begun(seen) && seen.index() >= 2).map(drop);
    }
    rig.until("pause at 60 %", |seen| begun(seen) && seen.paused_at(3)).map(drop)
}
