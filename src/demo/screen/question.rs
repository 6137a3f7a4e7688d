//! A question that Enter answers, and patience that ends.

use std::io::{self, BufRead as _};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::screens::Screen;

/// How long a question stays open, by the computer's clock.
pub type Patience = Duration;

/// A question that is open.
pub struct Question {
    command: String,
    put: Instant,
    patience: Patience,
    answer: oneshot::Receiver<()>,
}

impl Question {
    /// Asks whether a command may be given; `None` where the screen asks nobody.
    pub fn put(screen: &Screen, command: &str) -> Option<Self> {
        let patience = screen.patience()?;
        let (tell, answer) = oneshot::channel();
        // A thread of its own: a read that nobody answers must not hold up the end of the process, as a task's would.
        std::thread::spawn(move || {
            let mut line = String::new();
            if io::stdin().lock().read_line(&mut line).is_ok_and(|read| read > 0) {
                // Nobody may be waiting any more.
                let _ = tell.send(());
            }
        });
        Some(Self { command: command.to_owned(), put: Instant::now(), patience, answer })
    }

    /// Whether it waits on.
    pub fn is_open(&mut self) -> bool {
        let unanswered = !matches!(self.answer.try_recv(), Ok(()));
        unanswered && self.put.elapsed() < self.patience
    }

    /// What is asked.
    pub fn text(&self) -> String {
        let left = self.patience.saturating_sub(self.put.elapsed()).as_secs() + 1;
        format!("v2 waits for you. Enter approves it: siskin {}   (by itself in {left} s)", self.command)
    }
}
