//! Composes the picture: head, traffic, weights, analysis, tree, events, in what room there is.

use std::collections::VecDeque;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::bar::{bar, styled};
use super::words::{seconds, value};
use crate::cli::view::get::{self, Style as TreeStyle};
use crate::cli::view::number::grouped;
use crate::cli::view::paint::{Paint, analysis_icon, width};
use crate::cli::view::rollout::rollout_info;
use crate::demo::facts::Facts;
use crate::demo::scenes::{Letter, Scene};

/// Lines of the log that are kept.
const KEPT: usize = 200;
/// Lines of the log that are shown at least, where there are as many.
const LOG_ROOM: usize = 8;
/// Cells of a bar, on a wide terminal.
const BAR: usize = 50;
/// Columns that stand beside a bar.
const BESIDE_BAR: usize = 46;
const LABEL: usize = 10;
/// Versions that have a line of traffic in every picture, so that nothing below jumps.
const TRAFFIC_LINES: usize = 2;

/// What the picture knows besides the cluster.
#[derive(Debug, Default)]
pub struct Picture {
    /// What is going on.
    pub story: String,
    /// The question that is open.
    pub question: Option<String>,
    /// How to follow from another terminal.
    pub invitation: Option<String>,
    /// Scenes that are over.
    pub verdicts: Vec<String>,
    /// Since the first order.
    pub elapsed: Duration,
}

impl Picture {
    /// A scene begins.
    pub fn begin(&mut self, scene: &Scene) {
        self.story = format!("{} serves everybody.", scene.first);
        self.elapsed = Duration::ZERO;
    }
}

/// What has happened, newest last.
#[derive(Debug, Default)]
pub struct Log {
    lines: VecDeque<(Duration, String, String, bool)>,
}

