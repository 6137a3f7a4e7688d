use super::*;
use serde_json::json;

const VECTORS: &str = include_str!("../../../../tests/vectors/podhash.jsonl");

#[test]
fn vectors_of_hashes_and_hashed_texts_hold() {
    let (mut passed, mut total) = (0, 0);
    for line in VECTORS.split('\n').skip(1).filter(|line| !line.is_empty()) {
        let case: Value = serde_json::from_str(line).unwrap();
        let (input, want) = (&case["in"], &case["out"]);
        let (hash, canonical) = match case["kind"].as_str().unwrap() {
            "template" => {
                let collisions = input["collisionCount"].as_i64().map(|n| i32::try_from(n).unwrap());
                let template = &input["template"];
                (pod_template_hash(template, collisions), canonical_template_json(template))
            }
            "steps" => {
                let strategy = &input["strategy"];
                (steps_hash(strategy), canonical_steps_json(strategy).unwrap_or_default())
            }
            other => panic!("unknown kind {other}"),
        };
        total += 1;
        if want["hash"] == hash && want["canonical"] == canonical {
            passed += 1;
        } else {
            println!("case {}: {canonical}\n  want {}", case["n"], want["canonical"]);
        }
    }
    println!("podhash: {passed}/{total}");
    assert!(total > 0 && passed == total, "podhash: {passed} of {total}");
}

#[test]
fn documented_hashes_hold() {
    let template = |tag: &str| {
        json!({"metadata": {"labels": {"app": "rollouts-demo"}}, "spec": {"containers": [{
            "name": "rollouts-demo", "image": format!("argoproj/rollouts-demo:{tag}"),
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "5m", "memory": "32Mi"}}}]}})
    };
    assert_eq!(pod_template_hash(&template("blue"), None), "5cd66ff7ff");
    assert_eq!(pod_template_hash(&template("yellow"), None), "76ddfb4f47");
    assert_eq!(pod_template_hash(&template("red"), None), "64fbcbbd74");
    assert_eq!(steps_hash(&json!({"canary": {"steps": [{"pause": {}}, {"pause": {}}]}})), "79c9b9f6bf");
    assert_eq!(steps_hash(&json!({"canary": {"steps": [{"setWeight": 10}, {"pause": {}}]}})), "849b756fd4");
}

#[test]
fn only_a_canary_has_a_step_hash() {
    assert_eq!(steps_hash(&json!({})), "");
    assert_eq!(steps_hash(&json!({"blueGreen": {"activeService": "a"}})), "");
    assert_eq!(steps_hash(&json!({"blueGreen": {}, "canary": {}})), "");
    assert_eq!(steps_hash(&json!({"canary": {"steps": []}})), "5ffbfbbd64");
}

#[test]
fn values_of_the_wrong_type_count_as_absent() {
    let odd = json!({"metadata": 3, "spec": {"containers": [{"name": 7, "ports": {}, "stdin": "yes"}, null]}});
    let text = r#"{"metadata":{},"spec":{"containers":[{"name":"","resources":{}},{"name":"","resources":{}}]}}"#;
    assert_eq!(canonical_template_json(&odd), text);
}

proptest::proptest! {
    #[test]
    fn any_json_has_a_hash(value in crate::rollout::revision::tests::any_json()) {
        proptest::prop_assert!(!pod_template_hash(&value, Some(1)).is_empty());
        steps_hash(&value);
    }
}
