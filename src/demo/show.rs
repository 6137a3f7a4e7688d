//! The whole demo: the stage, the scenes in their order, what stays afterwards.

use super::director::{Director, DirectorError};
use super::hold::{HoldError, Kubeconfig, advice};
use super::scenes::{Letter, Scene};
use super::score::Score;
use super::screen::Screen;
use super::stage::{Doors, Stage, StageError};
use crate::runtime::shutdown::Shutdown;

/// At the pace of the manifests.
pub const PLAIN_SPEED: f64 = 1.0;
/// For people in a hurry, and tests.
pub const FAST_SPEED: f64 = 8.0;

/// What happens after the last scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// The demo ends.
    End,
    /// The cluster stays, with its users, and can be reached from other terminals.
    Hold,
}

/// What is shown, and how.
#[derive(Debug, Clone)]
pub struct Program {
    /// Scenes in their order.
    pub letters: Vec<Letter>,
    /// How many times as fast as the manifests say.
    pub speed: f64,
    /// What happens after the last one.
    pub afterwards: Afterwards,
}

/// Why a demo could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// No stage.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A scene could not go on.
    #[error(transparent)]
    Scene(#[from] DirectorError),
    /// The cluster cannot be kept for others.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// Signals cannot be heard.
    #[error("cannot listen to signals: {0}")]
    Deaf(#[from] std::io::Error),
    /// The person at the terminal has seen enough.
    #[error("interrupted")]
    Interrupted,
}

/// Shows all scenes; what each came to.
///
/// # Errors
/// When the stage cannot be set, or an order is refused. A scene that ends otherwise than expected is no error here.
pub async fn run(program: &Program, screen: &mut Screen) -> Result<Vec<Score>, ShowError> {
    let shutdown = Shutdown::new();
    shutdown.listen()?;
    let doors = if program.afterwards == Afterwards::Hold { Doors::Open } else { Doors::Closed };
    let stage = Stage::set(program.speed, doors).await?;
    let kubeconfig = match program.afterwards {
        Afterwards::End => None,
        Afterwards::Hold => Some(Kubeconfig::write(stage.address)?),
    };
    let result = tokio::select! {
        result = play(program, (&stage, kubeconfig.as_ref()), screen) => result,
        () = shutdown.requested() => Err(ShowError::Interrupted),
    };
    screen.close(result.as_deref().unwrap_or_default());
    if let (Ok(_), Some(kubeconfig)) = (&result, &kubeconfig) {
        populate(program, &stage);
        screen.remark(&advice(kubeconfig, &program.letters));
        shutdown.requested().await;
    }
    stage.close().await;
    result
}

async fn play(
    program: &Program,
    (stage, kubeconfig): (&Stage, Option<&Kubeconfig>),
    screen: &mut Screen,
) -> Result<Vec<Score>, ShowError> {
    let mut scores = Vec::new();
    for letter in &program.letters {
        let scene = Scene::of(*letter);
        if let Some(kubeconfig) = kubeconfig {
            screen.invite(kubeconfig.path(), &kubeconfig.invitation(&scene));
        }
        scores.push(Director::new(stage, &scene, screen).play().await?);
    }
    Ok(scores)
}

/// The users of every scene, once for each Rollout: one without users cannot be judged.
fn populate(program: &Program, stage: &Stage) {
    stage.clear();
    let mut served = Vec::new();
    for scene in program.letters.iter().map(|letter| Scene::of(*letter)) {
        if !served.contains(&scene.target) {
            stage.send(scene.users());
            served.push(scene.target);
        }
    }
}
