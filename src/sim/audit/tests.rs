use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::history::History;
use super::{Log, POLICY};
use crate::sim::api_server::{Entry, Verb};
use crate::sim::checker::check::CONTROLLER;
use crate::sim::checker::facts::{HASH, wanted};
use crate::sim::object;
use crate::sim::search::play::{Player, set_up};
use crate::sim::search::systematic;

const USER: &str = "system:serviceaccount:argo-rollouts:argo-rollouts";
const RESOURCES: &[&str] = &[
    "rollouts",
    "analysisruns",
    "replicasets",
    "deployments",
    "pods",
    "podtemplates",
    "nodes",
    "services",
    "endpointslices",
    "httproutes",
];

/// The writes of an undisturbed run of a strategy and a script.
fn journal(strategy: &str, script: &str) -> Vec<Entry> {
    let meant = |name: &str| name.starts_with(&format!("{strategy}, ")) && name.ends_with(&format!(": {script}"));
    let (_, scenario) = systematic::scenarios().into_iter().find(|(name, _)| meant(name)).unwrap();
    let case = systematic::case(&scenario, None);
    let mut player = Player::begin(set_up(&case), &case.scenario);
    player.act_out().unwrap();
    player.rig.core.cluster.server.journal().iter().map(|entry| (**entry).clone()).collect()
}

/// The line that an API server logs for a write.
fn line(entry: &Entry) -> Option<String> {
    let resource = RESOURCES.iter().find(|resource| resource.trim_end_matches('s') == entry.kind.to_lowercase())?;
    let user = match entry.actor.as_str() {
        CONTROLLER => USER.to_owned(),
        "kubelet" => "system:node:one".to_owned(),
        actor => format!("system:serviceaccount:kube-system:{actor}"),
    };
    let answer = match (&entry.after, entry.subresource.as_deref()) {
        (None, _) | (_, Some("eviction")) => json!({"kind": "Status", "status": "Success"}),
        (Some(after), _) => (**after).clone(),
    };
    let verb = match entry.verb {
        _ if entry.after.is_none() => "delete",
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
        _ => "patch",
    };
    Some(event(verb, &user, &entry.time.to_micro(), &answer, |event| {
        event["objectRef"] = json!({
            "resource": resource, "namespace": entry.namespace, "name": entry.name, "subresource": entry.subresource.clone().unwrap_or_default(),
        });
    }))
}

fn event(verb: &str, user: &str, time: &str, answer: &Value, change: impl Fn(&mut Value)) -> String {
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "stage": "ResponseComplete",
        "verb": verb, "user": {"username": user}, "responseStatus": {"code": if verb == "create" { 201 } else { 200 }}, "responseObject": answer,
        "requestURI": "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts/shop",
        "requestReceivedTimestamp": time, "stageTimestamp": time,
        "objectRef": {"resource": "rollouts", "namespace": "default", "name": "shop"},
    });
    change(&mut event);
    event.to_string()
}

fn read(lines: &[String]) -> Log {
    let mut log = Log::default();
    log.read("audit.log", lines.join("\n").as_bytes()).unwrap();
    log
}

#[test]
fn a_run_that_keeps_its_promises_does_so_in_its_audit_log() {
    for (name, script) in [("routed", "rolled back"), ("blue-green, gated", "update"), ("basic", "scaled")] {
        let mut lines: Vec<String> = journal(name, script).iter().filter_map(line).collect();
        // Requests end in another order than they were committed in.
        lines.reverse();
        let log = read(&lines);
        assert!(log.writers().contains_key(USER));
        let report = log.check(USER);
        assert_eq!(report.broken, [], "{name}");
        assert_eq!((report.rollouts, report.unknown, report.violations), (1, 0, 0), "{name}");
        assert!(report.judged > 20 && report.writes > 2 * report.judged, "{name}: {report:?}");
    }
}

