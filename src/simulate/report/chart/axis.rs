//! Lines of the grid, and what stands at them.

use std::time::Duration;

use super::super::model::Report;
use super::frame::Frame;
use super::svg::{Anchor, line, text};
use crate::simulate::text::clock;

/// Distances of times on the axis, in seconds.
const DISTANCES: &[u64] =
    &[5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 604_800];
/// Times on the axis, at most.
const MOST: u64 = 12;

fn times(frame: &Frame) -> Vec<Duration> {
    let span = frame.span.as_secs().max(1);
    let step = DISTANCES.iter().copied().find(|step| span / step <= MOST).unwrap_or(span);
    (0..=span / step).map(|index| Duration::from_secs(index * step)).collect()
}

/// What stands behind the areas.
pub fn grid(_: &Report, frame: &Frame) -> String {
    let mut out = String::new();
    for at in times(frame) {
        let x = frame.x(at);
        out.push_str(&line((x, frame.shares.0), (x, frame.shares.1), "grid"));
        out.push_str(&line((x, frame.pods.0), (x, frame.pods.1), "grid"));
    }
    out
}

/// What stands in front of them.
pub fn labels(_: &Report, frame: &Frame) -> String {
    let mut out = String::new();
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let y = frame.share(share);
        let class = if share > 0.0 { "grid" } else { "axis" };
        out.push_str(&line((frame.left, y), (frame.right, y), class));
        out.push_str(&text((frame.left - 8.0, y + 4.0), "soft small", Anchor::End, &format!("{} %", share * 100.0)));
    }
    for pods in ticks(frame.most) {
        let y = frame.pod(pods);
        out.push_str(&line((frame.left, y), (frame.right, y), if pods > 0.0 { "grid" } else { "axis" }));
        out.push_str(&text((frame.left - 8.0, y + 4.0), "soft small", Anchor::End, &pods.to_string()));
    }
    for at in times(frame) {
        out.push_str(&text((frame.x(at), frame.pods.1 + 17.0), "soft small", Anchor::Middle, &clock(at)));
    }
    out.push_str(&text((frame.left, frame.shares.0 - 7.0), "soft small label", Anchor::Start, "share of the traffic"));
    out.push_str(&text((frame.left, frame.pods.0 - 7.0), "soft small label", Anchor::Start, "pods"));
    let beside = "dashed: replicas · line: pods that take traffic";
    out.push_str(&text((frame.right, frame.pods.0 - 7.0), "soft small", Anchor::End, beside));
    out.push_str(&text((frame.right, frame.pods.1 + 33.0), "soft small", Anchor::End, "time since the release began"));
    out
}

/// Whole numbers of pods, about four of them.
fn ticks(most: f64) -> Vec<f64> {
    let mut step = 1.0;
    for factor in [2.0, 2.5, 2.0].into_iter().cycle().take(30) {
        if most / step <= 5.0 {
            break;
        }
        step = f64::ceil(step * factor);
    }
    let mut ticks = Vec::new();
    let mut next = 0.0;
    while next <= most {
        ticks.push(next);
        next += step;
    }
    ticks
}
