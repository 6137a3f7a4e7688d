//! The forms of names: labels, DNS names, ports, keys of config maps.
//!
//! Each check gives the messages of Kubernetes' `apimachinery/pkg/util/validation`, none when the
//! text is right. Hand-written matchers stand for its expressions, which the messages quote.

use super::error::{Path, Report};

#[cfg(test)]
mod tests;

const QUALIFIED_NAME: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
/// The longest label, label value and DNS label, in bytes.
const MAX_LABEL: usize = 63;
/// The longest DNS name and key of a config map, in bytes.
const MAX_NAME: usize = 253;
const MAX_PORT_NAME: usize = 15;
/// All annotations of an object together, in bytes.
const MAX_ANNOTATIONS: usize = 256 * 1024;
const NON_EMPTY: &str = "must be non-empty";

fn expression_message(message: &str, expression: &str, examples: &[&str]) -> String {
    let examples: Vec<_> = examples.iter().map(|e| format!("'{e}', ")).collect();
    format!("{message} (e.g. {}regex used for validation is '{expression}')", examples.join(" or "))
}

fn too_long(limit: usize) -> String {
    format!("must be no more than {limit} characters")
}

/// Whether the text starts and ends with an alphanumeric and holds only those and `inner` between.
fn is_enclosed(text: &str, alphanumeric: impl Fn(u8) -> bool, inner: &[u8]) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|b| alphanumeric(*b))
        && bytes.last().is_some_and(|b| alphanumeric(*b))
        && bytes.iter().all(|b| alphanumeric(*b) || inner.contains(b))
}

fn is_name_part(text: &str) -> bool {
    is_enclosed(text, |b| b.is_ascii_alphanumeric(), b"-_.")
}

fn is_lower_label(text: &str) -> bool {
    is_enclosed(text, |b| b.is_ascii_lowercase() || b.is_ascii_digit(), b"-")
}

fn is_dns_name(text: &str) -> bool {
    text.split('.').all(is_lower_label)
}

/// `example.com/name` or `name`: keys of labels, names of resources.
pub fn qualified_name(text: &str) -> Vec<String> {
    let name_message = || {
        let message = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                       alphanumeric character";
        expression_message(message, QUALIFIED_NAME, &["MyName", "my.name", "123-abc"])
    };
    let parts: Vec<_> = text.split('/').collect();
    let (prefix, name) = match parts.as_slice() {
        [name] => (None, *name),
        [prefix, name] => (Some(*prefix), *name),
        _ => {
            let tail = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a qualified name {}{tail}", name_message())];
        }
    };
    let mut messages = Vec::new();
    match prefix {
        Some("") => messages.push(format!("prefix part {NON_EMPTY}")),
        Some(prefix) => messages.extend(dns_subdomain(prefix).into_iter().map(|m| format!("prefix part {m}"))),
        None => {}
    }
    if name.is_empty() {
        messages.push(format!("name part {NON_EMPTY}"));
    } else if name.len() > MAX_LABEL {
        messages.push(format!("name part {}", too_long(MAX_LABEL)));
    }
    if !is_name_part(name) {
        messages.push(format!("name part {}", name_message()));
    }
    messages
}

pub fn label_value(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.len() > MAX_LABEL {
        messages.push(too_long(MAX_LABEL));
    }
    if !text.is_empty() && !is_name_part(text) {
        let message = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
                       '.', and must start and end with an alphanumeric character";
        let expression = format!("({QUALIFIED_NAME})?");
        messages.push(expression_message(message, &expression, &["MyValue", "my_value", "12345"]));
    }
    messages
}

pub fn dns_label(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.len() > MAX_LABEL {
        messages.push(too_long(MAX_LABEL));
    }
    if is_lower_label(text) {
        return messages;
    }
    if is_dns_name(text) {
        messages.push("must not contain dots".to_owned());
    } else {
        let message = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and \
                       must start and end with an alphanumeric character";
        messages.push(expression_message(message, LABEL, &["my-name", "123-abc"]));
    }
    messages
}

pub fn dns_subdomain(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.len() > MAX_NAME {
        messages.push(too_long(MAX_NAME));
    }
    if !is_dns_name(text) {
        let message = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
                       '.', and must start and end with an alphanumeric character";
        messages.push(expression_message(message, &format!("{LABEL}(\\.{LABEL})*"), &["example.com"]));
    }
    messages
}

pub fn port_name(text: &str) -> Vec<String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let checks = [
        (text.len() <= MAX_PORT_NAME, too_long(MAX_PORT_NAME)),
        (
            !text.is_empty() && text.bytes().all(allowed),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned(),
        ),
        (text.bytes().any(|b| b.is_ascii_lowercase()), "must contain at least one letter (a-z)".to_owned()),
        (!text.contains("--"), "must not contain consecutive hyphens".to_owned()),
        (!text.starts_with('-') && !text.ends_with('-'), "must not begin or end with a hyphen".to_owned()),
    ];
    checks.into_iter().filter(|(right, _)| !right).map(|(_, message)| message).collect()
}

pub fn port_number(port: i64) -> Option<String> {
    (!(1..=65_535).contains(&port)).then(|| range(1, 65_535))
}

/// A user or group id.
pub fn unix_id(id: i64) -> Option<String> {
    let largest = i64::from(i32::MAX);
    (!(0..=largest).contains(&id)).then(|| range(0, largest))
}

pub fn range(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

pub fn header_name(text: &str) -> Option<String> {
    let right = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let message = "a valid HTTP header must consist of alphanumeric characters or '-'";
    (!right).then(|| expression_message(message, "[-A-Za-z0-9]+", &["X-Header-Name"]))
}

fn is_key_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

pub fn environment_name(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if !is_key_text(text) || text.starts_with(|c: char| c.is_ascii_digit()) {
        let message = "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', \
                       or '.', and must not start with a digit";
        let examples = ["my.env-name", "MY_ENV.NAME", "MyEnvName1"];
        messages.push(expression_message(message, "[-._a-zA-Z][-._a-zA-Z0-9]*", &examples));
    }
    messages.extend(directory_message(text));
    messages
}

pub fn config_key(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.len() > MAX_NAME {
        messages.push(too_long(MAX_NAME));
    }
    if !is_key_text(text) {
        let message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
        messages.push(expression_message(message, "[-._a-zA-Z0-9]+", &["key.name", "KEY_NAME", "key-name"]));
    }
    messages.extend(directory_message(text));
    messages
}

fn directory_message(text: &str) -> Option<String> {
    match text {
        "." => Some("must not be '.'".to_owned()),
        ".." => Some("must not be '..'".to_owned()),
        _ if text.starts_with("..") => Some("must not start with '..'".to_owned()),
        _ => None,
    }
}

/// Keys and values of a set of labels.
pub fn check_labels(labels: &[(&str, &str)], path: &Path, report: &mut Report) {
    for (key, value) in labels {
        report.invalid_text(path, key, qualified_name(key));
        report.invalid_text(path, value, label_value(value));
    }
}

/// Keys of annotations (upper case allowed), and their size.
pub fn check_annotations(annotations: &[(&str, &str)], path: &Path, report: &mut Report) {
    for (key, _) in annotations {
        report.invalid_text(path, key, qualified_name(&key.to_lowercase()));
    }
    if annotations.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() > MAX_ANNOTATIONS {
        report.too_long(path, MAX_ANNOTATIONS);
    }
}