#[test]
fn a_write_that_breaks_a_promise_is_told_with_its_line() {
    let entries = journal("routed", "update");
    let mut lines: Vec<String> = entries.iter().filter_map(line).collect();
    let sets = entries.iter().filter(|entry| entry.kind == "ReplicaSet");
    let last: BTreeMap<&str, &Entry> = sets.map(|entry| (entry.name.as_str(), entry)).collect();
    let mut entry = (*last.values().find(|entry| wanted(entry.after.as_ref().unwrap()) > 0).unwrap()).clone();
    let serving = entry.after.clone().unwrap();
    let mut drained = (*serving).clone();
    object::put(&mut drained, &["spec", "replicas"], json!(0));
    object::put(&mut drained, &["metadata", "resourceVersion"], json!("999999"));
    (entry.actor, entry.verb, entry.subresource) = (CONTROLLER.to_owned(), Verb::Patch, None);
    entry.after = Some(drained.into());
    lines.push(line(&entry).unwrap());
    let report = read(&lines).check(USER);
    let told: Vec<(&str, &str, &str)> =
        report.broken.iter().map(|broken| (broken.id, broken.at.as_str(), broken.namespace.as_str())).collect();
    assert_eq!(told, [("I04", format!("audit.log:{}", lines.len()).as_str(), "default")], "{:?}", report.broken);
    assert!(report.broken[0].message.contains(object::label(&serving, HASH).unwrap()));
    // Asked for before somebody commanded something, and done after: neither could know of the other.
    let mut long: Value = serde_json::from_str(&lines.pop().unwrap()).unwrap();
    long["requestReceivedTimestamp"] = json!("2000-01-01T00:00:00Z");
    lines.push(long.to_string());
    let report = read(&lines).check(USER);
    assert_eq!((report.violations, report.raced), (0, 1));
    // The same by somebody else is none of ours.
    lines.pop();
    entry.actor = "somebody".to_owned();
    lines.push(line(&entry).unwrap());
    assert_eq!(read(&lines).check(USER).broken, []);
}

#[test]
fn what_a_log_does_not_show_from_its_beginning_is_not_judged() {
    let lines: Vec<String> = journal("routed", "update").iter().filter_map(line).collect();
    let report = read(&lines[lines.len() / 2..]).check(USER);
    assert!(report.unknown > 3, "{report:?}");
    assert_eq!(report.broken, []);
}

#[test]
fn what_was_not_carried_out_or_does_not_matter_is_skipped() {
    let time = "2026-11-21T12:00:00.000001Z";
    let rollout = json!({"kind": "Rollout", "metadata": {"name": "shop", "uid": "u", "resourceVersion": "7"}});
    let with = |change: &dyn Fn(&mut Value)| event("patch", USER, time, &rollout, change);
    let lines = [
        with(&|event| event["responseStatus"]["code"] = json!(409)),
        with(&|event| event["stage"] = json!("RequestReceived")),
        with(&|event| event["verb"] = json!("get")),
        with(&|event| event["requestURI"] = json!("/x?dryRun=All")),
        with(&|event| event["objectRef"]["resource"] = json!("configmaps")),
    ];
    let lines = [vec![String::new()], lines.to_vec()].concat();
    let log = read(&lines);
    assert_eq!((log.lines, log.writers().len()), (6, 0));
    assert_eq!(read(&[with(&|_| {})]).writers().get(USER), Some(&1));
}

