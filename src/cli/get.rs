//! `get`: one Rollout or Experiment, in full.

use std::time::Duration;

use super::client::{Cluster, EXPERIMENTS, PODS, REPLICA_SETS, ROLLOUTS, RUNS, Refused, Resource};
use super::explain::explain;
use super::failure::Failure;
use super::objects::surroundings;
use super::session::{Colour, Session};
use super::view::experiment::experiment_info;
use super::view::get::{self as draw, Style};
use super::view::objects::{Objects, read};
use super::view::rollout::rollout_info;
use super::watch::{Follower, Scope};
use crate::api::time::Time;

/// Clears a terminal and puts the cursor into its corner.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J\u{1b}[0;0H";

/// Show one Rollout with its revisions, pods, analyses and Experiments
///
/// Icons: ✔ as it should be, ◌ under way, ॥ paused, ✖ failed, ⚠ in error, ? no verdict, ◷ not begun, • scaled down.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "siskin get [rollout|experiment] NAME [OPTIONS]",
    after_help = "Examples:\n  siskin get checkout               a Rollout\n  siskin get checkout -w            … followed live\n  siskin get experiment compare     an Experiment\n  siskin get checkout --output json"
)]
pub struct Get {
    /// `NAME`, `rollout NAME` or `experiment NAME`.
    #[arg(required = true, num_args = 1..=2, value_names = ["KIND", "NAME"])]
    words: Vec<String>,
    /// Follow it until interrupted.
    #[arg(short, long)]
    watch: bool,
    /// No colours.
    #[arg(long)]
    no_color: bool,
    /// End following after so many seconds; 0: never.
    #[arg(long, default_value_t = 0, value_name = "N")]
    timeout_seconds: u64,
    /// `json` instead of text.
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Output>,
}

/// Forms of output other than text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// JSON.
    Json,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Subject {
    resource: Resource,
    name: String,
}

fn subject(words: &[String]) -> Result<Subject, Failure> {
    let kind = |word: &str| match word {
        "rollout" | "ro" | "rollouts" => Some(ROLLOUTS),
        "experiment" | "exp" | "experiments" => Some(EXPERIMENTS),
        _ => None,
    };
    match words {
        [word] if kind(word).is_some() => Err(Failure::new(format!("name the {word}: get {word} NAME"))),
        [name] => Ok(Subject { resource: ROLLOUTS, name: name.clone() }),
        [word, name] => match kind(word) {
            Some(resource) => Ok(Subject { resource, name: name.clone() }),
            None => Err(Failure::new(format!("unknown kind {word:?}: get shows a rollout or an experiment"))),
        },
        _ => Err(Failure::new("name one Rollout: get NAME")),
    }
}

impl Get {
    /// What is printed of `objects`; `None` where the subject is not among them.
    pub(super) fn answer(&self, objects: &Objects, namespace: &str, style: Style) -> Result<String, Failure> {
        let Subject { resource, name } = subject(&self.words)?;
        let here = |meta: &crate::api::Meta| meta.name == name && meta.namespace == namespace;
        if resource == EXPERIMENTS {
            let found = objects.experiments.iter().find(|experiment| here(&experiment.metadata));
            let found = found.ok_or_else(|| not_found(resource, &name))?;
            let info = experiment_info(found, objects);
            return self.text(&info, || draw::experiment(&info, style));
        }
        let found = objects.rollouts.iter().find(|rollout| here(&rollout.metadata));
        let info = rollout_info(found.ok_or_else(|| not_found(resource, &name))?, objects);
        self.text(&info, || draw::rollout(&info, style))
    }

    fn text(&self, info: &impl serde::Serialize, drawn: impl FnOnce() -> String) -> Result<String, Failure> {
        match self.output {
            None => Ok(drawn()),
            Some(Output::Json) => json_text(info),
        }
    }

    pub(super) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let subject = subject(&self.words)?;
        let cluster = session.cluster().await?;
        let stored = match cluster.get(subject.resource, &subject.name).await {
            Ok(stored) => stored,
            Err(refused) => return Err(unseen(&cluster, refused).await),
        };
        let colour = if self.no_color { Colour::Never } else { Colour::Auto };
        let paint = session.paint(colour);
        if self.watch {
            return self.follow(session, &cluster, |now| Style { paint, now }).await;
        }
        let mut objects = surroundings(&cluster, &session.console).await?;
        if subject.resource == ROLLOUTS {
            objects.rollouts.push(read(ROLLOUTS.kind, &stored)?);
        } else {
            objects.experiments.retain(|experiment| experiment.metadata.name != subject.name);
            objects.experiments.push(read(EXPERIMENTS.kind, &stored)?);
        }
        let text = self.answer(&objects, &cluster.namespace, Style { paint, now: session.now() })?;
        session.console.print(&text);
        Ok(())
    }

    async fn follow(&self, session: &Session, cluster: &Cluster, style: impl Fn(Time) -> Style) -> Result<(), Failure> {
        let scope = Scope { namespace: Some(cluster.namespace.clone()), name: None };
        let kinds = [ROLLOUTS, REPLICA_SETS, PODS, EXPERIMENTS, RUNS];
        let mut follower = Follower::new(cluster, &kinds.map(|kind| (kind, scope.clone())));
        let drawing = async {
            loop {
                follower.changed().await;
                let text = self.answer(&follower.objects()?, &cluster.namespace, style(session.now()))?;
                session.console.print(&format!("{CLEAR}{text}"));
            }
        };
        if self.timeout_seconds == 0 {
            return drawing.await;
        }
        tokio::time::timeout(Duration::from_secs(self.timeout_seconds), drawing).await.unwrap_or(Ok(()))
    }
}

/// JSON for programs, with end of line.
pub(super) fn json_text(value: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n").map_err(|error| Failure::new(format!("cannot write JSON: {error}")))
}

/// The error for an object that is not there.
pub(super) fn not_found(resource: Resource, name: &str) -> Failure {
    Failure::new(format!("{} {name:?} not found", resource.singular_name()))
}

/// Why an object cannot be shown, with advice.
pub(super) async fn unseen(cluster: &Cluster, refused: Refused) -> Failure {
    let resource = refused.resource;
    explain(cluster, refused).await.reworded(&resource.full_name(), &resource.singular_name())
}
