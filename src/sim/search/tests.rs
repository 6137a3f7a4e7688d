use super::branch::branches;
use super::play::play;
use super::replay::trace;
use super::run::{Plan, search};
use super::scenario::Case;
use super::{exhaustive, replay, shell, swarm, systematic};

/// Scripts of failures that the search has found once.
const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sim/regressions");

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn paused<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.unwrap().block_on(work)
}

fn through_shell(case: &Case) -> Result<(), String> {
    paused(shell::play(case))
}

/// The whole search is `make sim`.
#[test]
fn a_share_of_the_search_keeps_every_promise() {
    let plan = Plan {
        stride: usize::try_from(number("SISKIN_STRIDE", 2_000)).unwrap(),
        seeds: (number("SISKIN_SEED", 1), number("SISKIN_CASES", 60)),
        shell: (number("SISKIN_SEED", 1), number("SISKIN_SHELL", 6)),
        through_shell,
        threads: 2,
        first: false,
        shrinks: true,
    };
    let report = search(&plan, &|_| {});
    let told: Vec<String> = report
        .found
        .iter()
        .map(|(kind, found)| {
            let script = serde_json::to_string(&found.case).unwrap();
            format!("##### {kind}: {} runs, first {}\n{}\n{script}", found.count, found.name, found.story)
        })
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n\n"));
}

#[test]
fn what_was_found_once_stays_mended() {
    let bare = |script: &str| replay(script, None).unwrap().failure;
    let shell = |script: &str| through_shell(&serde_json::from_str(script).unwrap()).err();
    let failed = [replayed("", &bare), replayed("/shell", &shell)].concat();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// Plays the scripts of a folder; how those fail that do.
fn replayed(folder: &str, play: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let entries = std::fs::read_dir(format!("{REGRESSIONS}{folder}")).unwrap().map(|entry| entry.unwrap().path());
    let mut scripts: Vec<_> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "json")).collect();
    scripts.sort();
    assert!(!scripts.is_empty());
    let failure = |path: std::path::PathBuf| Some((play(&std::fs::read_to_string(&path).unwrap())?, path));
    scripts.into_iter().filter_map(failure).map(|(failure, path)| format!("{}: {failure}", path.display())).collect()
}

#[test]
fn small_worlds_keep_every_promise_in_any_order() {
    let ways = usize::try_from(number("SISKIN_WAYS", 6)).unwrap();
    for (name, world) in exhaustive::worlds(2) {
        let explored = exhaustive::explore(&world, exhaustive::Bounds { delays: 1, crashes: 1, ways });
        let explored = explored.unwrap_or_else(|story| panic!("{name}: {story}"));
        assert!(explored.states > explored.ways.min(5), "{name}: {explored:?}");
    }
}

#[test]
fn a_run_that_begins_where_its_fault_strikes_is_the_one_from_the_start() {
    for (name, scenario) in systematic::scenarios().into_iter().step_by(29) {
        let ended = play(&systematic::case(&scenario, None)).unwrap();
        let faults: Vec<_> = systematic::faults(&scenario, &ended).into_iter().step_by(97).collect();
        let mut heard = 0;
        let base = branches(&scenario, &faults, &mut |fault, came_of_it| {
            let whole = play(&systematic::case(&scenario, Some(fault.clone())));
            assert_eq!(came_of_it, whole, "{name}: {fault:?}");
            heard += 1;
            true
        });
        assert_eq!(base, Ok(()), "{name}");
        assert!(heard * 10 > faults.len() * 9, "{name}: {heard} of {}", faults.len());
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 1..6 {
        let case = swarm::case(seed);
        let script = serde_json::to_string(&case).unwrap();
        assert_eq!(serde_json::from_str::<Case>(&script).unwrap(), case);
        let first = trace(&case);
        assert!(first.lines.len() > 20);
        assert_eq!(trace(&case), first, "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace_through_the_shell() {
    let from = number("SISKIN_SEED", 1);
    for seed in from..from + number("SISKIN_TWICE", 8) {
        let case = swarm::case(seed);
        let [first, second] = [(), ()].map(|()| paused(shell::trace(&case)).unwrap());
        assert!(!first.lines.is_empty());
        let differs = first.lines.iter().zip(&second.lines).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(first, second, "seed {seed}");
    }
}
