//! The upper area: who answers which share of the requests.

use std::time::Duration;

use super::super::model::Report;
use super::frame::Frame;
use super::svg::{Anchor, path, text};
use crate::simulate::text::real;
use crate::simulate::timeline::Requests;

/// Pieces of the area at most: more would show nothing but chance.
const PIECES: usize = 160;

/// The areas, from below: the new version's good answers, its errors, the old version's errors and good answers, lost.
pub fn draw(report: &Report, frame: &Frame) -> String {
    let pieces = pieces(report);
    if pieces.is_empty() {
        let at = (f64::midpoint(frame.left, frame.right), f64::midpoint(frame.shares.0, frame.shares.1));
        return text(at, "soft", Anchor::Middle, "no requests");
    }
    let layers: [Layer; 5] = [
        ("new", |requests| requests.new.ok),
        ("errors", |requests| requests.new.errors),
        ("old", |requests| requests.old.ok),
        ("errors", |requests| requests.old.errors),
        ("lost", |requests| requests.lost),
    ];
    let mut below: Vec<f64> = vec![0.0; pieces.len()];
    let mut out = String::new();
    for (class, count) in layers {
        let above: Vec<f64> = pieces
            .iter()
            .zip(&below)
            .map(|((_, _, requests), below)| below + real(count(requests)) / real(requests.total().max(1)))
            .collect();
        if above.iter().zip(&below).any(|(above, below)| above > below) {
            out.push_str(&area((&pieces, frame), (&below, &above), class));
        }
        below = above;
    }
    out
}

/// A class, and how many requests belong to it.
type Layer = (&'static str, fn(&Requests) -> u64);

type Piece = (Duration, Duration, Requests);

/// Requests by spans of time.
fn pieces(report: &Report) -> Vec<Piece> {
    let together = report.flows.len().div_ceil(PIECES).max(1);
    let mut from = Duration::ZERO;
    let mut pieces = Vec::new();
    for flows in report.flows.chunks(together) {
        let sum = flows.iter().fold(Requests::default(), |sum, flow| sum.and(&flow.requests));
        let to = flows.last().map_or(from, |flow| flow.to);
        pieces.push((from, to, sum));
        from = to;
    }
    pieces
}

/// An area with steps at its edges.
fn area((pieces, frame): (&[Piece], &Frame), (below, above): (&[f64], &[f64]), class: &str) -> String {
    let edge = |heights: &[f64]| -> Vec<(f64, f64)> {
        let corners = pieces.iter().zip(heights).flat_map(|((from, to, _), height)| {
            let y = frame.share(*height);
            [(frame.x(*from), y), (frame.x(*to), y)]
        });
        corners.collect()
    };
    let mut points = edge(above);
    points.extend(edge(below).into_iter().rev());
    path(&points, class, "Z")
}
