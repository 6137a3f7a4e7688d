//! `status`: waits until a Rollout is done, for people and scripts.

use std::time::Duration;

use serde_json::json;

use super::client::{Cluster, ROLLOUTS};
use super::failure::Failure;
use super::get::{Output, json_text, not_found, unseen};
use super::session::Session;
use super::view::objects::{Objects, read};
use super::view::status as draw;
use super::watch::{Follower, Scope};
use crate::api::Rollout;
use crate::api::duration::GoDuration;
use crate::rollout::status::phase::{self, PhaseMessage, TemplateSource};

/// Wait until a Rollout is Healthy or Degraded, with a line for each change
///
/// Exit code 0: Healthy (or any phase, with --watch=false). Exit code 1: Degraded, or the time is over.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  siskin status checkout --timeout 10m     wait, in a pipeline\n  siskin status checkout --watch=false     ask once"
)]
pub struct Status {
    /// Name of a Rollout.
    #[arg(value_name = "NAME")]
    name: String,
    /// Wait until it is done.
    #[arg(short, long, default_value_t = true, default_missing_value = "true", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    watch: bool,
    /// Longest time to wait (Go duration, such as 10m); 0: for ever.
    #[arg(short, long, default_value = "0s", value_name = "DURATION")]
    timeout: String,
    /// `json` instead of text; asks once.
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Output>,
}

impl Status {
    /// What is printed of `objects`, which do not change: results, and the error that it ends with.
    pub(super) fn answer(&self, objects: &Objects, namespace: &str) -> (String, Option<Failure>) {
        let here = |rollout: &&Rollout| rollout.metadata.name == self.name && rollout.metadata.namespace == namespace;
        let Some(rollout) = objects.rollouts.iter().find(here) else {
            return (String::new(), Some(not_found(ROLLOUTS, &self.name)));
        };
        let phase = phase::client(rollout, TemplateSource::of(rollout));
        if self.output == Some(Output::Json) {
            let value =
                json!({"name": self.name, "namespace": namespace, "phase": phase.phase, "message": phase.message});
            return json_text(&value).map_or_else(|failure| (String::new(), Some(failure)), |text| (text, None));
        }
        let ended = draw::failure(&phase).map(Failure::new);
        if !self.watch {
            return (draw::line(&phase), ended);
        }
        let ended = ended.or_else(|| (!draw::is_final(&phase)).then(|| Failure::new(draw::WATCH_EXCEEDED)));
        (draw::watch_line(&phase), ended)
    }

    pub(super) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let timeout = GoDuration::parse(&self.timeout).map_err(|error| Failure::new(error.to_string()))?;
        let cluster = session.cluster().await?;
        let stored = match cluster.get(ROLLOUTS, &self.name).await {
            Ok(stored) => stored,
            Err(refused) => return Err(unseen(&cluster, refused).await),
        };
        if self.watch && self.output.is_none() {
            return self.follow(session, &cluster, timeout.to_std()).await;
        }
        let objects = Objects { rollouts: vec![read(ROLLOUTS.kind, &stored)?], ..Objects::default() };
        let (text, ended) = self.answer(&objects, &cluster.namespace);
        session.console.print(&text);
        ended.map_or(Ok(()), Err)
    }

    async fn follow(&self, session: &Session, cluster: &Cluster, limit: Duration) -> Result<(), Failure> {
        let scope = Scope { namespace: Some(cluster.namespace.clone()), name: Some(self.name.clone()) };
        let mut follower = Follower::new(cluster, &[(ROLLOUTS, scope)]);
        let waiting = async {
            let mut shown: Option<PhaseMessage> = None;
            loop {
                follower.changed().await;
                let objects = follower.objects()?;
                let rollout = objects.rollouts.first().ok_or_else(|| not_found(ROLLOUTS, &self.name))?;
                let now = phase::client(rollout, TemplateSource::of(rollout));
                if shown.as_ref() != Some(&now) {
                    session.console.print(&draw::watch_line(&now));
                }
                if draw::is_final(&now) {
                    return draw::failure(&now).map_or(Ok(()), |message| Err(Failure::new(message)));
                }
                shown = Some(now);
            }
        };
        if limit.is_zero() {
            return waiting.await;
        }
        let ended = tokio::time::timeout(limit, waiting).await;
        ended.unwrap_or_else(|_| Err(Failure::new(draw::WATCH_EXCEEDED)))
    }
}
