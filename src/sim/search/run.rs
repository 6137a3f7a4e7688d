//! Many cases on several threads, and what they have come to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::branch::branches;
use super::play::{Ended, play};
use super::scenario::{Case, Fault, Scenario};
use super::shrink::{kind, shrink};
use super::{swarm, systematic};
use crate::mutants::is_heard;

/// Failures of one kind that are kept; the rest is counted.
const KEPT: usize = 1;

/// What is searched.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Systematic cases: every so many of them; 0 for none.
    pub stride: usize,
    /// Random cases: the first seed and how many.
    pub seeds: (u64, u64),
    /// Random cases through the full shell: the first seed and how many.
    pub shell: (u64, u64),
    /// Plays a case through the full shell, in a runtime of its own whose time is paused; [`super::shell::play`].
    pub through_shell: fn(&Case) -> Result<(), String>,
    /// Threads.
    pub threads: usize,
    /// Whether to end with the first failure.
    pub first: bool,
    /// Whether failing cases are made smaller.
    pub shrinks: bool,
}

/// A failing case.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it comes from: the name of the scenario, or the seed.
    pub name: String,
    /// The case, made small.
    pub case: Case,
    /// The story of its failure.
    pub story: String,
    /// Cases that fail in this way.
    pub count: usize,
}

/// What a search has come to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Fault runs by class of fault.
    pub runs: BTreeMap<String, usize>,
    /// Failures by kind.
    pub found: BTreeMap<String, Found>,
    /// Failures that no case describes: their name and story.
    pub failed: Vec<(String, String)>,
    /// End states that differ from the undisturbed run's, by scenario.
    pub strayed: Vec<String>,
    /// Scenarios that have come to their end undisturbed.
    ended: Vec<(String, Scenario, Ended)>,
}

impl Report {
    /// Fault runs in all.
    pub fn total(&self) -> usize {
        self.runs.values().sum()
    }

    /// The table of runs by class.
    pub fn table(&self) -> String {
        let mut table = String::new();
        for (class, count) in &self.runs {
            // Writing to a String cannot fail.
            let _ = writeln!(table, "{class:<40} {count:>9}");
        }
        let _ = writeln!(table, "{:<40} {:>9}", "in all", self.total());
        table
    }

    /// Counts so many runs of a class.
    pub fn count(&mut self, class: &str, runs: usize) {
        *self.runs.entry(class.to_owned()).or_default() += runs;
    }

    /// Keeps a failure that no case describes.
    pub fn note(&mut self, name: &str, story: String) {
        self.failed.push((name.to_owned(), story));
    }

    /// Whether nothing was found.
    pub fn is_green(&self) -> bool {
        self.found.is_empty() && self.failed.is_empty()
    }

    fn merge(&mut self, other: Self) {
        for (class, count) in other.runs {
            *self.runs.entry(class).or_default() += count;
        }
        for (kind, found) in other.found {
            self.found.entry(kind).and_modify(|known| known.count += found.count).or_insert(found);
        }
        self.failed.extend(other.failed);
        self.strayed.extend(other.strayed);
        self.ended.extend(other.ended);
    }
}

/// What a search tells while it goes on.
#[derive(Clone, Copy, Debug)]
pub enum News<'n> {
    /// A run has ended.
    Run {
        /// Runs that have ended.
        done: usize,
        /// Runs in all, as far as that is known.
        all: usize,
    },
    /// The first failure of a kind, on one of the threads.
    Found(&'n str, &'n Found),
}

/// One piece of work.
enum Piece {
    /// A scenario as it is.
    Undisturbed(String, Box<Scenario>),
    /// A scenario with each of these faults, and how it ends without any.
    Systematic(Arc<(String, Scenario, Ended)>, Vec<Fault>),
    /// Random cases of these seeds.
    Random(u64, u64),
    /// The same through the full shell.
    Shell(u64, u64),
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Undisturbed(..) => 1,
            Self::Systematic(_, faults) => faults.len(),
            Self::Random(from, to) | Self::Shell(from, to) => usize::try_from(to - from).unwrap_or(usize::MAX),
        }
    }
}

/// What the end of an update says that has come to its deadline.
const TIMED_OUT: &str = "has timed out progressing";

