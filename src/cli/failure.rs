//! How a verb ends when it cannot do what was asked: what is wrong, and what to do next.

use std::fmt;

/// The name that the binary was called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `siskin` or `kubectl-siskin`: speaks to people, with advice.
    Siskin,
    /// `kubectl-argo-rollouts`: messages as Argo's CLI prints them, and nothing else.
    Argo,
}

/// An error for the person at the terminal; the exit code is 1, unless a verb says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    what: String,
    next: Vec<String>,
    exit: u8,
}

impl Failure {
    /// Says what is wrong.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), next: Vec::new(), exit: 1 }
    }

    /// Ends with another exit code, where what is wrong has been said already.
    pub fn silent(exit: u8) -> Self {
        Self { what: String::new(), next: Vec::new(), exit }
    }

    /// The exit code.
    pub const fn exit(&self) -> u8 {
        self.exit
    }

    /// Adds what to do next.
    #[must_use]
    pub fn next(mut self, advice: impl Into<String>) -> Self {
        self.next.push(advice.into());
        self
    }

    /// The same with other words for a part of what is wrong.
    #[must_use]
    pub fn reworded(self, from: &str, to: &str) -> Self {
        Self { what: self.what.replacen(from, to, 1), ..self }
    }

    /// The lines for the terminal; none of a silent one.
    pub fn render(&self, dialect: Dialect) -> String {
        if self.what.is_empty() {
            return String::new();
        }
        let mut text = format!("Error: {}\n", self.what);
        if dialect == Dialect::Siskin {
            for advice in &self.next {
                text.extend(["  ", advice, "\n"]);
            }
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}

impl From<super::view::objects::UnreadableObject> for Failure {
    fn from(error: super::view::objects::UnreadableObject) -> Self {
        Self::new(error.to_string())
    }
}
