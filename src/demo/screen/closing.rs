//! What remains on the terminal: a verdict for each scene, and the table of all.

use super::words::seconds;
use crate::cli::view::number::grouped;
use crate::cli::view::paint::{BAD, OK, Paint};
use crate::cli::view::table::Table;
use crate::demo::score::{Outcome, Score};

/// The table: a column for each scene.
pub fn table(scores: &[Score], paint: Paint) -> String {
    if scores.is_empty() {
        return String::new();
    }
    let heads: Vec<String> =
        scores.iter().map(|score| format!("{}  {}", score.letter.text(), score.letter.subject())).collect();
    let mut headings = vec![""];
    headings.extend(heads.iter().map(String::as_str));
    let mut table = Table::new(&headings);
    let mut row = |label: &str, cell: &dyn Fn(&Score) -> String| {
        table.row(std::iter::once(label.to_owned()).chain(scores.iter().map(cell)).collect());
    };
    row("Outcome", &|score| format!("{} {}", icon(score, paint), score.outcome.text()));
    row("Time", &|score| seconds(score.took));
    row("Requests", &|score| grouped(score.sums.requests));
    row("Failed by the version", &|score| grouped(score.sums.version_errors));
    row("Lost by the delivery", &|score| grouped(score.sums.lost));
    row("Longest wait", &|score| score.wait.as_ref().map_or_else(|| "-".to_owned(), |wait| seconds(wait.lasted)));
    row("  for", &|score| score.wait.as_ref().map_or_else(|| "-".to_owned(), |wait| wait.code.clone()));
    table.render()
}

/// One scene in a line, or in two where it went wrong.
pub fn verdict(score: &Score, paint: Paint) -> String {
    let mut text = format!(
        "{} Scene {}: {} in {}; {} requests, {} failed by the version, {} lost.\n",
        icon(score, paint),
        score.letter.text(),
        score.outcome.text(),
        seconds(score.took),
        grouped(score.sums.requests),
        grouped(score.sums.version_errors),
        grouped(score.sums.lost)
    );
    if let Outcome::Otherwise(why) = &score.outcome {
        text.extend(["  ", why, "\n"]);
    }
    text
}

fn icon(score: &Score, paint: Paint) -> String {
    paint.word(if score.is_good() { OK } else { BAD })
}
