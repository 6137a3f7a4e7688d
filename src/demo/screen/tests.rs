//! What is drawn, without a terminal.

use std::time::Duration;

use super::bar::bar;
use super::picture::{Log, Picture, compose};
use super::words::percent;
use super::{Form, Screen, closing};
use crate::api::Time;
use crate::cli::session::Console;
use crate::cli::view::objects::Objects;
use crate::cli::view::paint::{Paint, width};
use crate::demo::facts::{Facts, Happening, Share};
use crate::demo::scenes::{Ending, Letter, Scene};
use crate::demo::score::{Outcome, Score, Sums, Wait};
use crate::rollout::status::phase::PhaseMessage;

fn share(version: &str, requests: u64, errors: u64) -> Share {
    Share { version: version.to_owned(), requests, errors }
}

fn facts() -> Facts {
    Facts {
        at: Time::from_seconds(0),
        elapsed: Duration::from_secs(2),
        objects: Objects::default(),
        phase: PhaseMessage { phase: "Paused", message: "CanaryPauseStep".to_owned() },
        shares: vec![share("v1", 180, 0), share("v2", 20, 2)],
        weights: vec![("shop-stable".to_owned(), 90), ("shop-canary".to_owned(), 10)],
        measured: Vec::new(),
        news: vec![Happening { reason: "Step".to_owned(), message: "x".repeat(300), is_warning: true }],
        sums: Sums { requests: 12_345, version_errors: 2, lost: 0 },
    }
}

fn score(outcome: Outcome, lost: u64) -> Score {
    let wait = Wait {
        code: "TrafficNotSettled".to_owned(),
        object: "ReplicaSet/shop".to_owned(),
        message: String::new(),
        lasted: Duration::from_millis(3_200),
    };
    let sums = Sums { requests: 3_505, version_errors: 2, lost };
    Score { letter: Letter::A, title: "A canary", outcome, took: Duration::from_secs(17), sums, wait: Some(wait) }
}

#[test]
fn numbers_for_people() {
    assert_eq!([percent(1, 3), percent(2, 3), percent(0, 0)], [33, 67, 0]);
}

#[test]
fn bars_are_in_proportion_and_show_the_smallest_share() {
    let plain = |share: &Share| bar(share, 1000, (10, Paint::Plain));
    assert_eq!(plain(&share("v1", 720, 0)), "v1   ███████░░░  72 %  720 requests/s");
    assert_eq!(plain(&share("v2", 1, 1)), "v2   █░░░░░░░░░   0 %    1 requests/s   1 failed");
    assert_eq!(plain(&share("", 1000, 0)), "lost ██████████ 100 %  1000 requests/s");
}

#[test]
fn the_picture_fits_every_terminal() {
    let scene = Scene::of(Letter::A);
    let mut log = Log::default();
    for _ in 0..100 {
        log.add(Duration::from_secs(1), ("Word".to_owned(), "y".repeat(300)), true);
    }
    let picture = Picture { question: Some("really?".to_owned()), ..Picture::default() };
    for (columns, rows) in [(110, 40), (80, 24), (40, 10), (20, 3), (1, 1)] {
        for paint in [Paint::Plain, Paint::Ansi] {
            let lines = compose((&picture, &log), (&scene, &facts()), paint, (columns, rows));
            assert!(lines.len() <= rows, "{columns}x{rows}: {}", lines.len());
            assert!(lines.iter().all(|line| width(line) <= columns), "{columns}x{rows}: {lines:#?}");
        }
    }
    let lines = compose((&picture, &log), (&scene, &facts()), Paint::Plain, (110, 40));
    assert_eq!(lines.len(), 40);
    assert_eq!(lines.last().map(|line| line.trim()), Some("really?"));
    assert!(lines.iter().any(|line| line.contains("gateway has shop-stable 90 : shop-canary 10")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("the end of a pause")), "{lines:#?}");
}

#[test]
fn a_terminal_gets_its_own_screen_back() {
    let console = Console::captured();
    let mut screen = Screen::new(Form::Picture, console.clone(), (Paint::Plain, Duration::ZERO));
    screen.open(&Scene::of(Letter::A));
    screen.show(&Scene::of(Letter::A), &facts());
    drop(screen);
    let written = console.written().0;
    assert!(written.starts_with("\u{1b}[?1049h") && written.ends_with("\u{1b}[?1049l"), "{written:?}");
}

#[test]
fn lost_requests_and_other_endings_are_no_success() {
    assert!(score(Outcome::Ended(Ending::Promoted), 0).is_good());
    assert!(!score(Outcome::Ended(Ending::Promoted), 1).is_good());
    assert!(!score(Outcome::Otherwise("it hangs".to_owned()), 0).is_good());
    let text = closing::verdict(&score(Outcome::Otherwise("it hangs".to_owned()), 0), Paint::Plain);
    assert_eq!(
        text,
        "✖ Scene a: not as expected in 17.0 s; 3 505 requests, 2 failed by the version, 0 lost.\n  it hangs\n"
    );
}

#[test]
fn the_table_fits_eighty_columns() {
    let scores = [1, 2, 3].map(|_| score(Outcome::Ended(Ending::Promoted), 0));
    let table = closing::table(&scores, Paint::Plain);
    assert!(table.lines().all(|line| width(line) <= 80), "{table}");
    assert!(table.contains("Lost by the delivery   0"), "{table}");
    assert_eq!(closing::table(&[], Paint::Plain), "");
}
