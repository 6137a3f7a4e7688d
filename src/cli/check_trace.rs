//! `check-trace`: whether a controller has kept its promises, from the audit log of a real cluster.

use std::fs::File;
use std::io::{BufReader, IsTerminal as _};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use super::failure::Failure;
use super::get::{Output, json_text};
use super::rbac::{NAME, NAMESPACE};
use super::session::Session;
use crate::sim::audit::{Log, POLICY, Report};
use crate::simulate::report::Outcome;

/// Writers that an error names.
const WRITERS: usize = 6;

/// Check what a controller has done, from an audit log
///
/// Replays the writes in the audit log of a Kubernetes API server and judges those of the controller by the same
/// promises that the fault search uses: no Service without pods, no weight without capacity, nothing taken away that
/// traffic can reach, steps one at a time. Exit code 0: every promise is kept; 3: one is broken; 1: the log cannot be
/// read. docs/simulation.md says what can be concluded.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  siskin check-trace --policy > policy.yaml   for kube-apiserver --audit-policy-file\n  siskin check-trace audit.log\n  siskin check-trace audit-*.log --controller system:serviceaccount:rollouts:controller --output json"
)]
pub struct CheckTrace {
    /// Audit logs, one JSON event a line, in any order; `-` reads the standard input.
    #[arg(required_unless_present = "policy", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// User name of the controller whose writes are judged.
    #[arg(long, value_name = "USER", default_value_t = usual_user())]
    controller: String,
    /// Print the audit policy that a log needs, and end.
    #[arg(long, conflicts_with_all = ["files", "output"])]
    policy: bool,
    /// `json` instead of text.
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Output>,
}

/// The user that `siskin rbac` and the usual manifests make.
fn usual_user() -> String {
    format!("system:serviceaccount:{NAMESPACE}:{NAME}")
}

impl CheckTrace {
    pub(super) fn run(self, session: &mut Session) -> Result<(), Failure> {
        if self.policy {
            session.console.print(POLICY);
            return Ok(());
        }
        let mut log = Log::default();
        for path in &self.files {
            read(&mut log, path)?;
        }
        if !log.writers().contains_key(self.controller.as_str()) {
            return Err(self.absent(&log));
        }
        let report = log.check(&self.controller);
        if self.output == Some(Output::Json) {
            session.console.print(&json_text(&report)?);
        } else {
            session.console.print(&text(&report));
        }
        if report.violations == 0 { Ok(()) } else { Err(Failure::silent(Outcome::Violated.exit())) }
    }

    /// Nothing to judge: that is no proof of anything.
    fn absent(&self, log: &Log) -> Failure {
        let mut writers: Vec<(&str, usize)> = log.writers().into_iter().collect();
        writers.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let known: Vec<String> =
            writers.iter().take(WRITERS).map(|(user, count)| format!("{user} ({count})")).collect();
        let known = if known.is_empty() { "nobody".to_owned() } else { known.join(", ") };
        Failure::new(format!("the log has no write of {} in {} lines", self.controller, log.lines))
            .next(format!("who has written, most first: {known}"))
            .next("name the controller's user with --controller; `siskin check-trace --policy` is what the API server must log")
    }
}

/// Reads a file into a log, with a bar where somebody watches.
fn read(log: &mut Log, path: &Path) -> Result<(), Failure> {
    let name = path.display().to_string();
    let fail = |error: &dyn std::fmt::Display| Failure::new(format!("cannot read {error}"));
    let outcome = if path == Path::new("-") {
        log.read("standard input", std::io::stdin().lock())
    } else {
        let file = File::open(path).map_err(|error| fail(&format!("{name}: {error}")))?;
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(length) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{msg} [{bar:40}] {bytes}/{total_bytes}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(name.clone());
        let outcome = log.read(&name, BufReader::new(bar.wrap_read(file)));
        bar.finish_and_clear();
        outcome
    };
    outcome.map_err(|error| fail(&error).next("it is the file that kube-apiserver --audit-log-path writes"))
}

fn text(report: &Report) -> String {
    let broken = report.broken.iter().map(|broken| {
        let crate::sim::audit::Broken { at, id, time, namespace, write, message } = broken;
        format!("{id} broken at {time} in namespace {namespace} by {write}\n    {message}\n    {at}\n")
    });
    let hidden = report.violations.saturating_sub(report.broken.len());
    let more = (hidden > 0).then(|| format!("and {hidden} more\n"));
    let verdict = match report.violations {
        0 => "every promise is kept".to_owned(),
        1 => "1 promise broken".to_owned(),
        count => format!("{count} times a promise broken"),
    };
    let unknown = match report.unknown {
        0 => String::new(),
        count => format!("; {count} objects are older than the log, and the first write to each is not judged"),
    };
    let raced = match report.raced {
        0 => String::new(),
        count => format!("; {count} were under way together with somebody else's write to the Rollout"),
    };
    let Report { writes, judged, rollouts, .. } = report;
    let sum = format!(
        "{verdict}: {judged} writes of the controller judged, of {writes} to {rollouts} Rollouts and what belongs to them{unknown}{raced}\n"
    );
    broken.chain(more).chain([sum]).collect()
}
