//! `demo`: a cluster in memory, the controller, users, and three releases.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use super::failure::Failure;
use super::session::{Colour, Session};
use crate::demo::scenes::{Letter, manifests};
use crate::demo::screen::{Form, Screen};
use crate::demo::show::{Afterwards, FAST_SPEED, PLAIN_SPEED, Program, run};

/// How long the approval is waited for before it is given by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a newcomer may want next.
const NEXT: &str = "
Nothing above was scripted: the controller decided from what it saw in the cluster.
  siskin demo --hold         keep the cluster, and try commands from another terminal
  siskin demo --manifests    what was applied
";

/// Show three releases in a minute: no cluster needed
///
/// Runs the real controller over a cluster in memory, with model users at 200 requests a second: a canary that promotes
/// itself, a bad release that is taken back, and a blue-green with an approval and an undo. Nothing leaves this machine.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  siskin demo                    all three scenes\n  siskin demo --scene b          only the bad release\n  siskin demo --fast --json      for scripts: one JSON object a line\n  siskin demo --hold             keep the cluster, to try commands from another terminal"
)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Demo {
    /// Only this scene; may be repeated.
    #[arg(long, value_enum, value_name = "SCENE")]
    scene: Vec<Letter>,
    /// Eight times as fast; asks nothing.
    #[arg(long)]
    fast: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Plain lines, also on a terminal.
    #[arg(long, conflicts_with = "json")]
    plain: bool,
    /// Keep the cluster afterwards, and write a kubeconfig for other terminals.
    #[arg(long, conflicts_with = "fast")]
    hold: bool,
    /// Print the manifests that the demo applies, and do nothing else.
    #[arg(long, exclusive = true)]
    manifests: bool,
    /// No colours.
    #[arg(long)]
    no_color: bool,
}

impl Demo {
    fn form(&self) -> Form {
        let is_dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        if self.json {
            Form::Json
        } else if self.plain || is_dumb || !io::stdout().is_terminal() {
            Form::Lines
        } else {
            Form::Picture
        }
    }

    pub(super) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        if self.manifests {
            session.console.print(&manifests());
            return Ok(());
        }
        let paint = session.paint(if self.no_color { Colour::Never } else { Colour::Auto });
        // Nobody is asked who could not answer, or is in a hurry.
        let asks = io::stdin().is_terminal() && !self.fast;
        let patience = if asks { PATIENCE } else { Duration::ZERO };
        let mut screen = Screen::new(self.form(), session.console.clone(), (paint, patience));
        let program = Program {
            letters: if self.scene.is_empty() { Letter::ALL.to_vec() } else { self.scene },
            speed: if self.fast { FAST_SPEED } else { PLAIN_SPEED },
            afterwards: if self.hold { Afterwards::Hold } else { Afterwards::End },
        };
        let scores = run(&program, &mut screen).await;
        let scores = scores.map_err(|error| Failure::new(error.to_string()))?;
        if scores.iter().all(crate::demo::score::Score::is_good) {
            if program.afterwards == Afterwards::End {
                screen.remark(NEXT);
            }
            return Ok(());
        }
        Err(Failure::new("a scene did not end as it should, or requests were lost")
            .next("This is a defect: please report it with the output of `siskin demo --fast --json`."))
    }
}
