//! What the controller holds does not grow with what has been: hours of releases over the cluster in memory, in virtual
//! time, with every allocation counted.
//!
//! Counted is all that this thread holds: the controller, and the cluster, whose own history is let go of after each
//! round. `SISKIN_SOAK_HOURS=72` makes it longer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]
#![allow(clippy::disallowed_methods, reason = "tests wait on the clock that tokio pauses, and end with their tasks")]

#[path = "soak/heap.rs"]
mod heap;
#[path = "soak/town.rs"]
mod town;
#[path = "soak/wares.rs"]
mod wares;

use std::time::Duration;

use heap::Held;
use town::Town;

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

/// Rounds without `SISKIN_SOAK_HOURS`.
const ROUNDS: usize = 6;
/// Measured is from here on, or from a quarter of the way: tables and channels grow to the size that they need.
const WARM: usize = 1;
/// Bytes by which tables may still grow that have had bad luck with their hashes. A hundred bytes for each Rollout that
/// goes are more: the shortest run begins to measure when 96 have gone, and ends at 192, for which a table needs twice the
/// room. For each look they are some 400,000.
const LUCK: i64 = 8 << 10;
/// Pieces by which the ends of two rounds differ, where timers of the controller stand elsewhere.
const RIPPLE: i64 = 2;
/// How often a scrape may ask for memory for each line that it shows, most of which have two labels or more.
const EACH_LINE: usize = 20;

/// What is held at the end of a round, and what a scrape shows and costs there.
struct End {
    held: Held,
    looks: i64,
    lines: usize,
    scrape: u64,
}

/// Looks at objects so far, in the words of the work queues.
fn looks(metrics: &str) -> i64 {
    let counts = metrics.lines().filter(|line| line.starts_with("workqueue_work_duration_seconds_count"));
    counts.map(|line| line.rsplit_once(' ').unwrap().1.parse::<i64>().unwrap()).sum()
}

async fn end_of_round(town: &mut Town) -> End {
    town.round().await;
    town.forget().await;
    // The first scrape ends the series of what has gone.
    town.metrics.render().unwrap();
    let before = heap::requests();
    let shown = town.metrics.render().unwrap();
    let scrape = heap::requests() - before;
    let (looks, lines) = (looks(&shown), shown.lines().count());
    drop(shown);
    End { held: heap::held(), looks, lines, scrape }
}

/// How long to go on.
fn rounds(town: &Town) -> impl Fn(usize) -> bool + use<> {
    let hours = std::env::var("SISKIN_SOAK_HOURS").ok().and_then(|hours| hours.parse::<u64>().ok());
    let (clock, start) = (town.clock.clone(), town.clock.now());
    move |done| match hours {
        Some(hours) => done < ROUNDS || clock.now() < start + Duration::from_hours(hours),
        None => done < ROUNDS,
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_held_and_what_a_scrape_costs_do_not_grow_with_what_has_been() {
    let mut town = Town::new();
    let goes_on = rounds(&town);
    let mut ends: Vec<End> = Vec::with_capacity(4096);
    for round in 0.. {
        if !goes_on(round) {
            break;
        }
        let end = end_of_round(&mut town).await;
        println!("{} {:?}, {} looks, {} lines for {}", town.clock.now(), end.held, end.looks, end.lines, end.scrape);
        ends.push(end);
    }
    let measured = &ends[WARM.max(ends.len() / 4)..];
    let (first, last) = (&measured[0], &measured[measured.len() - 1]);
    let gone = i64::try_from((measured.len() - 1) * Town::gone_each_round()).unwrap();
    let looks = last.looks - first.looks;
    assert!(looks > 20 * gone, "only {looks} looks: nothing has happened");

    // Whatever has something of its own, such as a name, is a piece at least: one for every other Rollout is too many.
    let pieces = last.held.blocks - first.held.blocks;
    assert!(pieces <= RIPPLE.max(gone / 2), "{pieces} pieces more after {looks} looks, {gone} Rollouts have gone");
    let bytes = last.held.bytes - first.held.bytes;
    assert!(bytes <= LUCK, "{bytes} bytes more after {looks} looks, {gone} Rollouts have gone");

    for end in measured {
        assert_eq!(end.lines, first.lines, "lines of what has gone");
        let more = end.scrape.abs_diff(first.scrape);
        assert!(more <= RIPPLE.unsigned_abs(), "{} instead of {} pieces for a scrape", end.scrape, first.scrape);
    }
    let dear = u64::try_from(first.lines * EACH_LINE).unwrap();
    assert!(first.scrape < dear, "{} pieces for {} lines", first.scrape, first.lines);
}
