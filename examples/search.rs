//! The fault search: `make sim`; with the word `mutants`, and the feature, `make mutants`; with the word `worlds`
//! `make worlds`. Prints a table of the fault runs, and each kind of failure with its script.
//!
//! `SEEDS=n` more random cases, `FROM=n` from another seed on, `STRIDE=n` every n-th systematic case, `THREADS=n`.
//! `KEEP=dir` writes the scripts of failures there. Of small worlds `WAYS=n` are walked, with `REPLICAS=n` (1 to 4), and the
//! controller is held up at most `DELAYS=n` times on each.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use siskin::sim::search::run::{Found, News, Plan, Report, search};
use siskin::sim::search::scenario::Case;
use siskin::sim::search::{exhaustive, mutation, shell};

#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// From one line of progress to the next, where there is no terminal.
const LINE: Duration = Duration::from_secs(10);
const PAGE: &str = "docs/simulation.md";
const BEGIN: &str = "<!-- mutants -->";
const END: &str = "<!-- /mutants -->";

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn size(name: &str, default: u64) -> usize {
    usize::try_from(number(name, default)).unwrap_or(usize::MAX)
}

/// A bar with an ETA on a terminal; elsewhere a line now and then.
struct Progress {
    bar: indicatif::ProgressBar,
    /// When the next line is due; none on a terminal.
    line: Option<Mutex<Duration>>,
}

impl Progress {
    fn new() -> Self {
        let template = "{elapsed_precise} [{bar:40}] {human_pos}/{human_len} runs, {per_sec}, {eta} left";
        let style = indicatif::ProgressStyle::with_template(template);
        let bar = indicatif::ProgressBar::new(0)
            .with_style(style.unwrap_or_else(|_| indicatif::ProgressStyle::default_bar()));
        Self { bar, line: (!std::io::stderr().is_terminal()).then(|| Mutex::new(LINE)) }
    }

    fn hear(&self, news: News<'_>) {
        match news {
            News::Run { done, all } => self.count(done, all),
            News::Found(kind, found) => {
                let last = found.story.lines().last().unwrap_or_default();
                let line = format!("{:>5} s: {}: {last}", self.bar.elapsed().as_secs(), found.name);
                if self.line.is_some() {
                    eprintln!("{line}");
                } else {
                    self.bar.println(line);
                }
                keep(kind, found);
            }
        }
    }

    fn count(&self, done: usize, all: usize) {
        self.bar.set_length(all as u64);
        self.bar.set_position(done as u64);
        let took = self.bar.elapsed();
        let Some(Ok(mut due)) = self.line.as_ref().map(Mutex::lock) else { return };
        if took >= *due {
            *due = took + LINE;
            let left = took.as_secs_f64() / done as f64 * all.saturating_sub(done) as f64;
            eprintln!("{:>5} s: {done} of {all} runs, {left:.0} s left", took.as_secs());
        }
    }

    fn end(&self) -> Duration {
        let took = self.bar.elapsed();
        self.bar.finish_and_clear();
        took
    }
}

fn through_shell(case: &Case) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.map_err(|error| error.to_string())?.block_on(shell::play(case))
}

/// Writes the script of a failure where the environment says so.
fn keep(kind: &str, found: &Found) {
    let Ok(dir) = std::env::var("KEEP") else { return };
    let path = format!("{dir}/{}.json", kind.replace([' ', '/'], "-").to_lowercase());
    let script = serde_json::to_string(&found.case).unwrap_or_default();
    if let Err(error) = std::fs::create_dir_all(&dir).and_then(|()| std::fs::write(&path, script + "\n")) {
        eprintln!("cannot write {path}: {error}");
    }
}

fn tell(report: &Report) {
    for (kind, found) in &report.found {
        let script = serde_json::to_string(&found.case).unwrap_or_default();
        println!("##### {kind}: {} runs, first {}\n{}\n{script}\n", found.count, found.name, found.story);
    }
    for (name, story) in &report.failed {
        println!("##### {name}\n{story}\n");
    }
    for strayed in report.strayed.iter().take(size("STRAYED", 10)) {
        println!("ends elsewhere: {strayed}");
    }
    println!("{} disturbed runs end in another state than the undisturbed one", report.strayed.len());
}

