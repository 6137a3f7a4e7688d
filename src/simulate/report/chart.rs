//! The picture: shares of the traffic and pods over time, steps above, what happened between.
//!
//! ```text
//! title, verdict                                  legend
//! ┌ steps ─────────────────────────────────────────────┐
//! │ traffic: stacked shares (old, new, errors, lost)   │
//! │ events: marks with numbers                         │
//! │ pods: stacked (old, new), line of the replicas     │
//! └ time ──────────────────────────────────────────────┘
//! numbered events
//! ```

mod axis;
mod events;
mod frame;
mod pods;
mod shares;
mod stripe;
pub mod svg;

use super::model::Report;
use frame::Frame;

/// The picture as a file of its own.
pub fn render(report: &Report) -> String {
    let frame = Frame::of(report);
    let mut out = svg::open((frame.width, frame.height), &title(report));
    out.push_str(&frame.head(report));
    out.push_str(&stripe::steps(report, &frame));
    out.push_str(&axis::grid(report, &frame));
    out.push_str(&shares::draw(report, &frame));
    out.push_str(&pods::draw(report, &frame));
    out.push_str(&axis::labels(report, &frame));
    out.push_str(&events::draw(report, &frame));
    out.push_str("</svg>\n");
    out
}

fn title(report: &Report) -> String {
    format!("Rollout {}: {}", report.head.name, report.verdict.text)
}
