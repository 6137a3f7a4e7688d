//! A run ends well only on evidence: any set of metrics, answered late, wrongly or at last, stopped at any moment, while
//! the controller starts anew in between. What a provider says is counted here a second time, from the answers alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::analysis::condition::judge;
use crate::analysis::evidence::{Verdict, verdict};
use crate::analysis::expr;
use crate::analysis::phase::Phase;
use crate::api::analysis::{AnalysisRun, Measurement};
use crate::api::time::Time;

const START: Time = Time::from_seconds(1_780_000_000);
/// Looks at one run, before that counts as never ending: a dozen measurements of four metrics take far fewer.
const MAX_LOOKS: usize = 1_500;
/// Looks at a run that is not meant to end.
const SOME_LOOKS: usize = 150;
/// The conditions of a metric: numbers above 6 are good, those below 3 are bad.
const GOOD: &str = "result > 6";
const BAD: &str = "result < 3";

/// What a provider says of a number, in the order in which a run is worse for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Good,
    Unclear,
    Nothing,
    Bad,
}

/// One answer: a number or an error, so many milliseconds after the question; some are first told to come in so many
/// seconds.
#[derive(Clone, Debug)]
struct Answer {
    number: Option<i64>,
    after: u64,
    comes_in: Option<u64>,
}

#[derive(Clone, Debug)]
struct Plan {
    /// 0: for ever where there is an interval, else once.
    count: i32,
    interval: Option<u64>,
    initial_delay: Option<u64>,
    most_bad: i32,
    most_unclear: i32,
    most_errors: Option<i32>,
    dry: bool,
    conditions: (bool, bool),
    /// Again and again.
    answers: Vec<Answer>,
}

impl Plan {
    fn metric(&self, name: &str) -> Value {
        let mut metric = json!({
            "name": name, "provider": {"prometheus": {"query": "q"}}, "failureLimit": self.most_bad,
            "inconclusiveLimit": self.most_unclear,
        });
        let seconds = |seconds: u64| json!(format!("{seconds}s"));
        let fields = [
            ("count", (self.count > 0).then(|| json!(self.count))),
            ("interval", self.interval.map(seconds)),
            ("initialDelay", self.initial_delay.map(seconds)),
            ("consecutiveErrorLimit", self.most_errors.map(|limit| json!(limit))),
            ("successCondition", self.conditions.0.then(|| json!(GOOD))),
            ("failureCondition", self.conditions.1.then(|| json!(BAD))),
        ];
        fields.into_iter().filter_map(|(key, value)| Some((key, value?))).for_each(|(key, value)| metric[key] = value);
        metric
    }

    /// Measurements that it takes; `None`: as many as there is time for.
    fn wanted(&self) -> Option<i32> {
        if self.count == 0 && self.interval.is_some() { None } else { Some(self.count.max(1)) }
    }

    /// What a number means, by the words of the documentation and not by the condition language.
    const fn meaning(&self, number: Option<i64>) -> Said {
        let Some(number) = number else { return Said::Nothing };
        match self.conditions {
            (false, false) => Said::Good,
            (true, false) => {
                if number > 6 {
                    Said::Good
                } else {
                    Said::Bad
                }
            }
            (false, true) => {
                if number < 3 {
                    Said::Bad
                } else {
                    Said::Good
                }
            }
            (true, true) if number > 6 => Said::Good,
            (true, true) => {
                if number < 3 {
                    Said::Bad
                } else {
                    Said::Unclear
                }
            }
        }
    }

    /// What the provider's side makes of a number, by the conditions as they are written.
    fn phase(&self, number: Option<i64>, now: Time) -> String {
        let Some(number) = number else { return Phase::Error.to_string() };
        let condition = |set: bool, text| set.then_some(text);
        let (success, failure) = (condition(self.conditions.0, GOOD), condition(self.conditions.1, BAD));
        judge(success, failure, &expr::Value::Int(number), now).0.phase().to_owned()
    }
}

/// The answers of one metric that the controller has been given, counted.
#[derive(Clone, Debug, Default)]
struct Tally {
    good: i32,
    bad: i32,
    unclear: i32,
    errors_in_a_row: i32,
    /// The limit that it went beyond.
    beyond: Option<Said>,
}

impl Tally {
    fn hear(&mut self, plan: &Plan, said: Said) {
        self.errors_in_a_row = if said == Said::Nothing { self.errors_in_a_row + 1 } else { 0 };
        let (count, limit) = match said {
            Said::Good => (&mut self.good, i32::MAX),
            Said::Bad => (&mut self.bad, plan.most_bad),
            Said::Unclear => (&mut self.unclear, plan.most_unclear),
            Said::Nothing => (&mut self.errors_in_a_row, plan.most_errors.unwrap_or(4)),
        };
        // Errors in a row are counted above.
        *count += i32::from(said != Said::Nothing);
        if *count > limit {
            self.beyond.get_or_insert(said);
        }
    }

    const fn heard(&self) -> i32 {
        self.good + self.bad + self.unclear
    }

