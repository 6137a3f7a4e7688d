//! Managed routes: the rules that lead requests with certain headers to the canary, or copy requests to it.
//!
//! Level, not edge: given the managed routes that should exist, the patch makes the route's managed rules exactly
//! these. Rules of users keep their bytes and their order. The shape of the rules, their names and their place at the
//! end are those of Argo's plugin. Where it departs from the plugin:
//!
//! | what | plugin | here |
//! | --- | --- | --- |
//! | two routes on the same header | replace each other | both, in the order of their steps |
//! | a step without `match` | takes all managed rules away | takes its own away, as the step's definition says |
//! | `setMirrorRoute` | nothing | a rule that splits as its source does, and copies requests to the canary |
//! | namespace of the canary's backend | dropped | copied from the source rule |
//!
//! Source: contract, gateway-api §6.

use serde_json::{Map, Value, json};

use super::equal::{self, Likeness};
use super::error::RouteError;
use super::kind::RouteKind;
use super::mirror;
use super::rules::{Backends, list, managed_rules, rules, text};
use crate::api::steps::{HeaderMatch, RouteMatch, StringMatch};

/// A managed route as the steps so far leave it.
#[derive(Clone, Debug, PartialEq)]
pub struct ManagedRoute {
    /// Its name, which its rules carry.
    pub name: String,
    /// What it does.
    pub wants: Wants,
}

/// What a managed route does.
#[derive(Clone, Debug, PartialEq)]
pub enum Wants {
    /// Requests with all of these headers go to the canary. Never empty.
    Headers(Vec<HeaderMatch>),
    /// Requests that fit one of these are answered as ever, and copied to the canary.
    Mirror {
        /// Which requests. Never empty.
        matches: Vec<RouteMatch>,
        /// Percent of them, 0 to 100.
        percent: i32,
    },
}

/// The JSON patch that makes the managed rules of `route` those of `wanted`; `None` where they are.
///
/// A rule that differs is replaced where it stands, one too many is removed. New header rules go to the end: their
/// headers make them more specific than their source. New mirror rules go before the first source rule: where both
/// match alike, the Gateway API takes the first.
///
/// # Errors
/// No rule to take as the source, a match that a rule cannot say, or a percentage that the stored rule has lost.
pub fn manage(
    route: &Value,
    kind: RouteKind,
    backends: &Backends,
    wanted: &[ManagedRoute],
) -> Result<Option<Value>, RouteError> {
    let is_mirror = |managed: &&ManagedRoute| matches!(managed.wants, Wants::Mirror { .. });
    let sources = sources(route, backends);
    let first = sources.first().map_or(usize::MAX, |source| source.index);
    let (front, back): (Vec<_>, Vec<_>) =
        managed_rules(route, backends).into_iter().partition(|(index, _)| *index < first);
    let mut edits = Edits::default();
    let mirrors = made(kind, &sources, wanted.iter().filter(is_mirror))?;
    let headers = made(kind, &sources, wanted.iter().filter(|managed| !is_mirror(managed)))?;
    let before = edits.bring(kind, &front, &mirrors)?;
    let after = edits.bring(kind, &back, &headers)?;
    Ok(edits.patch(first, before, after))
}

/// The operations of a patch, by the order in which they keep positions true.
#[derive(Default)]
struct Edits<'r> {
    replaced: Vec<Value>,
    removed: Vec<(usize, &'r Value)>,
}

impl<'r> Edits<'r> {
    /// Brings the rules that stand in one part of the route to the wanted ones; returns those that are new.
    fn bring<'w>(
        &mut self,
        kind: RouteKind,
        live: &[(usize, &'r Value)],
        wanted: &'w [Value],
    ) -> Result<&'w [Value], RouteError> {
        for (position, (index, rule)) in live.iter().enumerate() {
            let Some(wanted) = wanted.get(position) else {
                self.removed.push((*index, rule));
                continue;
            };
            match equal::likeness(kind, wanted, rule) {
                Likeness::Same => {}
                Likeness::PercentPruned => {
                    return Err(RouteError::PercentPruned { rule: text(wanted, "name").to_owned() });
                }
                Likeness::Different => {
                    let path = format!("/spec/rules/{index}");
                    self.replaced.push(json!({"op": "test", "path": path, "value": rule}));
                    self.replaced.push(json!({"op": "replace", "path": path, "value": wanted}));
                }
            }
        }
        Ok(wanted.get(live.len()..).unwrap_or_default())
    }

    /// The patch: replacements, removals from the end, then what is new.
    fn patch(self, first: usize, before: &[Value], after: &[Value]) -> Option<Value> {
        let Self { replaced: mut operations, mut removed } = self;
        removed.sort_by_key(|(index, _)| std::cmp::Reverse(*index));
        for (index, rule) in &removed {
            let path = format!("/spec/rules/{index}");
            operations.push(json!({"op": "test", "path": path, "value": rule}));
            operations.push(json!({"op": "remove", "path": path}));
        }
        let gone = removed.iter().filter(|(index, _)| *index < first).count();
        for (position, rule) in before.iter().enumerate() {
            let path = format!("/spec/rules/{}", first.saturating_sub(gone).saturating_add(position));
            operations.push(json!({"op": "add", "path": path, "value": rule}));
        }
        operations.extend(after.iter().map(|rule| json!({"op": "add", "path": "/spec/rules/-", "value": rule})));
        (!operations.is_empty()).then_some(Value::Array(operations))
    }
}

