//! A whole simulation: the old version comes up, the new one is applied, and people and faults do their part.

use std::time::Duration;

use serde_json::{Value, json};

use super::approval::{Answer, Approvals};
use super::change::Release;
use super::input::{Input, Problem, kind_of};
use super::observe::Observer;
use super::options::{Change, Options};
use super::report::{Head, Outcome, Report, Verdict};
use super::stage::{Halt, Onlooker, Stage};
use super::steps;
use super::text::span;
use super::timeline::{Kind, Pods, Tone};
use super::trouble::Trouble;
use super::{text, warnings};
use crate::api::{Rollout, Time};
use crate::cli::lint::{Finding, Sort, finding};
use crate::sim::api_server::merge_by_name;
use crate::sim::object;

/// Time for the old version to come up.
const PRELUDE: Duration = Duration::from_hours(1);
/// Time that users have been there when the release begins.
const WARM_UP: Duration = Duration::from_mins(1);
/// Time beyond all pauses before the simulation gives up.
const PATIENCE: Duration = Duration::from_hours(2);
/// Time after the end of a release in which pods go.
const TAIL: Duration = Duration::from_mins(15);

/// Time in which a pod that is deleted goes, unless its node is lost.
const LINGERING: Duration = Duration::from_secs(45);

/// Nobody looks on.
struct Nobody;

impl Onlooker for Nobody {
    fn look(&mut self, stage: &mut Stage) {
        stage.analyst.news.clear();
    }

    fn flow(&mut self, _: &Stage) {}
}

/// Simulates a release.
///
/// # Errors
/// What is wrong with the files, as far as only the controller can say: a Rollout that it refuses, or a first version
/// that does not come up.
pub fn simulate(input: &Input, options: &Options) -> Result<Report, Problem> {
    let (play, verdict) = played(input, options)?;
    Ok(play.report(verdict, options))
}

/// The same, with every write to the cluster.
#[cfg(test)]
pub(super) fn with_writes(input: &Input, options: &Options) -> Result<(Report, Writes), Problem> {
    let (play, verdict) = played(input, options)?;
    let writes = play.stage.user.server().journal();
    Ok((play.report(verdict, options), writes))
}

#[cfg(test)]
type Writes = Vec<std::sync::Arc<crate::sim::api_server::Entry>>;

fn played<'a>(input: &'a Input, options: &Options) -> Result<(Play<'a>, Verdict), Problem> {
    let mut stage = Stage::set(input, options).map_err(Problem::Said)?;
    let before = prelude(&mut stage, input, options)?;
    let old = before.status.stable_rs.clone();
    stage.said.lock().stable.clone_from(&old);
    let until = options.until.unwrap_or(PATIENCE + steps::pauses(&input.read) * 2);
    let mut observer = Observer::new(&stage, (input.key(), input.furniture.target.clone()), &old);
    observer.strain.autoscaler.clone_from(&input.furniture.autoscaler);
    let mut play = Play {
        observer,
        trouble: Trouble::new(options.faults.clone()),
        approvals: Approvals::new(options.approval),
        stage,
        input,
        until,
    };
    let verdict = play.release(options)?;
    Ok((play, verdict))
}

/// Brings the old version up, and sends users to it.
fn prelude(stage: &mut Stage, input: &Input, options: &Options) -> Result<Rollout, Problem> {
    let end = stage.now() + PRELUDE;
    let broken = |halt: Halt| Problem::Said(format!("the first version: {}", told(&halt)));
    let mut rollout;
    loop {
        stage.step((None, end), &mut Nobody).map_err(broken)?;
        rollout = stage.rollout(input.key()).unwrap_or_default();
        if let Some(problem) = refused(&rollout, input) {
            return Err(problem);
        }
        if rollout.status.phase == "Healthy" {
            break;
        }
        if stage.now() >= end {
            let status = &rollout.status;
            let blockers: Vec<&str> = stage.controller.plan.blockers.iter().map(|b| b.message.as_str()).collect();
            return Err(Problem::Said(format!(
                "the first version is not healthy after {}: {} {} {}",
                span(PRELUDE),
                status.phase,
                status.message,
                blockers.join("; ")
            )));
        }
    }
    // Routes and endpoints are in force a moment later.
    run_to(stage, WARM_UP).map_err(broken)?;
    if let Some(target) = &input.furniture.target {
        let load = options.users.load(target.clone(), stage.now() + WARM_UP);
        stage.send(load);
    }
    run_to(stage, WARM_UP).map_err(broken)?;
    Ok(stage.rollout(input.key()).unwrap_or(rollout))
}

fn run_to(stage: &mut Stage, span: Duration) -> Result<(), Halt> {
    // Whole seconds, so that times after the begin read well.
    let end = (stage.now() + span).truncated();
    while stage.now() < end {
        stage.step((None, end), &mut Nobody)?;
    }
    Ok(())
}

