//! `promote`: go on after a pause, skip a step, or skip everything. Source: cli §2.1.

use serde_json::{Value, json};

use super::client::{Cluster, Part, PatchKind, ROLLOUTS};
use super::explain::explain;
use super::failure::Failure;
use super::session::Session;
use super::view::objects::read;
use crate::api::Rollout;

/// Go on after a pause, or skip steps
///
/// Without flags: ends the current pause; where there is none, skips the current step. With --full the new revision
/// is promoted at once, past all steps, pauses and analyses.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  siskin promote checkout\n  siskin promote checkout --full")]
pub struct Promote {
    /// Name of a Rollout.
    #[arg(value_name = "NAME")]
    name: String,
    /// Promote at once, past all steps, pauses and analyses.
    #[arg(long)]
    full: bool,
    /// Skip the current step. Promoting without flags does the same.
    #[arg(short = 'c', long, hide = true)]
    skip_current_step: bool,
    /// Skip all steps, but not the pause of a blue-green. Prefer --full.
    #[arg(short = 'a', long, hide = true)]
    skip_all_steps: bool,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Resume,
    Full,
    SkipStep,
    SkipAll,
}

/// The patches that promote; either may be absent.
#[derive(Debug, Default, PartialEq)]
struct Patches {
    /// For the object.
    spec: Option<Value>,
    /// For the status.
    status: Option<Value>,
    /// For the object where there is no status subresource.
    unified: Option<Value>,
}

impl Promote {
    fn mode(&self) -> Result<Mode, Failure> {
        match (self.skip_current_step, self.skip_all_steps, self.full) {
            (true, true, _) => {
                Err(Failure::new("Cannot use skip-current-step and skip-all-steps flags at the same time"))
            }
            (true, false, _) => Ok(Mode::SkipStep),
            (false, true, _) => Ok(Mode::SkipAll),
            (false, false, true) => Ok(Mode::Full),
            (false, false, false) => Ok(Mode::Resume),
        }
    }

    pub(super) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let mode = self.mode()?;
        let cluster = session.cluster().await?;
        let stored = match cluster.get(ROLLOUTS, &self.name).await {
            Ok(stored) => stored,
            Err(refused) => return Err(explain(&cluster, refused).await),
        };
        let patches = patches(&read(ROLLOUTS.kind, &stored)?, mode)?;
        send(&cluster, &self.name, patches).await?;
        let done = if mode == Mode::Full { "fully promoted" } else { "promoted" };
        session.console.print(&format!("rollout '{}' {done}\n", self.name));
        Ok(())
    }
}

/// Status first: a Rollout that is unpaused before its pause conditions are gone would pause again.
async fn send(cluster: &Cluster, name: &str, patches: Patches) -> Result<(), Failure> {
    let Patches { mut spec, status, unified } = patches;
    if let Some(status) = status {
        match cluster.patch((ROLLOUTS, name, Part::Status), PatchKind::Merge, &status).await {
            Ok(_) => {}
            Err(refused) if refused.is_not_found() => spec = unified,
            Err(refused) => return Err(explain(cluster, refused).await),
        }
    }
    if let Some(spec) = spec
        && let Err(refused) = cluster.patch((ROLLOUTS, name, Part::Main), PatchKind::Merge, &spec).await
    {
        return Err(explain(cluster, refused).await);
    }
    Ok(())
}

fn patches(rollout: &Rollout, mode: Mode) -> Result<Patches, Failure> {
    let steps = rollout.spec.strategy.canary.as_ref().and_then(|canary| canary.steps.as_ref()).map_or(0, Vec::len);
    let skips = matches!(mode, Mode::SkipStep | Mode::SkipAll);
    if skips && rollout.spec.strategy.blue_green.is_some() {
        return Err(Failure::new("Cannot skip steps of a bluegreen rollout. Run without a flags"));
    }
    if skips && steps == 0 {
        return Err(Failure::new("Cannot skip steps of a rollout without steps"));
    }
    let status = match mode {
        Mode::SkipStep => Some(json!({"currentStepIndex": next_step(rollout, steps)})),
        Mode::SkipAll => Some(json!({"currentStepIndex": steps})),
        Mode::Full => {
            (rollout.status.current_pod_hash != rollout.status.stable_rs).then(|| json!({"promoteFull": true}))
        }
        Mode::Resume => resume(rollout, steps),
    };
    let unpause = (!skips && rollout.spec.paused).then(|| json!({"spec": {"paused": false}}));
    let unified = status.as_ref().map(|status| {
        if skips { json!({"status": status}) } else { json!({"spec": {"paused": false}, "status": status}) }
    });
    let status = status.map(|status| json!({"status": status}));
    Ok(Patches { spec: unpause, status, unified })
}

/// The step after the current one; past the last it stays.
fn next_step(rollout: &Rollout, steps: usize) -> usize {
    let index = usize::try_from(rollout.status.current_step_index.unwrap_or(0)).unwrap_or(0);
    if index < steps { index + 1 } else { index }
}

fn resume(rollout: &Rollout, steps: usize) -> Option<Value> {
    let status = &rollout.status;
    let run = status.canary.current_step_analysis_run_status.as_ref();
    let inconclusive = run.is_some_and(|run| run.status == "Inconclusive");
    let paused = !status.pause_conditions.is_empty();
    let is_canary = rollout.spec.strategy.canary.is_some();
    if is_canary && inconclusive && paused && status.controller_pause {
        let next = next_step(rollout, steps);
        return Some(json!({"pauseConditions": null, "controllerPause": false, "currentStepIndex": next}));
    }
    if paused {
        return Some(json!({"pauseConditions": null}));
    }
    (is_canary && steps > 0).then(|| json!({"pauseConditions": null, "currentStepIndex": next_step(rollout, steps)}))
}