    fn complete(&self, plan: &Plan) -> bool {
        plan.wanted().is_some_and(|wanted| self.heard() >= wanted)
    }
}

/// A question on its way back, with its answer, and what that means unless it leaves the measurement open.
struct Asked {
    at: Time,
    finished: Finished,
    said: Option<Said>,
}

struct Play<'p> {
    plans: &'p [Plan],
    run: AnalysisRun,
    now: Time,
    asked: Vec<Asked>,
    wakes: BTreeSet<Time>,
    /// By metric: the next answer, and what an open measurement will come to.
    next_answer: Vec<usize>,
    open: BTreeMap<usize, Option<i64>>,
    tallies: Vec<Tally>,
}

impl<'p> Play<'p> {
    fn of(plans: &'p [Plan]) -> Self {
        let metrics: Vec<Value> = plans.iter().enumerate().map(|(i, plan)| plan.metric(&format!("m{i}"))).collect();
        let dry = plans.iter().enumerate().filter(|(_, plan)| plan.dry);
        let dry: Vec<Value> = dry.map(|(i, _)| json!({"metricName": format!("^m{i}$")})).collect();
        let spec = json!({"metrics": metrics, "dryRun": dry});
        let run = serde_json::from_value(json!({"metadata": {"name": "r"}, "spec": spec})).unwrap();
        Self {
            plans,
            run,
            now: START,
            asked: Vec::new(),
            wakes: BTreeSet::from([START]),
            next_answer: vec![0; plans.len()],
            open: BTreeMap::new(),
            tallies: vec![Tally::default(); plans.len()],
        }
    }

    fn ended(&self) -> bool {
        Phase::text_completed(&self.run.status.phase)
    }

