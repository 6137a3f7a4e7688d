use super::*;

#[test]
fn the_expressions_compile() {
    assert!(REFERENCE.is_some() && IDENTIFIER.is_some());
}

#[test]
fn pull_policies_follow_the_tag() {
    let digest = format!("sha256:{}", "0".repeat(64));
    let cases = [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1", "IfNotPresent"),
        ("registry.example:5000/a/b", "Always"),
        ("registry.example:5000/a/b:v1", "IfNotPresent"),
        ("localhost/a", "Always"),
        (&format!("nginx@{digest}"), "IfNotPresent"),
        (&format!("nginx:latest@{digest}"), "Always"),
        ("", "IfNotPresent"),
        ("Upper/Case", "IfNotPresent"),
        ("Upper/case", "Always"),
        ("a/Upper", "IfNotPresent"),
        ("two words", "IfNotPresent"),
        ("nginx:", "IfNotPresent"),
        (&"a".repeat(300), "IfNotPresent"),
        (&"f".repeat(64), "IfNotPresent"),
    ];
    for (image, want) in cases {
        assert_eq!(default_pull_policy(image), want, "{image}");
    }
}
