use super::*;
use serde::Deserialize;

fn rollout(spec: &Value) -> Rollout {
    let value = json!({"metadata": {"name": "web", "namespace": "prod"}, "spec": spec});
    Rollout::deserialize(&value).unwrap()
}

fn workload(value: &Value) -> Workload {
    Workload::deserialize(value).unwrap()
}

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image}]}})
}

#[test]
fn three_kinds_have_a_template() {
    let cases = [
        ("apps/v1", "Deployment", "deployments.apps \"d\" not found"),
        ("apps/v1beta1", "ReplicaSet", "replicasets.apps \"d\" not found"),
        ("v1", "PodTemplate", "podtemplates \"d\" not found"),
        ("apps/v1", "StatefulSet", "workload of type apps/StatefulSet is not supported"),
        ("v1", "Deployment", "workload of type /Deployment is not supported"),
    ];
    for (api_version, kind, told) in cases {
        let rollout = rollout(&json!({"workloadRef": {"apiVersion": api_version, "kind": kind, "name": "d"}}));
        let found = referenced(&rollout).unwrap();
        assert_eq!(found.as_ref().map_or_else(Clone::clone, not_found), told);
    }
    assert!(referenced(&rollout(&json!({}))).is_none());
}

#[test]
fn a_template_beside_the_reference_is_not_followed() {
    let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
    let labelled = rollout(&json!({"workloadRef": reference, "template": template("web:1")}));
    assert!(referenced(&labelled).is_none());
    // As Argo looks at it: a template without labels and annotations is none.
    let bare = json!({"workloadRef": reference, "template": {"spec": {"containers": []}}});
    assert!(referenced(&rollout(&bare)).is_some_and(|found| found.is_ok()));
}

#[test]
fn template_and_selector_come_from_the_workload() {
    let selector = |app: &str| json!({"matchLabels": {"app": app}});
    let spec = json!({"strategy": {"canary": {}}, "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}});
    let deployment = workload(&json!({"spec": {"selector": selector("web"), "template": template("web:1")}}));
    let written = SpecDigest { steps_hash: "s".into(), unknown: vec!["spec.x".into()], ..SpecDigest::default() };

    let (resolved, digest) = resolve(&rollout(&spec), &written, &deployment);
    assert_eq!(resolved.spec.selector.unwrap().format(), "app=web");
    assert_eq!(digest.pod_hash, pod_template_hash(&template("web:1"), None));
    assert_eq!((digest.errors, digest.steps_hash, digest.unknown), (vec![], "s".to_owned(), vec!["spec.x".to_owned()]));

    // The Rollout's own selector stays, and has to match.
    let mut own = spec.clone();
    own["selector"] = selector("other");
    let (_, digest) = resolve(&rollout(&own), &written, &deployment);
    assert!(digest.errors[0].contains("`selector` does not match template `labels`"), "{:?}", digest.errors);

    // A PodTemplate has its template at the top, and no selector.
    let (resolved, digest) = resolve(&rollout(&spec), &written, &workload(&json!({"template": template("web:2")})));
    assert_eq!(resolved.spec.template.value(), template("web:2"));
    assert!(digest.errors[0].contains("`selector` does not match"), "{:?}", digest.errors);
}

#[test]
fn errors_of_the_template_are_told_with_its_path() {
    let spec = json!({"strategy": {"canary": {}}, "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}});
    let broken = json!({"metadata": {"labels": {"app": "web"}}, "spec": {}});
    let deployment = workload(&json!({"spec": {"selector": {"matchLabels": {"app": "web"}}, "template": broken}}));
    let (_, digest) = resolve(&rollout(&spec), &SpecDigest::default(), &deployment);
    assert_eq!(digest.errors, ["spec.template.spec.containers: Required value"]);
}