/// The controller's refusal, at the line that it is about.
fn refused(rollout: &Rollout, input: &Input) -> Option<Problem> {
    let condition = rollout.status.conditions.iter().find(|condition| condition.kind == "InvalidSpec")?;
    let message = condition.message.split_once(" is invalid: ").map_or(condition.message.as_str(), |(_, rest)| rest);
    let path = message.split([' ', ':']).find(|word| word.starts_with("spec.")).unwrap_or("spec");
    let found = Finding {
        fix: "the controller refuses this Rollout, and leaves traffic as it is".to_owned(),
        ..finding(&input.document, path, Sort::Rule, message)
    };
    Some(Problem::Found(vec![found]))
}

fn told(halt: &Halt) -> String {
    match halt {
        Halt::Violation(violation) => violation.to_string(),
        Halt::Loop(why) => why.clone(),
    }
}

struct Play<'a> {
    stage: Stage,
    observer: Observer,
    trouble: Trouble,
    approvals: Approvals,
    input: &'a Input,
    until: Duration,
}

/// Where a release stands.
enum Standing {
    Open,
    Ended(Verdict),
}

impl Play<'_> {
    /// Applies the new version and lets everything happen.
    fn release(&mut self, options: &Options) -> Result<Verdict, Problem> {
        let start = self.stage.now();
        // What the record says of steps is still about the release before.
        self.observer.state.step = self.observer.state.step.map(|(_, steps)| (0, steps));
        self.trouble.act(&mut self.stage, &mut self.observer);
        apply(&self.stage, &self.input.release, options).map_err(Problem::Said)?;
        let words = format!("the release begins: {}", self.input.release.told);
        self.observer.tell(start, (Kind::Begin, Tone::Neutral), words);
        let end = start + self.until;
        let mut ended: Option<(Verdict, Time)> = None;
        while self.stage.now() < end {
            if let Err(halt) = self.instant((end, ended.as_ref().map(|(_, last)| *last))) {
                let text = told(&halt);
                self.observer.tell(self.stage.now(), (Kind::Abort, Tone::Bad), format!("a promise is broken: {text}"));
                return Ok(Verdict::new(Outcome::Violated, text));
            }
            if let Some(problem) = self.observer.rollout.as_ref().and_then(|rollout| refused(rollout, self.input)) {
                return Err(problem);
            }
            match &ended {
                Some((verdict, last)) if self.is_cleared() || self.stage.now() >= *last => return Ok(verdict.clone()),
                Some(_) => {}
                None => {
                    if let Standing::Ended(verdict) = self.standing() {
                        if verdict.outcome == Outcome::Waiting {
                            return Ok(verdict);
                        }
                        ended = Some((verdict, self.stage.now() + TAIL));
                    }
                }
            }
        }
        Ok(ended.map_or_else(|| self.unfinished(), |(verdict, _)| verdict))
    }

    /// One instant, with what people and faults do in it.
    fn instant(&mut self, (end, last): (Time, Option<Time>)) -> Result<(), Halt> {
        self.trouble.act(&mut self.stage, &mut self.observer);
        let start = self.observer.start;
        let pending = [self.trouble.next(start, self.stage.now()), self.approvals.due(), last];
        self.stage.step((pending.into_iter().flatten().min(), end), &mut self.observer)
    }

    /// Whether the release is over, or waits for somebody who does not come.
    fn standing(&mut self) -> Standing {
        let now = self.stage.now();
        let Some(rollout) = self.observer.rollout.clone() else { return Standing::Open };
        let status = &rollout.status;
        let elapsed = self.observer.elapsed(now);
        if status.phase == "Healthy" && !self.observer.new.is_empty() && status.stable_rs == self.observer.new {
            let text = format!("finished after {}: the new version serves everybody", span(elapsed));
            self.observer.tell(now, (Kind::Finish, Tone::Good), "the release is finished");
            return Standing::Ended(Verdict { at: Some(elapsed), ..Verdict::new(Outcome::Finished, text) });
        }
        if status.abort && status.phase == "Degraded" {
            let at = self.observer.sums.aborted_at.unwrap_or(elapsed);
            let text = format!("aborted after {}: {}", span(at), steps::why_aborted(&rollout));
            return Standing::Ended(Verdict { at: Some(at), ..Verdict::new(Outcome::Aborted, text) });
        }
        match self.approvals.answer(&rollout, now) {
            Answer::None => Standing::Open,
            Answer::Approve(waited) => {
                // Refused only where the Rollout has gone.
                let _ = self.stage.command(self.input.key(), &json!({"pauseConditions": null}));
                let text = format!("approved, {} after it was asked for (--approve-after)", span(waited));
                self.observer.tell(now, (Kind::Pause, Tone::Neutral), text);
                Standing::Open
            }
            Answer::Stop(why) => {
                let at = place(&rollout);
                let text =
                    format!("not finished: {at} it waits for a person ({why}), and nobody comes in this simulation");
                Standing::Ended(Verdict { at: Some(elapsed), ..Verdict::new(Outcome::Waiting, text) })
            }
        }
    }

    /// Whether only one version has pods. Pods that nobody wants and that do not go, as those of a lost node, are waited
    /// for no longer than a while.
    fn is_cleared(&self) -> bool {
        let state = &self.observer.state;
        let unwanted = |pods: Pods| pods.wanted == 0 && pods.ready == 0;
        let since = self.observer.samples.last().map_or(Duration::ZERO, |sample| sample.at);
        let long = self.observer.elapsed(self.stage.now()).saturating_sub(since) >= LINGERING;
        [state.old, state.new].into_iter().any(|pods| pods.existing == 0 || (unwanted(pods) && long))
    }

    fn unfinished(&self) -> Verdict {
        let rollout = self.observer.rollout.clone().unwrap_or_default();
        let mut waits = self.observer.waits();
        let running = self.stage.user.list("AnalysisRun", self.input.key().0);
        waits.extend(running.iter().filter(|run| object::text(run, "/status/phase") == "Running").map(|run| {
            let metrics = object::list(run, "/status/metricResults").iter();
            let counts = metrics.map(|metric| {
                format!("{} {}", object::text(metric, "/name"), object::integer(metric, "/count").unwrap_or(0))
            });
            format!(
                "analysis {} is running, measurements so far: {}",
                object::name(run),
                counts.collect::<Vec<_>>().join(", ")
            )
        }));
        if !rollout.status.pause_conditions.is_empty() {
            waits.insert(0, "its pause is not over".to_owned());
        }
        let why = if waits.is_empty() { rollout.status.message.clone() } else { waits.join("; ") };
        let place = place(&rollout);
        let text = format!("not finished after {} (--until): {place} it waits: {why}", span(self.until));
        Verdict::new(Outcome::Unfinished, text)
    }

    fn report(mut self, verdict: Verdict, options: &Options) -> Report {
        let now = self.stage.now();
        self.observer.close(now);
        let head = Head::of(self.input, options, (&self.observer.old, &self.observer.new));
        let lost = self.observer.lost(&self.stage);
        let warnings = warnings::all(self.input, options, (&self.stage, &self.observer, &verdict));
        let mut notes = self.input.notes.clone();
        if !self.stage.analyst.assumed_secrets.is_empty() {
            let names: Vec<&str> = self.stage.analyst.assumed_secrets.iter().map(String::as_str).collect();
            notes.push(format!("Secrets that are not in the files are assumed: {}", names.join(", ")));
        }
        if self.stage.controller.refused > 0 {
            notes.push(format!("the API server has refused {}", text::counted(self.stage.controller.refused, "write")));
        }
        let observer = self.observer;
        Report {
            head,
            verdict,
            lasted: observer.elapsed(now),
            rows: observer.rows,
            samples: observer.samples,
            flows: observer.flows,
            sums: observer.sums,
            total: observer.total,
            lost,
            warnings,
            notes,
        }
    }
}

