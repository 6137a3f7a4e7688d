//! What analysis says: it lets go on, pauses, or aborts. No news is not success.

use super::{Ruling, abort, pause};
use crate::analysis::evidence::{self, Verdict};
use crate::api::AnalysisRun;
use crate::api::rollout_status::RunStatus;
use crate::api::text::shortened;
use crate::plan::Event;
use crate::rollout::case::Case;
use crate::rollout::strategy::analysis::{self, RunKind};

/// Takes the verdicts of the runs that concern the update now.
pub fn hear(case: &Case<'_>, ruling: &mut Ruling) {
    if ruling.retried {
        return;
    }
    if analysis::silent(case) {
        forget(case, ruling);
        return;
    }
    for kind in RunKind::all(case) {
        let Some(run) = analysis::current(case, kind) else { continue };
        let seen = recorded(run);
        if let Some(event) = transition(kind, kind.recorded(case), &seen) {
            ruling.events.push(event);
        }
        judge(case, kind, (run, &seen), ruling);
        write(kind, seen, ruling);
    }
}

/// A canary that is aborted or done names no run; a blue-green keeps the names for people to look up.
fn forget(case: &Case<'_>, ruling: &mut Ruling) {
    if case.is_canary() {
        ruling.next.canary.current_step_analysis_run_status = None;
        ruling.next.canary.current_background_analysis_run_status = None;
    }
}

/// The run as the Rollout's record shows it. A success without evidence is none: it is shown as what it is, inconclusive.
fn recorded(run: &AnalysisRun) -> RunStatus {
    let (status, message) = match evidence::verdict(run) {
        Verdict::Unproven(reason) if !crate::mutant!("success-without-evidence") => ("Inconclusive".to_owned(), reason),
        _ => (run.status.phase.clone(), run.status.message.clone()),
    };
    RunStatus { name: run.metadata.name.clone(), status, message: shortened(message) }
}

fn transition(kind: RunKind, before: Option<&RunStatus>, seen: &RunStatus) -> Option<Event> {
    if seen.status.is_empty() || before.is_some_and(|before| before.name == seen.name && before.status == seen.status) {
        return None;
    }
    let previous = before.filter(|before| before.name == seen.name && !before.status.is_empty());
    let previous = previous.map_or("NoPreviousStatus", |before| before.status.as_str());
    let message =
        format!("{} Analysis Run '{}' Status New: '{}' Previous: '{previous}'", kind.label(), seen.name, seen.status);
    let reason = format!("AnalysisRun{}", seen.status);
    Some(match seen.status.as_str() {
        "Failed" | "Error" => Event::warning(reason, message),
        _ => Event::normal(reason, message),
    })
}

fn judge(case: &Case<'_>, kind: RunKind, (run, seen): (&AnalysisRun, &RunStatus), ruling: &mut Ruling) {
    match seen.status.as_str() {
        "Failed" | "Error" if crate::mutant!("failed-run-ignored") => {}
        "Failed" | "Error" => {
            let message = format!("{}: {}", kind.abort_words(), seen.message);
            abort::because(message.trim_end_matches(": ").to_owned(), case, ruling);
        }
        // A full promotion asks no analysis.
        "Inconclusive" if ruling.next.promote_full => {}
        // Resumed by a person: the replacement of this run is on its way, and the resume stays until it is seen.
        "Inconclusive" if analysis::is_resumed(case, kind, run) => ruling.replacing = true,
        "Inconclusive" if !run.spec.terminate || !ruling.next.abort => {
            pause::add("InconclusiveAnalysisRun", case, ruling);
        }
        _ => {
            // The replacement of an inconclusive run is there: the resume that asked for it is used up.
            let replacement = run.metadata.annotation(analysis::REPLACES).is_some();
            if replacement && case.resumed() && !crate::mutant!("replaced-without-end") {
                ruling.next.controller_pause = false;
            }
        }
    }
}

fn write(kind: RunKind, seen: RunStatus, ruling: &mut Ruling) {
    let next = &mut ruling.next;
    let place = match kind {
        RunKind::Step(_) => &mut next.canary.current_step_analysis_run_status,
        RunKind::Background => &mut next.canary.current_background_analysis_run_status,
        RunKind::PrePromotion => &mut next.blue_green.pre_promotion_analysis_run_status,
        RunKind::PostPromotion => &mut next.blue_green.post_promotion_analysis_run_status,
    };
    *place = Some(seen);
}
