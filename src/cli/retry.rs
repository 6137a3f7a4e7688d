//! `retry`: try an aborted update, or an Experiment, again.

use serde_json::json;

use super::abort::patch_status;
use super::client::{EXPERIMENTS, Part, PatchKind};
use super::explain::explain;
use super::failure::Failure;
use super::session::Session;

/// Try an aborted update again, from its first step
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  siskin retry rollout checkout\n  siskin retry experiment compare"
)]
pub struct Retry {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Try aborted updates again
    #[command(aliases = ["ro", "rollouts"])]
    Rollout(Names),
    /// Run finished Experiments again
    #[command(aliases = ["exp", "experiments"])]
    Experiment(Names),
}

#[derive(Debug, clap::Args)]
struct Names {
    /// Names of the objects.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

impl Retry {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let cluster = session.cluster().await?;
        match self.what {
            What::Rollout(Names { names }) => {
                for name in names {
                    patch_status(&cluster, &name, &json!({"status": {"abort": false}})).await?;
                    session.console.print(&format!("rollout '{name}' retried\n"));
                }
            }
            What::Experiment(Names { names }) => {
                for name in names {
                    let body = json!({"status": null});
                    let target = (EXPERIMENTS, name.as_str(), Part::Main);
                    if let Err(refused) = cluster.patch(target, PatchKind::Merge, &body).await {
                        return Err(explain(&cluster, refused).await);
                    }
                    session.console.print(&format!("experiment '{name}' retried\n"));
                }
            }
        }
        Ok(())
    }
}