#[test]
fn a_log_that_cannot_be_read_is_refused_with_its_line() {
    let refused =
        |line: &str| Log::default().read("audit.log", format!("\n{line}\n").as_bytes()).unwrap_err().to_string();
    assert!(refused("2026-11-21 legacy").starts_with("audit.log, line 2: expected one audit event as JSON"));
    assert!(
        refused(r#"{"kind":"Policy"}"#)
            .contains(r#"expected an object of kind Event (audit.k8s.io/v1), found "Policy""#)
    );
    let metadata = event("patch", USER, "2026-11-21T12:00:00.000001Z", &Value::Null, |event| {
        event["level"] = json!("Metadata");
    });
    assert!(refused(&metadata).contains(
        r#"a patch of rollouts is logged at level "Metadata", without the object; expected RequestResponse"#
    ));
    let timeless = event("patch", USER, "noon", &json!({}), |_| {});
    assert!(refused(&timeless).contains(r#"stageTimestamp "noon" is no time"#));
}

/// Pods go gracefully, other objects when nothing holds them any more.
#[test]
fn deletions_are_followed_to_their_end() {
    let pod = |deletion: Value| {
        let mut pod = json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "default", "uid": "u", "resourceVersion": "1"}});
        json_patch::merge(&mut pod, &json!({"metadata": deletion}));
        pod
    };
    let going = |grace: i64, version: &str| json!({"deletionTimestamp": "2026-11-21T12:00:01Z", "deletionGracePeriodSeconds": grace, "resourceVersion": version});
    let at = |verb: &str, second: u32, answer: &Value, subresource: &str| {
        event(verb, "somebody", &format!("2026-11-21T12:00:{second:02}.000000Z"), answer, |event| {
            event["objectRef"] =
                json!({"resource": "pods", "namespace": "default", "name": "p", "subresource": subresource});
        })
    };
    let writes = |lines: &[String]| read(lines).check(USER).writes;
    let created = at("create", 0, &pod(json!({})), "");
    let evicted = at("create", 1, &json!({"kind": "Status"}), "eviction");
    let graceful = at("delete", 2, &pod(going(30, "2")), "");
    let last = at("delete", 3, &pod(going(0, "3")), "");
    let again = at("delete", 4, &pod(going(0, "3")), "");
    assert_eq!(writes(&[created.clone(), graceful, last.clone(), again.clone()]), 3, "what has gone goes once");
    assert_eq!(writes(&[created.clone(), evicted, last.clone(), again]), 3);
    let all = at("deletecollection", 1, &json!({"kind": "PodList", "items": [pod(json!({}))]}), "");
    let report = read(&[created, all, last]).check(USER);
    assert_eq!((report.writes, report.unknown), (3, 0), "of many at once, each goes gracefully");
}

/// A namespace goes with all that is in it: the answer to such a deletion has the version of the list that it began with,
/// and other requests may end after it.
#[test]
fn nothing_comes_back_after_a_deletion_of_many() {
    let rollout = |version: &str| json!({"kind": "Rollout", "metadata": {"name": "shop", "namespace": "default", "uid": "u", "resourceVersion": version}});
    let at = |verb: &str, second: u32, answer: &Value| {
        event(verb, USER, &format!("2026-11-21T12:00:{second:02}.000000Z"), answer, |_| {})
    };
    let list = json!({"kind": "RolloutList", "metadata": {"resourceVersion": "5"}, "items": [rollout("4")]});
    for (patched, listed) in [(1, 2), (2, 1)] {
        let lines = [
            at("create", 0, &rollout("4")),
            at("patch", patched, &rollout("6")),
            at("deletecollection", listed, &list),
        ];
        let mut log = read(&lines);
        super::event::order(&mut log.events);
        let mut history = History::default();
        let entries: Vec<Entry> = log.events.iter().flat_map(|event| history.entries(event, USER)).collect();
        let left = entries.last().unwrap().after.as_deref();
        assert_eq!(left, None, "patched after {patched} s, the list answered after {listed} s");
    }
}

/// The size of zero is left out of a scale, and who asks for metadata gets nothing else.
#[test]
fn answers_that_are_less_than_the_object_are_completed() {
    let at = |verb: &str, second: u32, answer: &Value, subresource: &str| {
        event(verb, "somebody", &format!("2026-11-21T12:00:{second:02}.000000Z"), answer, |event| {
            event["objectRef"]["subresource"] = json!(subresource);
        })
    };
    let rollout =
        json!({"kind": "Rollout", "metadata": {"name": "shop", "resourceVersion": "1"}, "spec": {"replicas": 2}});
    let scale = json!({"kind": "Scale", "metadata": {"name": "shop", "resourceVersion": "2"}, "spec": {}});
    let labels = json!({"team": "a"});
    let metadata = json!({"kind": "PartialObjectMetadata", "metadata": {"name": "shop", "resourceVersion": "3", "labels": labels}});
    let log = read(&[at("create", 0, &rollout, ""), at("patch", 1, &scale, "scale"), at("patch", 2, &metadata, "")]);
    let mut history = History::default();
    let entries: Vec<Entry> = log.events.iter().flat_map(|event| history.entries(event, USER)).collect();
    let after: Vec<&Value> = entries.iter().filter_map(|entry| entry.after.as_deref()).collect();
    assert_eq!(after.len(), 3);
    assert_eq!(after[1]["spec"]["replicas"], 0);
    assert_eq!((&after[2]["spec"]["replicas"], &after[2]["metadata"]["labels"]), (&json!(0), &labels));
}

#[test]
fn the_policy_logs_the_writes_that_are_read() {
    let policy: Value = serde_saphyr::from_str(POLICY).unwrap();
    let rule = &policy["rules"][0];
    assert_eq!(rule["level"], "RequestResponse");
    let logged: Vec<&str> = rule["resources"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["resources"].as_array().unwrap())
        .filter_map(Value::as_str)
        .collect();
    assert!(RESOURCES.iter().all(|resource| logged.contains(resource)), "{logged:?}");
    assert!(!POLICY.contains("secrets"));
}
