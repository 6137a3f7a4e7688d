//! The tag of a container image, as far as the default pull policy depends on it.
//!
//! Kubernetes: `pkg/util/parsers ParseImageName` over the reference grammar of
//! `github.com/distribution/reference`.

use regex::Regex;
use std::sync::LazyLock;

#[cfg(test)]
mod tests;

/// The longest repository name that the grammar allows, in bytes.
const MAX_REPOSITORY: usize = 255;

/// An expression that does not compile never matches; a test holds that all of them do.
fn expression(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static REFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let label = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
    let host = format!(r"(?:{label}(?:\.{label})*|\[(?:[a-fA-F0-9:]+)\])");
    let path = "[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*";
    let digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
    let tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
    let name = format!("(?P<name>{host}(?::[0-9]+)?/{path}(?:/{path})*)");
    expression(&format!("^{name}(?::(?P<tag>{tag}))?(?:@(?P<digest>{digest}))?$"))
});

static IDENTIFIER: LazyLock<Option<Regex>> = LazyLock::new(|| expression("^[a-f0-9]{64}$"));

/// `Always` for an image with the tag `latest` or with neither tag nor digest, else `IfNotPresent`;
/// also for a name that cannot be read.
pub fn default_pull_policy(image: &str) -> &'static str {
    if is_latest(image) { "Always" } else { "IfNotPresent" }
}

fn is_latest(image: &str) -> bool {
    if IDENTIFIER.as_ref().is_some_and(|id| id.is_match(image)) {
        return false;
    }
    let full = with_host(image);
    let Some(found) = REFERENCE.as_ref().and_then(|reference| reference.captures(&full)) else { return false };
    if found.name("name").is_none_or(|name| name.len() > MAX_REPOSITORY) {
        return false;
    }
    match (found.name("tag"), found.name("digest")) {
        (Some(tag), digest) => tag.as_str() == "latest" && digest.is_none_or(|d| is_digest(d.as_str())),
        (None, digest) => digest.is_none(),
    }
}

/// The name with its registry: a first part that looks like no host belongs to Docker's.
fn with_host(image: &str) -> String {
    match image.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first => {
            image.to_owned()
        }
        Some(_) => format!("docker.io/{image}"),
        None => format!("docker.io/library/{image}"),
    }
}

/// Whether a digest has the length and letters that its algorithm demands.
fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
