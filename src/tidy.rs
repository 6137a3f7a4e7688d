//! A test on the source itself: the direction of the arrows between rooms, what pure rooms may name, sizes, habits.
//!
//! Each finding prints `file:line` and what to do. The rules are read from tables: [`arrows`] has the rooms,
//! [`habits`] what each file must have and must not say, [`functions`] the length of functions, [`words`] what no text
//! of the project may speak of. What the compiler or clippy can see is not looked for here.

mod arrows;
mod blank;
mod functions;
mod habits;
mod recipes;
mod source;
mod words;

use source::{Finding, Tree};

/// Prints the findings and fails if there is one.
fn none(findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{} findings\n{}\n", findings.len(), lines.join("\n"));
}

#[test]
fn arrows_point_one_way() {
    none(&arrows::check(&Tree::read()));
}

#[test]
fn functions_fit_a_screen() {
    none(&functions::check(&Tree::read()));
}

#[test]
fn files_keep_the_habits() {
    none(&habits::check(&Tree::read()));
}

#[test]
fn texts_speak_of_the_project_only() {
    none(&words::check());
}

#[test]
fn makefile_is_a_table_of_contents() {
    none(&recipes::check());
}