/// I37 and I18, the part of ends: one update ends as if nothing had gone wrong, but for delays that change it by themselves.
/// Where people act more than once, a delay may bring an action to another moment of the release.
///
/// I35, the part of absences: an update does not come to its deadline because there was no controller.
fn same_end(case: &Case, disturbed: Ended, calm: impl FnOnce() -> Option<String>) -> Result<Ended, String> {
    let away = |fault: &Fault| matches!(fault, Fault::Away { .. });
    let comparable = case.scenario.script.len() < 2
        && case.faults.iter().all(|fault| fault.hurts() && (!fault.is_long() || away(fault)));
    let Some(calm) = comparable.then(calm).flatten().filter(|calm| *calm != disturbed.end) else {
        return Ok(disturbed);
    };
    if !case.faults.iter().any(away) {
        return Err(format!("I37: ends as {:?}, undisturbed as {calm:?}", disturbed.end));
    }
    if disturbed.end.contains(TIMED_OUT) && !calm.contains(TIMED_OUT) {
        return Err(format!(
            "I35: ends as {:?} after a time without controller, undisturbed as {calm:?}",
            disturbed.end
        ));
    }
    Ok(disturbed)
}

/// Plays a case, and where its end has to be that of the undisturbed one, that one as well.
fn play_to_the_same_end(case: &Case) -> Result<Ended, String> {
    let calm = || play(&Case { faults: Vec::new(), ..case.clone() }).ok();
    same_end(case, play(case)?, || calm().map(|calm| calm.end))
}

/// A random case for the full shell. Of those that have hostile neighbours, every tenth is without another fault: that one
/// is played without the neighbours as well.
fn shell_case(seed: u64) -> (&'static str, Case) {
    let case = swarm::case(seed);
    if seed.is_multiple_of(50) {
        ("shell, with and without hostile neighbours", Case { faults: Vec::new(), ..case })
    } else {
        ("shell, random", case)
    }
}

/// Random runs in one piece of work, and such through the full shell, which take longer.
const PIECE: usize = 64;
const SHELL_PIECE: usize = 16;
/// Systematic runs in one piece of work: they share a base, which is played anew for each piece.
const BRANCHES: usize = 512;

/// Searches. `progress` hears of each run, and of each kind of failure as soon as there is a case for it.
pub fn search(plan: &Plan, progress: &(dyn Fn(News<'_>) + Sync)) -> Report {
    let scenarios = if plan.stride > 0 { systematic::scenarios() } else { Vec::new() };
    let first: Vec<Piece> =
        scenarios.into_iter().map(|(name, scenario)| Piece::Undisturbed(name, Box::new(scenario))).collect();
    let shell: Vec<Piece> = ranges(plan.shell, SHELL_PIECE).map(|(from, to)| Piece::Shell(from, to)).collect();
    let random: Vec<Piece> = ranges(plan.seeds, PIECE).map(|(from, to)| Piece::Random(from, to)).collect();
    let known = first.len() + random.iter().chain(&shell).map(Piece::len).sum::<usize>();
    let done = AtomicUsize::new(0);
    let hear = |found: Option<(&str, &Found)>, all: usize| match found {
        Some((kind, found)) => progress(News::Found(kind, found)),
        None => progress(News::Run { done: done.fetch_add(1, Ordering::Relaxed) + 1, all }),
    };
    let mut whole = work(plan, &first, &|found| hear(found, known));
    let mut systematic = Vec::new();
    for ended in std::mem::take(&mut whole.ended) {
        // A different remainder for each scenario, so that strides meet every sort of fault.
        let skip = spread(&ended.0) % plan.stride.max(1);
        let faults: Vec<Fault> =
            systematic::faults(&ended.1, &ended.2).into_iter().skip(skip).step_by(plan.stride.max(1)).collect();
        let ended = Arc::new(ended);
        systematic.extend(faults.chunks(BRANCHES).map(|faults| Piece::Systematic(Arc::clone(&ended), faults.to_vec())));
    }
    if plan.first && !whole.found.is_empty() {
        return whole;
    }
    let pieces = mixed(vec![shell, random, systematic]);
    let all = first.len() + pieces.iter().map(Piece::len).sum::<usize>();
    let rest = work(plan, &pieces, &|found| hear(found, all));
    whole.merge(rest);
    whole
}

/// Hears of a failure, or of a run.
type Hear<'h> = &'h (dyn Fn(Option<(&str, &Found)>) + Sync);

/// Works off all pieces on the threads of the plan.
fn work(plan: &Plan, pieces: &[Piece], progress: Hear<'_>) -> Report {
    let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let whole = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        for _ in 0..plan.threads.max(1) {
            scope.spawn(|| {
                let mut worker = Worker { plan, progress, over: &over, report: Report::default() };
                while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
                    worker.work(piece);
                }
                if let Ok(mut whole) = whole.lock() {
                    whole.merge(worker.report);
                }
            });
        }
    });
    whole.into_inner().unwrap_or_default()
}

