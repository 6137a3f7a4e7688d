//! The stripe of steps: which one is under way when.

use std::time::Duration;

use super::super::model::Report;
use super::frame::Frame;
use super::svg::{Anchor, fitted, rect, text};

/// The stripe; nothing where there are no steps.
pub fn steps(report: &Report, frame: &Frame) -> String {
    let (top, bottom) = frame.steps;
    if report.head.steps.is_empty() {
        return String::new();
    }
    let mut out = text((frame.left - 8.0, bottom - 8.0), "soft small", Anchor::End, "steps");
    for (place, (step, from, to)) in spans(report).into_iter().enumerate() {
        let (x, wide) = (frame.x(from), frame.x(to) - frame.x(from));
        let class = if place % 2 == 0 { "stripe-a" } else { "stripe-b" };
        out.push_str(&rect((x, top, wide, bottom - top), class));
        let is_aborted = report.sums.aborted_at.is_some_and(|at| at <= from);
        let words = report.head.steps.get(step).map_or("done", String::as_str);
        let words = if is_aborted { "aborted" } else { words };
        let words = fitted(words, wide - 8.0);
        out.push_str(&text((x + wide / 2.0, bottom - 8.0), "ink small", Anchor::Middle, &words));
    }
    out
}

/// Spans of time, each with the index of its step; the number of steps where all are done.
fn spans(report: &Report) -> Vec<(usize, Duration, Duration)> {
    let mut spans: Vec<(usize, Duration, Duration)> = Vec::new();
    for (index, sample) in report.samples.iter().enumerate() {
        let Some((step, _)) = sample.state.step else { continue };
        // The first sample is of the release before.
        let step = if index == 0 { 0 } else { usize::try_from(step).unwrap_or(0) };
        let to = report.samples.get(index + 1).map_or(report.lasted, |next| next.at);
        let is_turn = report.sums.aborted_at == Some(sample.at);
        match spans.last_mut() {
            Some(last) if last.0 == step && !is_turn => last.2 = to,
            _ => spans.push((step, sample.at, to)),
        }
    }
    spans
}
