//! The life of an analysis run: phases, limits, what is due, whole runs in virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use siskin::analysis::phase::Phase;
use siskin::analysis::run::{
    Action, Checked, Course, Finished, Input, Step, Task, assess_metric, assess_run, check, course, expires_at,
    limit_reached, next_due, record, step, tasks, trim,
};
use siskin::api::analysis::{AnalysisRun, AnalysisRunSpec, AnalysisRunStatus, Measurement, Metric, MetricResult};
use siskin::api::time::Time;

use crate::file::Recorded;

pub const FILE: Recorded = Recorded { compared, ..Recorded::new("assess", answer) };

const T0: &str = "2026-05-04T12:00:00Z";
/// As the vectors' driver.
const MAX_RECONCILES: usize = 14;

fn t0() -> Time {
    T0.parse().unwrap()
}

fn at(seconds: f64) -> Time {
    t0() + Duration::from_secs_f64(seconds)
}

#[allow(clippy::cast_precision_loss, reason = "a few minutes")]
fn offset(time: Time) -> f64 {
    (time.nanos() - t0().nanos()) as f64 / 1e9
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn checked(metrics: &Value, dry_run: &Value, terminate: &Value) -> Checked {
    let names: Vec<String> = if dry_run.is_null() { Vec::new() } else { read(dry_run) };
    let terminate = terminate.as_bool().unwrap_or_default();
    Checked { metrics: read(metrics), dry_run: names.into_iter().collect(), retention: BTreeMap::new(), terminate }
}

/// `null`, `{}`, `[]`, `""`, 0 and `false` are one in Go's `omitempty`.
fn pruned(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept: Map<String, Value> = fields
                .iter()
                .map(|(key, value)| (key.clone(), pruned(value)))
                .filter(|(_, value)| !empty(value))
                .collect();
            Value::Object(kept)
        }
        Value::Array(items) => items.iter().map(pruned).collect(),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) => false,
    }
}

fn metric_case(case: &Value) -> Value {
    let metric: Metric = read(&case["metric"]);
    let result: MetricResult = read(&case["result"]);
    let course = if case["terminating"] == json!(true) { Course::Ending } else { Course::Open };
    let limit = limit_reached(&metric, &result);
    json!({
        "phase": assess_metric(&metric, &result, course).as_str(),
        "limitPhase": limit.as_ref().map_or("", |limit| limit.phase.as_str()),
        "limitMessage": limit.as_ref().map_or("", |limit| limit.message.as_str()),
    })
}

fn next_case(case: &Value) -> Value {
    let checked = checked(&case["metrics"], &Value::Null, &case["terminate"]);
    let status: AnalysisRunStatus = read(&case["status"]);
    let now = at(case["now"].as_f64().unwrap());
    let name = |task: &Task| match task.action {
        Action::Measure => format!("measure:{}", task.metric),
        // The reference decides between the two only when it acts.
        Action::Resume(_) | Action::Terminate(_) => format!("resume:{}", task.metric),
    };
    let tasks: Vec<String> =
        tasks(&checked.metrics, &status, course(&checked, &status), now).iter().map(name).collect();
    json!({"nextSec": next_due(&checked.metrics, &status, now).map(offset), "tasks": tasks})
}

fn run_case(case: &Value) -> Value {
    let checked = checked(&case["metrics"], &case["dryRun"], &case["terminate"]);
    let assessed = assess_run(&checked, read(&case["status"]), at(1e6));
    let metrics: Vec<Value> = assessed
        .status
        .metric_results
        .iter()
        .map(|result| json!({"name": result.name, "phase": result.phase, "message": result.message}))
        .collect();
    json!({
        "phase": assessed.phase.as_str(),
        "message": assessed.message,
        "runSummary": assessed.status.run_summary,
        "dryRunSummary": assessed.status.dry_run_summary,
        "metrics": metrics,
    })
}

