//! Kubernetes' rule for label and annotation keys, with its texts (`k8s.io/apimachinery/pkg/util/validation`).

/// Longest name part of a key.
const MAX_NAME: usize = 63;
/// Longest prefix of a key.
const MAX_PREFIX: usize = 253;

const NAME_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
     alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
     '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const PREFIX_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
     '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// What is wrong with `key`; nothing where it may name a label.
pub(crate) fn errors(key: &str) -> Vec<String> {
    let parts: Vec<&str> = key.split('/').collect();
    let (prefix, name) = match parts.as_slice() {
        [name] => (None, *name),
        [prefix, name] => (Some(*prefix), *name),
        _ => {
            let tail = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a qualified name {NAME_RULE} {tail}")];
        }
    };
    let mut out = prefix.map(prefix_errors).unwrap_or_default();
    if name.is_empty() {
        out.push("name part must be non-empty".to_owned());
    } else if name.len() > MAX_NAME {
        out.push(format!("name part must be no more than {MAX_NAME} characters"));
    }
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !(edge(name.chars().next()) && edge(name.chars().next_back()) && name.chars().all(inner)) {
        out.push(format!("name part {NAME_RULE}"));
    }
    out
}

fn prefix_errors(prefix: &str) -> Vec<String> {
    if prefix.is_empty() {
        return vec!["prefix part must be non-empty".to_owned()];
    }
    let mut out = Vec::new();
    if prefix.len() > MAX_PREFIX {
        out.push(format!("prefix part must be no more than {MAX_PREFIX} characters"));
    }
    let low = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let label =
        |label: &str| label.starts_with(low) && label.ends_with(low) && label.chars().all(|c| low(c) || c == '-');
    if !prefix.split('.').all(label) {
        out.push(format!("prefix part {PREFIX_RULE}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for good in ["a", "team", "a/b", "my.dom/k_1", "A-b.C", "1"] {
            assert_eq!(errors(good), Vec::<String>::new(), "{good}");
        }
        for bad in ["", "/a", "a/", "-a", "a-", "a b", "A.b/c", "a..b/c", "a/b/c", &"a".repeat(64)] {
            assert!(!errors(bad).is_empty(), "{bad}");
        }
        assert_eq!(errors("/a"), ["prefix part must be non-empty"]);
        assert_eq!(errors("a/").len(), 2);
    }
}
