//! Icons, and colours by well-known words.

use std::fmt::Write as _;

/// Not yet begun.
pub const WAITING: &str = "◷";
/// Under way.
pub const PROGRESSING: &str = "◌";
/// In error.
pub const WARNING: &str = "⚠";
/// No verdict.
pub const UNKNOWN: &str = "?";
/// As it should be.
pub const OK: &str = "✔";
/// Failed.
pub const BAD: &str = "✖";
/// Paused.
pub const PAUSED: &str = "॥";
/// Nothing to say.
pub const NEUTRAL: &str = "•";

const RED: u8 = 31;
const GREEN: u8 = 32;
const YELLOW: u8 = 33;
const BRIGHT_BLUE: u8 = 94;
const NO_COLOUR: u8 = 0;

/// Whether escape codes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Plain text.
    Plain,
    /// ANSI colours.
    Ansi,
}

impl Paint {
    /// `text` in the colour that goes with it.
    pub fn word(self, text: &str) -> String {
        self.as_word(text, text)
    }

    /// `text` in the colour that goes with `word`. A text without a colour is wrapped too, as Argo's CLI does.
    pub fn as_word(self, text: &str, word: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Ansi => wrapped(text, colour(word)),
        }
    }
}

fn wrapped(text: &str, code: u8) -> String {
    let mut out = String::with_capacity(text.len() + 10);
    // Writing to a String cannot fail.
    let _ = write!(out, "\u{1b}[{code}m{text}\u{1b}[0m");
    out
}

fn colour(word: &str) -> u8 {
    match word {
        WARNING | BAD => RED,
        OK | "stable" | "active" => GREEN,
        WAITING | UNKNOWN | "canary" => YELLOW,
        PROGRESSING | "preview" | "ping" | "pong" | "Pending" | "Running" => BRIGHT_BLUE,
        _ => NO_COLOUR,
    }
}

/// Icon of a Rollout's phase.
pub fn rollout_icon(phase: &str) -> &'static str {
    match phase {
        "Progressing" => PROGRESSING,
        "Error" | "InvalidSpec" => WARNING,
        "Paused" => PAUSED,
        "Healthy" => OK,
        "Degraded" => BAD,
        "Unknown" => UNKNOWN,
        "ScaledDown" => NEUTRAL,
        _ => " ",
    }
}

/// Icon of a ReplicaSet's state.
pub fn replica_set_icon(state: &str) -> &'static str {
    match state {
        "Progressing" => PROGRESSING,
        "Healthy" => OK,
        "ReplicaFailure" => BAD,
        "ScaledDown" => NEUTRAL,
        _ => " ",
    }
}

/// Icon of the phase of an analysis, a measurement or an Experiment.
pub fn analysis_icon(phase: &str) -> &'static str {
    match phase {
        "Successful" => OK,
        "Inconclusive" => UNKNOWN,
        "Failed" => BAD,
        "Error" => WARNING,
        "Running" => PROGRESSING,
        "Pending" => WAITING,
        _ => " ",
    }
}

/// Icon of a pod's status.
pub fn pod_icon(status: &str) -> &'static str {
    if status.starts_with("Init:") {
        return PROGRESSING;
    }
    if status.starts_with("Signal:") || status.starts_with("ExitCode:") {
        return BAD;
    }
    if status.ends_with("Error") || status.starts_with("Err") {
        return WARNING;
    }
    match status {
        "Pending" | "Terminating" | "ContainerCreating" => PROGRESSING,
        "Running" | "Completed" => OK,
        "Failed" | "InvalidImageName" | "CrashLoopBackOff" => BAD,
        "ImagePullBackOff" | "RegistryUnavailable" => WARNING,
        "Unknown" => UNKNOWN,
        _ => " ",
    }
}

/// Columns that a text takes on a terminal: its characters without escape codes.
pub fn width(text: &str) -> usize {
    let (mut columns, mut escaped) = (0, false);
    for character in text.chars() {
        match (escaped, character) {
            (false, '\u{1b}') => escaped = true,
            (true, 'm') => escaped = false,
            (false, _) => columns += 1,
            (true, _) => {}
        }
    }
    columns
}
