//! `controller`: the controller itself.

use std::time::Duration;

use clap::ArgAction;

use super::failure::Failure;
use super::session::Session;
use crate::config::ControllerFlags;

/// Run the controller
///
/// Watches Rollouts and AnalysisRuns and carries them out. The flags are those of Argo Rollouts' controller, and a few of
/// Siskin's own.
#[derive(Debug, clap::Args)]
pub struct Controller {
    #[command(flatten)]
    flags: ControllerFlags,
    /// Print the version and exit.
    #[arg(long, action = ArgAction::SetTrue)]
    version: bool,
}
