//! The rule of a mirror route: it answers as its source rule does, and copies requests to the canary.
//!
//! Argo's plugin accepts the step and does nothing; the fields mean here what they mean with Istio, as far as a
//! rule of the Gateway API can say it.

use serde_json::{Map, Value, json};

use super::error::RouteError;
use super::managed::{canary_ref, copy, header_match};
use super::rules::list;
use crate::api::steps::{RouteMatch, StringMatch};

/// What a mirror route makes of one source rule; `None` where no request fits both.
///
/// Matches are those that fit the source rule *and* the step. The backends keep the weights of the source rule.
///
/// # Errors
/// A match that no rule can say.
pub fn rule(
    source: &Value,
    canary: &Value,
    (wanted, percent): (&[RouteMatch], i32),
) -> Result<Option<Map<String, Value>>, RouteError> {
    let everything = [json!({})];
    let of_source = Some(list(source, "matches")).filter(|matches| !matches.is_empty()).unwrap_or(&everything);
    let mut matches = Vec::new();
    for entry in of_source {
        for step in wanted {
            matches.extend(both(entry, step)?);
        }
    }
    if matches.is_empty() {
        return Ok(None);
    }
    let copy_to =
        json!({"type": "RequestMirror", "requestMirror": {"backendRef": canary_ref(canary), "percent": percent}});
    let filters: Vec<Value> = list(source, "filters").iter().cloned().chain([copy_to]).collect();
    let mut made = copy(source, &["backendRefs", "timeouts", "retry", "sessionPersistence"]);
    made.insert("matches".to_owned(), matches.into());
    made.insert("filters".to_owned(), filters.into());
    Ok(Some(made))
}

/// The match of requests that fit the source's match and the step's.
fn both(source: &Value, step: &RouteMatch) -> Result<Option<Value>, RouteError> {
    let mut entry = copy(source, &["queryParams"]);
    let Some(path) = both_paths(source.get("path"), step.path.as_ref())? else { return Ok(None) };
    entry.insert("path".to_owned(), path);
    match (source.get("method").and_then(Value::as_str), exact(step.method.as_ref())?) {
        (Some(one), Some(other)) if one != other => return Ok(None),
        (None, None) => {}
        (Some(method), _) | (None, Some(method)) => {
            entry.insert("method".to_owned(), method.into());
        }
    }
    let mut headers = list(source, "headers").to_vec();
    for (name, value) in &step.headers {
        headers.push(header_match(name, Some(value))?);
    }
    if !headers.is_empty() {
        entry.insert("headers".to_owned(), headers.into());
    }
    Ok(Some(Value::Object(entry)))
}

/// A method is a whole word in the Gateway API.
fn exact(method: Option<&StringMatch>) -> Result<Option<&str>, RouteError> {
    match method {
        None => Ok(None),
        Some(StringMatch { exact, .. }) if !exact.is_empty() => Ok(Some(exact)),
        Some(_) => Err(RouteError::MirrorMatch { what: "a method other than exact" }),
    }
}

/// A path of the Gateway API: its type and its value.
type Path<'a> = (&'a str, &'a str);

/// The path that fits both; `None` where none does.
fn both_paths(source: Option<&Value>, step: Option<&StringMatch>) -> Result<Option<Value>, RouteError> {
    let member = |name: &str, default| source.and_then(|path| path.get(name)?.as_str()).unwrap_or(default);
    let source = (member("type", "PathPrefix"), member("value", "/"));
    let step = match step {
        None => ("PathPrefix", "/"),
        Some(StringMatch { exact, .. }) if !exact.is_empty() => ("Exact", exact.as_str()),
        Some(StringMatch { prefix, .. }) if !prefix.is_empty() => ("PathPrefix", prefix.as_str()),
        Some(StringMatch { regex, .. }) => ("RegularExpression", regex.as_str()),
    };
    let found = match (source, step) {
        (path, ("PathPrefix", "/")) | (("PathPrefix", "/"), path) => Some(path),
        (("RegularExpression", _), _) | (_, ("RegularExpression", _)) => {
            return Err(RouteError::MirrorMatch { what: "a regular expression and another path" });
        }
        (one, other) if covers(one, other) => Some(other),
        (one, other) if covers(other, one) => Some(one),
        _ => None,
    };
    Ok(found.map(|(kind, value)| json!({"type": kind, "value": value})))
}

/// Whether every request that fits `narrow` fits `wide`. A prefix covers whole elements of a path.
fn covers((kind, value): Path<'_>, narrow: Path<'_>) -> bool {
    let under = || {
        let rest = narrow.1.strip_prefix(value.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    (kind, value) == narrow || (kind == "PathPrefix" && under())
}
