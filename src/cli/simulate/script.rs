//! Scripts that the fault search has written, step by step.

use std::path::Path;

use serde_json::json;

use super::{Form, read};
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::sim::search;
use crate::simulate::report::Outcome;

/// Replays a script, and fails where a promise is broken. With `trace` every write is printed.
pub(super) fn run(
    session: &mut Session,
    path: &Path,
    (seed, trace, form): (Option<u64>, bool, Form),
) -> Result<(), Failure> {
    let script = read(path)?;
    let shown = search::replay(&script, seed).map_err(|error| {
        Failure::new(format!("{} is no script of the fault search: {error}", path.display()))
            .next("it is the JSON that `make sim` prints below a failure")
    })?;
    let (lines, in_mind): (&[String], &[String]) = if trace { (&shown.lines, &shown.in_mind) } else { (&[], &[]) };
    let kept = format!("every promise is kept, {} writes", shown.lines.len());
    let verdict = shown.failure.as_deref().unwrap_or(&kept);
    match form {
        Form::Text => {
            let whole =
                lines.iter().chain(in_mind).map(String::as_str).chain([verdict]).map(|line| format!("{line}\n"));
            session.console.print(&whole.collect::<String>());
        }
        Form::Json => {
            let whole = json!({"writes": shown.lines.len(), "broken": shown.failure, "trace": trace.then_some(lines), "inMind": trace.then_some(in_mind)});
            session.console.print(&format!("{whole:#}\n"));
        }
        Form::Svg | Form::Html => {
            return Err(Failure::new("a script is replayed as text or JSON").next("use --output text or json"));
        }
    }
    ended(shown.failure.as_deref())
}

/// A broken promise has been printed; anything else is a world that cannot be.
fn ended(failure: Option<&str>) -> Result<(), Failure> {
    match failure {
        None => Ok(()),
        Some(broken) if search::names_promise(broken) => Err(Failure::silent(Outcome::Violated.exit())),
        Some(why) => Err(Failure::new(format!("the script cannot be played: {why}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_promise_has_its_exit_code() {
        assert_eq!(ended(None), Ok(()));
        let exit = |failure| ended(Some(failure)).unwrap_err().exit();
        assert_eq!(exit("I30 at 2026-11-21T12:00:00Z by rollouts-controller of Share shop: too late"), 3);
        assert_eq!(exit("a user was refused: NotFound (404)"), 1);
    }
}
