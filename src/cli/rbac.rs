//! `rbac`: what the controller is allowed to do, from the table of what it does.

mod table;

use std::path::PathBuf;

use super::failure::Failure;
use super::generated;
use super::session::Session;

use table::files;
pub(super) use table::{NAME, NAMESPACE};

/// Print the controller's service account, roles and bindings
///
/// Only what a canary or blue-green needs with Services, Gateway API routes and Prometheus. Other routers and Secrets
/// are granted one by one: `siskin rbac --with istio`, `--with secrets` (in the namespace given by -n).
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  siskin rbac | kubectl apply -f -\n  siskin rbac --with istio | kubectl apply -f -\n  siskin rbac --dir config/rbac"
)]
pub struct Rbac {
    /// Directory to write the files of the default installation to.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// An opt-in role: istio, ingress, smi, ambassador, appmesh, traefik, apisix, alb, or secrets.
    #[arg(long, value_name = "NAME")]
    with: Vec<String>,
}

impl Rbac {
    pub(super) fn run(self, session: &mut Session) -> Result<(), Failure> {
        if !self.with.is_empty() {
            let namespace = session.flags().namespace.clone();
            let mut texts = Vec::new();
            for name in &self.with {
                texts.push(table::optional(name, namespace.as_deref())?);
            }
            session.console.print(&texts.join("---\n"));
            return Ok(());
        }
        let files = files()?;
        let files: Vec<(&str, &str)> = files.iter().map(|file| (file.name, file.text.as_str())).collect();
        generated::hand_out(session, self.dir.as_deref(), &files)
    }
}
