//! `restart`: replace all pods, without a new revision.

use serde_json::json;

use super::client::{Part, PatchKind, ROLLOUTS};
use super::explain::explain;
use super::failure::Failure;
use super::session::Session;
use crate::api::duration::GoDuration;

/// Replace all pods, a few at a time, without a new revision
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  siskin restart checkout\n  siskin restart checkout --in 10m")]
pub struct Restart {
    /// Name of a Rollout.
    #[arg(value_name = "NAME")]
    name: String,
    /// Time from now (Go duration, such as 10s or 5m).
    #[arg(short, long = "in", value_name = "DURATION")]
    delay: Option<String>,
}

impl Restart {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let Self { name, delay } = self;
        let text = delay.unwrap_or_else(|| "0s".to_owned());
        let delay = GoDuration::parse(&text).map_err(|error| Failure::new(error.to_string()))?;
        let at = session.now() + delay.to_std();
        let cluster = session.cluster().await?;
        let body = json!({"spec": {"restartAt": at.to_string()}});
        if let Err(refused) = cluster.patch((ROLLOUTS, &name, Part::Main), PatchKind::Merge, &body).await {
            return Err(explain(&cluster, refused).await);
        }
        session.console.print(&format!("rollout '{name}' restarts in {text}\n"));
        Ok(())
    }
}
