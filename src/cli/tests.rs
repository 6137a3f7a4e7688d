//! What the verbs send, and what they say when the answer is no.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};

use super::args::parse;
use super::client::Cluster;
use super::failure::Dialect;
use super::session::Session;

/// A request as it went out: `METHOD path content-type`, and its body.
type Sent = (String, Value);

/// Answers in their order: status code and body.
type Answers = Vec<(u16, Value)>;

/// What a verb sent, wrote, remarked, and how it ended.
struct Outcome {
    sent: Vec<Sent>,
    stdout: String,
    stderr: String,
}

impl Outcome {
    fn lines(&self) -> Vec<String> {
        self.sent
            .iter()
            .map(|(line, body)| if body.is_null() { line.clone() } else { format!("{line} {body}") })
            .collect()
    }
}

async fn run(argv: &str, answers: Answers) -> Outcome {
    let sent: Arc<Mutex<Vec<Sent>>> = Arc::default();
    let queue = Arc::new(Mutex::new(VecDeque::from(answers)));
    let log = sent.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (log, queue) = (log.clone(), queue.clone());
        async move {
            let (parts, body) = request.into_parts();
            if parts.uri.to_string().contains("watch=true") {
                // A watch on which nothing happens.
                return std::future::pending().await;
            }
            let bytes = body.collect().await.unwrap().to_bytes();
            let content = parts.headers.get("content-type").map(|value| value.to_str().unwrap().to_owned());
            let line = format!("{} {} {}", parts.method, parts.uri, content.unwrap_or_default()).trim_end().to_owned();
            log.lock().unwrap().push((line, serde_json::from_slice(&bytes).unwrap_or(Value::Null)));
            let (code, answer) =
                queue.lock().unwrap().pop_front().unwrap_or((500, json!({"message": "no answer left"})));
            let body = if let Value::String(text) = answer { text } else { answer.to_string() };
            Ok::<_, std::convert::Infallible>(
                Response::builder().status(code).body(Body::from(body.into_bytes())).unwrap(),
            )
        }
    });
    let cluster = Cluster::new(kube::Client::new(service, "ns"), "ns");
    let args = argv.split(' ').map(OsString::from);
    let (dialect, _, verb) = parse(args).unwrap();
    let mut session = Session::captured(dialect, cluster);
    let outcome = verb.run(&mut session).await;
    let (stdout, mut stderr) = session.console.written();
    if let Err(failure) = outcome {
        stderr.push_str(&failure.render(dialect));
    }
    let sent = sent.lock().unwrap().clone();
    Outcome { sent, stdout, stderr }
}

fn status(code: u16, reason: &str, message: &str, name: &str) -> (u16, Value) {
    (
        code,
        json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message,
        "details": {"name": name, "group": "argoproj.io", "kind": "rollouts"}}),
    )
}

fn missing(name: &str) -> (u16, Value) {
    status(404, "NotFound", &format!("rollouts.argoproj.io \"{name}\" not found"), name)
}

const PATH: &str = "/apis/argoproj.io/v1alpha1/namespaces/ns/rollouts";

#[tokio::test]
async fn simple_verbs_send_one_patch() {
    for (argv, sent, printed) in [
        ("siskin pause a", format!("PATCH {PATH}/a application/merge-patch+json {{\"spec\":{{\"paused\":true}}}}"), "rollout 'a' paused\n"),
        ("siskin abort a", format!("PATCH {PATH}/a/status application/merge-patch+json {{\"status\":{{\"abort\":true}}}}"), "rollout 'a' aborted\n"),
        ("siskin retry rollout a", format!("PATCH {PATH}/a/status application/merge-patch+json {{\"status\":{{\"abort\":false}}}}"), "rollout 'a' retried\n"),
        ("siskin retry exp e", "PATCH /apis/argoproj.io/v1alpha1/namespaces/ns/experiments/e application/merge-patch+json {\"status\":null}".to_owned(), "experiment 'e' retried\n"),
        ("siskin terminate ar r", "PATCH /apis/argoproj.io/v1alpha1/namespaces/ns/analysisruns/r application/merge-patch+json {\"spec\":{\"terminate\":true}}".to_owned(), "analysisRun 'r' terminated\n"),
    ] {
        let outcome = run(argv, vec![(200, json!({}))]).await;
        assert_eq!((outcome.lines(), outcome.stdout.as_str()), (vec![sent], printed), "{argv}");
        assert_eq!(outcome.stderr, "", "{argv}");
    }
}

