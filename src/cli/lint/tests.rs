use super::documents::documents;
use super::*;

const MANIFEST: &str = "\
apiVersion: v1
kind: Service
metadata: {name: web}
---
# a canary
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: checkout
spec:
  replicas: '3'
  selector:
    matchLabels: {app: checkout}
  template:
    metadata:
      labels: {app: checkout}
    spec:
      containers:
      - name: web
        image: web:1
        imagePullPolice: Always
  strategy:
    canary:
      steps:
      - setWeigth: 20
      - pause: {durations: 1m}
      maxsurge: 1
      trafficRouting:
        istio:
          virtualService:
            name: web
            route: [primary]
---
---
apiVersion: argoproj.io/v1alpha1
kind: Rolout
";

fn lint(text: &str) -> Vec<String> {
    let found = findings(&documents("r.yaml", text).unwrap());
    found
        .iter()
        .filter(|finding| finding.sort != Sort::Rule)
        .map(|finding| format!("{}:{} {} ({})", finding.line, finding.path, finding.message, finding.fix))
        .collect()
}

#[test]
fn finds_what_is_misspelt_and_says_where() {
    let mut found = lint(MANIFEST);
    found.sort();
    assert_eq!(
        found,
        [
            "11:spec.replicas expected a whole number, found the text \"3\" ()",
            "21:spec.template.spec.containers[0].imagePullPolice unknown field (did you mean \"imagePullPolicy\"?)",
            "25:spec.strategy.canary.steps[0].setWeigth unknown field (did you mean \"setWeight\"?)",
            "26:spec.strategy.canary.steps[1].pause.durations unknown field (did you mean \"duration\"?)",
            "27:spec.strategy.canary.maxsurge unknown field (did you mean \"maxSurge\"?)",
            "32:spec.strategy.canary.trafficRouting.istio.virtualService.route unknown field (did you mean \"routes\"?)",
            "36:kind unknown kind \"Rolout\" (did you mean \"Rollout\"?)",
        ]
    );
}

#[test]
fn a_field_at_the_wrong_level_is_sent_home() {
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec:\n  strategy:\n    canary:\n      replicas: 2\n";
    let found = lint(text);
    assert!(
        found.iter().any(|line| line.contains("\"replicas\" is a field of spec: check the indentation")),
        "{found:?}"
    );
}

#[test]
fn reads_json_lists_and_says_where_yaml_is_broken() {
    let item = r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"AnalysisTemplate","spec":{"metric":[]}}"#;
    let found = lint(&format!(r#"{{"apiVersion":"v1","kind":"List","items":[{item},{item}]}}"#));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("did you mean \"metrics\"?"));
    let error = documents("r.yaml", "a: 1\n---\nb: [1\n").unwrap_err().to_string();
    assert!(error.contains("r.yaml") && (error.contains("line 3") || error.contains("line 4")), "{error}");
}

#[test]
fn a_good_manifest_of_each_kind_passes() {
    for text in [
        "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {name: t}\nspec:\n  metrics:\n  - name: m\n    successCondition: result[0] > 1\n    provider: {prometheus: {address: a, query: q}}\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: Experiment\nmetadata: {name: e}\nspec:\n  templates:\n  - name: a\n    selector: {matchLabels: {a: b}}\n    template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}\n",
    ] {
        assert_eq!(lint(text), Vec::<String>::new());
    }
}

fn rules(text: &str) -> Vec<String> {
    let found = findings(&documents("r.yaml", text).unwrap());
    found
        .iter()
        .map(|finding| format!("{}:{}: {} ({})", finding.line, finding.path, finding.message, finding.fix))
        .collect()
}

const CANARY: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: i}]}
  strategy:
    canary:
      canaryService: web-canary
      stableService: web-stable
      steps:
      - setWeight: 120
---
apiVersion: v1
kind: Service
metadata: {name: web-canary}
spec:
  selector: {app: shop}
";

#[test]
fn holds_a_rollout_against_the_rules_and_its_services() {
    let found = rules(CANARY);
    assert_eq!(
        found,
        [
            "15:spec.strategy.steps[0].setWeight: Invalid value: 120: SetWeight needs to be between 0 and 100 (write a percentage, or set trafficRouting.maxTrafficWeight)",
            "12:spec.strategy.canary.canaryService: Invalid value: \"web-canary\": Service \"web-canary\" has unmatch label \"app\" in rollout (make the Service's selector match the labels of the pod template)",
        ]
    );
    let strict = CANARY
        .replace("setWeight: 120", "setWeight: 20")
        .replace("      steps:", "      trafficRouting: {}\n      steps:");
    let found = findings(&documents("r.yaml", &strict).unwrap());
    assert!(
        found.iter().any(|finding| finding.sort == Sort::Strict && finding.path.ends_with("trafficRouting")),
        "{found:?}"
    );
}