fn ttl_case(case: &Value) -> Value {
    let completed = t0();
    let run: AnalysisRun = read(&json!({
        "spec": {"ttlStrategy": case["ttlStrategy"]},
        "status": {"phase": case["phase"], "completedAt": completed},
    }));
    let now = at(case["completedAgoSec"].as_f64().unwrap());
    json!(expires_at(&run).is_some_and(|expiry| now >= expiry))
}

/// The scripted providers of a `drive` case.
struct Script {
    outcomes: BTreeMap<String, Vec<String>>,
    calls: BTreeMap<String, usize>,
}

impl Script {
    fn of(case: &Value) -> Self {
        Self { outcomes: read(&case["script"]), calls: BTreeMap::new() }
    }

    fn carry_out(&mut self, task: Task, now: Time) -> Finished {
        let measurement = match &task.action {
            Action::Measure => self.outcome(&task.metric, Measurement::default(), now),
            Action::Resume(open) => self.outcome(&task.metric, open.clone(), now),
            Action::Terminate(open) => ended(open.clone(), Phase::Successful, now),
        };
        Finished { task, measurement, metadata: BTreeMap::new() }
    }

    fn outcome(&mut self, metric: &str, mut open: Measurement, now: Time) -> Measurement {
        let script = &self.outcomes[metric];
        let call = self.calls.entry(metric.to_owned()).or_default();
        let letter = script[(*call).min(script.len() - 1)].clone();
        *call += 1;
        open.started_at = open.started_at.or(Some(now));
        match letter.as_str() {
            "S" => ended(open, Phase::Successful, now),
            "F" => ended(open, Phase::Failed, now),
            "I" => ended(open, Phase::Inconclusive, now),
            "E" => ended(Measurement { message: format!("boom from {metric}"), ..open }, Phase::Error, now),
            _ => {
                let resume_at = Some(now + Duration::from_secs(7));
                Measurement { phase: Phase::Running.to_string(), resume_at, ..open }
            }
        }
    }
}

fn ended(open: Measurement, phase: Phase, now: Time) -> Measurement {
    Measurement { phase: phase.to_string(), finished_at: Some(now), ..open }
}

fn call_name(task: &Task) -> String {
    let verb = match task.action {
        Action::Measure => "run",
        Action::Resume(_) => "resume",
        Action::Terminate(_) => "terminate",
    };
    format!("{verb}:{}", task.metric)
}

/// One reconcile of the reference: all tasks to their end, then one assessment. Calls made, and the wake-up.
fn reconcile(run: &mut AnalysisRun, script: &mut Script, now: Time) -> (Vec<String>, Option<Time>) {
    let checked = match check(&run.spec, |_| None) {
        Ok(checked) => checked,
        Err(message) => {
            run.status.phase = Phase::Error.to_string();
            run.status.message = message;
            return (Vec::new(), None);
        }
    };
    let due = tasks(&checked.metrics, &run.status, course(&checked, &run.status), now);
    let mut calls: Vec<String> = due.iter().map(call_name).collect();
    calls.sort();
    for task in due {
        let finished = script.carry_out(task, now);
        record(&mut run.status, &checked, finished, now);
    }
    (run.status, _) = assess_run(&checked, run.status.clone(), now).conclude(now);
    trim(&mut run.status, &checked);
    (calls, next_due(&checked.metrics, &run.status, now))
}

/// What the driver of the vectors does between two looks.
fn drive(case: &Value, mut look: impl FnMut(&mut AnalysisRun, Time) -> Option<Time>) -> AnalysisRun {
    let spec: AnalysisRunSpec = read(&case["spec"]);
    let terminate_at = case["terminateAt"].as_u64();
    let mut run = AnalysisRun { spec, ..AnalysisRun::default() };
    let mut now = t0();
    for turn in 0..MAX_RECONCILES {
        if terminate_at == Some(turn as u64) {
            run.spec.terminate = true;
        }
        let wake = look(&mut run, now);
        if Phase::text_completed(&run.status.phase) {
            break;
        }
        let still_to_terminate = turn == 0 && terminate_at.is_some_and(|turn| turn > 0);
        let second = Duration::from_secs(1);
        now = match wake {
            Some(wake) => wake.max(now + second),
            None if still_to_terminate => now + second,
            None => break,
        };
    }
    run
}

