//! `crds`: the definitions that a cluster needs.

use std::path::PathBuf;

use super::failure::Failure;
use super::generated;
use super::session::Session;
use crate::api::crd;

/// Print the CustomResourceDefinitions, or write them to a directory
///
/// They are the same five kinds as Argo Rollouts': an installation of Argo's can keep its own. Siskin's definitions
/// add its own fields (`status.siskin`, `trafficRouting.gatewayAPI`), which others would prune.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  siskin crds | kubectl apply --server-side -f -\n  siskin crds --rules | kubectl apply --server-side -f -\n  siskin crds --dir crds"
)]
pub struct Crds {
    /// Directory to write one file for each kind to.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// With the rules of validation as CEL: the API server refuses a bad Rollout where it is applied. Without them it is
    /// taken, as with Argo Rollouts, and its status says InvalidSpec.
    #[arg(long)]
    rules: bool,
}

impl Crds {
    pub(super) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let definitions = if self.rules { crd::with_rules() } else { crd::crds() };
        let files = crd::files(&definitions)
            .map_err(|error| Failure::new(format!("cannot write a definition as YAML: {error}")))?;
        let files: Vec<(&str, &str)> = files.iter().map(|file| (file.name, file.text.as_str())).collect();
        generated::hand_out(session, self.dir.as_deref(), &files)
    }
}
