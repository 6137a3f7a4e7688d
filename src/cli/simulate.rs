//! `simulate`: what a release will do, before anybody does it.

mod script;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::failure::Failure;
use super::lint::{documents, read};
use super::session::{Colour, Session};
use crate::simulate::behaviour::Behaviour;
use crate::simulate::fault::{Fault, KINDS};
use crate::simulate::input::Problem;
use crate::simulate::load::Users;
use crate::simulate::options::{Approval, Autoscaling, Change};
use crate::simulate::report::{Outcome, Report, chart, html, json, text};
use crate::simulate::text::{duration, rate};
use crate::simulate::{Input, Options, simulate};

const EXAMPLES: &str = "\
Examples:
  siskin simulate -f rollout.yaml -f services.yaml
  siskin simulate -f release/*.yaml --to-image web=registry.example/checkout:2 --load 500rps
  siskin simulate -f all.yaml --version-behaviour canary:errors=5%,latency=2x,start=30s
  siskin simulate -f all.yaml --fault node-loss@5m --fault gateway-lag=30s --output html > release.html
  siskin simulate --script found.json --trace

Exit codes: 0 the release is finished as it should, 1 bad input, 2 aborted or not finished, 3 a promise was broken.";

/// Show what a release will do: no cluster needed
///
/// Runs the real controller over a cluster in memory, in virtual time, with model users: deploys the first version of
/// the Rollout in the files, releases a new one, and prints what happens: a timeline, what it costs, and what a reviewer
/// should look at. The same call always prints the same. docs/simulate.md says how to read it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Simulate {
    /// Manifests: the Rollout, and the Services, routes, templates, workloads and autoscalers that it names. `-` reads
    /// the standard input.
    #[arg(short, long, required_unless_present = "script", num_args = 1.., value_name = "FILE")]
    filename: Vec<PathBuf>,
    /// Which Rollout, where the files hold several.
    #[arg(long, value_name = "NAME")]
    rollout: Option<String>,
    /// The new version: an image for a container (`*` for all). Without it and --patch, the first container's image gets
    /// another tag.
    #[arg(long, value_name = "CONTAINER=IMAGE", conflicts_with = "patch")]
    to_image: Option<String>,
    /// The new version: a patch of the Rollout (or of the workload that it refers to) as YAML or JSON; lists of named
    /// objects are merged by name.
    #[arg(long, value_name = "FILE")]
    patch: Option<PathBuf>,
    /// Requests of users: a rate such as 500rps, or a file with a profile. Without it 100rps.
    #[arg(long, value_name = "LOAD")]
    load: Option<String>,
    /// How a version behaves, such as canary:errors=5%,latency=2x,start=30s; may be repeated.
    #[arg(long, value_name = "VERSION:KEY=VALUE,…")]
    version_behaviour: Vec<String>,
    /// What goes wrong, such as node-loss@5m or gateway-lag=30s; may be repeated. `list` prints what there is.
    #[arg(long, value_name = "FAULT")]
    fault: Vec<String>,
    /// Scale by load also where no autoscaler (`HorizontalPodAutoscaler`) is in the files.
    #[arg(long)]
    hpa: bool,
    /// How long a pause that waits for a person waits here; `never` ends the simulation there.
    #[arg(long, value_name = "TIME", default_value = "1m")]
    approve_after: String,
    /// When to give up. Without it, two hours beyond twice all pauses.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Of all chance in it; without it 1, or the script's own.
    #[arg(long)]
    seed: Option<u64>,
    /// Replay a script of the fault search (JSON; `-` reads the standard input) in place of manifests, and say whether a
    /// promise is broken. docs/simulation.md says how to read it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["filename", "rollout", "to_image", "patch", "load",
        "version_behaviour", "fault", "hpa", "approve_after", "until"])]
    script: Option<PathBuf>,
    /// With --script: print every write of everybody, one a line.
    #[arg(long, requires = "script")]
    trace: bool,
    /// Form of the report.
    #[arg(short, long, value_enum, default_value_t = Form::Text)]
    output: Form,
    /// No colours.
    #[arg(long)]
    no_color: bool,
}

/// Forms of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// Tables.
    Text,
    /// One document.
    Json,
    /// A picture: shares of the traffic and pods over time.
    Svg,
    /// A page with picture and tables.
    Html,
}

impl Simulate {
    pub(super) fn run(self, session: &mut Session) -> Result<(), Failure> {
        if self.fault.iter().any(|fault| fault == "list") {
            let lines = KINDS.iter().map(|kind| format!("{:<28}{}\n", kind.example, kind.meaning));
            session.console.print(&lines.collect::<String>());
            return Ok(());
        }
        if let Some(script) = &self.script {
            return script::run(session, script, (self.seed, self.trace, self.output));
        }
        let options = self.options(session)?;
        let mut all = Vec::new();
        for path in &self.filename {
            all.extend(documents(&path.display().to_string(), &read(path)?)?);
        }
        let report = Input::read(&all, &options).and_then(|input| simulate(&input, &options));
        let report = report.map_err(|problem| failure(session, problem))?;
        let paint = session.paint(if self.no_color { Colour::Never } else { Colour::Auto });
        session.console.print(&match self.output {
            Form::Text => text::render(&report, paint),
            Form::Json => json::render(&report),
            Form::Svg => chart::render(&report),
            Form::Html => html::render(&report),
        });
        ended(&report)
    }

    fn options(&self, session: &Session) -> Result<Options, Failure> {
        let bad = |flag: &'static str| move |why: String| Failure::new(format!("{flag}: {why}"));
        let faults: Result<Vec<Fault>, String> = self.fault.iter().map(|fault| Fault::parse(fault)).collect();
        let versions: Result<_, String> = self.version_behaviour.iter().map(|said| Behaviour::parse(said)).collect();
        let approval = match self.approve_after.as_str() {
            "never" => Approval::Never,
            time => Approval::After(duration(time).map_err(bad("--approve-after"))?),
        };
        let autoscaling = if self.hpa { Autoscaling::Always } else { Autoscaling::AsWritten };
        Ok(Options {
            namespace: session.flags().namespace.clone().unwrap_or_else(|| "default".to_owned()),
            rollout: self.rollout.clone(),
            change: self.change()?,
            users: self.load.as_deref().map_or_else(|| Ok(Users::default()), users)?,
            versions: versions.map_err(bad("--version-behaviour"))?,
            faults: faults.map_err(bad("--fault"))?,
            autoscaling,
            approval,
            until: self.until.as_deref().map(duration).transpose().map_err(bad("--until"))?,
            seed: self.seed.unwrap_or(1),
        })
    }

    fn change(&self) -> Result<Change, Failure> {
        if let Some(path) = &self.patch {
            let file = path.display().to_string();
            let patch: Value = serde_saphyr::from_str(&read(path)?)
                .map_err(|error| Failure::new(format!("{file} is not valid YAML: {error}")))?;
            return Ok(Change::Patch { file, patch });
        }
        let Some(to_image) = &self.to_image else { return Ok(Change::Tag) };
        let named = to_image.split_once('=').filter(|(container, image)| !container.is_empty() && !image.is_empty());
        let (container, image) = named.ok_or_else(|| {
            Failure::new(format!(
                "--to-image: {to_image:?} is not CONTAINER=IMAGE, such as web=registry.example/checkout:2"
            ))
        })?;
        Ok(Change::Image { container: container.to_owned(), image: image.to_owned() })
    }
}

/// A rate, or the file of a profile.
fn users(load: &str) -> Result<Users, Failure> {
    let path = Path::new(load);
    if path.exists() {
        return Users::profile(&read(path)?).map_err(|why| Failure::new(format!("{load}: {why}")));
    }
    rate(load).map(Users::steady).map_err(|why| Failure::new(format!("--load: {why}; or name a file with a profile")))
}

/// Bad input: every problem with its place, then how many there are.
fn failure(session: &Session, problem: Problem) -> Failure {
    match problem {
        Problem::Said(why) => Failure::new(why),
        Problem::Found(found) => {
            for finding in &found {
                session.console.remark(&finding.to_string());
            }
            let count = found.len();
            Failure::new(if count == 1 { "1 problem found".to_owned() } else { format!("{count} problems found") })
        }
    }
}

fn ended(report: &Report) -> Result<(), Failure> {
    match report.verdict.outcome {
        Outcome::Finished => Ok(()),
        // The report has said it.
        outcome => Err(Failure::silent(outcome.exit())),
    }
}
