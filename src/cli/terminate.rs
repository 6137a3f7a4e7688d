//! `terminate`: end an analysis or an Experiment now.

use serde_json::json;

use super::client::{EXPERIMENTS, Part, PatchKind, RUNS, Resource};
use super::explain::explain;
use super::failure::Failure;
use super::session::Session;

/// End an analysis or an Experiment now
///
/// What was measured until then decides its verdict.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true, after_help = "Examples:\n  siskin terminate analysisrun checkout-7d4b-2-1")]
pub struct Terminate {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// End AnalysisRuns
    #[command(name = "analysisrun", aliases = ["ar", "analysisruns"])]
    AnalysisRun(Names),
    /// End Experiments
    #[command(aliases = ["exp", "experiments"])]
    Experiment(Names),
}

#[derive(Debug, clap::Args)]
struct Names {
    /// Names of the objects.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

impl Terminate {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        // Scripts look for "retried" here: Argo's CLI says so of an Experiment that it ends.
        match self.what {
            What::AnalysisRun(Names { names }) => terminate(session, RUNS, names, ("analysisRun", "terminated")).await,
            What::Experiment(Names { names }) => {
                terminate(session, EXPERIMENTS, names, ("experiment", "retried")).await
            }
        }
    }
}

async fn terminate(
    session: &mut Session,
    resource: Resource,
    names: Vec<String>,
    (kind, done): (&str, &str),
) -> Result<(), Failure> {
    let cluster = session.cluster().await?;
    for name in names {
        let body = json!({"spec": {"terminate": true}});
        let target = (resource, name.as_str(), Part::Main);
        if let Err(refused) = cluster.patch(target, PatchKind::Merge, &body).await {
            return Err(explain(&cluster, refused).await);
        }
        session.console.print(&format!("{kind} '{name}' {done}\n"));
    }
    Ok(())
}
