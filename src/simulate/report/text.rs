//! The report for a terminal.

use super::model::{Outcome, Report, why_lost};
use crate::cli::view::number::grouped;
use crate::cli::view::paint::{BAD, NEUTRAL, OK, PAUSED, Paint, WAITING, WARNING};
use crate::cli::view::table::Table;
use crate::simulate::text::{clock, counted, percent, real, span};
use crate::simulate::timeline::{Kind, Pods, Row, Tone};

/// Columns of a paragraph.
const WIDE: usize = 110;
/// Columns of what has happened.
const EVENT: usize = 78;

/// The whole report.
pub fn render(report: &Report, paint: Paint) -> String {
    let mut text = head(report);
    text.push('\n');
    text.push_str(&timeline(report, paint));
    text.push('\n');
    text.push_str(&verdict(report, paint));
    text.push('\n');
    text.push_str(&totals(report));
    let warnings = report.warnings.iter().map(|warning| {
        let place = if warning.place.is_empty() { String::new() } else { format!("{}: ", warning.place) };
        format!("{place}{}", warning.text)
    });
    let warnings: Vec<String> = warnings.collect();
    text.push_str(&list("Warnings", &paint.word(WARNING), &warnings));
    text.push_str(&list("Notes", NEUTRAL, &report.notes));
    text
}

fn head(report: &Report) -> String {
    let head = &report.head;
    let mut text = format!("Rollout {} in {}: {}\n", head.name, head.namespace, head.strategy);
    text.extend(facts(report).into_iter().map(|(label, value)| format!("  {label:<10}{value}\n")));
    text
}

/// What was simulated: label and value.
pub(super) fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let head = &report.head;
    let revision = |hash: &str| if hash.is_empty() { String::new() } else { format!("  revision {hash}") };
    let mut lines = vec![
        ("old", format!("{}{}", head.old_images.join(", "), revision(&head.old_revision))),
        ("new", format!("{}{}", head.new_images.join(", "), revision(&head.new_revision))),
        ("replicas", head.replicas.to_string()),
        ("users", head.users.clone()),
    ];
    lines.extend(head.behaviour.iter().map(|behaviour| ("behaviour", behaviour.clone())));
    lines.extend(head.faults.iter().map(|fault| ("fault", fault.clone())));
    lines.push(("people", head.approval.clone()));
    lines.push(("seed", head.seed.to_string()));
    lines
}

/// Rows of one metric in a row are one line.
fn timeline(report: &Report, paint: Paint) -> String {
    let has_steps = report.rows.iter().any(|row| row.state.step.is_some());
    let has_weight = report.rows.iter().any(|row| row.state.weight.is_some());
    let mut headings = vec!["TIME"];
    headings.extend(has_steps.then_some("STEP"));
    headings.extend(has_weight.then_some("WEIGHT"));
    headings.extend(["OLD", "NEW", "TO NEW", "", "WHAT"]);
    let mut table = Table::new(&headings);
    for group in neighbours(&report.rows) {
        let Some(row) = group.last() else { continue };
        let mut cells = vec![clock(group.first().map_or(row.at, |first| first.at))];
        if has_steps {
            cells.push(row.state.step.map_or_else(String::new, |(done, all)| format!("{done}/{all}")));
        }
        if has_weight {
            cells.push(row.state.weight.map_or_else(String::new, percent));
        }
        cells.extend([pods(row.state.old), pods(row.state.new)]);
        cells.push(row.new_share.map_or_else(String::new, |share| format!("{:.1} %", share * 100.0)));
        cells.push(paint.word(icon(row)));
        cells.push(String::new());
        for (index, line) in wrapped(&words(group), EVENT).into_iter().enumerate() {
            if index > 0 {
                cells = vec![String::new(); headings.len()];
            }
            if let Some(last) = cells.last_mut() {
                *last = line;
            }
            table.row(cells.clone());
        }
    }
    let lines: Vec<String> = table.render().lines().map(|line| format!("  {}\n", line.trim_end())).collect();
    lines.concat()
}

