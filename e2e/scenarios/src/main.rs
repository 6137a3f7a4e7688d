//! `siskin-e2e`: what Siskin promises, tried on a real cluster with real traffic.
//!
//! Each scenario has a namespace, a Rollout, and users who ask for it all the time. A request that a version answers
//! with an error is that version's; a request that is lost is the delivery's, and fails the scenario.

mod api;
mod cluster;
mod controller;
mod effects;
mod http;
mod load;
mod manifest;
mod report;
mod rig;
mod scenario;
mod scenarios;
mod seen;
mod time;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cluster::Cluster;
use controller::Controller;
use load::Tally;
use report::{Finished, Verdict};
use rig::Rig;
use scenario::{Errors, Scenario};

/// Scenarios at once, unless `$JOBS` says another.
const JOBS: usize = 4;
/// How often Prometheus is told of new pods.
const SCRAPE_EVERY: Duration = Duration::from_secs(1);

/// Flag: only the few that stand for all.
const SMOKE: &str = "--smoke";
/// Flag: what there is.
const LIST: &str = "--list";

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    match choose(&wanted)
        .and_then(|chosen| if wanted.iter().any(|word| word == LIST) { Ok(list(&chosen)) } else { play_all(&chosen) })
    {
        Ok(code) => code,
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The scenarios that have one of the words in their names; without words all.
fn choose(wanted: &[String]) -> Result<Vec<&'static Scenario>, String> {
    let (flags, words): (Vec<&str>, Vec<&str>) =
        wanted.iter().map(String::as_str).partition(|word| word.starts_with("--"));
    if let Some(unknown) = flags.iter().find(|flag| ![SMOKE, LIST].contains(flag)) {
        return Err(format!("there is no {unknown}; there are {SMOKE} and {LIST}"));
    }
    let mut all = scenarios::all();
    if let Some(unknown) = words.iter().find(|word| all.iter().all(|scenario| !scenario.name.contains(**word))) {
        return Err(format!("no scenario has {unknown:?} in its name; see {LIST}"));
    }
    let smoke = flags.contains(&SMOKE);
    all.retain(|scenario| {
        (words.is_empty() || words.iter().any(|word| scenario.name.contains(word))) && (scenario.smoke || !smoke)
    });
    Ok(all)
}

fn list(chosen: &[&Scenario]) -> ExitCode {
    for scenario in chosen {
        println!("{:<28}{}", scenario.name, scenario.about);
    }
    ExitCode::SUCCESS
}

fn play_all(chosen: &[&Scenario]) -> Result<ExitCode, String> {
    let cluster = Arc::new(Cluster::from_environment()?);
    let controller = Controller::shared(&cluster)?;
    let finished = run(&cluster, chosen);
    drop(controller);
    print!("{}", report::table(&finished));
    let failed = finished.iter().any(|one| matches!(one.verdict, Verdict::Failed(_)));
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Runs scenarios side by side; the results have their order.
fn run(cluster: &Arc<Cluster>, chosen: &[&Scenario]) -> Vec<Finished> {
    let jobs = std::env::var("JOBS").ok().and_then(|text| text.parse().ok()).unwrap_or(JOBS).max(1);
    let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results: Mutex<Vec<(usize, Finished)>> = Mutex::default();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                if let Err(error) = cluster.scrape() {
                    println!("Prometheus' targets: {error}");
                }
                thread::sleep(SCRAPE_EVERY);
            }
        });
        let worker = || {
            while let Some((index, scenario)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                chosen.get(index).map(|scenario| (index, *scenario))
            } {
                let finished = play(cluster, scenario);
                results.lock().unwrap_or_else(PoisonError::into_inner).push((index, finished));
            }
        };
        let workers: Vec<_> = (0..jobs.min(chosen.len())).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            // A worker that panicked leaves its scenario without a result, which counts as failed below.
            drop(worker.join());
        }
        over.store(true, Ordering::Relaxed);
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let lost = |index: &usize| results.iter().all(|(known, _)| known != index);
    let missing: Vec<usize> = (0..chosen.len()).filter(lost).collect();
    results.extend(missing.into_iter().filter_map(|index| {
        let name = chosen.get(index)?.name;
        Some((index, Finished::new(name, Duration::ZERO, Tally::default(), Verdict::Failed("it panicked".to_owned()))))
    }));
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, finished)| finished).collect()
}

/// One scenario, from its namespace to its verdict.
fn play(cluster: &Arc<Cluster>, scenario: &Scenario) -> Finished {
    let began = Instant::now();
    if let Some(why) = scenario.obstacle(cluster) {
        return Finished::new(scenario.name, began.elapsed(), Tally::default(), Verdict::Skipped(why));
    }
    println!("{} begins {}", time::clock(time::now()), scenario.name);
    let namespace = format!("e2e-{}-{:05}", scenario.name, time::now() % 100_000);
    let rig = match Rig::new(Arc::clone(cluster), namespace, scenario.parity) {
        Ok(rig) => rig,
        Err(error) => return Finished::new(scenario.name, began.elapsed(), Tally::default(), Verdict::Failed(error)),
    };
    let compared = |()| rig.recorder.as_ref().map_or(Ok(()), |recorder| recorder.compare(&rig, scenario.name));
    let outcome = (scenario.play)(&rig).and_then(compared);
    let tally = rig.finish();
    let outcome = outcome.and_then(|()| {
        rig::check(tally.lost == 0, || format!("{} requests were lost: {:#?}", tally.lost, tally.stories))?;
        rig::check(scenario.errors == Errors::Expected || tally.failures() == 0, || {
            format!("good versions answered with errors: {:?}", tally.failed)
        })
    });
    let finished = Finished::new(
        scenario.name,
        began.elapsed(),
        tally,
        outcome.map_or_else(Verdict::Failed, |()| Verdict::Passed),
    );
    println!("{} {}", time::clock(time::now()), finished.line());
    if let Verdict::Failed(why) = &finished.verdict {
        println!("{}", report::story(scenario.name, why, &rig, &finished.tally));
    }
    if std::env::var_os("KEEP_NAMESPACES").is_none() {
        // The cluster may be going down; then there is nothing to delete.
        drop(cluster.api.delete("Namespace", "", &rig.namespace));
    }
    finished
}
