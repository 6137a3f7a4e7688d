//! `pause`: stop where the update is.

use serde_json::json;

use super::client::{Part, PatchKind, ROLLOUTS};
use super::explain::explain;
use super::failure::Failure;
use super::session::Session;

/// Stop an update where it is
///
/// Traffic and pods stay as they are until `siskin promote`. To go back instead: `siskin abort`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  siskin pause checkout\n  siskin promote checkout     go on")]
pub struct Pause {
    /// Names of Rollouts.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

impl Pause {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let cluster = session.cluster().await?;
        for name in &self.names {
            let body = json!({"spec": {"paused": true}});
            if let Err(refused) = cluster.patch((ROLLOUTS, name, Part::Main), PatchKind::Merge, &body).await {
                return Err(explain(&cluster, refused).await);
            }
            session.console.print(&format!("rollout '{name}' paused\n"));
        }
        Ok(())
    }
}
