//! A picture that is redrawn in place: on the alternate screen, so that the terminal is as before afterwards.

use std::time::{Duration, Instant};

use console::Term;

use super::closing;
use super::picture::{Log, Picture, compose};
use super::question::Patience;
use super::words::command;
use crate::cli::session::Console;
use crate::cli::view::paint::Paint;
use crate::demo::facts::{Facts, Happening};
use crate::demo::scenes::{Beat, Scene};
use crate::demo::score::Score;

/// Alternate screen, hidden cursor.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";
const HOME: &str = "\u{1b}[H";
/// What an earlier picture has left on this line, and below.
const CLEAR_LINE: &str = "\u{1b}[K";
const CLEAR_BELOW: &str = "\u{1b}[J";
/// Time between pictures, by the computer's clock.
const FRAME: Duration = Duration::from_millis(90);

/// The screen.
pub struct Terminal {
    console: Console,
    paint: Paint,
    patience: Patience,
    picture: Picture,
    log: Log,
    drawn: Option<Instant>,
    is_open: bool,
}

impl Terminal {
    /// Nothing shown yet.
    pub fn new(console: Console, paint: Paint, patience: Patience) -> Self {
        let (picture, log) = (Picture::default(), Log::default());
        Self { console, paint, patience, picture, log, drawn: None, is_open: false }
    }

    pub(super) fn patience(&self) -> Option<Patience> {
        (!self.patience.is_zero()).then_some(self.patience)
    }

    pub(super) fn open(&mut self, scene: &Scene) {
        if !self.is_open {
            self.console.print(ENTER);
            self.is_open = true;
        }
        self.log.clear();
        self.picture.begin(scene);
    }

    pub(super) fn say(&mut self, beat: &Beat) {
        beat.say.clone_into(&mut self.picture.story);
        self.log.add(self.picture.elapsed, ("$".to_owned(), command(beat)), false);
        self.drawn = None;
    }

    pub(super) fn tell(&mut self, happening: &Happening) {
        self.log.add(self.picture.elapsed, (String::new(), happening.message.clone()), happening.is_warning);
    }

    pub(super) fn ask(&mut self, question: Option<String>) {
        self.picture.question = question;
    }

    pub(super) fn show(&mut self, scene: &Scene, facts: &Facts) {
        self.picture.elapsed = facts.elapsed;
        for event in &facts.news {
            self.log.add(facts.elapsed, (event.reason.clone(), event.message.clone()), event.is_warning);
        }
        if self.drawn.is_some_and(|drawn| drawn.elapsed() < FRAME) {
            return;
        }
        self.drawn = Some(Instant::now());
        let (rows, columns) = Term::stdout().size();
        let size = (usize::from(columns), usize::from(rows));
        let lines = compose((&self.picture, &self.log), (scene, facts), self.paint, size);
        // One write a picture: the terminal never shows half of one.
        let mut text = HOME.to_owned();
        for (index, line) in lines.iter().enumerate() {
            let end = if index + 1 == lines.len() { "" } else { "\r\n" };
            text.extend([line, CLEAR_LINE, end]);
        }
        text.push_str(CLEAR_BELOW);
        self.console.print(&text);
    }

    pub(super) fn score(&mut self, score: &Score) {
        self.picture.verdicts.push(closing::verdict(score, self.paint).trim_end().to_owned());
    }

    pub(super) fn invite(&mut self, invitation: &str) {
        self.picture.invitation = Some(invitation.to_owned());
    }

    pub(super) fn remark(&self, text: &str) {
        self.console.print(text);
    }

    pub(super) fn close(&mut self, scores: &[Score]) {
        self.leave();
        self.console.print(&closing::table(scores, self.paint));
    }

    fn leave(&mut self) {
        if std::mem::take(&mut self.is_open) {
            self.console.print(LEAVE);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.leave();
    }
}
