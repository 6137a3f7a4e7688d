#![allow(clippy::needless_pass_by_value, reason = "literals read better")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::analysis::evidence::{Verdict, verdict};
use crate::analysis::phase::Phase;
use crate::api::analysis::{AnalysisRun, Measurement};
use crate::api::time::Time;

const START: Time = Time::from_seconds(1_780_000_000);

fn run(spec: Value) -> AnalysisRun {
    serde_json::from_value(json!({"metadata": {"name": "r"}, "spec": spec})).unwrap()
}

fn metric(name: &str, mut fields: Value) -> Value {
    fields["name"] = json!(name);
    fields["provider"] = json!({"prometheus": {"query": "q"}});
    fields
}

fn look(run: &AnalysisRun, finished: Vec<Finished>, in_flight: &[&str], now: Time) -> Step {
    let in_flight: Vec<String> = in_flight.iter().map(ToString::to_string).collect();
    step(Input { run, finished, in_flight: &in_flight, unsupported: |_| None, now })
}

fn done(task: &Task, phase: Phase) -> Finished {
    let measurement = Measurement { phase: phase.to_string(), started_at: Some(START), ..Measurement::default() };
    Finished { task: task.clone(), measurement, metadata: std::collections::BTreeMap::new() }
}

fn seconds(count: u64) -> std::time::Duration {
    std::time::Duration::from_secs(count)
}

#[test]
fn one_metric_from_start_to_end() {
    let mut run = run(json!({"metrics": [metric("a", json!({"count": 2, "interval": "5s"}))]}));
    let first = look(&run, Vec::new(), &[], START);
    assert_eq!((first.start.len(), first.status == run.status, first.wake_at), (1, true, None));
    assert_eq!(look(&run, Vec::new(), &["a"], START).start, []);
    let second = look(&run, vec![done(&first.start[0], Phase::Successful)], &[], START);
    assert_eq!((second.status.phase.as_str(), second.status.started_at), ("Running", Some(START)));
    let wake = second.wake_at.unwrap();
    run.status = second.status;
    assert!(look(&run, Vec::new(), &[], START + seconds(5)).start.is_empty());
    let third = look(&run, Vec::new(), &[], wake);
    assert_eq!(third.start.len(), 1);
    let last = look(&run, vec![done(&third.start[0], Phase::Successful)], &[], wake);
    assert_eq!((last.status.phase.as_str(), last.wake_at, last.start.len()), ("Successful", None, 0));
    let reasons: Vec<&str> = last.events.iter().map(|event| event.reason.as_str()).collect();
    assert_eq!(reasons, ["MetricSuccessful", "AnalysisRunSuccessful"]);
    run.status = last.status;
    assert_eq!(verdict(&run), Verdict::Passed);
    let after = look(&run, vec![done(&third.start[0], Phase::Failed)], &[], wake);
    assert_eq!(after.status, run.status);
}

#[test]
fn a_failure_ends_the_run_at_once_whatever_else_is_under_way() {
    let metrics =
        json!([metric("slow", json!({})), metric("bad", json!({})), metric("late", json!({"initialDelay": "1h"}))]);
    let run = run(json!({"metrics": metrics}));
    let first = look(&run, Vec::new(), &[], START);
    let names: Vec<&str> = first.start.iter().map(|task| task.metric.as_str()).collect();
    assert_eq!(names, ["slow", "bad"]);
    let second = look(&run, vec![done(&first.start[1], Phase::Failed)], &["slow"], START);
    assert_eq!(second.status.phase, "Failed");
    assert_eq!(second.status.message, "Metric \"bad\" assessed Failed due to failed (1) > failureLimit (0)");
    assert_eq!((second.status.completed_at, second.start.len()), (Some(START), 0));
    let phases: Vec<(&str, &str)> =
        second.status.metric_results.iter().map(|r| (r.name.as_str(), r.phase.as_str())).collect();
    assert!(phases.iter().all(|(name, phase)| *name == "bad" || *phase != "Successful"), "{phases:?}");
    let warnings = second.events.iter().filter(|event| event.severity == Severity::Warning).count();
    assert_eq!((warnings, second.events.len()), (2, 2));
}