    /// From look to look until the run has ended, or nothing is to come. Restarts and the stop come so many
    /// milliseconds after the start.
    fn play(&mut self, restarts: &[u64], stop: Option<u64>) {
        let at = |millis: &u64| START + Duration::from_millis(*millis);
        let mut restarts: BTreeSet<Time> = restarts.iter().map(at).collect();
        let mut stop = stop.as_ref().map(at);
        let endless = self.plans.iter().any(|plan| plan.wanted().is_none());
        for _ in 0..if endless && stop.is_none() { SOME_LOOKS } else { MAX_LOOKS } {
            let answers = self.asked.iter().map(|asked| asked.at);
            let due = answers.chain(self.wakes.first().copied()).chain(restarts.first().copied()).chain(stop).min();
            let Some(due) = due.filter(|_| !self.ended()) else { return };
            self.now = self.now.max(due);
            self.wakes.retain(|wake| *wake > due);
            if restarts.remove(&due) {
                // What was asked is forgotten, and every timer.
                self.asked.clear();
                self.wakes.clear();
            }
            if stop == Some(due) {
                stop = None;
                self.run.spec.terminate = true;
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let (come, under_way): (Vec<_>, Vec<_>) = self.asked.drain(..).partition(|asked| asked.at <= self.now);
        self.asked = under_way;
        for Asked { finished, said, .. } in &come {
            let index = finished.task.index;
            if let Some(said) = *said {
                self.tallies[index].hear(&self.plans[index], said);
            }
        }
        let finished: Vec<Finished> = come.into_iter().map(|asked| asked.finished).collect();
        let in_flight: Vec<String> = self.asked.iter().map(|asked| asked.finished.task.metric.clone()).collect();
        let input = Input { run: &self.run, finished, in_flight: &in_flight, unsupported: |_| None, now: self.now };
        let decided = step(input);
        decided.start.into_iter().for_each(|task| self.ask(task));
        self.wakes.extend(decided.wake_at);
        self.run.status = decided.status;
        // What the next look reads has been to the API server, which keeps whole seconds.
        self.run = serde_json::from_value(json!(self.run)).unwrap();
    }

    fn ask(&mut self, task: Task) {
        let (index, plan) = (task.index, &self.plans[task.index]);
        assert!(self.asked.iter().all(|asked| asked.finished.task.index != index), "asked twice at once: {task:?}");
        let answer = plan.answers[self.next_answer[index] % plan.answers.len()].clone();
        let at = self.now + Duration::from_millis(answer.after);
        let done = |begun: Measurement, phase| Measurement { phase, finished_at: Some(at), ..begun };
        let (measurement, said) = match task.action.clone() {
            Action::Measure => {
                self.may_measure(index);
                self.next_answer[index] += 1;
                let begun = Measurement { started_at: Some(self.now), ..Measurement::default() };
                if let Some(seconds) = answer.comes_in {
                    self.open.insert(index, answer.number);
                    let resume_at = Some(at + Duration::from_secs(seconds));
                    (Measurement { phase: Phase::Running.to_string(), resume_at, ..begun }, None)
                } else {
                    (done(begun, plan.phase(answer.number, at)), Some(plan.meaning(answer.number)))
                }
            }
            Action::Resume(open) => {
                let number = self.open[&index];
                (done(open, plan.phase(number, at)), Some(plan.meaning(number)))
            }
            // As a Job, which is deleted before it says anything.
            Action::Terminate(open) => (done(open, Phase::Inconclusive.to_string()), Some(Said::Unclear)),
        };
        self.asked.push(Asked { at, finished: Finished { task, measurement, metadata: BTreeMap::new() }, said });
    }

    /// Nothing new is measured of a run that is stopped, of a metric that is done, or before its delay is over.
    fn may_measure(&self, index: usize) {
        let (plan, tally) = (&self.plans[index], &self.tallies[index]);
        assert!(!self.run.spec.terminate, "measured after the stop");
        assert!(tally.beyond.is_none() && !tally.complete(plan), "measured beyond its end: {tally:?}");
        let begins = START + Duration::from_secs(plan.initial_delay.unwrap_or(0));
        assert!(self.now >= begins, "measured before the delay is over");
    }

    fn required(&self) -> impl Iterator<Item = (&Plan, &Tally)> {
        self.plans.iter().zip(&self.tallies).filter(|(plan, _)| !plan.dry)
    }
}

/// What has to be true of a run that was played to its end.
fn judged(play: &Play<'_>) {
    let story = || format!("{:#?}\n{:#?}\n{:#?}", play.run.spec.terminate, play.tallies, play.run.status);
    let stopped = play.run.spec.terminate;
    // Who never ends by itself keeps the others waiting, unless somebody stops it or somebody else has gone too far.
    let endless =
        play.plans.iter().zip(&play.tallies).any(|(plan, tally)| plan.wanted().is_none() && tally.beyond.is_none());
    let worst = play.required().filter_map(|(_, tally)| tally.beyond).max();
    assert!(play.ended() || (endless && !stopped && worst.is_none()), "never ends: {}", story());
    for (index, tally) in play.tallies.iter().enumerate() {
        let name = format!("m{index}");
        let result = play.run.status.metric_results.iter().find(|result| result.name == name);
        let counted = result.map_or((0, 0, 0), |result| (result.successful, result.failed, result.inconclusive));
        assert_eq!(counted, (tally.good, tally.bad, tally.unclear), "{}", story());
    }
    let phase = match worst {
        _ if !play.ended() => return,
        None | Some(Said::Good) => "Successful",
        Some(Said::Unclear) => "Inconclusive",
        Some(Said::Nothing) => "Error",
        Some(Said::Bad) => "Failed",
    };
    assert_eq!(play.run.status.phase, phase, "{}", story());
    let measured = play.required().all(|(plan, tally)| tally.complete(plan));
    assert!(worst.is_some() || measured || stopped, "Successful without its measurements: {}", story());
    assert!(worst.is_some() || !stopped || play.run.status.message == "Run Terminated", "{}", story());
    // A gate asks for more than the phase: a run that was stopped says Successful, and proves nothing.
    let proven = worst.is_none() && measured && play.required().all(|(_, tally)| tally.good > 0);
    assert_eq!(verdict(&play.run) == Verdict::Passed, proven, "{}", story());
}

fn answer() -> impl Strategy<Value = Answer> {
    let number = prop_oneof![6 => (7_i64..10).prop_map(Some), 3 => (0_i64..10).prop_map(Some), 1 => Just(None)];
    (number, 0_u64..12_000, prop::option::weighted(0.2, 0_u64..20)).prop_map(|(number, after, comes_in)| Answer {
        number,
        after,
        comes_in,
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let times = (prop::option::weighted(0.8, 1_u64..30), prop::option::weighted(0.4, 0_u64..120));
    let limits = (0_i32..4, 0_i32..4, prop::option::of(0_i32..3));
    let conditions = (prop::bool::weighted(0.8), any::<bool>());
    let answers = prop::collection::vec(answer(), 1..15);
    let count = prop_oneof![1 => Just(0), 12 => 1_i32..13];
    (count, times, limits, prop::bool::weighted(0.25), conditions, answers).prop_map(
        |(count, (interval, initial_delay), (most_bad, most_unclear, most_errors), dry, conditions, answers)| {
            // What the validation asks for: more than one measurement has an interval, and no limit is above the count.
            let count = if interval.is_none() { count.min(1) } else { count };
            let (most_bad, most_unclear) = match count {
                0 => (most_bad, most_unclear),
                count => (most_bad.min(count), most_unclear.min(count)),
            };
            Plan { count, interval, initial_delay, most_bad, most_unclear, most_errors, dry, conditions, answers }
        },
    )
}

proptest! {
    #[test]
    fn a_run_ends_and_is_successful_only_with_the_measurements_of_every_metric_that_counts(
        plans in prop::collection::vec(plan(), 1..5),
        restarts in prop::collection::vec(0_u64..200_000, 0..5),
        stop in prop::option::weighted(0.3, 0_u64..200_000),
    ) {
        let mut play = Play::of(&plans);
        play.play(&restarts, stop);
        judged(&play);
    }
}