/// A rule that splits traffic between the two Services.
struct Source<'a> {
    index: usize,
    rule: &'a Value,
    /// Its first canary backend.
    canary: &'a Value,
}

/// The rules of some managed routes, in order: for each route one rule for each source rule.
fn made<'m>(
    kind: RouteKind,
    sources: &[Source<'_>],
    wanted: impl Iterator<Item = &'m ManagedRoute>,
) -> Result<Vec<Value>, RouteError> {
    let mut made = Vec::new();
    for managed in wanted {
        if sources.is_empty() {
            return Err(RouteError::BackendNotFound(kind));
        }
        let mut number = 0;
        for Source { rule: source, canary, .. } in sources {
            let rule = match &managed.wants {
                Wants::Headers(headers) => Some(header_rule(kind, source, canary, headers)?),
                Wants::Mirror { .. } if kind != RouteKind::Http => return Err(RouteError::MirrorKind(kind)),
                Wants::Mirror { matches, percent } => mirror::rule(source, canary, (matches, *percent))?,
            };
            let Some(mut rule) = rule else { continue };
            let name = if number == 0 { managed.name.clone() } else { format!("{}-{number}", managed.name) };
            rule.insert("name".to_owned(), name.into());
            made.push(Value::Object(rule));
            number += 1;
        }
    }
    Ok(made)
}

/// The rules that split traffic between the two Services, in order.
fn sources<'a>(route: &'a Value, backends: &Backends) -> Vec<Source<'a>> {
    let all = route.get("spec").map_or(&[][..], |spec| list(spec, "rules"));
    let splitting = rules(route, backends).into_iter().filter(super::rules::Rule::splits);
    let with_canary = splitting.filter_map(|found| {
        let rule = all.get(found.index)?;
        let canary = list(rule, "backendRefs").get(found.canary.first()?.index)?;
        Some(Source { index: found.index, rule, canary })
    });
    with_canary.collect()
}

/// What a header route makes of one source rule: its matches with the headers added, its filters, the canary alone.
fn header_rule(
    kind: RouteKind,
    source: &Value,
    canary: &Value,
    headers: &[HeaderMatch],
) -> Result<Map<String, Value>, RouteError> {
    let mut added = Vec::new();
    for header in headers {
        added.push(header_match(&header.header_name, header.header_value.as_ref())?);
    }
    let copied: &[&str] = if kind == RouteKind::Grpc { &["method"] } else { &["path", "queryParams", "method"] };
    let with_headers = |source: &Value| {
        let mut entry = copy(source, copied);
        let headers: Vec<Value> = list(source, "headers").iter().chain(&added).cloned().collect();
        entry.insert("headers".to_owned(), headers.into());
        Value::Object(entry)
    };
    let of_source = list(source, "matches");
    let matches: Vec<Value> = if of_source.is_empty() {
        vec![with_headers(&Value::Null)]
    } else {
        of_source.iter().map(with_headers).collect()
    };
    let mut rule = copy(source, &["filters"]);
    rule.insert("matches".to_owned(), matches.into());
    rule.insert("backendRefs".to_owned(), json!([canary_ref(canary)]));
    Ok(rule)
}

/// The canary as the only backend: where the source rule finds it, without its weight and its own filters.
pub(super) fn canary_ref(canary: &Value) -> Value {
    let mut reference = json!({"group": "", "kind": "Service"});
    for member in ["group", "kind", "namespace", "name", "port"] {
        if let Some(value) = canary.get(member).filter(|value| !value.is_null()) {
            reference[member] = value.clone();
        }
    }
    reference
}

/// One header to match. Argo: a prefix becomes a regular expression, and is not escaped.
pub(super) fn header_match(name: &str, value: Option<&StringMatch>) -> Result<Value, RouteError> {
    let (kind, value) = match value {
        Some(StringMatch { exact, .. }) if !exact.is_empty() => ("Exact", exact.clone()),
        Some(StringMatch { prefix, .. }) if !prefix.is_empty() => ("RegularExpression", format!("{prefix}.*")),
        Some(StringMatch { regex, .. }) if !regex.is_empty() => ("RegularExpression", regex.clone()),
        _ => return Err(RouteError::NoHeaderValue),
    };
    Ok(json!({"type": kind, "name": name, "value": value}))
}

/// Some members of an object, those that are there.
pub(super) fn copy(value: &Value, members: &[&str]) -> Map<String, Value> {
    let found = members.iter().filter_map(|member| Some(((*member).to_owned(), value.get(*member)?.clone())));
    found.filter(|(_, value)| !value.is_null()).collect()
}

#[cfg(test)]
mod tests;
