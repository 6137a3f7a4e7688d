use serde_json::json;

use super::*;

fn field(path: &str) -> AnalysisRunArgument {
    serde_json::from_value(json!({"name": path, "valueFrom": {"fieldRef": {"fieldPath": path}}})).unwrap()
}

fn resolved(paths: &[&str]) -> RolloutArgs {
    let args: Vec<AnalysisRunArgument> = paths.iter().map(|path| field(path)).collect();
    let rollout = json!({"metadata": {"name": "web"}, "spec": {"replicas": 3}});
    rollout_args(&args, &rollout, Hashes { stable: "s", latest: "l" })
}

#[test]
fn a_field_that_is_missing_is_an_error_only_at_creation() {
    let missing = resolved(&["spec.replicas", "spec.none"]);
    assert_eq!(missing.args[1].value.as_deref(), Some(""));
    assert_eq!(missing.at_creation().unwrap_err().to_string(), "invalid path spec.none in rollout");
    // The reference forgets the error once a later field is found.
    assert!(resolved(&["spec.none", "spec.replicas"]).at_creation().is_ok());
    assert!(resolved(&["spec.none", "metadata.name"]).at_creation().is_ok());
}

#[test]
fn a_wrong_metadata_path_leaves_no_argument_at_all() {
    let wrong = resolved(&["spec.replicas", "metadata.odd", "metadata.name"]);
    assert!(wrong.args.is_empty());
    assert_eq!(wrong.at_creation().unwrap_err().to_string(), "unsupported fieldPath: metadata.odd");
}

#[test]
fn an_experiment_tells_of_its_templates_only_what_is_there() {
    let experiment: Experiment =
        serde_json::from_value(json!({"spec": {"duration": "1m", "templates": [{"name": "a.b"}]}})).unwrap();
    let sets = BTreeMap::from([("a.b".to_owned(), ExperimentReplicaSet { name: "e-a", hash: "h" })]);
    let value = |text: &str| {
        let arg = Argument { name: "x".to_owned(), value: Some(text.to_owned()), value_from: None };
        experiment_args(&[arg], &experiment, &sets)
            .map(|args| args[0].value.clone().unwrap())
            .map_err(|e| e.to_string())
    };
    assert_eq!(value("{{templates.a.b.podTemplateHash}}"), Ok("h".to_owned()));
    assert_eq!(value("{{templates.a.b.replicaset.name}}!"), Ok("e-a!".to_owned()));
    for tag in ["experiment.availableAt", "experiment.finishedAt", "templates.c.podTemplateHash", "templates.a.b"] {
        assert_eq!(value(&format!("{{{{{tag}}}}}")), Err(format!("failed to resolve {{{{{tag}}}}}")));
    }
    assert!(value("{{x").unwrap_err().starts_with("Cannot find end tag"));
}