/// Walks small worlds as far as the bounds go, on all threads, and tells of each. Returns how many were not walked whole,
/// and the stories of broken promises.
fn small_worlds(ways: usize) -> (usize, Vec<(String, String)>) {
    let bounds = exhaustive::Bounds { delays: size("DELAYS", 2), crashes: 1, ways };
    let worlds = exhaustive::worlds(i32::try_from(number("REPLICAS", 2).clamp(1, 4)).unwrap_or(2));
    let (next, left) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let walk = || {
        let mut failed = Vec::new();
        while let Some((name, world)) = worlds.get(next.fetch_add(1, Ordering::Relaxed)) {
            match exhaustive::explore(world, bounds) {
                Ok(explored) => {
                    let whole = if explored.complete { "all of them" } else { "incomplete" };
                    println!("{name:<56} {:>7} ways {:>7} states, {whole}", explored.ways, explored.states);
                    left.fetch_add(usize::from(!explored.complete), Ordering::Relaxed);
                }
                Err(story) => failed.push((name.clone(), story)),
            }
        }
        failed
    };
    let failed = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..size("THREADS", 2).max(1)).map(|_| scope.spawn(walk)).collect();
        let broken = |_| vec![("small worlds".to_owned(), "a thread has panicked".to_owned())];
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(broken)).collect()
    });
    (left.into_inner(), failed)
}

/// Every interleaving of all small worlds.
fn worlds() -> ExitCode {
    let (incomplete, failed) = small_worlds(size("WAYS", u64::MAX));
    for (name, story) in &failed {
        println!("##### {name}\n{story}\n");
    }
    if incomplete == 0 && failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Judges every mutant, and writes the table into the page on the simulation.
fn mutants(plan: &Plan) -> ExitCode {
    let judged = mutation::judge(plan, &mut |sentence| {
        let caught = sentence.caught.as_deref().unwrap_or("NOTHING");
        let seen = sentence.seen_after();
        println!("{:<34} {:<5} {caught:<24} {:>7} {seen:>7}", sentence.name, sentence.meant, sentence.runs);
    });
    let sentences = match judged {
        Ok(sentences) => sentences,
        Err(story) => {
            println!("{story}\nthe search finds this without any mutant: see to it first, with `make sim`");
            return ExitCode::FAILURE;
        }
    };
    let alive = sentences.iter().filter(|sentence| sentence.caught.is_none()).count();
    let blind = mutation::blind(&sentences);
    println!("{} of {} caught; promises that caught none: {blind:?}", sentences.len() - alive, sentences.len());
    if std::env::var("MUTANT").is_err()
        && let Ok(page) = std::fs::read_to_string(PAGE)
        && let Some((before, rest)) = page.split_once(BEGIN)
        && let Some((_, after)) = rest.split_once(END)
    {
        let page = format!("{before}{BEGIN}\n{}{END}{after}", mutation::table(&sentences));
        if let Err(error) = std::fs::write(PAGE, page) {
            eprintln!("cannot write {PAGE}: {error}");
        }
    }
    if alive * 20 <= sentences.len() && blind.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn main() -> ExitCode {
    let word = std::env::args().nth(1);
    if word.as_deref() == Some("worlds") {
        return worlds();
    }
    if word.as_deref() == Some("mutants") {
        let plan = Plan {
            stride: size("STRIDE", 23),
            seeds: (number("FROM", 1), number("SEEDS", 2_000)),
            shell: (50, 101),
            through_shell,
            threads: size("THREADS", 2),
            first: true,
            shrinks: false,
        };
        return mutants(&plan);
    }
    let plan = Plan {
        stride: size("STRIDE", 7),
        seeds: (number("FROM", 1), number("SEEDS", 34_500)),
        shell: (number("FROM", 1), number("SHELL_RUNS", 3_010)),
        through_shell,
        threads: size("THREADS", 2),
        first: false,
        shrinks: true,
    };
    let progress = Progress::new();
    let mut report = search(&plan, &|news| progress.hear(news));
    for (name, story) in small_worlds(size("WAYS", 400)).1 {
        report.note(&name, story);
    }
    let took = progress.end();
    tell(&report);
    print!("{}", report.table());
    println!(
        "{:.0} s, {:.1} ms a run on {} threads",
        took.as_secs_f64(),
        took.as_secs_f64() * 1e3 * plan.threads as f64 / report.total().max(1) as f64,
        plan.threads
    );
    if report.is_green() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
