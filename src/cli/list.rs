//! `list`: one line for each Rollout or Experiment.

use std::collections::BTreeMap;

use super::client::{Cluster, EXPERIMENTS, ROLLOUTS};
use super::explain::explain;
use super::failure::Failure;
use super::get::{Output, json_text};
use super::session::Session;
use super::view::list::{self as draw, Columns, Namespaces, RolloutLine, rollout_lines};
use super::view::objects::Objects;
use super::watch::{Follower, Scope};
use crate::api::time::Time;

const NOTHING: &str = "No resources found.\n";

/// List Rollouts or Experiments, one line each
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  siskin list rollouts\n  siskin list rollouts -A -w\n  siskin list experiments"
)]
pub struct List {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// One line for each Rollout
    #[command(aliases = ["ro", "rollout"])]
    Rollouts(Rollouts),
    /// One line for each Experiment
    #[command(aliases = ["exp", "experiment"])]
    Experiments(Experiments),
}

#[derive(Debug, clap::Args)]
struct Rollouts {
    /// Only the Rollout of this name.
    #[arg(long)]
    name: Option<String>,
    /// Those of all namespaces.
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Go on with a line for each change.
    #[arg(short, long)]
    watch: bool,
    /// Begin each line with the time.
    #[arg(long)]
    timestamps: bool,
    /// `json` instead of text.
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Output>,
}

#[derive(Debug, clap::Args)]
struct Experiments {
    /// Those of all namespaces.
    #[arg(short = 'A', long)]
    all_namespaces: bool,
}

fn columns_of(all: bool) -> Namespaces {
    if all { Namespaces::All } else { Namespaces::One }
}

impl List {
    /// What is printed of `objects`: results and remarks.
    pub(super) fn answer(&self, objects: &Objects, namespace: &str, now: Time) -> Result<(String, String), Failure> {
        match &self.what {
            What::Rollouts(list) => list.answer(objects, namespace, now),
            What::Experiments(list) => {
                let here = |all: bool, of: &str| all || of == namespace;
                let mut found = objects.experiments.clone();
                found.retain(|experiment| here(list.all_namespaces, &experiment.metadata.namespace));
                if found.is_empty() {
                    return Ok((String::new(), NOTHING.to_owned()));
                }
                Ok((draw::experiments(&found, columns_of(list.all_namespaces), now), String::new()))
            }
        }
    }

    pub(super) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let cluster = session.cluster().await?;
        let (resource, all, name) = match &self.what {
            What::Rollouts(list) => (ROLLOUTS, list.all_namespaces, list.name.clone()),
            What::Experiments(list) => (EXPERIMENTS, list.all_namespaces, None),
        };
        let namespace = (!all).then_some(cluster.namespace.as_str());
        if let What::Rollouts(list) = &self.what
            && list.watch
        {
            return list.follow(session, &cluster).await;
        }
        let query = name.map(|name| format!("fieldSelector=metadata.name%3D{name}")).unwrap_or_default();
        let listed = match cluster.list(resource, namespace, &query).await {
            Ok(listed) => listed,
            Err(refused) => return Err(explain(&cluster, refused).await),
        };
        let mut objects = Objects::default();
        for value in &listed {
            objects.add(resource.kind, value)?;
        }
        let (results, remarks) = self.answer(&objects, &cluster.namespace, session.now())?;
        session.console.print(&results);
        session.console.remark(&remarks);
        Ok(())
    }
}

impl Rollouts {
    fn lines(&self, objects: &Objects, namespace: &str) -> Vec<RolloutLine> {
        let mut lines = rollout_lines(&objects.rollouts);
        lines.retain(|line| self.all_namespaces || line.namespace == namespace);
        lines.retain(|line| self.name.as_ref().is_none_or(|name| *name == line.name));
        lines
    }

    fn columns(&self, lines: &[RolloutLine], now: Time) -> Columns {
        Columns::fitting(lines, self.timestamps.then_some(now), columns_of(self.all_namespaces))
    }

    fn answer(&self, objects: &Objects, namespace: &str, now: Time) -> Result<(String, String), Failure> {
        let lines = self.lines(objects, namespace);
        if self.output == Some(Output::Json) {
            return Ok((json_text(&lines)?, String::new()));
        }
        if lines.is_empty() {
            return Ok((String::new(), NOTHING.to_owned()));
        }
        Ok((draw::rollouts(&lines, &self.columns(&lines, now)), String::new()))
    }

    /// The table, then a line for each Rollout that has changed in what is shown.
    async fn follow(&self, session: &Session, cluster: &Cluster) -> Result<(), Failure> {
        let namespace = (!self.all_namespaces).then(|| cluster.namespace.clone());
        let scope = Scope { namespace, name: self.name.clone() };
        let mut follower = Follower::new(cluster, &[(ROLLOUTS, scope)]);
        let mut shown: BTreeMap<(String, String), RolloutLine> = BTreeMap::new();
        let mut columns: Option<Columns> = None;
        loop {
            follower.changed().await;
            let lines = self.lines(&follower.objects()?, &cluster.namespace);
            let columns = columns.get_or_insert_with(|| {
                let columns = self.columns(&lines, session.now());
                session.console.print(&columns.headings());
                columns
            });
            columns.timestamp = self.timestamps.then(|| session.now());
            for line in lines {
                let key = (line.namespace.clone(), line.name.clone());
                if shown.get(&key) != Some(&line) {
                    session.console.print(&columns.line(&line));
                    shown.insert(key, line);
                }
            }
        }
    }
}
