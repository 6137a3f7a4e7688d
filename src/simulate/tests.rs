//! Whole simulations: the samples as people read them, and what is bad about bad input.
//!
//! `UPDATE=1` writes the texts below `src/simulate/tests` anew.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::fault::Fault;
use super::input::Problem;
use super::options::{Approval, Change};
use super::report::{Outcome, Report, chart, html, json, text};
use super::text::duration;
use super::{Input, Options, simulate};
use crate::cli::lint::documents;
use crate::cli::view::paint::Paint;
use crate::simulate::behaviour::Behaviour;
use crate::simulate::load::Users;

mod autoscaled;
mod lags;

const SAMPLES: &str = "config/samples";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A sample's text, changed by replacing.
fn sample(name: &str, changes: &[(&str, &str)]) -> String {
    let mut text = std::fs::read_to_string(root().join(SAMPLES).join(name)).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{name} has no {from:?}");
        text = text.replacen(from, to, 1);
    }
    text
}

fn run(name: &str, text: &str, options: &Options) -> Result<Report, Problem> {
    let all = documents(name, text).map_err(|failure| Problem::Said(failure.to_string()))?;
    Input::read(&all, options).and_then(|input| simulate(&input, options))
}

fn done(name: &str, text: &str, options: &Options) -> Report {
    run(name, text, options).unwrap_or_else(|problem| panic!("{problem:?}"))
}

/// The problems of bad input, as they are printed.
fn problems(text: &str, options: &Options) -> String {
    match run("rollout.yaml", text, options) {
        Ok(report) => panic!("no problem: {}", report.verdict.text),
        Err(Problem::Said(why)) => why,
        Err(Problem::Found(found)) => found.iter().map(ToString::to_string).collect(),
    }
}

fn faults(texts: &[&str]) -> Options {
    Options { faults: texts.iter().map(|text| Fault::parse(text).unwrap()).collect(), ..Options::default() }
}

fn behaving(said: &str) -> Options {
    Options { versions: vec![Behaviour::parse(said).unwrap()], ..Options::default() }
}

fn codes(report: &Report) -> Vec<&str> {
    report.warnings.iter().map(|warning| warning.code).collect()
}

/// Compares with what is checked in.
fn golden(name: &str, got: &str) {
    let path: PathBuf = root().join("src/simulate/tests").join(name);
    if std::env::var("UPDATE").is_ok() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, got).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(wanted == got, "{name} differs; UPDATE=1 writes it anew. Now it is:\n{got}");
}

fn golden_sample(name: &str, options: &Options, golden_name: &str) -> Report {
    let report = done(&format!("{SAMPLES}/{name}"), &sample(name, &[]), options);
    golden(golden_name, &text::render(&report, Paint::Plain));
    assert_eq!(report.total.lost, 0, "{name}");
    report
}

#[test]
fn a_basic_canary() {
    let report = golden_sample("basic-canary.yaml", &Options::default(), "basic-canary.txt");
    assert_eq!((report.verdict.outcome.exit(), codes(&report)), (0, vec!["NoAnalysis"]));
}

#[test]
fn a_blue_green() {
    let report = golden_sample("blue-green.yaml", &Options::default(), "blue-green.txt");
    assert_eq!(report.verdict.outcome, Outcome::Finished);
}

#[test]
fn what_the_files_put_before_a_service_is_on_the_way_to_it() {
    let ingress = "---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop }
spec:
  ingressClassName: alb
  defaultBackend: { service: { name: blue-green-active, port: { number: 80 } } }
";
    let mesh = "---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec:
  hosts: [blue-green-active]
  http: [{ route: [{ destination: { host: blue-green-active } }] }]
";
    let plain = sample("blue-green.yaml", &[]);
    let through = |what: &str| done("a.yaml", &format!("{plain}{what}"), &Options::default());
    let (bare, balanced, meshed) = (through(""), through(ingress), through(mesh));
    assert!(bare.head.users.ends_with(", through Service blue-green-active"), "{}", bare.head.users);
    assert!(balanced.head.users.ends_with("through the load balancer of Ingress shop"), "{}", balanced.head.users);
    assert!(
        meshed.head.users.ends_with("through the mesh's proxies, to Service blue-green-active"),
        "{}",
        meshed.head.users
    );
    assert_eq!((meshed.verdict.outcome, meshed.total.lost), (Outcome::Finished, 0));
    // The balancer lets the old targets go before it has found the new ones healthy.
    assert!(balanced.total.lost > 0 && balanced.verdict.outcome == Outcome::Finished);
}

#[test]
fn a_referenced_workload() {
    let report = golden_sample("canary-workload-ref.yaml", &Options::default(), "canary-workload-ref.txt");
    assert_eq!(report.verdict.outcome, Outcome::Finished);
}

