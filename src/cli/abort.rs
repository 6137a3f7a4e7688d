//! `abort`: send all traffic back to the stable revision.

use serde_json::{Value, json};

use super::client::{Cluster, Part, PatchKind, ROLLOUTS};
use super::explain::explain;
use super::failure::Failure;
use super::session::Session;

/// Send all traffic back to the stable revision
///
/// The Rollout is Degraded until the update is tried again (`siskin retry rollout`), replaced by a new one, or taken
/// back (`siskin undo`).
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  siskin abort checkout\n  siskin retry rollout checkout     try the same revision again"
)]
pub struct Abort {
    /// Names of Rollouts.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

impl Abort {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let cluster = session.cluster().await?;
        for name in &self.names {
            patch_status(&cluster, name, &json!({"status": {"abort": true}})).await?;
            session.console.print(&format!("rollout '{name}' aborted\n"));
        }
        Ok(())
    }
}

/// Patches the status; where the definition has no status subresource, the object itself.
pub(super) async fn patch_status(cluster: &Cluster, name: &str, body: &Value) -> Result<(), Failure> {
    let answer = cluster.patch((ROLLOUTS, name, Part::Status), PatchKind::Merge, body).await;
    let answer = match answer {
        Err(refused) if refused.is_not_found() => {
            cluster.patch((ROLLOUTS, name, Part::Main), PatchKind::Merge, body).await
        }
        answer => answer,
    };
    match answer {
        Ok(_) => Ok(()),
        Err(refused) => Err(explain(cluster, refused).await),
    }
}
