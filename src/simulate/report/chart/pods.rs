//! The lower area: how many pods of each version there are.

use std::time::Duration;

use super::super::model::Report;
use super::frame::Frame;
use super::svg::path;
use crate::simulate::timeline::State;

/// Existing pods, stacked; the replicas as a dashed line, and the pods that take traffic as a plain one.
pub fn draw(report: &Report, frame: &Frame) -> String {
    let new = |state: &State| count(state.new.existing);
    let all = |state: &State| count(state.new.existing + state.old.existing);
    let ready = |state: &State| count(state.new.ready + state.old.ready);
    let replicas = |state: &State| count(state.replicas);
    let floor = |_: &State| 0.0;
    let mut out = area((report, frame), (&floor, &new), "new");
    out.push_str(&area((report, frame), (&new, &all), "old"));
    out.push_str(&path(&edge((report, frame), &ready), "ready", ""));
    out.push_str(&path(&edge((report, frame), &replicas), "wish", ""));
    out
}

fn count(pods: i64) -> f64 {
    f64::from(u32::try_from(pods.max(0)).unwrap_or(u32::MAX))
}

type Height<'a> = &'a dyn Fn(&State) -> f64;

fn edge((report, frame): (&Report, &Frame), height: Height<'_>) -> Vec<(f64, f64)> {
    let ends = report.samples.iter().skip(1).map(|sample| sample.at).chain([report.lasted]);
    let corners = report.samples.iter().zip(ends).flat_map(|(sample, end): (_, Duration)| {
        let y = frame.pod(height(&sample.state));
        [(frame.x(sample.at), y), (frame.x(end), y)]
    });
    corners.collect()
}

fn area(of: (&Report, &Frame), (below, above): (Height<'_>, Height<'_>), class: &str) -> String {
    let mut points = edge(of, above);
    points.extend(edge(of, below).into_iter().rev());
    path(&points, class, "Z")
}
