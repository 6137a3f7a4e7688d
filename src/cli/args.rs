//! The verbs and the flags that all of them share.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::failure::{Dialect, Failure};
use super::session::Session;
use super::{
    abort, check_trace, controller, crds, demo, get, lint, list, pause, promote, rbac, restart, retry, set, simulate,
    status, terminate, undo, version,
};

const EXAMPLES: &str = "\
Examples:
  siskin lint -f rollout.yaml       check manifests before they are applied
  siskin simulate -f all.yaml       what a release will do, without a cluster
  siskin list rollouts              one line for each Rollout of the namespace
  siskin get checkout -w            follow one Rollout: pods, weights, analyses
  siskin promote checkout           go on after a pause
  siskin abort checkout             send all traffic back to the stable revision
  siskin undo checkout              go back to the revision before

As a kubectl plugin: kubectl siskin …, or kubectl argo rollouts … where scripts expect that name.";

/// Progressive delivery for Kubernetes, compatible with Argo Rollouts.
///
/// A Rollout is a Deployment that is updated step by step: some traffic goes to the new revision, measurements are
/// taken, and it is promoted or sent back. These verbs show Rollouts and steer them.
#[derive(Debug, Parser)]
#[command(name = "siskin", after_help = EXAMPLES, arg_required_else_help = true, disable_version_flag = true)]
pub struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    verb: Verb,
}

/// Which cluster, and as whom: kubectl's flags.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster")]
pub struct Flags {
    /// Namespace; the default is that of the kubeconfig's context.
    #[arg(short, long, global = true)]
    pub namespace: Option<String>,
    /// Context of the kubeconfig.
    #[arg(long, global = true)]
    pub context: Option<String>,
    /// Path of the kubeconfig; the default is $KUBECONFIG, then ~/.kube/config.
    #[arg(long, global = true)]
    pub kubeconfig: Option<PathBuf>,
    /// Cluster of the kubeconfig.
    #[arg(long, global = true, hide_short_help = true)]
    pub cluster: Option<String>,
    /// User of the kubeconfig.
    #[arg(long, global = true, hide_short_help = true)]
    pub user: Option<String>,
    /// Address of the API server.
    #[arg(short, long, global = true, hide_short_help = true)]
    pub server: Option<String>,
    /// Bearer token.
    #[arg(long, global = true, hide_short_help = true)]
    pub token: Option<String>,
    /// User to impersonate.
    #[arg(long = "as", global = true, hide_short_help = true)]
    pub impersonate: Option<String>,
    /// Groups to impersonate.
    #[arg(long = "as-group", global = true, hide_short_help = true)]
    pub impersonate_groups: Vec<String>,
    /// Accept any certificate of the API server.
    #[arg(long, global = true, hide_short_help = true)]
    pub insecure_skip_tls_verify: bool,
    /// Level of log lines: debug, info, warn or error.
    #[arg(long, global = true, default_value = "info", hide_short_help = true)]
    pub loglevel: String,
    /// Level of the Kubernetes client's log lines; taken for compatibility.
    #[arg(short = 'v', long, global = true, default_value_t = 0, hide = true)]
    pub kloglevel: i32,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "each verb documents itself, and a text here would take the place of its help")]
pub enum Verb {
    Get(get::Get),
    List(list::List),
    Status(status::Status),
    Promote(promote::Promote),
    Pause(pause::Pause),
    Abort(abort::Abort),
    Retry(retry::Retry),
    Undo(undo::Undo),
    Set(set::Set),
    Restart(restart::Restart),
    Terminate(terminate::Terminate),
    Lint(lint::Lint),
    Crds(crds::Crds),
    Rbac(rbac::Rbac),
    Controller(Box<controller::Controller>),
    Demo(demo::Demo),
    Simulate(Box<simulate::Simulate>),
    CheckTrace(check_trace::CheckTrace),
    Version(version::Version),
}

impl Verb {
    /// Does what was asked.
    ///
    /// # Errors
    /// When it cannot be done; the message says what to do next.
    pub async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::Get(verb) => verb.run(session).await,
            Self::List(verb) => verb.run(session).await,
            Self::Status(verb) => verb.run(session).await,
            Self::Promote(verb) => verb.run(session).await,
            Self::Pause(verb) => verb.run(session).await,
            Self::Abort(verb) => verb.run(session).await,
            Self::Retry(verb) => verb.run(session).await,
            Self::Undo(verb) => verb.run(session).await,
            Self::Set(verb) => verb.run(session).await,
            Self::Restart(verb) => verb.run(session).await,
            Self::Terminate(verb) => verb.run(session).await,
            // Larger than all others together.
            Self::Controller(verb) => Box::pin(verb.run(session)).await,
            Self::Demo(verb) => verb.run(session).await,
            Self::Lint(verb) => verb.run(session),
            Self::Simulate(verb) => verb.run(session),
            Self::CheckTrace(verb) => verb.run(session),
            Self::Crds(verb) => verb.run(session),
            Self::Rbac(verb) => verb.run(session),
            Self::Version(verb) => {
                verb.run(session);
                Ok(())
            }
        }
    }
}

/// What the first argument makes of the binary: its dialect, and the name in its help.
pub fn called_as(program: &Path) -> (Dialect, &'static str) {
    match program.file_stem().and_then(|name| name.to_str()) {
        Some("kubectl-argo-rollouts") => (Dialect::Argo, "kubectl argo rollouts"),
        Some("kubectl-siskin") => (Dialect::Siskin, "kubectl siskin"),
        _ => (Dialect::Siskin, "siskin"),
    }
}

/// Reads a command line; the first argument is the program.
///
/// # Errors
/// When it does not parse, or asks for help.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<(Dialect, Flags, Verb), clap::Error> {
    let args: Vec<OsString> = args.into_iter().collect();
    let (dialect, name) = called_as(Path::new(args.first().unwrap_or(&OsString::from("siskin"))));
    let matches = Cli::command().bin_name(name).try_get_matches_from(args)?;
    let cli = Cli::from_arg_matches(&matches)?;
    Ok((dialect, cli.flags, cli.verb))
}

/// Runs a command line in the terminal. Exit codes: 0, or 1 for every error; `simulate` has others beside.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let (dialect, flags, verb) = match parse(args) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help asked for goes to stdout and is no error; everything else is, with exit code 1 as Argo's.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut session = Session::new(dialect, flags);
    match runtime.block_on(verb.run(&mut session)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            session.console.remark(&failure.render(dialect));
            ExitCode::from(failure.exit())
        }
    }
}
