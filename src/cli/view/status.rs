//! One line on how a Rollout stands, for scripts that wait for it.

use crate::rollout::status::phase::PhaseMessage;

/// `Healthy`, `Degraded`, or `<phase> - <message>`, with end of line.
pub fn line(phase: &PhaseMessage) -> String {
    if is_final(phase) { format!("{}\n", phase.phase) } else { format!("{} - {}\n", phase.phase, phase.message) }
}

/// `<phase>`, with the message after a dash where there is one, with end of line.
pub fn watch_line(phase: &PhaseMessage) -> String {
    if phase.message.is_empty() {
        format!("{}\n", phase.phase)
    } else {
        format!("{} - {}\n", phase.phase, phase.message)
    }
}

/// Whether waiting any longer is pointless.
pub fn is_final(phase: &PhaseMessage) -> bool {
    matches!(phase.phase, "Healthy" | "Degraded")
}

/// The error that a Rollout in this phase ends a script with.
pub fn failure(phase: &PhaseMessage) -> Option<String> {
    (phase.phase == "Degraded").then(|| format!("The rollout is in a degraded state with message: {}", phase.message))
}

/// The error of a watch that ended before the Rollout was done.
pub const WATCH_EXCEEDED: &str = "Rollout status watch exceeded timeout";
