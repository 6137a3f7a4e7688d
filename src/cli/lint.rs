//! `lint`: what is wrong with manifests, before the cluster sees them. Source: cli §3.6.

mod advice;
mod documents;
mod finding;
mod position;
mod references;
mod rules;
mod together;
mod unknown;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::failure::{Dialect, Failure};
use super::get::{Output, json_text};
use super::session::Session;

pub use documents::{Document, documents};
pub use finding::{Finding, Sort};
pub use rules::{findings, findings_together};
pub use unknown::finding;

/// Largest manifest file that is read, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Check manifests before they are applied
///
/// Reads YAML or JSON with any number of objects. Finds misspelt fields (which the API server would drop without a
/// word), values of a wrong type, and Rollouts that the controller would refuse; checks a Rollout against the
/// Services, Ingresses and VirtualServices in the same file, and the files with each other. Exit code 1 when something
/// is wrong; warnings do not count.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  siskin lint -f rollout.yaml\n  kustomize build . | siskin lint -f -\n  siskin lint -f rollout.yaml --output json"
)]
pub struct Lint {
    /// File to check; `-` reads the standard input.
    #[arg(short, long, required = true, value_name = "FILE")]
    filename: Vec<PathBuf>,
    /// `json` instead of text.
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Output>,
}

impl Lint {
    pub(super) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let mut objects = Vec::new();
        for path in &self.filename {
            let name = path.display().to_string();
            objects.extend(documents(&name, &read(path)?)?);
        }
        let mut found = findings(&objects);
        if session.dialect == Dialect::Argo {
            return argo(session, &found);
        }
        found.extend(together::contested(&objects));
        let wrong = found.len();
        found.extend(together::warnings(&objects));
        if self.output == Some(Output::Json) {
            session.console.print(&json_text(&found)?);
        } else {
            for finding in &found {
                session.console.print(&finding.to_string());
            }
        }
        match wrong {
            0 => {
                session.console.remark(&format!("{} objects, nothing wrong\n", objects.len()));
                Ok(())
            }
            1 => Err(Failure::new("1 problem found")),
            count => Err(Failure::new(format!("{count} problems found"))),
        }
    }
}

/// A misspelt field ends it, as decoding fails; else every message, then the first one with its path.
fn argo(session: &Session, found: &[Finding]) -> Result<(), Failure> {
    let rollouts: Vec<&Finding> = found.iter().filter(|finding| finding.kind == "Rollout").collect();
    if let Some(error) = rollouts.iter().find_map(|finding| finding.decoding_error()) {
        return Err(Failure::new(error));
    }
    let rules: Vec<&&Finding> = rollouts.iter().filter(|finding| finding.sort == Sort::Rule).collect();
    for finding in &rules {
        session.console.print(&format!("{}\n", finding.message));
    }
    rules.first().map_or(Ok(()), |first| Err(Failure::new(format!("{}: {}", first.path, first.message))))
}

/// The text of a file; `-` is the standard input. At most 16 MiB of it.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let outcome = if path == Path::new("-") {
        std::io::stdin().lock().take(LARGEST).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LARGEST).read_to_string(&mut text))
    };
    outcome.map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
    Ok(text)
}

#[cfg(test)]
mod tests;
