//! Recorded cases of the reference, run against the functions that answer the same questions.
//!
//! `SISKIN_VECTORS=dir` runs every file of another folder; a file that nothing here answers counts as failed. One line
//! a kind: `kind: passed/total`. Differences that `docs/compatibility.md` lists are told apart.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

#[path = "vectors/args.rs"]
mod args;
#[path = "vectors/assess.rs"]
mod assess;
#[path = "vectors/cli_get.rs"]
mod cli_get;
#[path = "vectors/expr.rs"]
mod expr;
#[path = "vectors/file.rs"]
mod file;
#[path = "vectors/phase.rs"]
mod phase;
#[path = "vectors/podhash.rs"]
mod podhash;
#[path = "vectors/replicas.rs"]
mod replicas;
#[path = "vectors/steps.rs"]
mod steps;
#[path = "vectors/validate.rs"]
mod validate;

use file::Recorded;

/// The files that are answered here.
const FILES: &[Recorded] = &[
    args::FILE,
    assess::FILE,
    cli_get::FILE,
    expr::FILE,
    expr::LANGUAGE,
    phase::FILE,
    podhash::FILE,
    replicas::FILE,
    steps::FILE,
    validate::FILE,
];

#[test]
fn recorded_cases() {
    let wrong = file::run(FILES);
    assert!(wrong == 0, "{wrong} cases differ, and are not listed in docs/compatibility.md");
}
