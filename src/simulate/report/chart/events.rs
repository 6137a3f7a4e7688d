//! Marks of what happened, with numbers, and the list that explains them.

use super::super::model::Report;
use super::frame::{Frame, LINE};
use super::svg::{Anchor, fitted, line, short, text};
use crate::simulate::text::clock;
use crate::simulate::timeline::{Kind, Row, Tone};

/// Events that have a number.
const MOST: usize = 24;
/// Marks nearer than this stand in two rows.
const NEAR: f64 = 17.0;
/// Rows of marks.
const LEVELS: usize = 2;

/// Rows that are told in the list, in their order.
pub fn told(report: &Report) -> Vec<&Row> {
    let weight = |row: &Row| match row.kind {
        Kind::Measurement => usize::from(row.tone == Tone::Bad),
        Kind::Wait | Kind::Step => 0,
        _ => 2,
    };
    // Failed measurements are told where there is room; steps have a stripe of their own.
    let sure = report.rows.iter().filter(|row| weight(row) > 1).count();
    let mut room = MOST.saturating_sub(sure);
    let fits = |row: &&Row| {
        let minor = weight(row) == 1 && room > 0;
        room -= usize::from(minor);
        weight(row) > 1 || minor
    };
    report.rows.iter().filter(fits).take(MOST).collect()
}

/// Marks, their lines, and the list.
pub fn draw(report: &Report, frame: &Frame) -> String {
    let mut out = measurements(report, frame);
    let mut last = [f64::MIN; LEVELS];
    for (index, row) in told(report).into_iter().enumerate() {
        let x = frame.x(row.at);
        let level =
            (0..LEVELS).find(|level| last.get(*level).is_some_and(|last| x - last >= NEAR)).unwrap_or(LEVELS - 1);
        // Marks of one instant stand beside each other.
        let place = last.get(level).map_or(x, |last| x.max(last + NEAR)).min(frame.right - 6.0);
        if let Some(last) = last.get_mut(level) {
            *last = place;
        }
        let y = frame.marks + if level == 0 { -9.0 } else { 9.0 };
        let tone = tone(row.tone);
        out.push_str(&dashed((x, frame.shares.0), (x, frame.pods.1), tone));
        out.push_str(&number((place, y), tone, index + 1));
        let base = frame.list + LINE * (f64::from(u32::try_from(index).unwrap_or(0)) + 0.8);
        out.push_str(&number((frame.left + 8.0, base - 4.0), tone, index + 1));
        out.push_str(&text((frame.left + 60.0, base), "soft small", Anchor::End, &clock(row.at)));
        let words = fitted(&row.text, frame.right - frame.left - 80.0);
        out.push_str(&text((frame.left + 70.0, base), "ink small", Anchor::Start, &words));
    }
    out
}

/// A small mark for each measurement, at the foot of the upper area.
fn measurements(report: &Report, frame: &Frame) -> String {
    let measured = report.rows.iter().filter(|row| row.kind == Kind::Measurement);
    let mark = |row: &Row| {
        let (x, y) = (short(frame.x(row.at)), short(frame.shares.1 + 4.0));
        format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" class=\"{}\"/>\n", tone(row.tone))
    };
    measured.map(mark).collect()
}

const fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Neutral => "neutral",
        Tone::Bad => "bad",
    }
}

fn number((x, y): (f64, f64), tone: &str, number: usize) -> String {
    let circle = format!("<circle cx=\"{}\" cy=\"{}\" r=\"8\" class=\"{tone}\"/>\n", short(x), short(y));
    circle + &text((x, y + 4.0), "on small label", Anchor::Middle, &number.to_string())
}

fn dashed(from: (f64, f64), to: (f64, f64), tone: &str) -> String {
    line(from, to, &format!("{tone}-line")).replace("/>", " stroke-dasharray=\"2 3\"/>")
}
