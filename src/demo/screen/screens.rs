//! The three kinds of screen behind one face.

use std::path::Path;

use super::json::Json;
use super::lines::Lines;
use super::question::{Patience, Question};
use super::terminal::Terminal;
use crate::cli::session::Console;
use crate::cli::view::paint::Paint;
use crate::demo::facts::{Facts, Happening};
use crate::demo::scenes::{Beat, Scene};
use crate::demo::score::Score;

/// Which kind of screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A picture on a terminal.
    Picture,
    /// Plain lines.
    Lines,
    /// JSON, an object a line.
    Json,
}

/// Where the demo is shown.
pub enum Screen {
    /// A picture.
    Picture(Box<Terminal>),
    /// Plain lines.
    Lines(Lines),
    /// JSON.
    Json(Json),
}

impl Screen {
    /// A screen on this console; `patience` is for its questions, and only a picture asks any.
    pub fn new(form: Form, console: Console, (paint, patience): (Paint, Patience)) -> Self {
        match form {
            Form::Picture => Self::Picture(Box::new(Terminal::new(console, paint, patience))),
            Form::Lines => Self::Lines(Lines::new(console, paint)),
            Form::Json => Self::Json(Json::new(console)),
        }
    }

    /// A scene begins.
    pub fn open(&mut self, scene: &Scene) {
        match self {
            Self::Picture(screen) => screen.open(scene),
            Self::Lines(screen) => screen.open(scene),
            Self::Json(screen) => screen.open(scene),
        }
    }

    /// An order is about to be given.
    pub fn say(&mut self, beat: &Beat) {
        match self {
            Self::Picture(screen) => screen.say(beat),
            Self::Lines(screen) => screen.say(beat),
            Self::Json(screen) => screen.say(beat),
        }
    }

    /// Something outside the cluster has happened.
    pub fn tell(&mut self, happening: &Happening) {
        match self {
            Self::Picture(screen) => screen.tell(happening),
            Self::Lines(screen) => screen.tell(happening),
            Self::Json(screen) => screen.tell(happening),
        }
    }

    /// What is seen now.
    pub fn show(&mut self, scene: &Scene, facts: &Facts) {
        match self {
            Self::Picture(screen) => screen.show(scene, facts),
            Self::Lines(screen) => screen.show(facts),
            Self::Json(screen) => screen.show(facts),
        }
    }

    /// How long to wait for answers; `None`: nobody is asked.
    pub fn patience(&self) -> Option<Patience> {
        match self {
            Self::Picture(screen) => screen.patience(),
            Self::Lines(_) | Self::Json(_) => None,
        }
    }

    /// A question is open.
    pub fn asking(&mut self, question: &Question) {
        if let Self::Picture(screen) = self {
            screen.ask(Some(question.text()));
        }
    }

    /// No question is open any more.
    pub fn answered(&mut self) {
        if let Self::Picture(screen) = self {
            screen.ask(None);
        }
    }

    /// A scene has ended.
    pub fn score(&mut self, score: &Score) {
        match self {
            Self::Picture(screen) => screen.score(score),
            Self::Lines(screen) => screen.score(score),
            Self::Json(screen) => screen.score(score),
        }
    }

    /// How to follow the scene that comes from another terminal.
    pub fn invite(&mut self, kubeconfig: &Path, invitation: &str) {
        match self {
            Self::Picture(screen) => screen.invite(invitation),
            Self::Lines(screen) => screen.remark(&format!("\nFrom another terminal: {invitation}\n")),
            Self::Json(screen) => screen.invite(kubeconfig),
        }
    }

    /// Says something after the last scene; programs are spared.
    pub fn remark(&self, text: &str) {
        match self {
            Self::Picture(screen) => screen.remark(text),
            Self::Lines(screen) => screen.remark(text),
            Self::Json(_) => {}
        }
    }

    /// Gives the terminal back, with the table that stays on it.
    pub fn close(&mut self, scores: &[Score]) {
        match self {
            Self::Picture(screen) => screen.close(scores),
            Self::Lines(screen) => screen.close(scores),
            Self::Json(_) => {}
        }
    }
}
