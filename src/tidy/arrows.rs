//! Which room may use which, and what the pure rooms may not name. Tests may use any.

use super::source::{Finding, Source, Tree};

/// Each room with the rooms that it may use; itself is understood.
///
/// `main.rs` and `lib.rs` belong to no room.
const ROOMS: &[(&str, &[&str])] = &[
    ("api", &[]),
    ("mutants", &[]),
    ("plan", &["api"]),
    ("traffic", &["api", "plan"]),
    ("analysis", &["api", "plan"]),
    ("rollout", &["api", "plan", "traffic", "analysis"]),
    ("telemetry", &["api"]),
    ("provider", &["api", "analysis", "telemetry"]),
    ("runtime", &["api", "telemetry"]),
    ("controller", &["api", "plan", "traffic", "analysis", "rollout", "provider", "runtime", "telemetry"]),
    ("config", &["api", "rollout", "controller", "runtime"]),
    ("server", &["api", "runtime", "telemetry", "config"]),
    ("sim", &["api", "mutants", "plan", "traffic", "analysis", "rollout", "controller", "runtime", "telemetry"]),
    (
        "demo",
        &["api", "plan", "rollout", "controller", "runtime", "telemetry", "config", "server", "sim", "cli", "provider"],
    ),
    (
        "cli",
        &[
            "api",
            "plan",
            "traffic",
            "analysis",
            "rollout",
            "controller",
            "runtime",
            "telemetry",
            "config",
            "server",
            "sim",
            "demo",
            "simulate",
            "provider",
        ],
    ),
    ("simulate", &["api", "plan", "traffic", "analysis", "rollout", "controller", "provider", "sim", "cli"]),
];

/// Rooms that compute and touch nothing.
const PURE: &[&str] = &["api", "plan", "traffic", "analysis", "rollout"];

/// What no pure room names, and why.
const IMPURE: &[(&str, &str)] = &[
    ("kube", "decisions talk to no API server; move it to `controller` or `runtime`"),
    ("tokio", "decisions wait for nothing; move it to `controller` or `runtime`"),
    ("tracing", "decisions return reasons, and the shell logs them"),
    ("SystemTime", "time comes in as an argument"),
    ("Instant", "time comes in as an argument"),
    ("HashMap", "its order can reach the output; use BTreeMap"),
    ("HashSet", "its order can reach the output; use BTreeSet"),
];

pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().flat_map(of_file).collect()
}

/// The room of a file: `None` for what stands outside the house.
fn room(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let name = inside.split('/').next()?;
    let name = name.strip_suffix(".rs").unwrap_or(name);
    (!["main", "lib", "tidy"].contains(&name)).then_some(name)
}

fn of_file(source: &Source) -> Vec<Finding> {
    let Some(room) = room(&source.path) else { return Vec::new() };
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![source.finding(0, format!("room {room} is not in the table of src/tidy/arrows.rs: add it"))];
    };
    let mut findings = Vec::new();
    for (line, used) in used_rooms(source) {
        if used != room && !allowed.contains(&used) {
            let remedy = format!("{room} may not use {used}; it may use: {}", allowed.join(", "));
            findings.push(source.finding(line, remedy));
        }
    }
    if PURE.contains(&room) {
        for (line, code) in source.shipped() {
            findings.extend(impure(code).map(|(word, why)| source.finding(line, format!("{word} in {room}: {why}"))));
        }
    }
    findings
}

fn impure(code: &str) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
    let words: Vec<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    IMPURE.iter().copied().filter(move |(word, _)| words.contains(word))
}

/// Rooms that the shipped code names, with lines from 0: `crate::room`, `crate::{room, …}`, `super::…::room`.
fn used_rooms(source: &Source) -> Vec<(usize, &'static str)> {
    let shipped: String = source
        .code
        .lines()
        .enumerate()
        .flat_map(|(index, line)| [if source.in_tests(index) { "" } else { line }, "\n"])
        .collect();
    let mut found = Vec::new();
    for root in ["crate::", &"super::".repeat(depth(&source.path))] {
        for (at, _) in shipped.match_indices(root) {
            let line = shipped[..at].matches('\n').count();
            let rest = &shipped[at + root.len()..];
            found.extend(heads(rest).into_iter().filter_map(known).map(|room| (line, room)));
        }
    }
    found
}

/// How many modules stand above what a file declares.
fn depth(path: &str) -> usize {
    let module = path.strip_suffix("/mod.rs").unwrap_or(path);
    module.matches('/').count()
}

fn known(name: &str) -> Option<&'static str> {
    ROOMS.iter().map(|(room, _)| *room).find(|room| *room == name)
}

/// First names of a path or, in braces, of each of its branches.
fn heads(path: &str) -> Vec<&str> {
    let Some(group) = path.strip_prefix('{') else {
        return path.split(|c: char| !c.is_alphanumeric() && c != '_').take(1).collect();
    };
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let branch = group[start..at].trim();
                found.extend(branch.split(|c: char| !c.is_alphanumeric() && c != '_').next());
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}

#[test]
fn finds_arrows_that_point_back() {
    let findings = |path: &str, text: &str| {
        let source = Source::new(path, text, super::source::Whole::Code);
        of_file(&source).into_iter().map(|finding| finding.line).collect::<Vec<_>>()
    };
    assert_eq!(findings("src/plan/effect.rs", "use crate::api::A;\nuse crate::rollout::World;"), [2]);
    assert_eq!(findings("src/plan/effect.rs", "use crate::{api::{B, C}, sim};"), [1]);
    assert_eq!(findings("src/api/time.rs", "use super::super::plan::Plan;\nuse super::plan::P;"), [1]);
    assert_eq!(findings("src/api/mod.rs", "use super::plan::Plan;"), [1]);
    assert_eq!(findings("src/rollout/a.rs", "// Instant\nlet a = Instant::now();\nlet InstantLike = 1;"), [2]);
    assert_eq!(findings("src/rollout/a.rs", "#[cfg(test)]\nmod tests {\n    use crate::sim;\n}"), [0_usize; 0]);
    assert_eq!(findings("src/attic/a.rs", ""), [1]);
    assert_eq!(findings("src/cli/a.rs", "use crate::sim;"), [0_usize; 0]);
}
