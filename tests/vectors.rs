//! Recorded cases of the reference, run against the functions that answer the same questions.
//!
//! `SISKIN_VECTORS=dir` runs the files of another folder. One line a kind: `kind: passed/total`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

#[path = "vectors/core.rs"]
mod core;
#[path = "vectors/file.rs"]
mod file;

#[test]
fn replicas() {
    file::run("replicas", core::replicas);
}

#[test]
fn steps() {
    file::run("steps", core::steps);
}

#[test]
fn phase() {
    file::run("phase", core::phase);
}
