//! What remains on the terminal: a verdict for each scene, and the table of all.

use super::words::{number, seconds};
use crate::cli::view::paint::{BAD, OK, Paint};
use crate::cli::view::table::Table;
use crate::demo::score::{Outcome, Score};

/// The table of all scenes, with what the columns mean.
pub fn table(scores: &[Score], paint: Paint) -> String {
    let headings = ["SCENE", "OUTCOME", "TIME", "REQUESTS", "FAILED BY THE VERSION", "LOST", "LONGEST WAIT"];
    let mut table = Table::new(&headings);
    for score in scores {
        let wait = score.wait.as_ref().map_or_else(
            || "-".to_owned(),
            |wait| format!("{} for {} ({})", seconds(wait.lasted), wait.code, wait.object),
        );
        table.row(vec![
            format!("{}  {}", score.letter.text(), score.title),
            format!("{} {}", icon(score, paint), score.outcome.text()),
            seconds(score.took),
            number(score.sums.requests),
            number(score.sums.version_errors),
            number(score.sums.lost),
            wait,
        ]);
    }
    let lost: u64 = scores.iter().map(|score| score.sums.lost).sum();
    format!("{}\nRequests lost by the delivery itself: {}\n", table.render(), number(lost))
}

/// One scene in a line or two.
pub fn verdict(score: &Score, paint: Paint) -> String {
    let mut text = format!(
        "{} Scene {}: {} in {}; {} requests, {} failed by the version, {} lost.\n",
        icon(score, paint),
        score.letter.text(),
        score.outcome.text(),
        seconds(score.took),
        number(score.sums.requests),
        number(score.sums.version_errors),
        number(score.sums.lost)
    );
    if let Outcome::Otherwise(why) = &score.outcome {
        text.extend(["  ", why, "\n"]);
    }
    text
}

fn icon(score: &Score, paint: Paint) -> String {
    paint.word(if score.is_good() { OK } else { BAD })
}
