//! Mutants of our own code: a checker that none of them trips is no checker.
//!
//! Each stands in the code as `mutant!("name")`. The search runs with one at a time until the first broken promise.

use std::fmt::Write as _;

use super::run::{Plan, search};
use super::shrink::kind;

/// Every mutant, with the promise that it is meant for.
pub const MUTANTS: &[(&str, &str)] = &[
    ("selected-is-no-reference", "I01"),
    ("switch-without-capacity", "I02"),
    ("weight-without-capacity", "I03"),
    ("weight-without-endpoints", "I03"),
    ("stable-weight-without-capacity", "I03"),
    ("weight-before-selector", "I03"),
    ("shrink-below-share", "I04"),
    ("grace-skipped", "I04"),
    ("no-scale-down-delay", "I04"),
    ("only-newest-in-flight", "I04"),
    ("unknown-past-is-none", "I04"),
    ("switch-while-unsettled", "I05"),
    ("canary-service-to-stable", "I05"),
    ("abort-before-route", "I06"),
    ("abort-keeps-weight", "I07"),
    ("weight-of-next-step", "I08"),
    ("weight-goes-back", "I08"),
    ("new-revision-keeps-step", "I08"),
    ("blue-green-pause-skipped", "I09"),
    ("switch-while-paused", "I09"),
    ("aborted-is-promoted", "I09"),
    ("surge-plus-one", "I10"),
    ("floor-minus-one", "I10"),
    ("joint-budget-dropped", "I10"),
    ("foreign-field-written", "I12"),
    ("managed-rule-without-pods", "I14"),
    ("managed-step-passed", "I14"),
    ("size-flickers", "I15"),
    ("weights-do-not-add-up", "I16"),
    ("always-verified", "I17"),
    ("first-look-writes", "I18"),
    ("equality-ignored", "I19"),
    ("absent-replicas-are-one", "I20"),
    ("history-of-none", "I22"),
    ("delay-cut-short", "I23"),
    ("abort-delay-cut-short", "I23"),
    ("deadline-kept", "I23"),
    ("deployment-drained-early", "I24"),
    ("evicts-beyond-budget", "I25"),
    ("pre-promotion-skipped", "I26"),
    ("post-promotion-skipped", "I26"),
    ("analysis-step-skipped", "I26"),
    ("success-without-evidence", "I26"),
    ("failed-run-ignored", "I26"),
    ("measured-before-preview", "I27"),
    ("stable-retired-early", "I28"),
    ("aborted-grows", "I29"),
    ("pause-cut-short", "I31"),
    ("pause-never-begins", "I31"),
    ("steps-while-paused", "I31"),
    ("resume-cleared-early", "I31"),
    ("two-steps-at-once", "I32"),
    ("accepted-when-written", "I32"),
    ("retry-skips-a-step", "I32"),
    ("runs-pile-up", "I32"),
    ("intermediate-stays", "I33"),
    ("timers-forgotten", "I34"),
    ("deadline-never-passes", "I35"),
    ("every-look-is-progress", "I35"),
    ("failures-not-retried", "I36"),
    ("live-reads-skipped", "I37"),
    ("own-writes-not-awaited", "I37"),
    ("lease-unchecked", "I38"),
    ("rests-on-nothing", "I38"),
    ("status-written-anyway", "I40"),
    ("healthy-too-early", "I41"),
    ("promoted-without-pods", "I41"),
    ("drift-ignored", "I42"),
];

/// One mutant and what came of it.
#[derive(Clone, Debug)]
pub struct Sentence {
    /// Its name.
    pub name: &'static str,
    /// The promise that it is meant for.
    pub meant: &'static str,
    /// The promise that caught it; `None` where it lives.
    pub caught: Option<String>,
    /// Fault runs until then.
    pub runs: usize,
}

/// Runs the search with each mutant until a promise breaks. Without the feature `mutants` nothing is caught.
pub fn judge(plan: &Plan, hear: &mut dyn FnMut(&Sentence)) -> Vec<Sentence> {
    let wanted = |name: &str| std::env::var("MUTANT").map_or(true, |only| only.split(',').any(|one| one == name));
    let mut sentences = Vec::new();
    for (name, meant) in MUTANTS.iter().filter(|(name, _)| wanted(name)) {
        crate::mutants::choose(name);
        let report = search(&Plan { first: true, shrinks: false, ..plan.clone() }, &|_| {});
        crate::mutants::choose("");
        let caught = report.found.values().next().map(|found| kind(&found.story));
        let sentence = Sentence { name, meant, caught, runs: report.total() };
        hear(&sentence);
        sentences.push(sentence);
    }
    sentences
}

/// The table of mutants, in Markdown.
pub fn table(sentences: &[Sentence]) -> String {
    let mut table =
        String::from("| mutant | meant for | caught by | fault runs until then |\n| --- | --- | --- | --- |\n");
    for Sentence { name, meant, caught, runs } in sentences {
        let caught = caught.as_deref().unwrap_or("**nothing**");
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| `{name}` | {meant} | {caught} | {runs} |");
    }
    table
}
