//! A command line answered from given objects, without a cluster: for tests, the demo and anyone with saved objects.

use std::ffi::OsString;

use serde_json::Value;

use super::args::{Verb, parse};
use super::failure::Failure;
use super::view::get::Style;
use super::view::objects::Objects;
use super::view::paint::Paint;
use crate::api::time::Time;

/// What a terminal would have shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Results.
    pub stdout: String,
    /// Remarks and errors.
    pub stderr: String,
    /// Whether the exit code is 1.
    pub failed: bool,
}

/// Answers `get`, `list` and `status`. `args` begins with the name of the program, which decides on the dialect;
/// objects are those of the API server, with their kinds; `namespace` is the current one.
pub fn answer(args: &[&str], objects: &[Value], namespace: &str, now: Time) -> Answer {
    let (dialect, flags, verb) = match parse(args.iter().map(OsString::from)) {
        Ok(parsed) => parsed,
        Err(error) => return Answer { stderr: error.to_string(), failed: true, ..Answer::default() },
    };
    let mut answer = Answer::default();
    let namespace = flags.namespace.as_deref().unwrap_or(namespace);
    if let Err(failure) = fill(&mut answer, &verb, objects, (namespace, now)) {
        answer.stderr.push_str(&failure.render(dialect));
        answer.failed = true;
    }
    answer
}

fn fill(answer: &mut Answer, verb: &Verb, objects: &[Value], (namespace, now): (&str, Time)) -> Result<(), Failure> {
    let objects = Objects::of(objects)?;
    match verb {
        Verb::Get(get) => answer.stdout = get.answer(&objects, namespace, Style { paint: Paint::Plain, now })?,
        Verb::List(list) => (answer.stdout, answer.stderr) = list.answer(&objects, namespace, now)?,
        Verb::Status(status) => {
            let (text, ended) = status.answer(&objects, namespace);
            answer.stdout = text;
            ended.map_or(Ok(()), Err)?;
        }
        _ => return Err(Failure::new("this verb needs a cluster")),
    }
    Ok(())
}
