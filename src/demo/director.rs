//! Runs one scene: gives the orders, looks until each has had its effect or its time is over.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use futures::future::LocalBoxFuture;

use super::facts::{Facts, Happening, Watcher};
use super::scenes::{Beat, Deed, Goal, Scene};
use super::score::{Outcome, Score, Sums, Waits};
use super::screen::{Question, Screen};
use super::stage::{Stage, StageError};
use crate::api::Time;
use crate::cli::args;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::cli::view::objects::UnreadableObject;

/// The least time that a beat is given, by the computer's clock.
const LEAST: Duration = Duration::from_secs(15);

/// Why a scene cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DirectorError {
    /// An object cannot be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableObject),
    /// An order was refused.
    #[error("`siskin {command}` failed: {why}")]
    Command {
        /// The command.
        command: String,
        /// Its error.
        why: String,
    },
    /// The stage is broken.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The version that a scene begins with does not serve.
    #[error("{0} did not become ready: {1}; this is a defect of the demo or of the controller")]
    Opening(String, String),
}

/// One scene under way.
pub struct Director<'a> {
    stage: &'a Stage,
    scene: &'a Scene,
    screen: &'a mut Screen,
    watcher: Watcher,
    waits: Waits,
    opened: Time,
    /// When users came; from then on everything counts.
    began: Time,
    before: Sums,
}

impl<'a> Director<'a> {
    /// Prepares a scene.
    pub fn new(stage: &'a Stage, scene: &'a Scene, screen: &'a mut Screen) -> Self {
        let watcher = Watcher::new(stage, scene);
        let before = Sums::of(stage.record().lock().total());
        Self { stage, scene, screen, watcher, waits: Waits::default(), opened: stage.now(), began: stage.now(), before }
    }

    /// Plays the scene to its end, whatever that is.
    pub async fn play(mut self) -> Result<Score, DirectorError> {
        // The users of another scene.
        self.stage.clear();
        self.screen.open(self.scene);
        self.open().await?;
        let mut outcome = Outcome::Ended(self.scene.ending);
        for beat in &self.scene.script {
            if let Some(otherwise) = self.beat(beat).await? {
                outcome = otherwise;
                break;
            }
        }
        let score = Score {
            letter: self.scene.letter,
            title: self.scene.title,
            outcome,
            took: self.stage.now().since(self.began),
            sums: Sums::of(self.stage.record().lock().total()).since(self.before),
            wait: self.waits.longest(),
        };
        self.screen.score(&score);
        Ok(score)
    }

    /// Deploys the first version, then sends users.
    async fn open(&mut self) -> Result<(), DirectorError> {
        let first = format!(":{}", self.scene.first);
        self.stage.apply(&self.scene.manifests.replace(":v1", &first))?;
        let started = (self.stage.now(), Instant::now());
        loop {
            let facts = self.look()?;
            if self.stage.is_open(self.scene) && facts.phase.phase == "Healthy" {
                break;
            }
            if self.is_over(started) {
                return Err(DirectorError::Opening(self.scene.rollout.to_owned(), facts.phase.message));
            }
            self.stage.next_frame().await;
        }
        self.stage.send(self.scene.users());
        self.began = self.stage.now();
        self.before = Sums::of(self.stage.record().lock().total());
        self.waits = Waits::default();
        // A second of the old version alone, to compare with.
        self.linger(Duration::from_secs(1)).await
    }

    /// One order; what came of it, if that was not what was waited for.
    async fn beat(&mut self, beat: &Beat) -> Result<Option<Outcome>, DirectorError> {
        if let Deed::Confirmed(command) = beat.deed {
            self.ask(command).await?;
        }
        self.screen.say(beat);
        match beat.deed {
            Deed::Command(command) | Deed::Confirmed(command) => self.command(command).await?,
            Deed::Patch(patch, _) => self.stage.patch(self.scene.rollout, patch)?,
        }
        let started = (self.stage.now(), Instant::now());
        loop {
            let facts = self.look()?;
            if facts.meets(beat.goal) {
                break;
            }
            if facts.forbids(beat.goal) || self.is_over(started) {
                return Ok(Some(otherwise(&facts, beat.goal)));
            }
            self.stage.next_frame().await;
        }
        self.linger(beat.linger).await?;
        Ok(None)
    }

    /// Whether a beat that began then has had its time by both clocks: a busy computer is no defect of a release.
    fn is_over(&self, (by_cluster, by_computer): (Time, Instant)) -> bool {
        self.stage.now().since(by_cluster) > self.scene.limit && by_computer.elapsed() > LEAST
    }

    async fn linger(&mut self, span: Duration) -> Result<(), DirectorError> {
        let started = self.stage.now();
        while self.stage.now().since(started) < span {
            self.look()?;
            self.stage.next_frame().await;
        }
        Ok(())
    }

    fn look(&mut self) -> Result<Facts, DirectorError> {
        let mut facts = self.watcher.look(self.stage, self.scene)?;
        facts.elapsed = facts.at.since(self.opened);
        facts.sums = facts.sums.since(self.before);
        self.waits.see(&facts);
        self.screen.show(self.scene, &facts);
        Ok(facts)
    }

    /// Asks whoever sits at the terminal; goes on by itself where nobody does, or nobody answers.
    async fn ask(&mut self, command: &[&str]) -> Result<(), DirectorError> {
        let Some(mut question) = Question::put(self.screen, &command.join(" ")) else { return Ok(()) };
        while question.is_open() {
            self.screen.asking(&question);
            self.look()?;
            self.stage.next_frame().await;
        }
        self.screen.answered();
        Ok(())
    }

    /// A command of this CLI, through its own code.
    async fn command(&mut self, words: &[&str]) -> Result<(), DirectorError> {
        let failed = |why: String| DirectorError::Command { command: words.join(" "), why };
        let line = std::iter::once("siskin").chain(words.iter().copied()).map(OsString::from);
        let (dialect, _, verb) = args::parse(line).map_err(|error| failed(error.to_string()))?;
        let mut session = Session::captured(dialect, self.stage.connection());
        // Boxed: `demo` is itself one of the verbs.
        let run: LocalBoxFuture<'_, Result<(), Failure>> = Box::pin(verb.run(&mut session));
        run.await.map_err(|failure| failed(failure.to_string()))?;
        let said = session.console.written().0;
        let told = Happening { reason: "You".to_owned(), message: said.trim().to_owned(), is_warning: false };
        self.screen.tell(&told);
        Ok(())
    }
}

fn otherwise(facts: &Facts, goal: Goal) -> Outcome {
    let shares: Vec<String> =
        facts.shares.iter().map(|share| format!("{} {}", share.version, share.requests)).collect();
    let said = format!(
        "waited for {goal:?}; the Rollout is {} {}; traffic of the last second: {}",
        facts.phase.phase,
        facts.phase.message,
        shares.join(", ")
    );
    Outcome::Otherwise(said)
}
