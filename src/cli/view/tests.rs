//! What is shown of objects that no recorded case has.

use serde_json::{Value, json};

use super::paint::Paint;
use crate::api::time::Time;
use crate::cli::answer::{Answer, answer};

fn trimmed(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn ask(objects: &[Value], argv: &[&str], now: Time) -> Answer {
    let args: Vec<&str> = std::iter::once("kubectl-argo-rollouts").chain(argv.iter().copied()).collect();
    answer(&args, objects, "ns", now)
}

fn owned(kind: &str, name: &str, owner: &str, body: Value) -> Value {
    let mut object = body;
    object["kind"] = kind.into();
    object["metadata"] = json!({"name": name, "namespace": "ns", "uid": format!("uid-{name}"),
        "creationTimestamp": "2026-06-01T11:58:00Z", "annotations": {"rollout.argoproj.io/revision": "2"},
        "labels": {"rollouts-pod-template-hash": name},
        "ownerReferences": [{"uid": format!("uid-{owner}"), "controller": true}]});
    object
}

/// A canary at an Experiment, with a Job metric and a pod that initialises.
fn experiment_objects() -> Vec<Value> {
    let measurement = |name: &str, phase: &str| json!({"phase": phase, "startedAt": "2026-06-01T11:59:00Z", "metadata": {"job-name": name, "job-namespace": "ns"}});
    let results = json!([{"name": "load", "phase": "Running", "successful": 2, "failed": 1, "error": 3,
        "measurements": [measurement("j.load.1", "Successful"), measurement("j.load.2", "Running")]}]);
    let template = json!({"spec": {"containers": [{"name": "c", "image": "img:2"}]}});
    let mut set = owned(
        "ReplicaSet",
        "base",
        "e",
        json!({"spec": {"replicas": 1, "template": template},
        "status": {"replicas": 1}}),
    );
    set["metadata"]["annotations"]["experiment.argoproj.io/template-name"] = "base".into();
    vec![
        json!({"kind": "Rollout", "metadata": {"name": "r", "namespace": "ns", "uid": "uid-r",
            "creationTimestamp": "2026-06-01T11:50:00Z"},
            "spec": {"strategy": {"canary": {"steps": [{"experiment": {}}]}}},
            "status": {"currentStepIndex": 0, "phase": "Progressing", "stableRS": "old", "currentPodHash": "new"}}),
        owned(
            "Experiment",
            "e",
            "r",
            json!({"spec": {"duration": "10m"},
            "status": {"phase": "Running", "availableAt": "2026-06-01T11:55:00Z"}}),
        ),
        owned("AnalysisRun", "a", "e", json!({"status": {"phase": "Running", "metricResults": results}})),
        set,
        owned(
            "Pod",
            "p",
            "base",
            json!({"spec": {"initContainers": [{"name": "i"}], "containers": [{"name": "c"}]},
            "status": {"phase": "Pending", "initContainerStatuses": [
                {"name": "i", "restartCount": 2, "state": {"running": {}}}]}}),
        ),
    ]
}

const NOW: &str = "2026-06-01T12:00:00Z";

#[test]
fn draws_experiments_analyses_and_jobs() {
    let objects = experiment_objects();
    let text = ask(&objects, &["get", "r", "--no-color"], NOW.parse().unwrap()).stdout;
    let tree = text.split_once("NAME   ").map(|(_, tree)| trimmed(&format!("NAME   {tree}"))).unwrap();
    let expected = "\
NAME                   KIND         STATUS         AGE  INFO
⟳ r                    Rollout      ◌ Progressing  10m
└──# revision:2
   └──Σ e              Experiment   ◌ Running      2m
      ├──⧉ base        ReplicaSet   ◌ Progressing  2m
      │  └──□ p        Pod          ◌ Init:0/1     2m   ready:0/1,restarts:2
      └──α a           AnalysisRun  ◌ Running      2m   ✔ 2,✖ 1,⚠ 3
         ├──⊞ j.load.1  Job          ✔ Successful   60s
         └──⊞ j.load.2  Job          ◌ Running      60s";
    let squeezed =
        |text: &str| text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
    assert_eq!(squeezed(&tree), squeezed(expected));
    assert!(text.contains("Images:          img:2 (Σ:base)\n"), "{text}");
    let alone = ask(&objects, &["get", "experiment", "e", "--no-color"], NOW.parse().unwrap()).stdout;
    assert!(
        alone.starts_with("Name:            e\nNamespace:       ns\nStatus:          ◌ Running\nImages:"),
        "{alone}"
    );
    assert!(alone.contains("\nΣ e               Experiment   ◌ Running"), "{alone}");
    let list = ask(&objects, &["list", "experiments"], NOW.parse().unwrap()).stdout;
    assert_eq!(
        trimmed(&list),
        "NAME        STATUS   DURATION  REMAINING  AGE\ne           Running  10m       5m         2m"
    );
}

#[test]
fn coloured_cells_align_as_plain_ones() {
    let objects = super::objects::Objects::of(&experiment_objects()).unwrap();
    let info = super::rollout::rollout_info(&objects.rollouts[0], &objects);
    let drawn = |paint| super::get::rollout(&info, super::get::Style { paint, now: NOW.parse().unwrap() });
    let coloured = drawn(Paint::Ansi);
    assert!(coloured.contains("\u{1b}[94m◌\u{1b}[0m Running"), "{coloured}");
    let widths = |text: &str| text.lines().map(super::paint::width).collect::<Vec<_>>();
    assert_eq!(widths(&coloured), widths(&drawn(Paint::Plain)));
}

#[test]
fn says_what_is_not_there() {
    let got = ask(&[], &["get", "rollout", "gone"], NOW.parse().unwrap());
    assert_eq!((got.stderr.as_str(), got.failed), ("Error: rollout.argoproj.io \"gone\" not found\n", true));
    let got = ask(&[], &["get", "rollout"], NOW.parse().unwrap());
    assert!(got.failed);
}

#[test]
fn status_waits_for_what_does_not_come() {
    let objects = experiment_objects();
    let got = ask(&objects, &["status", "r"], NOW.parse().unwrap());
    assert_eq!(got.stdout, "Progressing\n");
    assert_eq!(got.stderr, "Error: Rollout status watch exceeded timeout\n");
}

#[test]
fn json_is_what_dashboards_read() {
    let got = ask(&experiment_objects(), &["get", "r", "--output", "json"], NOW.parse().unwrap());
    let info: Value = serde_json::from_str(&got.stdout).unwrap();
    assert_eq!(info["objectMeta"]["name"], "r");
    assert_eq!(info["experiments"][0]["analysisRuns"][0]["jobs"][1]["objectMeta"]["name"], "j.load.2");
    assert_eq!(info["setWeight"], "0");
    let got = ask(&experiment_objects(), &["list", "rollouts", "-o", "json"], NOW.parse().unwrap());
    let list: Value = serde_json::from_str(&got.stdout).unwrap();
    assert_eq!((&list[0]["name"], &list[0]["step"]), (&json!("r"), &json!("0/1")));
    let got = ask(&experiment_objects(), &["status", "r", "-o", "json"], NOW.parse().unwrap());
    assert_eq!(serde_json::from_str::<Value>(&got.stdout).unwrap()["phase"], "Progressing");
}