impl Log {
    /// Adds a line.
    pub fn add(&mut self, at: Duration, (word, text): (String, String), is_warning: bool) {
        self.lines.push_back((at, word, text, is_warning));
        if self.lines.len() > KEPT {
            self.lines.pop_front();
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.lines.clear();
    }

    fn last(&self, count: usize, paint: Paint) -> Vec<String> {
        let skipped = self.lines.len().saturating_sub(count);
        let line = |(at, word, text, is_warning): &(Duration, String, String, bool)| {
            let head = match (word.as_str(), is_warning) {
                ("$", _) => styled(&format!("$ {text}"), Style::new().bold(), paint),
                ("", _) => styled(text, Style::new().dimmed(), paint),
                (_, true) => {
                    let red = Style::new().fg_color(Some(AnsiColor::Red.into()));
                    format!("{}  {text}", styled(word, red, paint))
                }
                (_, false) => format!("{word}  {text}"),
            };
            format!("{}  {head}", styled(&format!("{:>7}", seconds(*at)), Style::new().dimmed(), paint))
        };
        self.lines.iter().skip(skipped).map(line).collect()
    }
}

/// The lines of the picture, none longer than the terminal is wide, not more than it is high.
pub fn compose(
    (picture, log): (&Picture, &Log),
    (scene, facts): (&Scene, &Facts),
    paint: Paint,
    (columns, rows): (usize, usize),
) -> Vec<String> {
    let mut lines = head(picture, scene, paint);
    lines.extend(traffic(facts, (columns, paint)));
    lines.extend(numbers(facts, paint));
    lines.push(String::new());
    let footer =
        picture.question.iter().map(|question| styled(&format!(" {question} "), Style::new().invert().bold(), paint));
    let footer: Vec<String> = footer.collect();
    // The question is never pushed out, the log keeps some room, and the tree takes the rest.
    let room = rows.saturating_sub(lines.len() + footer.len() * 2 + 1);
    let tree = tree(facts, paint);
    let tree_room = room.saturating_sub(LOG_ROOM.min(room / 2) + 1);
    lines.extend(cut(tree, tree_room, paint));
    lines.push(String::new());
    let log_room = rows.saturating_sub(lines.len() + footer.len() * 2);
    lines.extend(log.last(log_room, paint));
    if !footer.is_empty() {
        lines.push(String::new());
        lines.extend(footer);
    }
    lines.truncate(rows);
    lines.iter().map(|line| clip(line, columns)).collect()
}

fn head(picture: &Picture, scene: &Scene, paint: Paint) -> Vec<String> {
    let bold = Style::new().bold();
    let tabs = Letter::ALL.map(|letter| {
        let text = format!(" {} ", letter.text());
        let style = if letter == scene.letter { Style::new().invert().bold() } else { Style::new().dimmed() };
        if paint == Paint::Plain && letter == scene.letter {
            format!("[{}]", letter.text())
        } else {
            styled(&text, style, paint)
        }
    });
    let title = styled(scene.title, bold, paint);
    let dim = |text: &str| styled(text, Style::new().dimmed(), paint);
    let mut lines = vec![
        format!("siskin demo {}  {title}  {}", tabs.concat(), dim(&seconds(picture.elapsed))),
        dim("the real controller · a cluster in memory · 200 requests a second"),
    ];
    lines.extend(picture.invitation.iter().map(|invitation| dim(&format!("other terminal: {invitation}"))));
    lines.extend(picture.verdicts.iter().cloned());
    lines.extend([String::new(), picture.story.clone(), String::new()]);
    lines
}

fn label(text: &str, paint: Paint) -> String {
    styled(&format!("{text:<LABEL$}"), Style::new().dimmed(), paint)
}

fn traffic(facts: &Facts, (columns, paint): (usize, Paint)) -> Vec<String> {
    let total: u64 = facts.shares.iter().map(|share| share.requests).sum();
    let cells = columns.saturating_sub(BESIDE_BAR).clamp(10, BAR);
    let mut lines = Vec::new();
    for (index, share) in facts.shares.iter().enumerate() {
        let head = label(if index == 0 { "Traffic" } else { "" }, paint);
        lines.push(format!("{head}{}", bar(share, total, (cells, paint))));
    }
    if lines.is_empty() {
        lines.push(format!("{}none yet", label("Traffic", paint)));
    }
    while lines.len() < TRAFFIC_LINES {
        lines.push(String::new());
    }
    lines
}

fn numbers(facts: &Facts, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    if !facts.weights.is_empty() {
        let wanted = facts.rollout().map(|rollout| rollout_info(rollout, &facts.objects).set_weight);
        let in_force: Vec<String> =
            facts.weights.iter().map(|(service, weight)| format!("{service} {weight}")).collect();
        let wanted = wanted.unwrap_or_default();
        lines.push(format!("{}step asks {wanted} %   gateway has {}", label("Weights", paint), in_force.join(" : ")));
        let measured: Vec<String> = facts
            .measured
            .iter()
            .filter(|measured| !measured.phase.is_empty())
            .map(|measured| format!("{} {}", paint.word(analysis_icon(&measured.phase)), value(measured)))
            .collect();
        let measured = if measured.is_empty() { "not begun".to_owned() } else { measured.join("   ") };
        lines.push(format!("{}success rate of the canary   {measured}", label("Analysis", paint)));
    }
    lines.push(format!("{}{}", label("Waits for", paint), waits(facts)));
    let sums = facts.sums;
    let lost = format!("{} lost", grouped(sums.lost));
    let colour = if sums.lost == 0 { AnsiColor::Green } else { AnsiColor::Red };
    let lost = styled(&lost, Style::new().fg_color(Some(colour.into())).bold(), paint);
    lines.push(format!(
        "{}{} so far   {} failed by the version   {lost}",
        label("Requests", paint),
        grouped(sums.requests),
        grouped(sums.version_errors)
    ));
    lines
}

/// The blockers; a pause is none, but it is what a reader waits for.
fn waits(facts: &Facts) -> String {
    let blockers = facts.blockers();
    let rest = if blockers.len() > 1 { format!("   and {} more", blockers.len() - 1) } else { String::new() };
    match (blockers.first(), facts.phase.phase, facts.phase.message.as_str()) {
        (Some(blocker), _, _) => format!("{} ({}){rest}", blocker.message, blocker.object),
        (None, "Paused", "BlueGreenPause") => "an approval".to_owned(),
        (None, "Paused", _) => "the end of a pause".to_owned(),
        (None, _, _) => "nothing".to_owned(),
    }
}

/// The tree of `get`, under one line of what it says at its head.
fn tree(facts: &Facts, paint: Paint) -> Vec<String> {
    let Some(rollout) = facts.rollout() else { return Vec::new() };
    let text = get::rollout(&rollout_info(rollout, &facts.objects), TreeStyle { paint, now: facts.at });
    let tree = text.split_once("\n\n").map(|(_, tree)| tree.lines().map(str::to_owned).collect::<Vec<_>>());
    let mut lines = tree.unwrap_or_default();
    if let (Some(root), false) = (lines.get_mut(1), facts.phase.message.is_empty()) {
        root.push_str(&facts.phase.message);
    }
    lines
}

fn cut(mut lines: Vec<String>, room: usize, paint: Paint) -> Vec<String> {
    if lines.len() > room && room > 0 {
        let left = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(styled(&format!("… {left} more lines"), Style::new().dimmed(), paint));
    }
    lines.truncate(room);
    lines
}

/// The first `columns` columns of a line with escape codes.
fn clip(line: &str, columns: usize) -> String {
    if width(line) <= columns {
        return line.to_owned();
    }
    let (mut text, mut used, mut escaped) = (String::new(), 0, false);
    for character in line.chars() {
        if !escaped && character != '\u{1b}' {
            used += 1;
            if used >= columns {
                text.push('…');
                break;
            }
        }
        text.push(character);
        escaped = if character == '\u{1b}' { true } else { escaped && character != 'm' };
    }
    // Whatever was begun ends here.
    if line.contains('\u{1b}') { text + "\u{1b}[0m" } else { text }
}