#[test]
fn a_routed_canary_with_analysis_and_the_same_bytes_twice() {
    let report = golden_sample("canary-gateway-prometheus.yaml", &Options::default(), "canary-gateway-prometheus.txt");
    assert_eq!((report.verdict.outcome, codes(&report)), (Outcome::Finished, vec![]));
    let name = "config/samples/canary-gateway-prometheus.yaml";
    let again = done(name, &sample("canary-gateway-prometheus.yaml", &[]), &Options::default());
    for render in [json::render, chart::render, html::render] {
        assert!(render(&report) == render(&again), "the same seed gave something else");
    }
    let other = Options { seed: 2, ..Options::default() };
    let other = done(name, &sample("canary-gateway-prometheus.yaml", &[]), &other);
    assert!(json::render(&report) != json::render(&other), "the seed has no effect");
    let document: Value = serde_json::from_str(&json::render(&report)).unwrap();
    assert_eq!(document["verdict"]["outcome"], "finished");
    assert_eq!(document["totals"]["requests"]["lost"], 0);
    assert!(document["timeline"].as_array().unwrap().len() > 20);
}

#[test]
fn a_bad_version_is_sent_back() {
    let options = behaving("canary:errors=5%,latency=2x,start=30s");
    let report = golden_sample("canary-gateway-prometheus.yaml", &options, "canary-bad-version.txt");
    assert_eq!((report.verdict.outcome, report.verdict.outcome.exit()), (Outcome::Aborted, 2));
    assert!(report.sums.before_abort.new.errors > 0);
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&text::render(&report, Paint::Plain)), "the README shows another simulation");
    assert_eq!(report.total.old.errors, 0);
}

#[test]
fn an_autoscaler_follows_a_spike() {
    let users = Users::profile("rate: 200rps\nspike: {at: 1m, lasting: 2m, factor: 2}").unwrap();
    let options = Options { users, ..Options::default() };
    let report = golden_sample("canary-autoscaled.yaml", &options, "canary-autoscaled.txt");
    assert_eq!(report.verdict.outcome, Outcome::Finished);
    assert!(codes(&report).contains(&"ReplicasOfTwoMasters") && codes(&report).contains(&"UnevenTraffic"));
    let unset = sample("canary-autoscaled.yaml", &[("  replicas: 3\n", "")]);
    assert!(codes(&done("a.yaml", &unset, &options)).contains(&"AutoscalerIdle"));
}

#[test]
fn bad_input_is_named_with_its_place() {
    let options = Options::default();
    let unknown = sample("basic-canary.yaml", &[("setWeight: 20", "setWeigth: 20")]);
    let told = problems(&unknown, &options);
    assert!(
        told.starts_with("rollout.yaml:35: Rollout basic-canary: spec.strategy.canary.steps[0].setWeigth: unknown")
    );
    assert!(told.contains("did you mean \"setWeight\"?"));
    let template =
        sample("canary-gateway-prometheus.yaml", &[("templateName: success-rate", "templateName: sucess-rate")]);
    let told = problems(&template, &options);
    assert!(told.contains("templates[0].templateName: AnalysisTemplate \"sucess-rate\" is not in the files"), "{told}");
    assert!(told.starts_with("rollout.yaml:42:") && told.contains("did you mean \"success-rate\"?"), "{told}");
    let service =
        sample("canary-gateway-prometheus.yaml", &[("stableService: checkout-stable", "stableService: stable")]);
    let told = problems(&service, &options);
    assert!(told.starts_with("rollout.yaml:33:") && told.contains("Service \"stable\" is not in the files"), "{told}");
    let route = sample("canary-gateway-prometheus.yaml", &[("httpRoute: checkout", "httpRoute: chekout")]);
    let told = problems(&route, &options);
    assert!(told.starts_with("rollout.yaml:38:") && told.contains("HTTPRoute \"chekout\""), "{told}");
    let workload = sample("canary-workload-ref.yaml", &[("    name: cart\n", "    name: card\n")]);
    assert!(problems(&workload, &options).contains("spec.workloadRef.name: Deployment \"card\" is not in the files"));
    let stuck = sample("basic-canary.yaml", &[("maxSurge: 1", "maxSurge: 0"), ("replicas: 5", "replicas: 1")]);
    assert!(problems(&stuck, &options).contains("MaxSurge and MaxUnavailable both can not be zero"));
    let provider = sample(
        "canary-gateway-prometheus.yaml",
        &[
            ("      prometheus:\n", "      datadog:\n"),
            ("        address: http://prometheus.monitoring.svc:9090\n", ""),
        ],
    );
    let told = problems(&provider, &options);
    assert!(told.contains("provider.datadog is not supported yet") && told.starts_with("rollout.yaml:"), "{told}");
    assert!(problems("kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n", &options).contains("no Rollout"));
}