#[tokio::test]
async fn several_names_are_done_in_their_order() {
    let outcome = run("siskin pause a b", vec![(200, json!({})), (200, json!({}))]).await;
    assert_eq!(outcome.stdout, "rollout 'a' paused\nrollout 'b' paused\n");
    let outcome = run("siskin pause a b", vec![status(409, "Conflict", "taken", "a")]).await;
    assert_eq!((outcome.sent.len(), outcome.stdout.as_str()), (1, ""));
}

#[tokio::test]
async fn restart_sends_a_time() {
    let outcome = run("siskin restart a --in 10m", vec![(200, json!({}))]).await;
    let at: crate::api::time::Time = outcome.sent[0].1["spec"]["restartAt"].as_str().unwrap().parse().unwrap();
    assert!(at.seconds() > 1_500_000_000);
    assert_eq!(outcome.stdout, "rollout 'a' restarts in 10m\n");
    let outcome = run("siskin restart a", vec![(200, json!({}))]).await;
    assert_eq!(outcome.stdout, "rollout 'a' restarts in 0s\n");
}

#[tokio::test]
async fn without_a_status_subresource_the_object_is_patched() {
    let outcome = run("siskin abort a", vec![missing("a"), (200, json!({}))]).await;
    let body = r#"application/merge-patch+json {"status":{"abort":true}}"#;
    assert_eq!(outcome.lines(), [format!("PATCH {PATH}/a/status {body}"), format!("PATCH {PATH}/a {body}")]);
    assert_eq!(outcome.stdout, "rollout 'a' aborted\n");
}

#[allow(clippy::needless_pass_by_value, reason = "literals read better")]
fn rollout(spec: Value, status: Value) -> Value {
    let mut object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": spec, "status": status});
    object["metadata"] = json!({"name": "a", "namespace": "ns", "uid": "u", "resourceVersion": "7"});
    object
}

fn canary(paused: bool, status: Value) -> Value {
    let steps = json!([{"setWeight": 10}, {"pause": {}}, {"setWeight": 50}]);
    rollout(json!({"paused": paused, "strategy": {"canary": {"steps": steps}}}), status)
}

/// Patches that a promotion sends, in order: `status` or `spec` and body.
async fn promoted(flags: &str, stored: Value) -> (Vec<String>, String, String) {
    let argv = format!("kubectl-argo-rollouts promote a{flags}");
    let outcome = run(&argv, vec![(200, stored), (200, json!({})), (200, json!({}))]).await;
    let patches = outcome.sent.iter().skip(1).map(|(line, body)| {
        let part = if line.contains("/status ") { "status" } else { "main" };
        assert!(line.ends_with("application/merge-patch+json"), "{line}");
        format!("{part} {body}")
    });
    (patches.collect(), outcome.stdout, outcome.stderr)
}