/// Pieces of several sorts, each spread over the whole: some take ten times as long as others, and what is left to do should
/// look like what was done.
fn mixed(sorts: Vec<Vec<Piece>>) -> Vec<Piece> {
    /// The whole, in which each piece has its place in the middle of its share.
    const WHOLE: usize = 1 << 32;
    let mut placed: Vec<(usize, Piece)> = Vec::new();
    for sort in sorts {
        let share = WHOLE / sort.len().max(1);
        placed.extend(sort.into_iter().enumerate().map(|(number, piece)| (number * share + share / 2, piece)));
    }
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, piece)| piece).collect()
}

/// A range of seeds in pieces.
fn ranges((first, count): (u64, u64), piece: usize) -> impl Iterator<Item = (u64, u64)> {
    let end = first.saturating_add(count);
    (first..end).step_by(piece).map(move |from| (from, from.saturating_add(piece as u64).min(end)))
}

/// A number that is different for most names.
fn spread(name: &str) -> usize {
    name.bytes().fold(7, |number: usize, byte| number.wrapping_mul(31).wrapping_add(usize::from(byte)))
}

struct Worker<'s> {
    plan: &'s Plan,
    progress: Hear<'s>,
    over: &'s AtomicBool,
    report: Report,
}

/// A case that is played, its name, and the row of the table that it counts in.
struct Trial<'t> {
    name: &'t str,
    class: &'static str,
    case: Case,
}

impl Worker<'_> {
    fn work(&mut self, piece: &Piece) {
        match piece {
            Piece::Random(from, to) => {
                for seed in *from..*to {
                    self.run(&format!("seed {seed}"), "random", swarm::case(seed));
                }
            }
            Piece::Shell(from, to) => {
                for seed in *from..*to {
                    let through_shell = self.plan.through_shell;
                    let (class, case) = shell_case(seed);
                    let trial = Trial { name: &format!("shell, seed {seed}"), class, case };
                    self.judge(trial, |case| through_shell(case).map(|()| Ended::default()));
                }
            }
            Piece::Undisturbed(name, scenario) => {
                if let Some(ended) = self.run(name, "undisturbed", systematic::case(scenario, None)) {
                    self.report.ended.push((name.clone(), (**scenario).clone(), ended));
                }
            }
            Piece::Systematic(known, faults) => self.branch(known, faults),
        }
    }

    /// A scenario with each of these faults.
    fn branch(&mut self, (name, scenario, ended): &(String, Scenario, Ended), faults: &[Fault]) {
        let base = branches(scenario, faults, &mut |fault, came_of_it| {
            if self.over.load(Ordering::Relaxed) {
                return false;
            }
            let told = format!("{name}: {fault:?}");
            let case = systematic::case(scenario, Some(fault.clone()));
            let came_of_it = came_of_it.and_then(|disturbed| same_end(&case, disturbed, || Some(ended.end.clone())));
            let trial = Trial { name: &told, class: fault.class(), case };
            let disturbed = self.hear(trial, came_of_it, play_to_the_same_end);
            if let Some(disturbed) = disturbed.filter(|disturbed| fault.hurts() && disturbed.end != ended.end) {
                self.report.strayed.push(format!("{told}: {}; undisturbed: {}", disturbed.end, ended.end));
            }
            true
        });
        if let Err(story) = base {
            self.report.note(name, story);
        }
    }

    fn run(&mut self, name: &str, class: &'static str, case: Case) -> Option<Ended> {
        self.judge(Trial { name, class, case }, play)
    }

    fn judge(&mut self, trial: Trial<'_>, play: impl Fn(&Case) -> Result<Ended, String>) -> Option<Ended> {
        if self.over.load(Ordering::Relaxed) {
            return None;
        }
        let came_of_it = play(&trial.case);
        self.hear(trial, came_of_it, play)
    }

    /// Counts a run, and keeps what it has found. `play` plays a case like it.
    fn hear(
        &mut self,
        trial: Trial<'_>,
        came_of_it: Result<Ended, String>,
        play: impl Fn(&Case) -> Result<Ended, String>,
    ) -> Option<Ended> {
        self.report.count(trial.class, 1);
        (self.progress)(None);
        let story = match came_of_it {
            Ok(ended) => return Some(ended),
            Err(story) => story,
        };
        let kind = kind(&story);
        if !is_heard(kind.split(' ').next().unwrap_or_default()) {
            return None;
        }
        if self.plan.first {
            self.over.store(true, Ordering::Relaxed);
        }
        if let Some(known) = self.report.found.get_mut(&kind).filter(|known| known.count >= KEPT) {
            known.count += 1;
            return None;
        }
        let (case, story) = if self.plan.shrinks { shrink(trial.case, story, &play) } else { (trial.case, story) };
        let found = Found { name: trial.name.to_owned(), case, story, count: 1 };
        (self.progress)(Some((&kind, &found)));
        self.report.found.insert(kind, found);
        None
    }
}
