//! Mutants of our own code: a checker that none of them trips is no checker.
//!
//! Each stands in the code as `mutant!("name")`. The search runs with one at a time until the first broken promise.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::run::{Plan, Report, search};
use super::scenario::Fault;
use super::shrink::kind;

/// The promise that the others hold with late views as well: any of them catches for it where a view is late.
const LATE: &str = "I37";
/// The promise that only the full shell can break.
const ISOLATION: &str = "I39";

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
    ("foreign-clock-trusted", "I05"),
    ("abort-before-route", "I06"),
    ("abort-keeps-weight", "I07"),
    ("weight-of-next-step", "I08"),
    ("weight-goes-back", "I08"),
    ("new-revision-keeps-step", "I08"),
    ("blue-green-pause-skipped", "I09"),
    ("switch-while-paused", "I09"),
    ("aborted-is-promoted", "I30"),
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
    ("twin-is-created", "I19"),
    ("edited-template-is-believed", "I41"),
    ("absent-replicas-are-one", "I20"),
    ("surge-is-published", "I21"),
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
    ("promotion-beats-abort", "I30"),
    ("pause-cut-short", "I31"),
    ("pause-never-begins", "I31"),
    ("steps-while-paused", "I31"),
    ("resume-cleared-early", "I31"),
    ("two-steps-at-once", "I32"),
    ("accepted-when-written", "I32"),
    ("retry-skips-a-step", "I32"),
    ("runs-pile-up", "I32"),
    ("replaced-without-end", "I32"),
    ("intermediate-stays", "I33"),
    ("intermediate-grows", "I33"),
    ("timers-forgotten", "I34"),
    ("aborted-pods-stay", "I34"),
    ("deadline-seen-late", "I34"),
    ("deadline-never-passes", "I35"),
    ("every-look-is-progress", "I35"),
    ("deadline-halved", "I35"),
    ("absence-is-counted", "I35"),
    ("failures-not-retried", "I36"),
    ("live-reads-skipped", "I37"),
    ("own-writes-not-awaited", "I37"),
    ("lease-unchecked", "I38"),
    ("rests-on-nothing", "I38"),
    ("odd-object-ends-watch", "I39"),
    ("status-written-anyway", "I40"),
    ("healthy-too-early", "I41"),
    ("promoted-without-pods", "I41"),
    ("drift-ignored", "I42"),
    ("repairs-without-end", "I42"),
];

/// One mutant and what came of it.
#[derive(Clone, Debug)]
pub struct Sentence {
    /// Its name.
    pub name: &'static str,
    /// The promise that it is meant for.
    pub meant: &'static str,
    /// The promise that caught it first; `None` where it lives.
    pub caught: Option<String>,
    /// Fault runs until then.
    pub runs: usize,
    /// Fault runs until the promise that it is meant for catches it, listening to no other; `None` where that never does.
    pub seen: Option<usize>,
}

impl Sentence {
    /// The fault runs until the promise that it is meant for catches it, for people.
    pub fn seen_after(&self) -> String {
        self.seen.map_or_else(|| "never".to_owned(), |runs| runs.to_string())
    }
}

/// Runs the search with each mutant until a promise breaks; where that is another than the one meant, a second time with
/// every other promise deaf. The plan's runs through the full shell are for the mutants that only those can catch. Without
/// the feature `mutants` nothing is caught.
///
/// # Errors
/// The story of a failure that the search finds without any mutant: what is caught then would prove nothing.
pub fn judge(plan: &Plan, hear: &mut dyn FnMut(&Sentence)) -> Result<Vec<Sentence>, String> {
    let wanted = |name: &str| std::env::var("MUTANT").map_or(true, |only| only.split(',').any(|one| one == name));
    if let Some(found) = hunt(plan, "", "").found.into_values().next() {
        return Err(found.story);
    }
    let bare = Plan { shell: (1, 0), ..plan.clone() };
    let mut sentences = Vec::new();
    for (name, meant) in MUTANTS.iter().filter(|(name, _)| wanted(name)) {
        let plan = if *meant == ISOLATION { plan } else { &bare };
        let report = hunt(plan, name, "");
        let first = report.found.values().next();
        let caught = first.map(|found| kind(&found.story));
        let seen = match first {
            Some(found) if *meant == LATE => found.case.faults.iter().any(Fault::delays).then(|| report.total()),
            Some(found) if kind(&found.story).starts_with(meant) => Some(report.total()),
            Some(_) => {
                let report = hunt(plan, name, meant);
                (!report.found.is_empty()).then(|| report.total())
            }
            None => None,
        };
        let sentence = Sentence { name, meant, caught, runs: report.total(), seen };
        hear(&sentence);
        sentences.push(sentence);
    }
    Ok(sentences)
}

/// Searches with one mutant until a promise breaks, or until the only one that is listened to does.
fn hunt(plan: &Plan, mutant: &str, only: &str) -> Report {
    crate::mutants::choose(mutant);
    crate::mutants::listen(only);
    let report = search(&Plan { first: true, shrinks: false, ..plan.clone() }, &|_| {});
    crate::mutants::choose("");
    crate::mutants::listen("");
    report
}

/// The promises that some mutant is meant for and that have caught none.
pub fn blind(sentences: &[Sentence]) -> BTreeSet<&'static str> {
    let caught = |id: &str| {
        let first = |sentence: &Sentence| sentence.caught.as_deref().is_some_and(|kind| kind.starts_with(id));
        sentences.iter().any(|sentence| first(sentence) || sentence.meant == id && sentence.seen.is_some())
    };
    sentences.iter().map(|sentence| sentence.meant).filter(|id| !caught(id)).collect()
}

/// The table of mutants, in Markdown.
pub fn table(sentences: &[Sentence]) -> String {
    let mut table = String::from(
        "| mutant | meant for | first caught by | fault runs until then | until the one meant catches it |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for sentence in sentences {
        let Sentence { name, meant, caught, runs, .. } = sentence;
        let (caught, seen) = (caught.as_deref().unwrap_or("**nothing**"), sentence.seen_after());
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| `{name}` | {meant} | {caught} | {runs} | {seen} |");
    }
    table
}
