//! `version`: which build this is.

use super::failure::Dialect;
use super::session::Session;

/// Print the version
#[derive(Debug, clap::Args)]
pub struct Version {
    /// The version alone.
    #[arg(long)]
    short: bool,
}

impl Version {
    pub(super) fn run(self, session: &Session) {
        let name = if session.dialect == Dialect::Argo { "kubectl-argo-rollouts" } else { "siskin" };
        session.console.print(&format!("{name}: v{}\n", env!("CARGO_PKG_VERSION")));
        if !self.short {
            let lines = [
                ("BuildDate", option_env!("SISKIN_BUILD_DATE").unwrap_or("unknown")),
                ("GitCommit", option_env!("SISKIN_GIT_COMMIT").unwrap_or("unknown")),
                ("GitTreeState", option_env!("SISKIN_GIT_TREE_STATE").unwrap_or("unknown")),
                ("Compiler", "rustc"),
            ];
            for (label, value) in lines {
                session.console.print(&format!("  {label}: {value}\n"));
            }
            session.console.print(&format!("  Platform: {}/{}\n", std::env::consts::OS, std::env::consts::ARCH));
        }
    }
}