fn final_status(run: &AnalysisRun) -> Value {
    let mut status = run.status.clone();
    status.metric_results.sort_by(|a, b| a.name.cmp(&b.name));
    // `resumeAt` of a finished measurement is of no consequence and not in the vectors.
    let mut value = serde_json::to_value(&status).unwrap();
    for result in value["metricResults"].as_array_mut().into_iter().flatten() {
        for measurement in result["measurements"].as_array_mut().into_iter().flatten() {
            measurement.as_object_mut().unwrap().remove("resumeAt");
        }
    }
    value
}

fn drive_case(case: &Value) -> Value {
    let mut script = Script::of(case);
    let mut trace = Vec::new();
    let run = drive(case, |run, now| {
        let (calls, wake) = reconcile(run, &mut script, now);
        let phases: BTreeMap<&str, &str> =
            run.status.metric_results.iter().map(|result| (result.name.as_str(), result.phase.as_str())).collect();
        trace.push(json!({
            "t": offset(now),
            "calls": calls,
            "phase": run.status.phase,
            "message": run.status.message,
            "wakeAfterSec": wake.map(|wake| offset(wake.max(now)) - offset(now)),
            "metrics": phases,
        }));
        wake
    });
    json!({"trace": trace, "final": final_status(&run)})
}

fn answer(kind: &str, input: &Value) -> Option<Value> {
    Some(match kind {
        "metric" => metric_case(input),
        "next" => next_case(input),
        "run" => run_case(input),
        "ttl" => ttl_case(input),
        "drive" => drive_case(input),
        _ => return None,
    })
}

/// The order of some lists is not defined, and open measurements carry `resumeAt` only on our side.
fn compared(case: &Value, mut value: Value) -> Value {
    if case["kind"] == "drive" {
        for result in value["final"]["metricResults"].as_array_mut().into_iter().flatten() {
            for measurement in result["measurements"].as_array_mut().into_iter().flatten() {
                measurement.as_object_mut().unwrap().remove("resumeAt");
            }
        }
    }
    pruned(&value)
}

/// The cases of the file that lies here.
fn cases() -> impl Iterator<Item = Value> {
    let lines = include_str!("assess.jsonl").split('\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap())
}

fn look(run: &AnalysisRun, finished: Vec<Finished>, now: Time) -> Step {
    step(Input { run, finished, in_flight: &[], unsupported: |_| None, now })
}

/// `step` must come to the same end as the reference's reconcile, if not at the same moment.
#[test]
fn steps_end_as_the_vectors_do() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for case in cases().filter(|case| case["kind"] == "drive" && case["in"]["terminateAt"].is_null()) {
        let mut script = Script::of(&case["in"]);
        let run = drive(&case["in"], |run, now| {
            let begun = look(run, Vec::new(), now);
            run.status = begun.status;
            if begun.start.is_empty() {
                return begun.wake_at;
            }
            let finished: Vec<Finished> = begun.start.into_iter().map(|task| script.carry_out(task, now)).collect();
            let settled = look(run, finished, now);
            run.status = settled.status;
            let wake = if settled.start.is_empty() { settled.wake_at } else { Some(now) };
            wake.map(Time::truncated)
        });
        let wanted = &case["out"]["final"];
        if !Phase::text_completed(&run.status.phase) || !Phase::text_completed(wanted["phase"].as_str().unwrap()) {
            continue;
        }
        compared += 1;
        let got = final_status(&run);
        if got["phase"] != wanted["phase"] || json!(run.status.message) != wanted["message"] {
            wrong.push(format!(
                "{}: {} {:?}, wanted {}",
                case["n"], got["phase"], run.status.message, wanted["message"]
            ));
        }
    }
    println!("drive cases that end, by step: {}/{compared}", compared - wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 20, "{compared}");
}
