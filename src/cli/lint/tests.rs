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
        .filter(|finding| finding.sort != finding::Sort::Rule)
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
