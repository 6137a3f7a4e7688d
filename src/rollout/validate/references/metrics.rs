//! Metrics of templates whose analysis has to end: each needs a finite count once its arguments stand in it.
//!
//! Argo: `validation_references.go validateAnalysisMetrics`, `utils/template/template.go`.

use super::super::error::{Path, Report, quote};
use super::super::read::{list, text};
use super::analysis_templates::{Argument, declared};
use crate::rollout::revision::go_json::{self, to_text};
use crate::rollout::revision::rollout_table::METRIC;
use serde_json::Value;

/// Stands for the value of an argument that is not known yet.
const DUMMY: &str = "dummy-value";

/// Adds an error for each metric of the template that would run for ever, or for the first that cannot be read.
pub fn check_finite(name: &str, spec: &Value, path: &Path, report: &mut Report) {
    let metrics = match resolved(spec) {
        Ok(metrics) => metrics,
        Err(cause) => {
            report.invalid(path, quote(name), &format!("AnalysisTemplate {name}: {cause}"));
            return;
        }
    };
    for metric in metrics.iter().filter(|metric| is_endless(metric)) {
        let detail = format!(
            "AnalysisTemplate {name} has metric {} which runs indefinitely. Invalid value for count: {}",
            text(metric, "name"),
            shown_count(metric),
        );
        report.invalid(path, quote(name), &detail);
    }
}

/// An interval, and a count that is absent, 0 or no number.
fn is_endless(metric: &Value) -> bool {
    let count = match metric.get("count") {
        Some(Value::String(text)) => text.parse().unwrap_or(0),
        Some(number) => go_json::integer(number).unwrap_or(0),
        None => 0,
    };
    count == 0 && !text(metric, "interval").is_empty()
}

fn shown_count(metric: &Value) -> String {
    match metric.get("count") {
        None | Some(Value::Null) => "<nil>".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(number) => number.to_string(),
    }
}

fn resolved(spec: &Value) -> Result<Vec<Value>, String> {
    let arguments = declared(spec);
    if let Some(both) = arguments.iter().find(|argument| argument.has_source && argument.value.is_some()) {
        return Err(format!("arg '{}' has both Value and ValueFrom fields", both.name));
    }
    list(spec, "metrics").iter().map(|metric| resolve(metric, &arguments)).collect()
}

/// The metric with arguments put into its JSON text; a tag that is no argument is an error.
fn resolve(metric: &Value, arguments: &[Argument<'_>]) -> Result<Value, String> {
    let source = to_text(&METRIC, metric);
    let mut out = String::with_capacity(source.len());
    let (mut rest, mut unresolved) = (source.as_str(), None);
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((tag, after)) = after.split_once("}}") else {
            return Err(format!(
                "Cannot find end tag=\"}}}}\" in the template={} starting from {}",
                quote(&source),
                quote(after)
            ));
        };
        out.push_str(before);
        match value_of(tag.trim(), arguments) {
            Some(value) => out.push_str(&escaped(value)),
            None => unresolved = Some(tag),
        }
        rest = after;
    }
    out.push_str(rest);
    match unresolved {
        Some(tag) => Err(format!("failed to resolve {{{{{tag}}}}}")),
        None => serde_json::from_str(&out).map_err(|error| escape_error(&out).unwrap_or_else(|| error.to_string())),
    }
}

/// Of several arguments with one name the last counts.
fn value_of<'a>(tag: &str, arguments: &'a [Argument<'_>]) -> Option<&'a str> {
    let name = tag.strip_prefix("args.")?;
    arguments.iter().rev().find(|argument| argument.name == name).map(|argument| argument.value.unwrap_or(DUMMY))
}

/// The value with Go's escapes, which JSON shares but for a few.
fn escaped(value: &str) -> String {
    let quoted = quote(value);
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// The first escape that JSON does not know, in Go's words.
fn escape_error(text: &str) -> Option<String> {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            let escape = chars.next()?;
            if !r#"bfnrt\/"u"#.contains(escape) {
                return Some(format!("invalid character '{escape}' in string escape code"));
            }
        }
    }
    None
}