/// Neighbours that are measurements of one metric with the same outcome.
fn neighbours(rows: &[Row]) -> Vec<&[Row]> {
    let subject = |row: &Row| {
        let (metric, outcome, _) = measured(row);
        (metric.to_owned(), outcome.to_owned())
    };
    let together = |a: &Row, b: &Row| {
        a.kind == Kind::Measurement && b.kind == Kind::Measurement && subject(a) == subject(b) && b.lost == 0
    };
    rows.chunk_by(together).collect()
}

fn words(group: &[Row]) -> String {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return String::new() };
    let lost = if last.lost > 0 { format!(" ({} lost)", counted(last.lost, "request")) } else { String::new() };
    if group.len() == 1 {
        return format!("{}{lost}", last.text);
    }
    let (metric, outcome, value) = measured(first);
    let (_, _, end) = measured(last);
    let values = if value == end { value.to_owned() } else { format!("{value} … {end}") };
    format!("{metric}: {} times {outcome} until {}, {values}", group.len(), clock(last.at))
}

/// Metric, outcome and value of a measurement's row.
fn measured(row: &Row) -> (&str, &str, &str) {
    let (metric, rest) = row.text.split_once(": ").unwrap_or((row.text.as_str(), ""));
    let (outcome, value) = rest.split_once(' ').unwrap_or((rest, ""));
    (metric, outcome, value)
}

fn pods(pods: Pods) -> String {
    if pods.ready == 0 && pods.wanted == 0 { "-".to_owned() } else { format!("{}/{}", pods.ready, pods.wanted) }
}

fn icon(row: &Row) -> &'static str {
    match (row.kind, row.tone) {
        (_, Tone::Good) => OK,
        (Kind::Fault, Tone::Bad) => WARNING,
        (_, Tone::Bad) => BAD,
        (Kind::Pause, _) => PAUSED,
        (Kind::Wait, _) => WAITING,
        _ => NEUTRAL,
    }
}

fn verdict(report: &Report, paint: Paint) -> String {
    let icon = match report.verdict.outcome {
        Outcome::Finished => OK,
        Outcome::Aborted | Outcome::Violated => BAD,
        Outcome::Unfinished | Outcome::Waiting => WARNING,
    };
    let mut text = report.verdict.text.clone();
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    let lines = wrapped(&text, WIDE);
    format!("{} {}.\n", paint.word(icon), lines.join("\n  "))
}

fn totals(report: &Report) -> String {
    let lines = sums(report).into_iter().map(|(label, value)| format!("  {label:<30}{value}\n"));
    format!("Totals\n{}", lines.collect::<String>())
}

/// What it came to: label and value.
pub(super) fn sums(report: &Report) -> Vec<(&'static str, String)> {
    let sums = &report.sums;
    let total = &report.total;
    let mut lines = Vec::new();
    if let Some(at) = report.verdict.at {
        let label = match report.verdict.outcome {
            Outcome::Finished => "time to finish",
            Outcome::Aborted => "time to abort",
            _ => "time until then",
        };
        lines.push((label, span(at)));
    }
    lines.push(("time simulated", span(report.lasted)));
    lines.push(("most pods at once", format!("{}, {} above the replicas", sums.most_pods, sums.most_above)));
    lines.push(("pod-hours above the replicas", format!("{:.2}", sums.pod_seconds_above / 3600.0)));
    lines.push(("requests", grouped(total.total())));
    let errors = |errors: u64, all: u64| {
        let share = if all == 0 { 0.0 } else { real(errors) / real(all) };
        format!("{}, {} errors ({})", grouped(all), grouped(errors), percent(share))
    };
    lines.push(("  by the old version", errors(total.old.errors, total.old.total())));
    lines.push(("  by the new version", errors(total.new.errors, total.new.total())));
    if sums.aborted_at.is_some() {
        let before = sums.before_abort.new;
        lines.push(("  of these before the abort", errors(before.errors, before.total())));
    }
    let reasons: Vec<String> =
        report.lost.iter().map(|(reason, count)| format!("{} {}", grouped(*count), why_lost(*reason))).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
    lines.push(("lost by the delivery", format!("{}{reasons}", grouped(total.lost))));
    lines
}

fn list(title: &str, mark: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items = items.iter().map(|item| format!("  {mark} {}\n", wrapped(item, WIDE).join("\n    ")));
    std::iter::once(format!("\n{title}\n")).chain(items).collect()
}

/// Lines of at most so many columns; a longer word has a line of its own.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > columns {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}
