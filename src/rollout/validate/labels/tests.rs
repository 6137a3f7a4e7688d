use super::*;

type Check = fn(&str) -> Vec<String>;

#[test]
fn names_are_told_right_from_wrong() {
    let long = "a".repeat(64);
    let very_long = "a".repeat(254);
    let cases: [(&str, Check, &[&str], &[&str]); 7] = [
        (
            "qualified name",
            qualified_name,
            &["a", "A.b_c-1", "example.com/a"],
            &["", "-a", "a-", "a b", "/a", "a/", "a/b/c", "Example/a", &long],
        ),
        ("label value", label_value, &["", "a", "A.b_c-1"], &["-a", "a/b", "é", &long]),
        ("DNS label", dns_label, &["a", "0-a"], &["", "A", "a.b", "a_b", "-", &long]),
        ("DNS name", dns_subdomain, &["a", "a.b-c.d"], &["", "a..b", ".a", "A", &very_long]),
        ("port name", port_name, &["a", "http-2", "8080a"], &["", "1", "-a", "a-", "a--b", "A", "abcdefghijklmnop"]),
        ("variable", environment_name, &["A", "a.b-c_1", "_"], &["", "1a", "a b", "..", "..a", "."]),
        ("config key", config_key, &["a", "1.a_b-c"], &["", "a/b", ".", "..", "..a", &very_long]),
    ];
    for (what, check, right, wrong) in cases {
        for text in right {
            assert_eq!(check(text), Vec::<String>::new(), "{what} {text:?}");
        }
        for text in wrong {
            assert!(!check(text).is_empty(), "{what} {text:?}");
        }
    }
}

#[test]
fn messages_quote_the_expression() {
    let messages = dns_label("A");
    assert_eq!(
        messages,
        ["a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
          end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
          '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"]
    );
    assert_eq!(dns_label("a.b"), ["must not contain dots"]);
    assert_eq!(port_number(0).unwrap(), "must be between 1 and 65535, inclusive");
}

#[test]
fn annotations_are_measured() {
    let big = "x".repeat(MAX_ANNOTATIONS);
    let mut report = Report::default();
    check_annotations(&[("Upper/CASE", "any"), ("a", &big)], &Path::new("annotations"), &mut report);
    let texts: Vec<_> = report.0.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["annotations: Too long: may not be more than 262144 bytes"]);
}