#[tokio::test]
async fn promote_ends_a_pause_or_skips_a_step() {
    let waiting = json!([{"reason": "CanaryPauseStep"}]);
    let inconclusive = json!({"currentStepIndex": 1, "controllerPause": true, "pauseConditions": waiting,
        "canary": {"currentStepAnalysisRunStatus": {"status": "Inconclusive"}}});
    let blue_green = json!({"strategy": {"blueGreen": {"activeService": "s"}}});
    let cases = [
        (
            canary(false, json!({"currentStepIndex": 1, "pauseConditions": waiting})),
            vec![r#"status {"status":{"pauseConditions":null}}"#],
        ),
        (
            canary(false, inconclusive),
            vec![r#"status {"status":{"controllerPause":false,"currentStepIndex":2,"pauseConditions":null}}"#],
        ),
        (
            canary(false, json!({"currentStepIndex": 0})),
            vec![r#"status {"status":{"currentStepIndex":1,"pauseConditions":null}}"#],
        ),
        (
            canary(true, json!({"currentStepIndex": 3})),
            vec![
                r#"status {"status":{"currentStepIndex":3,"pauseConditions":null}}"#,
                r#"main {"spec":{"paused":false}}"#,
            ],
        ),
        (rollout(blue_green.clone(), json!({})), vec![]),
        (
            rollout(blue_green, json!({"pauseConditions": waiting})),
            vec![r#"status {"status":{"pauseConditions":null}}"#],
        ),
    ];
    for (stored, patches) in cases {
        let (sent, stdout, _) = promoted("", stored).await;
        assert_eq!(sent, patches);
        assert_eq!(stdout, "rollout 'a' promoted\n");
    }
}

#[tokio::test]
async fn promote_full_and_the_old_flags() {
    let (sent, stdout, _) = promoted(" --full", canary(true, json!({"currentPodHash": "n", "stableRS": "o"}))).await;
    assert_eq!(sent, [r#"status {"status":{"promoteFull":true}}"#, r#"main {"spec":{"paused":false}}"#]);
    assert_eq!(stdout, "rollout 'a' fully promoted\n");
    let (sent, ..) = promoted(" --full", canary(false, json!({"currentPodHash": "n", "stableRS": "n"}))).await;
    assert_eq!(sent, Vec::<String>::new());
    let (sent, ..) = promoted(" -c", canary(true, json!({"currentStepIndex": 1}))).await;
    assert_eq!(sent, [r#"status {"status":{"currentStepIndex":2}}"#]);
    let (sent, ..) = promoted(" -a", canary(false, json!({"currentStepIndex": 1}))).await;
    assert_eq!(sent, [r#"status {"status":{"currentStepIndex":3}}"#]);
    let blue_green = rollout(json!({"strategy": {"blueGreen": {"activeService": "s"}}}), json!({}));
    for (flags, stored, message) in [
        (" -c", blue_green, "Cannot skip steps of a bluegreen rollout. Run without a flags"),
        (
            " -a",
            rollout(json!({"strategy": {"canary": {}}}), json!({})),
            "Cannot skip steps of a rollout without steps",
        ),
        (" -a -c", canary(false, json!({})), "Cannot use skip-current-step and skip-all-steps flags at the same time"),
    ] {
        let (sent, _, stderr) = promoted(flags, stored).await;
        assert_eq!((sent, stderr), (vec![], format!("Error: {message}\n")));
    }
}

#[tokio::test]
async fn promote_without_a_status_subresource_sends_one_patch() {
    let answers = vec![(200, canary(false, json!({"currentStepIndex": 0}))), missing("a"), (200, json!({}))];
    let outcome = run("siskin promote a", answers).await;
    let unified = r#"{"spec":{"paused":false},"status":{"currentStepIndex":1,"pauseConditions":null}}"#;
    assert_eq!(outcome.lines()[2], format!("PATCH {PATH}/a application/merge-patch+json {unified}"));
}

fn revision(number: i64, image: &str, owner: &str) -> Value {
    json!({"metadata": {"name": format!("a-{number}"), "annotations": {"rollout.argoproj.io/revision": number.to_string()},
            "ownerReferences": [{"uid": owner, "controller": true}]},
        "spec": {"template": {"metadata": {"labels": {"app": "a", "rollouts-pod-template-hash": "h"}},
            "spec": {"containers": [{"name": "c", "image": image, "imagePullPolicy": "Always"}]}}}})
}

fn with_template(image: &str) -> Value {
    rollout(
        json!({"selector": {"matchLabels": {"app": "a", "tier": "b"}}, "strategy": {"canary": {}},
        "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": image}]}}}),
        json!({}),
    )
}

#[tokio::test]
async fn undo_restores_the_revision_before() {
    let sets = json!({"items": [revision(1, "i:1", "u"), revision(3, "i:3", "u"), revision(2, "i:2", "u"), revision(9, "x", "other")]});
    let outcome = run("siskin undo a", vec![(200, with_template("i:3")), (200, sets.clone()), (200, json!({}))]).await;
    let lines = outcome.lines();
    assert_eq!(lines[1], "GET /apis/apps/v1/namespaces/ns/replicasets?limit=500&labelSelector=app%3Da%2Ctier%3Db");
    assert!(lines[2].starts_with(&format!("PATCH {PATH}/a application/json-patch+json ")), "{}", lines[2]);
    assert_eq!(
        outcome.sent[2].1,
        json!([{"op": "replace", "path": "/spec/template", "value": {"metadata": {"labels": {"app": "a"}},
            "spec": {"containers": [{"name": "c", "image": "i:2", "imagePullPolicy": "Always"}]}}}])
    );
    assert_eq!(outcome.stdout, "rollout 'a' undo\n");
    let outcome = run("siskin undo a --to-revision 3", vec![(200, with_template("i:3")), (200, sets.clone())]).await;
    assert_eq!(outcome.stdout, "skipped rollback (current template already matches revision 3)");
    for (flags, sets, message) in [
        (" --to-revision 7", sets, "Error: unable to find specified revision 7 in history\n"),
        ("", json!({"items": [revision(1, "i", "u")]}), "Error: no revision found for rollout \"a\"\n"),
    ] {
        let argv = format!("kubectl-argo-rollouts undo a{flags}");
        let outcome = run(&argv, vec![(200, with_template("i:3")), (200, sets)]).await;
        assert_eq!(outcome.stderr, message);
    }
}

#[tokio::test]
async fn set_image_keeps_unknown_fields_and_tries_again() {
    let mut stored = with_template("i:1");
    stored["spec"]["fromTheFuture"] = json!({"x": 1});
    let conflict = status(409, "Conflict", "the object has been modified", "a");
    let answers = vec![(200, stored.clone()), (200, stored.clone()), conflict, (200, stored), (200, json!({}))];
    let outcome = run("siskin set image a c=i:2", answers).await;
    let (line, body) = outcome.sent.last().unwrap();
    assert_eq!(line, &format!("PUT {PATH}/a application/json"));
    assert_eq!(body["spec"]["template"]["spec"]["containers"][0]["image"], "i:2");
    assert_eq!((&body["spec"]["fromTheFuture"]["x"], &body["metadata"]["resourceVersion"]), (&json!(1), &json!("7")));
    assert_eq!(outcome.stdout, "rollout \"a\" image updated\n");
    let outcome = run("siskin set image a d=i:2", vec![(200, with_template("i")), (200, with_template("i"))]).await;
    assert_eq!(outcome.stderr, "Error: unable to find container named \"d\"\n  The template has: c\n");
    assert!(parse(["siskin", "set", "image", "a", "c=i=2"].iter().map(OsString::from)).is_err());
}

#[tokio::test]
async fn set_image_follows_a_workload() {
    let reference = json!({"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}});
    let deployment = json!({"metadata": {"name": "d"},
        "spec": {"template": {"spec": {"initContainers": [{"name": "i"}], "containers": [{"name": "c"}]}}}});
    let answers = vec![(200, rollout(reference, json!({}))), (200, deployment), (200, json!({}))];
    let outcome = run("siskin set image a *=i:2", answers).await;
    let (line, body) = outcome.sent.last().unwrap();
    assert_eq!(line, "PUT /apis/apps/v1/namespaces/ns/deployments/d application/json");
    assert_eq!(body["spec"]["template"]["spec"]["initContainers"][0]["image"], "i:2");
    assert_eq!(outcome.stdout, "deployment \"d\" image updated\n");
}

#[tokio::test]
async fn get_reads_what_surrounds_a_rollout() {
    let nothing = || (200, json!({"items": []}));
    let forbidden = status(403, "Forbidden", "no", "");
    let answers = vec![(200, canary(false, json!({"phase": "Healthy"}))), nothing(), forbidden, nothing(), nothing()];
    let outcome = run("siskin get a --no-color", answers).await;
    assert!(outcome.stdout.starts_with("Name:            a\n"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("cannot list pods"), "{}", outcome.stderr);
    let lines = outcome.lines();
    assert_eq!(lines[0], format!("GET {PATH}/a"));
    assert_eq!(lines[2], "GET /api/v1/namespaces/ns/pods?limit=500");
    assert_eq!(lines.len(), 5);
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let page = |name: &str, next: &str| {
        (
            200,
            json!({"items": [{"metadata": {"name": name, "namespace": "ns"}, "spec": {}}], "metadata": {"continue": next}}),
        )
    };
    let outcome = run("siskin list rollouts -A", vec![page("b", "token"), page("a", "")]).await;
    assert_eq!(
        outcome.lines(),
        [
            "GET /apis/argoproj.io/v1alpha1/rollouts?limit=500",
            "GET /apis/argoproj.io/v1alpha1/rollouts?limit=500&continue=token",
        ]
    );
    assert!(outcome.stdout.find("\nns         a ") < outcome.stdout.find("\nns         b "), "{}", outcome.stdout);
}

#[tokio::test]
async fn says_where_a_rollout_of_that_name_is() {
    let none = (200, json!({"items": []}));
    let elsewhere = (200, json!({"items": [{"metadata": {"name": "a", "namespace": "shop"}}]}));
    let outcome = run("siskin get a", vec![missing("a"), none, elsewhere]).await;
    let expected = "Error: rollout.argoproj.io \"a\" not found\n  Namespace ns has none of this name, but there is one in: shop\n  Choose it with -n shop\n";
    assert_eq!(outcome.stderr, expected);
    let here = (200, json!({"items": [{"metadata": {"name": "checkout", "namespace": "ns"}}]}));
    let outcome = run("siskin get chekout", vec![missing("chekout"), here, status(403, "Forbidden", "no", "")]).await;
    assert!(outcome.stderr.ends_with("  Did you mean \"checkout\"?\n"), "{}", outcome.stderr);
    let outcome = run("kubectl-argo-rollouts get rollout a", vec![missing("a")]).await;
    assert_eq!(outcome.stderr, "Error: rollout.argoproj.io \"a\" not found\n");
}

#[tokio::test]
async fn explains_a_missing_definition_and_a_missing_right() {
    let outcome = run("siskin list rollouts", vec![(404, json!("404 page not found\n"))]).await;
    assert!(outcome.stderr.contains("siskin crds | kubectl apply"), "{}", outcome.stderr);
    let outcome = run("siskin get a", vec![(404, json!("404 page not found\n"))]).await;
    assert!(outcome.stderr.contains("siskin crds | kubectl apply"), "{}", outcome.stderr);
    let outcome =
        run("siskin pause a", vec![status(403, "Forbidden", "rollouts.argoproj.io \"a\" is forbidden", "a")]).await;
    assert!(outcome.stderr.contains("kubectl auth can-i patch rollouts.argoproj.io -n ns"), "{}", outcome.stderr);
}

#[tokio::test]
async fn explains_a_cluster_that_does_not_answer() {
    let service = tower::service_fn(|_: Request<Body>| async {
        Err::<Response<Body>, _>(std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused"))
    });
    let mut session = Session::captured(Dialect::Siskin, Cluster::new(kube::Client::new(service, "ns"), "ns"));
    let (_, _, verb) = parse(["siskin", "pause", "a"].iter().map(OsString::from)).unwrap();
    let failure = verb.run(&mut session).await.unwrap_err().render(Dialect::Siskin);
    assert!(failure.contains("connection refused") && failure.contains("kubectl cluster-info"), "{failure}");
}

#[tokio::test]
async fn version_names_the_binary() {
    assert!(run("siskin version --short", vec![]).await.stdout.starts_with("siskin: v"));
    assert!(run("/usr/bin/kubectl-argo-rollouts version", vec![]).await.stdout.starts_with("kubectl-argo-rollouts: v"));
}

#[tokio::test]
async fn status_waits_for_an_end() {
    let one = |status: Value| (200, json!({"metadata": {"resourceVersion": "9"}, "items": [canary(false, status)]}));
    let stored = || (200, canary(false, json!({})));
    let outcome = run("siskin status a", vec![stored(), one(json!({"phase": "Healthy"}))]).await;
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("Healthy\n", ""));
    assert!(outcome.lines()[1].contains("fieldSelector=metadata.name%3Da"), "{:?}", outcome.lines());
    let degraded = json!({"phase": "Degraded", "message": "why"});
    let outcome = run("siskin status a", vec![stored(), one(degraded)]).await;
    assert_eq!(outcome.stdout, "Degraded - why\n");
    assert_eq!(outcome.stderr, "Error: The rollout is in a degraded state with message: why\n");
    let paused = json!({"phase": "Paused", "message": "CanaryPauseStep"});
    let outcome = run("siskin status a -t 1200ms", vec![stored(), one(paused)]).await;
    assert_eq!(outcome.stdout, "Paused - CanaryPauseStep\n");
    assert_eq!(outcome.stderr, "Error: Rollout status watch exceeded timeout\n");
}

#[tokio::test]
async fn get_draws_again_each_second() {
    let stored = (200, canary(false, json!({"phase": "Healthy"})));
    let list = |items: Value| (200, json!({"metadata": {"resourceVersion": "9"}, "items": items}));
    let rollouts = json!([canary(false, json!({"phase": "Healthy"}))]);
    // Lists are asked for in the order in which the kinds are followed.
    let answers = vec![stored, list(rollouts), list(json!([])), list(json!([])), list(json!([])), list(json!([]))];
    let outcome = run("siskin get a -w --no-color --timeout-seconds 2", answers).await;
    let drawn = outcome.stdout.matches("\u{1b}[H\u{1b}[2J").count();
    assert!((1..=3).contains(&drawn), "{drawn}: {}", outcome.stdout);
    assert!(outcome.stdout.contains("Name:            a\n"), "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "");
}

#[tokio::test]
async fn judges_an_audit_log() {
    let user = "system:serviceaccount:argo-rollouts:argo-rollouts";
    let event = |user: &str, uri: &str, body: Value| {
        let resource = if body["kind"] == "Rollout" { "rollouts" } else { "services" };
        // Server-side apply makes objects with a patch.
        let version = body["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        let code = if version == "9" { 200 } else { 201 };
        // One after the other.
        let time = format!("2026-11-21T12:00:00.00000{version}Z");
        json!({
            "kind": "Event", "level": "RequestResponse", "stage": "ResponseComplete", "verb": "patch", "requestURI": uri,
            "user": {"username": user}, "responseStatus": {"code": code}, "responseObject": body,
            "objectRef": {"resource": resource, "namespace": "shop", "name": body["metadata"]["name"]},
            "requestReceivedTimestamp": time, "stageTimestamp": time,
        })
        .to_string()
    };
    let rollout = json!({
        "kind": "Rollout", "metadata": {"name": "shop", "namespace": "shop", "uid": "r", "resourceVersion": "1"},
        "spec": {"replicas": 1, "strategy": {"blueGreen": {"activeService": "shop"}}, "selector": {"matchLabels": {"app": "shop"}}},
    });
    let service = |version: &str, hash: &str| {
        json!({
            "kind": "Service", "metadata": {"name": "shop", "namespace": "shop", "uid": "s", "resourceVersion": version},
            "spec": {"selector": {"app": "shop", "rollouts-pod-template-hash": hash}},
        })
    };
    let path = std::env::temp_dir().join(format!("siskin-audit-{}.log", std::process::id()));
    let log =
        [event("ann", "/r", rollout), event("ann", "/s", service("2", "old")), event(user, "/s", service("9", "new"))];
    std::fs::write(&path, log.join("\n")).unwrap();
    let file = path.clone();
    let path = path.display();
    let outcome = run(&format!("siskin check-trace {path}"), vec![]).await;
    assert!(
        outcome.stdout.starts_with(
            "I02 broken at 2026-11-21T12:00:00Z in namespace shop by rollouts-controller of Service shop\n"
        ),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome.stdout.contains(&format!(
            "    {path}:3\n1 promise broken: 1 writes of the controller judged, of 3 to 1 Rollouts"
        )),
        "{}",
        outcome.stdout
    );
    let outcome = run(&format!("siskin check-trace {path} --output json"), vec![]).await;
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&told["violations"], &told["broken"][0]["id"]), (&json!(1), &json!("I02")));
    let outcome = run(&format!("siskin check-trace {path} --controller system:nobody"), vec![]).await;
    assert!(
        outcome.stderr.starts_with("Error: the log has no write of system:nobody in 3 lines\n"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("most first: ann (2), "), "{}", outcome.stderr);
    std::fs::remove_file(file).unwrap();
    let outcome = run("siskin check-trace --policy", vec![]).await;
    assert!(outcome.stdout.contains("kind: Policy"));
    let outcome = run("siskin check-trace /nowhere/audit.log", vec![]).await;
    assert!(outcome.stderr.starts_with("Error: cannot read /nowhere/audit.log: No such file"), "{}", outcome.stderr);
}