#[test]
fn samples_and_vectors_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(rules(&text), Vec::<String>::new(), "{}", path.display());
        files += 1;
    }
    assert!(files >= 4);
}

fn run(dialect: Dialect, text: &str) -> (String, String) {
    let file = std::env::temp_dir().join(format!("siskin-lint-{}-{}.yaml", std::process::id(), text.len()));
    std::fs::write(&file, text).unwrap();
    let service = tower::service_fn(|_: http::Request<kube::client::Body>| async {
        Err::<http::Response<kube::client::Body>, _>(std::io::Error::other("lint needs no cluster"))
    });
    let cluster = crate::cli::client::Cluster::new(kube::Client::new(service, "ns"), "ns");
    let mut session = Session::captured(dialect, cluster);
    let outcome = Lint { filename: vec![file.clone()], output: None }.run(&mut session);
    std::fs::remove_file(file).unwrap();
    let (stdout, mut stderr) = session.console.written();
    if let Err(failure) = outcome {
        stderr.push_str(&failure.render(dialect));
    }
    (stdout, stderr)
}

#[tokio::test]
async fn speaks_both_dialects() {
    let (stdout, stderr) = run(Dialect::Argo, CANARY);
    assert_eq!(stdout.lines().count(), 2, "{stdout}");
    assert!(stdout.starts_with("Invalid value: 120: SetWeight needs"), "{stdout}");
    assert_eq!(
        stderr,
        "Error: spec.strategy.steps[0].setWeight: Invalid value: 120: SetWeight needs to be between 0 and 100\n"
    );
    let misspelt = CANARY.replace("steps:", "step:");
    let (stdout, stderr) = run(Dialect::Argo, &misspelt);
    let expected = "Error: error unmarshaling JSON: while decoding JSON: json: unknown field \"step\"\n";
    assert_eq!((stdout.as_str(), stderr.as_str()), ("", expected));
    let (stdout, stderr) = run(Dialect::Siskin, &misspelt);
    assert!(
        stdout.contains(
            ".yaml:14: Rollout web: spec.strategy.canary.step: unknown field\n    fix: did you mean \"steps\"?"
        ),
        "{stdout}"
    );
    assert!(stderr.ends_with("problems found\n"), "{stderr}");
    let good = CANARY.replace("120", "20").replace("app: shop", "app: web");
    assert_eq!(run(Dialect::Argo, &good), (String::new(), String::new()));
}

#[test]
fn objects_are_judged_together() {
    let rollout = |name: &str, rest: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: {name}}}\nspec:\n{rest}  strategy:\n    \
             canary:\n      stableService: shop\n      canaryService: {name}-canary\n      trafficRouting: {{gatewayAPI: {{httpRoute: r}}}}\n"
        )
    };
    let autoscaler = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: size}\nspec: \
                      {scaleTargetRef: {kind: Rollout, name: web}}\n";
    let mut files = documents("a.yaml", &format!("{}---\n{autoscaler}", rollout("web", "  replicas: 3\n"))).unwrap();
    files.extend(documents("b.yaml", &rollout("cart", "")).unwrap());
    let found = together::contested(&files);
    assert_eq!(
        found.iter().map(ToString::to_string).collect::<String>(),
        "b.yaml:7: Rollout cart: spec.strategy.canary.stableService: Service \"shop\" is also used by Rollout \"web\" of \
         a.yaml\n    fix: give each Rollout its own\n"
    );
    let warnings = together::warnings(&files);
    let paths: Vec<(usize, &str)> = warnings.iter().map(|found| (found.line, found.path.as_str())).collect();
    assert_eq!(paths, [(5, "spec.replicas"), (10, "spec.strategy.canary.trafficRouting")]);
    assert!(warnings.iter().all(|found| found.name == "web" && found.to_string().contains(": warning: HorizontalPod")));
    let mut dynamic = files;
    dynamic[0].value["spec"]["strategy"]["canary"]["dynamicStableScale"] = serde_json::json!(true);
    dynamic[0].value["spec"].as_object_mut().unwrap().remove("replicas");
    let left: Vec<String> = together::warnings(&dynamic).into_iter().map(|found| found.fix).collect();
    assert_eq!(left, ["set it once with `kubectl scale rollout web --replicas=N`"]);
}
