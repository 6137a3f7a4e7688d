use serde_json::json;

use super::*;

fn at(path: &str) -> Result<String, String> {
    let object = json!({
        "metadata": {"name": "web", "uid": "u", "labels": {"a/b": "1", "z": "q\"t"}, "annotations": {"K": "v"}},
        "spec": {"n": 1_000_000, "f": 0.1, "big": 12_345_678_901_234_567_890_u64, "yes": true, "list": [[1], {"x": "y"}], "none": null},
    });
    resolve(&object, path).map_err(|error| error.to_string())
}

#[test]
fn metadata_follows_the_downward_api() {
    assert_eq!(at("metadata.name"), Ok("web".to_owned()));
    assert_eq!(at("metadata.namespace"), Ok(String::new()));
    assert_eq!(at("metadata.labels"), Ok("a/b=\"1\"\nz=\"q\\\"t\"".to_owned()));
    assert_eq!(at("metadata.labels['a/b']"), Ok("1".to_owned()));
    assert_eq!(at("metadata.labels['none']"), Ok(String::new()));
    assert_eq!(at("metadata.annotations['K']"), Ok("v".to_owned()));
    assert_eq!(at("metadata.generation"), Err("unsupported fieldPath: metadata.generation".to_owned()));
    assert_eq!(at("metadata.name['x']"), Err("fieldPath \"metadata.name['x']\" does not support subscript".to_owned()));
    let bad = at("metadata.labels['a b']").unwrap_err();
    assert!(bad.starts_with("invalid key subscript in metadata.labels['a b']: name part must consist"), "{bad}");
}

#[test]
fn other_paths_walk_the_json() {
    assert_eq!(at("spec.n"), Ok("1e+06".to_owned()));
    assert_eq!(at("spec.f"), Ok("0.1".to_owned()));
    assert_eq!(at("spec.big"), Ok("1.2345678901234567e+19".to_owned()));
    assert_eq!(at("spec.yes"), Ok("true".to_owned()));
    assert_eq!(at("spec.list[1].x"), Ok("y".to_owned()));
    assert_eq!(at("spec..list].0[0"), Ok("1".to_owned()));
    assert_eq!(at("spec.list[-1]"), Err("index -1 out of range".to_owned()));
    assert_eq!(at("spec.list[2]"), Err("index 2 out of range".to_owned()));
    assert_eq!(at("spec.list.x"), Err("invalid index 'x'".to_owned()));
    assert_eq!(at("spec.list"), Err("path spec.list in rollout must terminate in a primitive value".to_owned()));
    for path in ["spec.none", "spec.none.x", "spec.n.x", "nothing"] {
        assert_eq!(at(path), Err(format!("invalid path {path} in rollout")));
    }
}
