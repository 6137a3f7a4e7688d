//! One look at a run: finished measurements in, new status, tasks, events and the next look out.
//!
//! The caller starts the tasks, each with its time limit, and calls again when one of them has finished, when the run
//! changes, and at `wake_at`. Tasks run beside each other: one that is slow holds up neither the others nor a stop.

use std::time::Duration;

use crate::analysis::phase::Phase;
use crate::api::analysis::{AnalysisRun, AnalysisRunStatus};
use crate::api::time::Time;

use super::assess::assess_run;
use super::check::{Checked, Support, check, unresolved};
use super::event::Event;
use super::record::{Finished, record};
use super::retention::{expires_at, trim};
use super::tasks::{Action, Course, RETRY_SECONDS, Task, course, metric_due, tasks};

/// A repeated measurement is due strictly after its instant.
const AFTER: Duration = Duration::from_nanos(1);
/// Shortest time between two looks that nothing but time causes, so that no mistake can make a busy loop.
const MIN_WAIT: Duration = Duration::from_millis(100);

/// What a step looks at.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The run as last read.
    pub run: &'a AnalysisRun,
    /// Tasks that have finished since the status was written.
    pub finished: Vec<Finished>,
    /// Names of the metrics whose tasks are under way; those in `finished` no longer are.
    pub in_flight: &'a [String],
    /// What cannot be carried out ([`crate::analysis::support::unsupported`]).
    pub unsupported: Support,
    /// The time.
    pub now: Time,
}

/// What a step decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The status to write, if it differs from the one that was read.
    pub status: AnalysisRunStatus,
    /// Tasks to start now.
    pub start: Vec<Task>,
    /// When to look again, for a finished run: when to delete it. `None`: nothing comes of time alone.
    pub wake_at: Option<Time>,
    /// Events to record before the status is written.
    pub events: Vec<Event>,
}

/// Looks at a run. A completed run is left as it is; what is still open of it is ended.
pub fn step(input: Input<'_>) -> Step {
    let run = input.run;
    if Phase::text_completed(&run.status.phase) {
        let start = input.finished.into_iter().filter_map(left_open).collect();
        return Step { status: run.status.clone(), start, wake_at: expires_at(run), events: Vec::new() };
    }
    let checked = match check(&run.spec, input.unsupported) {
        Ok(checked) => checked,
        Err(message) => return refused(run, message),
    };
    // The API stores whole seconds: what is decided on must be what the next look will read.
    let now = input.now.truncated();
    let mut status = run.status.clone();
    let news = !input.finished.is_empty();
    for finished in input.finished {
        record(&mut status, &checked, finished, now);
    }
    resume_some_day(&mut status, now);
    let mut events = Vec::new();
    let flight = Flight { checked: &checked, names: input.in_flight, now: input.now };
    if flight.must_assess(&status, news) {
        (status, events) = assess_run(&checked, status, now).conclude(now);
        // A metric that has just ended badly ends the run: nothing is to be waited for, and an abort must not be late.
        if flight.may_end(&status) {
            let (ended, more) = assess_run(&checked, status, now).conclude(now);
            status = ended;
            events.extend(more);
        }
    }
    trim(&mut status, &checked);
    let start = if Phase::text_completed(&status.phase) { Vec::new() } else { flight.tasks(&status) };
    let wake_at = flight.wake_at(&status, &start);
    Step { status, start, wake_at, events }
}

/// The end of a measurement that was begun before its run was complete, and came back open after it.
fn left_open(finished: Finished) -> Option<Task> {
    let Finished { task, measurement, .. } = finished;
    let open = !Phase::text_completed(&measurement.phase) && !matches!(task.action, Action::Terminate(_));
    open.then_some(Task { action: Action::Terminate(measurement), ..task })
}

/// The end of a run whose arguments could not be read, for instance because a Secret is missing. `error` must not hold a secret.
pub fn refuse_arguments(run: &AnalysisRun, error: &dyn std::fmt::Display) -> Step {
    refused(run, unresolved(error))
}

/// An early end: neither start nor completion is recorded, as in Argo.
fn refused(run: &AnalysisRun, message: String) -> Step {
    let status = AnalysisRunStatus { phase: Phase::Error.as_str().to_owned(), message, ..run.status.clone() };
    Step { status, start: Vec::new(), wake_at: None, events: vec![Event::run(Phase::Error)] }
}

/// A provider that leaves a measurement open must say when to ask again; one that does not is asked after the usual wait.
fn resume_some_day(status: &mut AnalysisRunStatus, now: Time) {
    for last in status.metric_results.iter_mut().filter_map(|result| result.measurements.last_mut()) {
        if last.finished_at.is_none() && last.resume_at.is_none() {
            last.resume_at = Some(now + Duration::from_secs(RETRY_SECONDS.unsigned_abs()));
        }
    }
}

/// A run with the tasks that are under way.
struct Flight<'a> {
    checked: &'a Checked,
    names: &'a [String],
    now: Time,
}

impl Flight<'_> {
    fn flies(&self, metric: &str) -> bool {
        self.names.iter().any(|name| name == metric)
    }

    fn course(&self, status: &AnalysisRunStatus) -> Course {
        course(self.checked, status)
    }

    /// What is due and not yet under way.
    fn tasks(&self, status: &AnalysisRunStatus) -> Vec<Task> {
        let mut due = tasks(&self.checked.metrics, status, self.course(status), self.now);
        due.retain(|task| !self.flies(&task.metric));
        due
    }

    /// Whether open measurements still have to be ended, or are just being looked at.
    fn ending_some(&self, status: &AnalysisRunStatus) -> bool {
        tasks(&self.checked.metrics, status, Course::Ending, self.now)
            .iter()
            .any(|task| matches!(task.action, Action::Terminate(_)))
    }

    /// A run is assessed on news, and when there is nothing to wait for; one that ends, once its providers were told.
    fn must_assess(&self, status: &AnalysisRunStatus, news: bool) -> bool {
        match self.course(status) {
            Course::Ending => !self.ending_some(status),
            Course::Open => news || (self.names.is_empty() && self.tasks(status).is_empty()),
        }
    }

    fn may_end(&self, status: &AnalysisRunStatus) -> bool {
        !Phase::text_completed(&status.phase) && self.course(status) == Course::Ending && !self.ending_some(status)
    }

    fn wake_at(&self, status: &AnalysisRunStatus, start: &[Task]) -> Option<Time> {
        if Phase::text_completed(&status.phase) {
            return None;
        }
        let idle = |name: &str| !self.flies(name) && !start.iter().any(|task| task.metric == name);
        let due = self
            .checked
            .metrics
            .iter()
            .filter(|metric| idle(&metric.name))
            .filter_map(|metric| metric_due(metric, status, self.now))
            .min()?;
        Some((due + AFTER).max(self.now + MIN_WAIT))
    }
}