#[test]
fn open_measurements_are_ended_before_the_run_is() {
    let mut run = run(json!({"metrics": [metric("job", json!({}))]}));
    let first = look(&run, Vec::new(), &[], START);
    let second = look(&run, vec![done(&first.start[0], Phase::Running)], &[], START);
    assert_eq!(second.status.metric_results[0].measurements[0].resume_at, Some(START + seconds(10)));
    run.status = second.status;
    run.spec.terminate = true;
    assert_eq!(look(&run, Vec::new(), &["job"], START).status.phase, "Running");
    let third = look(&run, Vec::new(), &[], START);
    assert!(matches!(third.start[0].action, Action::Terminate(_)) && third.status.phase == "Running");
    let last = look(&run, vec![done(&third.start[0], Phase::Inconclusive)], &[], START);
    assert_eq!(last.status.phase, "Inconclusive");
    assert_eq!(last.status.metric_results[0].measurements[0].message, "Metric Terminated");
}

#[test]
fn a_stop_before_any_measurement_reads_successful_and_proves_nothing() {
    let mut run = run(json!({"metrics": [metric("a", json!({}))], "terminate": true}));
    let only = look(&run, Vec::new(), &[], START);
    assert_eq!((only.status.phase.as_str(), only.status.message.as_str()), ("Successful", "Run Terminated"));
    run.status = only.status;
    assert!(matches!(verdict(&run), Verdict::Unproven(_)));
}

#[test]
fn what_cannot_be_carried_out_ends_in_error() {
    let unsupported = |_: &_| Some("metric 'a': no".to_owned());
    let refused = run(json!({"metrics": [metric("a", json!({}))]}));
    let step = step(Input { run: &refused, finished: Vec::new(), in_flight: &[], unsupported, now: START });
    assert_eq!(
        (step.status.phase.as_str(), step.status.message.as_str()),
        ("Error", "Analysis spec invalid: metric 'a': no")
    );
    assert_eq!((step.status.completed_at, step.events.len()), (None, 1));
    let by_secret = refuse_arguments(&refused, &"key 'k' does not exist in secret 's'");
    let message = "Unable to resolve metric arguments: key 'k' does not exist in secret 's'";
    assert_eq!((by_secret.status.phase.as_str(), by_secret.status.message.as_str()), ("Error", message));
}

#[test]
fn a_measurement_that_outlives_its_run_is_ended() {
    let mut run = run(json!({"metrics": [metric("job", json!({}))]}));
    let task = look(&run, Vec::new(), &[], START).start.remove(0);
    run.status.phase = "Failed".to_owned();
    let late = look(&run, vec![done(&task, Phase::Running)], &[], START);
    assert_eq!(late.status, run.status);
    let end = &late.start[0];
    assert!(matches!(end.action, Action::Terminate(_)));
    // Only one attempt: a provider that does not end it will not do so the next time either.
    assert!(look(&run, vec![done(end, Phase::Running)], &[], START).start.is_empty());
    assert!(look(&run, vec![done(&task, Phase::Successful)], &[], START).start.is_empty());
}

#[test]
fn a_finished_run_waits_for_its_deletion() {
    let mut run = run(json!({"metrics": [], "ttlStrategy": {"secondsAfterCompletion": 30}}));
    run.status.phase = "Failed".to_owned();
    run.status.completed_at = Some(START);
    assert_eq!(look(&run, Vec::new(), &[], START).wake_at, Some(START + seconds(31)));
}

#[test]
fn only_the_newest_measurements_are_kept() {
    let fields = json!({"count": 50, "interval": "1s"});
    let rule = json!([{"metricName": "b", "limit": 3}]);
    let metrics = json!([metric("a", fields.clone()), metric("b", fields)]);
    let mut run = run(json!({"metrics": metrics, "measurementRetention": rule}));
    for turn in 0..20 {
        let now = START + seconds(turn * 3);
        let tasks = look(&run, Vec::new(), &[], now).start;
        run.status = look(&run, tasks.iter().map(|task| done(task, Phase::Successful)).collect(), &[], now).status;
    }
    let kept: Vec<usize> = run.status.metric_results.iter().map(|result| result.measurements.len()).collect();
    assert_eq!((kept, run.status.metric_results[0].count), (vec![10, 3], 20));
}

