//! Plans a minute in the simulator: observe, decide and carry out, with and without the checker of every write.
//!
//! What is timed are whole releases: a canary of four steps through a gateway, one after the other, in virtual time.
//! A plan is one look at the world, whether or not it writes.

#![allow(clippy::panic, reason = "a benchmark that cannot go on says why")]
#![allow(clippy::disallowed_methods, reason = "it measures time that passes")]

use std::time::{Duration, Instant};

use serde_json::json;
use siskin::api::Time;
use siskin::sim::api_server::{Cursor, Entry};
use siskin::sim::bare::Core;
use siskin::sim::checker::Checker;

mod shop;

/// How long each of the two is measured.
const MEASURED: Duration = Duration::from_secs(10);
/// A release that has not ended after so many looks never will.
const MOST_LOOKS: u64 = 5_000;
/// From a look that wrote to the next.
const PACE: Duration = Duration::from_millis(20);

/// What was counted.
#[derive(Default)]
struct Count {
    releases: u64,
    looks: u64,
    writes: u64,
    time: Duration,
}

/// Sees every write, perhaps judges it.
struct Judge {
    cursor: Cursor,
    checker: Option<Checker>,
    writes: u64,
}

impl Judge {
    fn drain(&mut self) {
        for entry in self.cursor.drain().unwrap_or_else(|missed| panic!("{missed}")) {
            self.writes += 1;
            self.take(&entry);
        }
    }

    fn take(&mut self, entry: &Entry) {
        if let Some(checker) = &mut self.checker {
            checker.observe(entry).unwrap_or_else(|violation| panic!("{violation}"));
        }
    }
}

/// Lets the cluster answer to what was written; when it has more to do, and the version at which it stands.
fn answered(core: &mut Core) -> (Option<Time>, u64) {
    loop {
        let before = core.cluster.server.version();
        let due = core.cluster.tick();
        if core.cluster.server.version() == before {
            return (due, before);
        }
    }
}

/// Looks from event to event until the newest revision is stable and there is nothing to do; how many looks it took.
fn release(core: &mut Core, judge: &mut Judge) -> u64 {
    for looks in 1..MOST_LOOKS {
        let (due, version) = answered(core);
        core.look();
        judge.drain();
        if core.cluster.server.version() != version {
            core.clock.advance(PACE);
            continue;
        }
        match [due, core.plan.wake_at].into_iter().flatten().min() {
            Some(next) => core.clock.advance(core.now().until(next).max(Duration::from_millis(1))),
            None => return looks,
        }
    }
    panic!("no end of a release: {:#?}", core.plan)
}

fn measure(checked: Option<&Checker>) -> Count {
    let steps =
        json!([{"setWeight": 20}, {"pause": {"duration": "1m"}}, {"setWeight": 60}, {"pause": {"duration": "1m"}}]);
    let mut count = Count::default();
    let began = Instant::now();
    while count.time < MEASURED {
        let mut core = shop::core(&steps);
        let mut judge = Judge { cursor: core.cluster.server.subscribe(), checker: checked.cloned(), writes: 0 };
        // The objects that are there before the first release.
        for entry in core.cluster.server.journal() {
            judge.take(&entry);
        }
        for image in ["shop:1", "shop:2", "shop:3"] {
            let patch = json!({"spec": {"template": shop::template(image)}});
            core.user().merge("Rollout", shop::KEY, &patch).unwrap_or_else(|reject| panic!("{reject}"));
            count.looks += release(&mut core, &mut judge);
            count.releases += 1;
        }
        count.writes += judge.writes;
        count.time = began.elapsed();
    }
    count
}

fn main() {
    println!("\nwhole releases in the simulator, one thread\n");
    println!("{:<24}{:>14}{:>14}{:>14}{:>16}", "", "plans/min", "writes/min", "releases/min", "us per plan");
    for (name, checker) in [("without the checker", None), ("every write checked", Some(Checker::default()))] {
        let count = measure(checker.as_ref());
        let minutes = count.time.as_secs_f64() / 60.0;
        #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let rate = |n: u64| n as f64 / minutes;
        println!(
            "{name:<24}{:>14.0}{:>14.0}{:>14.0}{:>16.1}",
            rate(count.looks),
            rate(count.writes),
            rate(count.releases),
            60e6 / rate(count.looks)
        );
    }
}
