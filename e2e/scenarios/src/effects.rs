//! What a release did to its namespace, in the order of the API server, without times, hashes and names of pods.
//!
//! A scenario with `parity` keeps a record of it from its first moment, and compares it with the one on file once
//! nothing has changed for a while: the same file for the real cluster and for the one in memory.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::api::Api;
use crate::rig::{Outcome, Rig, check};

/// What is followed.
const KINDS: [&str; 5] = ["ReplicaSet", "Service", "HTTPRoute", "AnalysisRun", "Rollout"];
/// Longer than the delays of the scenarios' manifests, the grace of a route, and both together.
const QUIET: Duration = Duration::from_secs(14);
/// How long the quiet may take to come.
const LIMIT: Duration = Duration::from_mins(3);
const POLL: Duration = Duration::from_millis(250);
/// The label of revisions.
const HASH: &str = "rollouts-pod-template-hash";

/// One version of one object.
#[derive(Clone, Debug)]
struct Change {
    version: u64,
    kind: &'static str,
    deleted: bool,
    object: Value,
}

/// Follows a namespace until it is dropped.
#[derive(Debug)]
pub struct Recorder {
    changes: Arc<Mutex<Vec<Change>>>,
    /// Why something may be missing.
    gap: Arc<Mutex<Option<String>>>,
    stop: Arc<AtomicBool>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn version(object: &Value) -> &str {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default()
}

impl Recorder {
    /// Follows what comes after the creation of a namespace.
    pub fn start(api: Api, namespace: &Value) -> Self {
        let recorder = Self { changes: Arc::default(), gap: Arc::default(), stop: Arc::default() };
        let name = namespace["metadata"]["name"].as_str().unwrap_or_default();
        for kind in KINDS {
            let (changes, gap, stop) = (recorder.changes.clone(), recorder.gap.clone(), recorder.stop.clone());
            let (name, mut since) = (name.to_owned(), version(namespace).to_owned());
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let from = since.clone();
                    let event = |event: Value| {
                        let object = &event["object"];
                        match event["type"].as_str() {
                            Some("ERROR") => *locked(&gap) = Some(format!("the watch of each {kind} said {object}")),
                            Some("BOOKMARK") => version(object).clone_into(&mut since),
                            _ => {
                                version(object).clone_into(&mut since);
                                let version = since.parse().unwrap_or(0);
                                let deleted = event["type"] == "DELETED";
                                locked(&changes).push(Change { version, kind, deleted, object: object.clone() });
                            }
                        }
                        !stop.load(Ordering::Relaxed) && locked(&gap).is_none()
                    };
                    // A watch that ends or breaks goes on where it was.
                    if api.watch((kind, &name), &from, event).is_err() || locked(&gap).is_some() {
                        thread::sleep(POLL);
                    }
                }
            });
        }
        recorder
    }

    /// Waits until nothing has changed for a while; then the whole record.
    fn at_rest(&self, rig: &Rig) -> Outcome<String> {
        let began = Instant::now();
        let (mut last, mut since) = (self.told(rig)?, Instant::now());
        while since.elapsed() < QUIET {
            check(began.elapsed() < LIMIT, || format!("it did not come to rest:\n{last}"))?;
            thread::sleep(POLL);
            let now = self.told(rig)?;
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        Ok(last)
    }

    fn told(&self, rig: &Rig) -> Outcome<String> {
        if let Some(gap) = locked(&self.gap).clone() {
            return Err(format!("the record has a gap: {gap}"));
        }
        let mut changes = locked(&self.changes).clone();
        changes.sort_by_key(|change| change.version);
        let mut tale = Tale::default();
        for change in &changes {
            tale.hear(change);
        }
        let mut text = String::new();
        for (title, lines) in [("effects", tale.effects), ("states", tale.states), ("events", rig.reasons()?)] {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "# {title}\n{}", lines.join("\n"));
        }
        Ok(text)
    }

    /// Compares the record with the one on file; `UPDATE=1` writes it there instead.
    pub fn compare(&self, rig: &Rig, name: &str) -> Outcome {
        let folder = std::env::var("PARITY_DIR").map_err(|_| "$PARITY_DIR is not set: start by e2e/run")?;
        let path = PathBuf::from(folder).join(format!("{name}.txt"));
        let told = self.at_rest(rig)?;
        if std::env::var_os("UPDATE").is_some() {
            return std::fs::write(&path, told).map_err(|error| format!("{}: {error}", path.display()));
        }
        let known = std::fs::read_to_string(&path);
        let known = known.map_err(|error| format!("{}: {error}; UPDATE=1 writes it", path.display()))?;
        check(told == known, || {
            format!("it did something else than {} says\n{}", path.display(), difference(&known, &told))
        })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The first lines that differ, and what came after them.
fn difference(known: &str, told: &str) -> String {
    let (known, told): (Vec<&str>, Vec<&str>) = (known.lines().collect(), told.lines().collect());
    let same = known.iter().zip(&told).take_while(|(known, told)| known == told).count();
    let rest =
        |lines: &[&str]| lines.iter().skip(same.saturating_sub(2)).take(12).copied().collect::<Vec<_>>().join("\n  ");
    format!("from line {same} on, expected\n  {}\nfound\n  {}", rest(&known), rest(&told))
}

/// The record as it is told.
#[derive(Debug, Default)]
struct Tale {
    /// Revisions by their hash, in the order of their creation.
    revisions: Vec<String>,
    /// What was last said of each object.
    known: BTreeMap<(&'static str, String), String>,
    runs: Vec<String>,
    effects: Vec<String>,
    states: Vec<String>,
}

impl Tale {
    fn hear(&mut self, change: &Change) {
        let name = change.object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let said = match change.kind {
            "ReplicaSet" => return self.replica_set(name, change),
            "Service" => format!("Service {name} → {}", self.revision(&change.object["spec"]["selector"][HASH])),
            "HTTPRoute" => format!("HTTPRoute {name}: {}", rules(&change.object)),
            "AnalysisRun" => return self.run(name, change),
            _ => return self.state(&change.object),
        };
        let before = self.known.insert((change.kind, name), said.clone());
        // What the harness created is no effect.
        if !change.deleted && before.is_some_and(|before| before != said) {
            self.effects.push(said);
        }
    }

    fn revision(&self, hash: &Value) -> String {
        let hash = hash.as_str().unwrap_or_default();
        let place = self.revisions.iter().position(|known| known == hash);
        place.map_or_else(
            || if hash.is_empty() { "all".to_owned() } else { "?".to_owned() },
            |place| format!("r{}", place + 1),
        )
    }

    fn replica_set(&mut self, name: String, change: &Change) {
        let hash = &change.object["metadata"]["labels"][HASH];
        let size = change.object["spec"]["replicas"].to_string();
        let before = self.known.insert((change.kind, name), size.clone());
        if before.is_none() {
            self.revisions.push(hash.as_str().unwrap_or_default().to_owned());
        }
        let revision = self.revision(hash);
        match before {
            _ if change.deleted => self.effects.push(format!("ReplicaSet {revision} deleted")),
            None => self.effects.push(format!("ReplicaSet {revision} created with {size}")),
            Some(before) if before != size => self.effects.push(format!("ReplicaSet {revision}: {before} → {size}")),
            Some(_) => {}
        }
    }

    fn run(&mut self, name: String, change: &Change) {
        if !self.runs.contains(&name) {
            self.runs.push(name.clone());
        }
        let number = self.runs.iter().position(|known| *known == name).unwrap_or(0) + 1;
        let phase = change.object["status"]["phase"].as_str().unwrap_or("created");
        let said = format!("AnalysisRun {number} {phase}");
        if !change.deleted && self.known.insert((change.kind, name), said.clone()).as_ref() != Some(&said) {
            self.effects.push(said);
        }
    }

    /// The phase with what it says of itself where it rests, the step, and the revisions.
    fn state(&mut self, rollout: &Value) {
        let status = &rollout["status"];
        let Some(phase) = status["phase"].as_str() else { return };
        let mut said = phase.to_owned();
        if phase == "Paused" || phase == "Degraded" {
            // Writing to a String cannot fail.
            let _ = write!(said, " ({})", self.without_hashes(status["message"].as_str().unwrap_or_default()));
        }
        if let Some(step) = status["currentStepIndex"].as_i64() {
            let _ = write!(said, ", step {step}");
        }
        let _ = write!(said, ", stable {}", self.revision(&status["stableRS"]));
        let _ = write!(said, ", newest {}", self.revision(&status["currentPodHash"]));
        if self.states.last() != Some(&said) {
            self.states.push(said);
        }
    }

    fn without_hashes(&self, text: &str) -> String {
        let numbered = self.revisions.iter().enumerate();
        numbered.fold(text.to_owned(), |text, (place, hash)| text.replace(hash, &format!("r{}", place + 1)))
    }
}

/// Rules of a route: the headers that they ask for, and their backends with weights.
fn rules(route: &Value) -> String {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rule = |rule: &Value| {
        let headers = list(&rule["matches"]).into_iter().flat_map(|entry| list(&entry["headers"]));
        let asked: Vec<String> =
            headers.map(|header| format!("{}={}: ", text(&header["name"]), text(&header["value"]))).collect();
        let backends = list(&rule["backendRefs"]);
        let backends: Vec<String> =
            backends.iter().map(|backend| format!("{} {}", text(&backend["name"]), backend["weight"])).collect();
        asked.concat() + &backends.join(", ")
    };
    list(&route["spec"]["rules"]).iter().map(rule).collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests;