fn limit() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), (-1_i32..4).prop_map(|n| json!(n)), (0_i32..4).prop_map(|n| json!(n.to_string()))]
}

fn any_metric() -> impl Strategy<Value = Value> {
    let times = prop_oneof![Just(""), Just("1s"), Just("250ms"), Just("20s"), Just("-3s")];
    let numbers = (limit(), limit(), limit(), limit(), limit());
    (numbers, times.clone(), times).prop_map(|((count, fail, dull, error, row), interval, delay)| {
        let mut fields = json!({"interval": interval, "initialDelay": delay});
        let named = [("count", count), ("failureLimit", fail), ("inconclusiveLimit", dull)];
        for (key, value) in
            named.into_iter().chain([("consecutiveErrorLimit", error), ("consecutiveSuccessLimit", row)])
        {
            if !value.is_null() {
                fields[key] = value;
            }
        }
        fields
    })
}

proptest! {
    #[test]
    fn a_run_ends_and_never_well_with_a_metric_beyond_its_limit(
        metrics in prop::collection::vec((any_metric(), any::<bool>()), 1..4),
        outcomes in prop::collection::vec(0_usize..5, 1..40),
        stop_after in prop::option::of(0_usize..30),
        gaps in prop::collection::vec(0_u64..15, 1..8),
    ) {
        let named: Vec<Value> =
            metrics.iter().enumerate().map(|(i, (fields, _))| metric(&format!("m{i}"), fields.clone())).collect();
        let dry: Vec<Value> = metrics.iter().enumerate().filter(|(_, (_, dry))| *dry)
            .map(|(i, _)| json!({"metricName": format!("^m{i}$")})).collect();
        let mut run = run(json!({"metrics": named, "dryRun": dry}));
        let phases = [Phase::Successful, Phase::Failed, Phase::Inconclusive, Phase::Error, Phase::Running];
        let mut outcomes = outcomes.iter().cycle();
        let mut now = START;
        for turn in 0..60 {
            run.spec.terminate |= stop_after.is_some_and(|after| turn >= after);
            let before = run.status.clone();
            let begun = look(&run, Vec::new(), &[], now);
            run.status = begun.status;
            if Phase::text_completed(&before.phase) {
                prop_assert_eq!(&before, &run.status);
                prop_assert!(begun.start.is_empty());
            } else if !begun.start.is_empty() {
                let finished = begun.start.iter().map(|task| done(task, phases[*outcomes.next().unwrap()])).collect();
                run.status = look(&run, finished, &[], now).status;
            } else {
                prop_assert!(begun.wake_at.is_none_or(|wake| wake > now));
            }
            now = now + seconds(gaps[turn % gaps.len()]);
        }
        let Ok(checked) = check(&run.spec, |_| None) else {
            prop_assert_eq!(run.status.phase.as_str(), "Error");
            return Ok(());
        };
        let ended = Phase::text_completed(&run.status.phase);
        for metric in checked.metrics.iter().filter(|metric| !checked.dry_run.contains(&metric.name)) {
            let result = run.status.metric_results.iter().find(|result| result.name == metric.name);
            let beyond = result.is_some_and(|result| limit_reached(metric, result).is_some());
            prop_assert!(!(run.status.phase == "Successful" && beyond), "{:?}", run.status);
            prop_assert!(!(verdict(&run) == Verdict::Passed && result.is_none_or(|result| result.successful < 1)));
        }
        // A stop ends a run unless a provider never ends its measurement.
        let open = run.status.metric_results.iter().any(|result| {
            result.measurements.last().is_some_and(|last| last.finished_at.is_none())
        });
        prop_assert!(ended || open || !run.spec.terminate);
    }
}