#[test]
fn bad_options_are_named() {
    let text = sample("basic-canary.yaml", &[]);
    let image = |container: &str, image: &str| Options {
        change: Change::Image { container: container.to_owned(), image: image.to_owned() },
        ..Options::default()
    };
    assert!(problems(&text, &image("wep", "x:1")).contains("did you mean \"web\"?"));
    assert!(
        problems(&text, &image("web", "nginxinc/nginx-unprivileged:1.27-alpine")).contains("the same as the old one")
    );
    let broken = behaving("stable:pods=never-ready");
    assert!(
        problems(&text, &broken).contains("the first version is not healthy after 1 h"),
        "{}",
        problems(&text, &broken)
    );
}

#[test]
fn a_patch_is_the_new_version() {
    let patch =
        serde_json::json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}}});
    let options = Options { change: Change::Patch { file: "p.yaml".to_owned(), patch }, ..Options::default() };
    let report = done("a.yaml", &sample("basic-canary.yaml", &[]), &options);
    assert_eq!((report.head.new_images, report.verdict.outcome), (vec!["web:2".to_owned()], Outcome::Finished));
}

#[test]
fn steps_that_never_end_have_a_verdict() {
    let text = sample("basic-canary.yaml", &[]);
    let report = done("a.yaml", &text, &Options { approval: Approval::Never, ..Options::default() });
    assert_eq!((report.verdict.outcome, report.verdict.outcome.exit()), (Outcome::Waiting, 2));
    assert!(
        report.verdict.text.contains("at step 2 (pause until approved) it waits for a person"),
        "{}",
        report.verdict.text
    );
    let until = Options { until: Some(duration("4m").unwrap()), ..Options::default() };
    let report = done("a.yaml", &sample("canary-gateway-prometheus.yaml", &[]), &until);
    assert_eq!((report.verdict.outcome, report.verdict.outcome.exit()), (Outcome::Unfinished, 2));
    assert!(report.verdict.text.contains("its pause is not over"), "{}", report.verdict.text);
    // A year of quiet costs next to nothing, and loses no request.
    let year =
        done("a.yaml", &sample("basic-canary.yaml", &[("duration: 1m", "duration: 8760h")]), &Options::default());
    let (took, sent) = (year.verdict.at.unwrap().as_secs(), year.total.total());
    assert_eq!((year.verdict.outcome, year.total.lost), (Outcome::Finished, 0));
    assert!(took > 365 * 86_400 && sent >= took * 100 && sent < (took + 600) * 100, "{took} s, {sent} requests");
    let pods = Options { until: Some(duration("20m").unwrap()), ..behaving("canary:pods=never-ready") };
    let report = done("a.yaml", &text, &pods);
    assert_eq!(report.verdict.outcome, Outcome::Unfinished);
    assert!(report.rows.iter().any(|row| row.text.contains("progress deadline")), "{:?}", report.verdict);
}

#[test]
fn one_replica_gets_half_of_the_traffic_and_says_so() {
    let report = done("a.yaml", &sample("basic-canary.yaml", &[("replicas: 5", "replicas: 1")]), &Options::default());
    assert_eq!(report.verdict.outcome, Outcome::Finished);
    let coarse = report.warnings.iter().find(|warning| warning.code == "CoarseWeight").unwrap();
    assert!(coarse.text.starts_with("step 1 asks for 20 % and gets 50 %") && coarse.place == "a.yaml:35", "{coarse:?}");
}

#[test]
fn a_query_that_the_model_cannot_answer_is_no_success() {
    let query = [(
        "sum(rate(http_requests_total{service=\"{{args.service}}\",code!~\"5..\"}[1m]))",
        "sum(rate(orders_total[1m]))",
    )];
    let report = done("a.yaml", &sample("canary-gateway-prometheus.yaml", &query), &Options::default());
    let gap = report.warnings.iter().find(|warning| warning.code == "QueryNotModelled").unwrap();
    for part in ["metric success-rate of template success-rate", "no series orders_total", "count as inconclusive"] {
        assert!(gap.text.contains(part), "{}", gap.text);
    }
    assert_ne!(report.verdict.outcome, Outcome::Finished);
}

