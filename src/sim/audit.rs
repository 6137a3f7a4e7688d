//! The trace checker over what a real cluster has done: the audit log of its API server as a journal.
//!
//! An audit log tells what every request made of its object, in the order in which requests ended. This module puts the
//! writes into the order of their versions, remembers what each object was before, and gives the [`Checker`] what it
//! gets from the journal of the cluster in memory. What a log cannot tell is left open: how late the controller's views
//! were, so everything that excuses late views is excused, and what an object was before the log first shows it.
//!
//! [`event`] reads a line, [`history`] follows the objects.

mod event;
mod history;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use serde::Serialize;

use super::checker::check::CONTROLLER;
use super::checker::{Checker, Violation};
use event::Event;
pub use event::LogError;
use history::History;

/// What an API server has to log for it, as `audit.k8s.io/v1` Policy.
pub const POLICY: &str = include_str!("../../config/audit-policy.yaml");

/// Broken promises that are told; the others are counted.
const TOLD: usize = 50;

/// The writes of an audit log, as they were read.
#[derive(Debug, Default)]
pub struct Log {
    events: Vec<Event>,
    /// Lines read, over all files.
    pub lines: usize,
}

impl Log {
    /// Reads one file, one audit event of JSON a line; what is no successful write of a kind that matters is skipped.
    ///
    /// # Errors
    /// The first line that is no audit event, or that lacks the object that it is about.
    pub fn read(&mut self, name: &str, text: impl BufRead) -> Result<(), LogError> {
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.map_err(|error| LogError::unreadable(name, number, error))?;
            self.lines += 1;
            if !line.trim().is_empty() {
                self.events.extend(Event::read(&line, (name, number))?);
            }
        }
        Ok(())
    }

    /// Who has written, and how often.
    pub fn writers(&self) -> BTreeMap<&str, usize> {
        let mut writers = BTreeMap::new();
        for event in &self.events {
            *writers.entry(event.user.as_str()).or_default() += 1;
        }
        writers
    }

    /// Judges every write of a user, who is the controller.
    pub fn check(mut self, controller: &str) -> Report {
        event::order(&mut self.events);
        let mut checker = Checker::default();
        checker.state.late_views = true;
        checker.state.late_slices = true;
        let mut history = History::default();
        let mut report = Report::default();
        let mut rollouts = BTreeSet::new();
        for event in &self.events {
            for entry in history.entries(event, controller) {
                report.writes += 1;
                report.judged += usize::from(entry.actor == CONTROLLER);
                if entry.kind == "Rollout" {
                    rollouts.insert((entry.namespace.clone(), entry.name.clone()));
                }
                match checker.observe(&entry) {
                    Err(_) if self.raced(event, controller) => report.raced += 1,
                    Err(violation) => report.add(&event.at, &entry.namespace, &violation),
                    Ok(()) => {}
                }
            }
        }
        report.rollouts = rollouts.len();
        report.unknown = history.unknown;
        report
    }

    /// Whether somebody else's write to a Rollout of the namespace was under way together with this one: neither could
    /// know of the other, whichever was committed first.
    fn raced(&self, write: &Event, controller: &str) -> bool {
        let others = self.events.iter().filter(|event| event.user != controller && event.kind == "Rollout");
        let mut near = others.filter(|event| event.namespace == write.namespace);
        near.any(|event| event.begun < write.time && write.begun < event.time)
    }
}

/// What a log has come to.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Writes that changed something.
    pub writes: usize,
    /// Those of the controller: what is judged.
    pub judged: usize,
    /// Rollouts that were written.
    pub rollouts: usize,
    /// Objects that were there before the log begins: the first write to each is not judged.
    pub unknown: usize,
    /// Writes that break a promise only by a command that was on its way at the same moment.
    pub raced: usize,
    /// Broken promises in all.
    pub violations: usize,
    /// The first of them.
    pub broken: Vec<Broken>,
}

/// A write that breaks a promise.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// File and line of the log.
    pub at: String,
    /// The promise.
    pub id: &'static str,
    /// When, RFC 3339.
    pub time: String,
    /// Namespace of the object.
    pub namespace: String,
    /// The write.
    pub write: String,
    /// The numbers.
    pub message: String,
}

impl Report {
    fn add(&mut self, at: &str, namespace: &str, violation: &Violation) {
        self.violations += 1;
        if self.broken.len() < TOLD {
            self.broken.push(Broken {
                at: at.to_owned(),
                id: violation.id,
                time: violation.time.to_string(),
                namespace: namespace.to_owned(),
                write: violation.write.clone(),
                message: violation.message.clone(),
            });
        }
    }
}
