//! Puts the values of a run's arguments into its metrics, and keeps secret values out of what people read.
//!
//! A metric is substituted as JSON text, so that every text field may carry tags. There are two passes: one with
//! [`without_secrets`] to judge and schedule a run, one with [`with_secrets`] to measure.

use std::collections::BTreeMap;

use crate::api::analysis::{Argument, Metric, SecretKeyRef};

use super::golang::quoted_body;
use super::template::{TemplateError, replace_tags};

/// What stands for a secret where a metric is only judged.
const PLACEHOLDER: &str = "temp-for-secret";
/// What stands for a secret where a person may read it.
const REDACTED: &str = "*****";

/// Why a metric could not be given its arguments. The texts are the contract's: they reach users in a run's message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubstituteError {
    /// A declared argument has no value, whether or not a metric uses it.
    #[error("argument \"{0}\" was not supplied")]
    NotSupplied(String),
    /// A tag that no argument answers.
    #[error(transparent)]
    Tag(#[from] TemplateError),
    /// A value holds a character whose Go escape JSON does not know.
    #[error("invalid character '{0}' in string escape code")]
    Escape(char),
    /// The substituted metric does not read back.
    #[error("{0}")]
    Json(String),
    /// The Secret has no such key.
    #[error("key '{key}' does not exist in secret '{secret}'")]
    NoSuchKey {
        /// The key.
        key: String,
        /// The Secret.
        secret: String,
    },
}

/// Replaces `{{args.<name>}}` in every text of `metric`.
///
/// # Errors
/// An argument without a value, a tag that is no argument, or a value with a character that JSON cannot escape the way Go does.
pub fn metric(metric: &Metric, args: &[Argument]) -> Result<Metric, SubstituteError> {
    let values = escaped_values(args)?;
    let text = serde_json::to_string(metric).map_err(|error| SubstituteError::Json(error.to_string()))?;
    let mut bad_escape = None;
    let substituted = replace_tags(&html_safe(&text), |tag| {
        let value = values.get(tag.strip_prefix("args.")?)?;
        bad_escape = bad_escape.or_else(|| unknown_escape(value));
        Some(value.clone())
    })?;
    if let Some(code) = bad_escape {
        return Err(SubstituteError::Escape(code));
    }
    serde_json::from_str(&substituted).map_err(|error| SubstituteError::Json(error.to_string()))
}

/// Values by name as they stand inside a JSON string; of several with one name the last counts.
fn escaped_values(args: &[Argument]) -> Result<BTreeMap<&str, String>, SubstituteError> {
    let value_of = |arg: &Argument| -> Result<String, SubstituteError> {
        let value = arg.value.as_deref().ok_or_else(|| SubstituteError::NotSupplied(arg.name.clone()))?;
        Ok(quoted_body(value))
    };
    args.iter().map(|arg| Ok((arg.name.as_str(), value_of(arg)?))).collect()
}

/// Go's encoder escapes these inside strings; a tag that holds one is shown to users in that form.
fn html_safe(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

/// The first escape that Go writes into a string literal and JSON does not have.
fn unknown_escape(escaped: &str) -> Option<char> {
    let mut chars = escaped.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            continue;
        }
        if let Some(code @ ('a' | 'v' | 'x' | 'U')) = chars.next() {
            return Some(code);
        }
    }
    None
}

/// The arguments with a placeholder for each secret: enough to judge and to schedule.
pub fn without_secrets(args: &[Argument]) -> Vec<Argument> {
    let hide = |arg: &Argument| match secret_ref(arg) {
        Some(_) => Argument { name: arg.name.clone(), value: Some(PLACEHOLDER.to_owned()), value_from: None },
        None => arg.clone(),
    };
    args.iter().map(hide).collect()
}

fn secret_ref(arg: &Argument) -> Option<&SecretKeyRef> {
    arg.value_from.as_ref()?.secret_key_ref.as_ref()
}

/// Names of the Secrets, in the run's namespace, that the arguments need: sorted, each once.
pub fn secret_names(args: &[Argument]) -> Vec<&str> {
    let mut names: Vec<&str> = args.iter().filter_map(secret_ref).map(|secret| secret.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Arguments with their secret values.
#[derive(Clone, Default)]
pub struct SecretArgs {
    /// The arguments; a secret replaces a literal value.
    pub args: Vec<Argument>,
    /// The secret values, for [`Redactor`].
    pub redactor: Redactor,
}

/// Takes secret values from `secrets` (the decoded data by Secret name). A Secret that is not there counts as empty:
/// whoever reads it reports the API's error.
///
/// # Errors
/// A key that its Secret does not have.
pub fn with_secrets(
    args: &[Argument],
    secrets: &BTreeMap<String, BTreeMap<String, String>>,
) -> Result<SecretArgs, SubstituteError> {
    let mut out = SecretArgs::default();
    for arg in args {
        let Some(wanted) = secret_ref(arg) else {
            out.args.push(arg.clone());
            continue;
        };
        let value = secrets
            .get(&wanted.name)
            .and_then(|data| data.get(&wanted.key))
            .ok_or_else(|| SubstituteError::NoSuchKey { key: wanted.key.clone(), secret: wanted.name.clone() })?;
        out.redactor.secrets.push(value.clone());
        out.args.push(Argument { name: arg.name.clone(), value: Some(value.clone()), value_from: None });
    }
    out.redactor.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    Ok(out)
}

/// Knows the secret values of a run and hides them. It prints none of them.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that a secret inside another does not leave the rest of it visible.
    secrets: Vec<String>,
}

impl Redactor {
    /// Hides `secret` as well.
    pub fn add(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
        self.secrets.sort_by_key(|known| std::cmp::Reverse(known.len()));
    }

    /// `text` with `*****` in place of every secret, also where the text shows it quoted.
    pub fn redact(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for secret in self.secrets.iter().filter(|secret| !secret.is_empty()) {
            out = out.replace(secret.as_str(), REDACTED);
            let quoted = quoted_body(secret);
            if quoted != *secret {
                out = out.replace(&quoted, REDACTED);
            }
        }
        out
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} secrets)", self.secrets.len())
    }
}

impl std::fmt::Debug for SecretArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretArgs({} arguments, {:?})", self.args.len(), self.redactor)
    }
}

#[cfg(test)]
mod tests;