#[test]
fn faults_do_what_they_say() {
    let text = sample("canary-gateway-prometheus.yaml", &[]);
    let with = |fault: &str| done("a.yaml", &text, &faults(&[fault]));
    let late = with("gateway-lag=30s");
    assert_eq!((late.verdict.outcome, late.total.lost), (Outcome::Finished, 0));
    assert!(late.verdict.at.unwrap() > duration("13m").unwrap(), "{:?}", late.verdict);
    let refused = with("gateway-refuses@1m..9m");
    assert_eq!((refused.verdict.outcome, refused.total.lost), (Outcome::Finished, 0));
    assert!(refused.verdict.at.unwrap() > duration("17m").unwrap(), "{:?}", refused.verdict);
    let down = with("prometheus-down@90s..4m");
    assert_eq!(down.verdict.outcome, Outcome::Aborted);
    assert!(down.verdict.text.contains("connection refused"), "{}", down.verdict.text);
    let node = with("node-loss@90s");
    assert!(node.total.lost > 500 && codes(&node).contains(&"RequestsLost"), "{}", node.total.lost);
    let shaky = done("a.yaml", &text, &faults(&["api-errors=20%", "controller-crash@1m", "image-pull=canary:20s"]));
    assert_eq!((shaky.verdict.outcome, shaky.total.lost), (Outcome::Finished, 0));
    assert!(shaky.notes.iter().any(|note| note.contains("has refused")));
}

#[test]
fn pictures_and_pages_are_safe_and_whole() {
    let hostile = [("image: nginxinc/nginx-unprivileged:1.27-alpine", "image: 'x:<script>&\"'")];
    let report = done("a.yaml", &sample("basic-canary.yaml", &hostile), &Options::default());
    for drawn in [chart::render(&report), html::render(&report)] {
        assert!(!drawn.contains("<script") && drawn.contains("&lt;script&gt;&amp;&quot;"), "{drawn}");
    }
    let drawn = chart::render(&report);
    assert!(drawn.starts_with("<svg xmlns=") && drawn.ends_with("</svg>\n"));
    for part in ["pause 1 min", "share of the traffic", "old version", "prefers-color-scheme:dark", ">2:00<"] {
        assert!(drawn.contains(part), "{part}");
    }
    for tag in ["text", "svg", "style", "title"] {
        assert_eq!(drawn.matches(&format!("<{tag}")).count(), drawn.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

/// Numbers of replicas that an autoscaler has given a Rollout, in order.
fn sizes(report: &Report) -> Vec<i64> {
    let mut sizes: Vec<i64> = report.samples.iter().map(|sample| sample.state.replicas).collect();
    sizes.dedup();
    sizes
}

/// I21: under a constant load the autoscaler and the release come to rest at one size, and never turn back.
#[test]
fn an_autoscaler_and_a_release_do_not_chase_each_other() {
    // 60 requests a second are all of a pod, and 70 % of that is wanted: 8 pods for 300.
    const WANTED: i64 = 8;
    let behaviours = ["stable:capacity=60rps", "canary:capacity=60rps"];
    let versions = behaviours.iter().map(|said| Behaviour::parse(said).unwrap()).collect();
    let options = Options { users: Users::profile("rate: 300rps").unwrap(), versions, ..Options::default() };
    let routed =
        sample("canary-autoscaled.yaml", &[("      steps:\n", "      dynamicStableScale: true\n      steps:\n")]);
    let steps = "      steps:\n      - setWeight: 20\n      - pause:\n          duration: 3m\n      - setWeight: 60\n      - pause:\n          duration: 3m\n";
    let head = "    canary:\n      stableService: search-stable\n      canaryService: search-canary\n      trafficRouting:\n        plugins:\n          argoproj-labs/gatewayAPI:\n            httpRoute: search\n";
    let plain = sample("canary-autoscaled.yaml", &[(head, "    canary:\n")]);
    let blue_green = format!("{head}{steps}");
    let switch = "    blueGreen:\n      activeService: search-stable\n      previewService: search-canary\n      autoPromotionSeconds: 180\n";
    let blue_green = sample("canary-autoscaled.yaml", &[(&blue_green, switch)]);
    for (name, text) in [("dynamicStableScale", routed), ("no router", plain), ("blue-green", blue_green)] {
        let report = done("a.yaml", &text, &options);
        assert_eq!((report.verdict.outcome, report.total.lost), (Outcome::Finished, 0), "{name}");
        let sizes = sizes(&report);
        let mut left = sizes.clone();
        left.sort_unstable();
        left.dedup();
        assert_eq!(left.len(), sizes.len(), "{name}: a size that was left came again: {sizes:?}");
        assert!(sizes.last().is_none_or(|last| (last - WANTED).abs() <= 1), "{name}: {sizes:?}");
        assert!(sizes.iter().all(|size| size - WANTED <= 1), "{name}: {sizes:?}");
    }
}
