//! Bars of traffic, one for each version.

use anstyle::{AnsiColor, Style};

use super::words::percent;
use crate::cli::view::paint::Paint;
use crate::demo::facts::Share;

const FULL: &str = "█";
const EMPTY: &str = "░";

/// `text` in a style.
pub fn styled(text: &str, style: Style, paint: Paint) -> String {
    match paint {
        Paint::Plain => text.to_owned(),
        Paint::Ansi => format!("{style}{text}{style:#}"),
    }
}

fn colour(version: &str) -> AnsiColor {
    match version {
        "v1" => AnsiColor::BrightBlue,
        "v2" => AnsiColor::BrightGreen,
        "v3" => AnsiColor::BrightMagenta,
        "" => AnsiColor::BrightRed,
        _ => AnsiColor::BrightCyan,
    }
}

/// `v1 ███████░░░  72 %  144 a second`, of `width` cells for the bar.
pub fn bar(share: &Share, total: u64, (width, paint): (usize, Paint)) -> String {
    let of_hundred = percent(share.requests, total);
    let cells = usize::try_from(percent(share.requests * width as u64, total * 100)).unwrap_or(0);
    // A version that is asked at all is seen.
    let cells = if share.requests > 0 { cells.clamp(1, width) } else { 0 };
    let name = if share.version.is_empty() { "lost" } else { &share.version };
    let full = styled(&FULL.repeat(cells), Style::new().fg_color(Some(colour(&share.version).into())), paint);
    let empty = styled(&EMPTY.repeat(width - cells), Style::new().dimmed(), paint);
    let errors = match share.errors {
        0 => String::new(),
        errors => {
            styled(&format!("   {errors} failed"), Style::new().fg_color(Some(AnsiColor::Red.into())).bold(), paint)
        }
    };
    format!("{name:<4} {full}{empty} {of_hundred:>3} %  {:>3} requests/s{errors}", share.requests)
}
