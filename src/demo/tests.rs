//! The demo from end to end, as scripts use it.

mod kubectl;

use std::time::Duration;

use serde_json::Value;

use super::scenes::Letter;
use super::screen::{Form, Screen};
use super::show::{Afterwards, FAST_SPEED, Program, run};
use crate::cli::session::Console;
use crate::cli::view::paint::Paint;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scene_ends_as_told_and_nothing_is_lost() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let console = Console::captured();
    let mut screen = Screen::new(Form::Json, console.clone(), (Paint::Plain, Duration::ZERO));
    let program = Program { letters: Letter::ALL.to_vec(), speed: FAST_SPEED, afterwards: Afterwards::End };
    let scores = run(&program, &mut screen).await.unwrap();
    let written = console.written().0;
    assert!(scores.iter().all(super::score::Score::is_good), "{written}");
    let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let results: Vec<&Value> = lines.iter().filter(|line| line["kind"] == "result").collect();
    let outcomes: Vec<_> = results.iter().map(|line| (line["scene"].as_str(), line["outcome"].as_str())).collect();
    assert_eq!(
        outcomes,
        [(Some("a"), Some("promoted")), (Some("b"), Some("aborted")), (Some("c"), Some("undone"))],
        "{written}"
    );
    for result in &results {
        assert_eq!(result["lost"], 0);
        assert!(result["requests"].as_u64().unwrap() > 500, "{result}");
    }
    // Only the bad release has failed anybody.
    let errors: Vec<bool> = results.iter().map(|line| line["version_errors"].as_u64().unwrap() > 0).collect();
    assert_eq!(errors, [false, true, false]);
}