/// The step that is under way, in words.
fn place(rollout: &Rollout) -> String {
    let index = crate::rollout::strategy::steps::index(rollout);
    match (index, crate::rollout::strategy::steps::current(rollout)) {
        (Some(index), Some(step)) => format!("at step {} ({})", index + 1, steps::describe(step)),
        _ => format!("in phase {}", rollout.status.phase),
    }
}

/// Applies the new version to what is stored: what the controller has written since the files were applied stays.
fn apply(stage: &Stage, release: &Release, options: &Options) -> Result<(), String> {
    let wanted = &release.object;
    let (namespace, name) = (object::namespace(wanted), object::name(wanted));
    let stored =
        stage.user.get(release.kind, namespace, name).ok_or_else(|| format!("{} {name} has gone", release.kind))?;
    let mut next = (*stored).clone();
    if let Change::Patch { patch, .. } = &options.change {
        merge_by_name(&mut next, patch);
    } else {
        let path: &[&str] = if release.kind == "PodTemplate" { &["template"] } else { &["spec", "template"] };
        let pointer = format!("/{}", path.join("/"));
        object::put(&mut next, path, wanted.pointer(&pointer).cloned().unwrap_or(Value::Null));
    }
    let done = stage.user.replace(&kind_of(wanted), next);
    done.map(drop).map_err(|reject| format!("the API server refuses the new version: {}", reject.message))
}
