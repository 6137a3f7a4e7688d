//! What people read at the end.

use std::fmt::Write as _;
use std::time::Duration;

use crate::load::Tally;
use crate::rig::Rig;

/// How a scenario ended.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// All of it held.
    Passed,
    /// Something did not, in words.
    Failed(String),
    /// It cannot be played here, and why.
    Skipped(&'static str),
}

/// A scenario that is over.
#[derive(Clone, Debug)]
pub struct Finished {
    name: &'static str,
    time: Duration,
    /// What users got.
    pub tally: Tally,
    /// How it ended.
    pub verdict: Verdict,
}

impl Finished {
    /// The result of a scenario.
    pub const fn new(name: &'static str, time: Duration, tally: Tally, verdict: Verdict) -> Self {
        Self { name, time, tally, verdict }
    }

    /// Its line of the table.
    pub fn line(&self) -> String {
        let result = match &self.verdict {
            Verdict::Passed => "passed".to_owned(),
            Verdict::Skipped(why) => format!("SKIPPED: {why}"),
            Verdict::Failed(why) => format!("FAILED: {}", why.lines().next().unwrap_or_default()),
        };
        let Tally { lost, .. } = &self.tally;
        let (requests, failures) = (self.tally.requests(), self.tally.failures());
        format!("{:<28}{:>8.1}{requests:>10}{failures:>10}{lost:>6}  {result}", self.name, self.time.as_secs_f32())
    }
}

/// The table and the closing line.
pub fn table(finished: &[Finished]) -> String {
    let mut text =
        format!("\n{:<28}{:>8}{:>10}{:>10}{:>6}  result\n", "scenario", "seconds", "requests", "version's", "lost");
    for one in finished {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", one.line());
    }
    let count = |of: fn(&Verdict) -> bool| finished.iter().filter(|one| of(&one.verdict)).count();
    let passed = count(|verdict| matches!(verdict, Verdict::Passed));
    let failed = count(|verdict| matches!(verdict, Verdict::Failed(_)));
    // Those that nobody has asked for are skipped too.
    let skipped = crate::scenarios::all().len() - passed - failed;
    let _ = writeln!(text, "\n{passed} passed, {failed} failed, {skipped} skipped");
    text
}

/// All that is known of a failure.
pub fn story(name: &str, why: &str, rig: &Rig, tally: &Tally) -> String {
    let mut text = format!("--- {name} in {}: {why}\n", rig.namespace);
    for line in rig.story() {
        let _ = writeln!(text, "    {line}");
    }
    let _ = writeln!(text, "    users: {tally:?}");
    let _ = writeln!(text, "    ReplicaSets: {:?}", rig.replica_sets());
    let events = rig.api().list("Event", &rig.namespace, "").unwrap_or_default();
    for event in events.iter().filter(|event| event["involvedObject"]["kind"] == "Rollout") {
        let _ = writeln!(text, "    event {} {}", event["reason"], event["message"]);
    }
    text.push_str("---");
    text
}
