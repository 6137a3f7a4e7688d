//! What a reviewer should look at: what the files say, and what the simulation has shown.

mod analyses;
mod shown;
mod written;

use super::input::Input;
use super::observe::Observer;
use super::options::Options;
use super::report::{Verdict, Warning};
use super::stage::Stage;
use crate::cli::lint::{Document, Sort, finding};

/// All of them, those of the files first.
pub(super) fn all(
    input: &Input,
    options: &Options,
    (stage, observer, verdict): (&Stage, &Observer, &Verdict),
) -> Vec<Warning> {
    let mut found = analyses::all(input);
    found.extend(written::all(input));
    found.extend(shown::all(input, options, (stage, observer, verdict)));
    found
}

/// A warning about a place in the files.
fn at((document, path): (&Document, &str), code: &'static str, text: impl Into<String>) -> Warning {
    let place = finding(document, path, Sort::Rule, "");
    Warning { code, text: text.into(), place: format!("{}:{}", place.file, place.line) }
}

/// A warning about no place.
fn nowhere(code: &'static str, text: impl Into<String>) -> Warning {
    Warning { code, text: text.into(), place: String::new() }
}
