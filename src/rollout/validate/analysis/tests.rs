use super::*;

#[test]
fn metadata_paths_are_told_right_from_wrong() {
    for path in ["metadata.name", "metadata.uid", "metadata.labels['a/b']", "metadata.annotations['Up/X']"] {
        let path = path.replace("'a/b'", "'a.io/b'").replace("'Up/X'", "'Up.io/X'");
        assert!(is_metadata_path(&path), "{path}");
    }
    for path in
        ["metadata", "metadata.bad", "metadataX", "metadata.name['a']", "metadata.labels['a b']", "metadata.labels['']"]
    {
        assert!(!is_metadata_path(path), "{path}");
    }
}

#[test]
fn subscripts_are_split_at_the_first_bracket() {
    assert_eq!(split_subscript("a['b']"), ("a", Some("b")));
    assert_eq!(split_subscript("a['b['c']"), ("a", Some("b['c")));
    assert_eq!(split_subscript("['b']"), ("['b']", None));
    assert_eq!(split_subscript("a.b"), ("a.b", None));
}
