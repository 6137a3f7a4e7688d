//! What a Rollout names and the files do not hold: each with the line that names it and what to do.

use serde_json::Value;

use super::input::Files;
use crate::api::Rollout;
use crate::api::rollout::TemplateRef;
use crate::cli::lint::{Document, Finding, Sort, finding};
use crate::cli::suggest::nearest;
use crate::controller::observe::{route_refs, route_selectors};
use crate::rollout::invalid::{analysis_fields, service_fields};
use crate::rollout::validate::references::{AnalysisKind, Missing, analysis_path, missing_reference};
use crate::rollout::workload;
use crate::sim::object;

/// Templates that name each other in a ring end here.
const MAX_TEMPLATES: usize = 1_000;

/// Everything that is missing.
pub(super) fn missing(document: &Document, rollout: &Rollout, files: &Files) -> Vec<Finding> {
    let search = Search { document, rollout, files };
    let mut found = search.workload();
    found.extend(search.services());
    found.extend(search.routes());
    found.extend(search.templates());
    found
}

struct Search<'a> {
    document: &'a Document,
    rollout: &'a Rollout,
    files: &'a Files,
}

impl Search<'_> {
    fn lacks(&self, path: &str, (kind, name): (&str, &str)) -> Finding {
        let namespace = &self.rollout.metadata.namespace;
        let message = format!("{kind} {name:?} is not in the files");
        let mut found = finding(self.document, path, Sort::Rule, &message);
        let known: Vec<&str> = self.files.of(kind).map(|(_, value)| object::name(value)).collect();
        found.fix = match nearest(name, known.iter().copied().filter(|known| *known != name)) {
            Some(meant) => format!("did you mean {meant:?}? Else add the file that holds it: -f"),
            None if known.contains(&name) => {
                format!("the {kind} of that name is in another namespace: the Rollout's is {namespace:?}")
            }
            None => "add the file that holds it: -f".to_owned(),
        };
        found
    }

    fn has(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.files.get(kind, namespace, name).is_some()
    }

    fn workload(&self) -> Vec<Finding> {
        let Some(Ok(wanted)) = workload::referenced(self.rollout) else { return Vec::new() };
        let kind = wanted.resource.kind.as_ref();
        let there = self.has(kind, &wanted.namespace, &wanted.name);
        if there { Vec::new() } else { vec![self.lacks("spec.workloadRef.name", (kind, &wanted.name))] }
    }

    fn services(&self) -> Vec<Finding> {
        let namespace = &self.rollout.metadata.namespace;
        let fields = service_fields(&self.rollout.spec.strategy).into_iter();
        let absent = fields.filter(|(_, name)| !self.has("Service", namespace, name));
        let found = absent.map(|(kind, name)| {
            let path = missing_reference(&self.document.value, Missing::Service(kind, name), "").field;
            self.lacks(&path, ("Service", name))
        });
        found.collect()
    }

    fn routes(&self) -> Vec<Finding> {
        const PATH: &str = "spec.strategy.canary.trafficRouting";
        let mut found = Vec::new();
        for route in route_refs(self.rollout) {
            let object = &route.object;
            let kind = object.resource.kind.as_ref();
            if !self.has(kind, &object.namespace, &object.name) {
                found.push(self.lacks(&place_of(self.document, &object.name, PATH), (kind, &object.name)));
            }
        }
        for wanted in route_selectors(self.rollout) {
            let kind = wanted.kind.resource().kind.into_owned();
            let taken = |value: &Value| {
                object::namespace(value) == wanted.namespace && super::input::labels_match(&wanted.labels, value)
            };
            if !self.files.of(&kind).any(|(_, value)| taken(value)) {
                let message = format!("no {kind} in the files has the labels that the Rollout looks for");
                let mut lacking = finding(self.document, PATH, Sort::Rule, &message);
                "add the file that holds the route: -f".clone_into(&mut lacking.fix);
                found.push(lacking);
            }
        }
        found
    }

    fn templates(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        for (kind, analysis) in analysis_fields(&self.rollout.spec.strategy) {
            let mut open: Vec<(TemplateRef, Option<AnalysisKind>)> =
                analysis.templates.iter().map(|template| (template.clone(), Some(kind))).collect();
            for _ in 0..MAX_TEMPLATES {
                let Some((wanted, by)) = open.pop() else { break };
                let name = &wanted.template_name;
                let (sort, namespace) = if wanted.cluster_scope {
                    ("ClusterAnalysisTemplate", "")
                } else {
                    ("AnalysisTemplate", self.rollout.metadata.namespace.as_str())
                };
                match self.files.get(sort, namespace, name) {
                    Some((_, value)) => open.extend(nested(value).into_iter().map(|inner| (inner, None))),
                    None => {
                        found.push(self.lacks(&template_path(self.document, by.unwrap_or(kind), name), (sort, name)));
                    }
                }
            }
        }
        found
    }
}

/// Templates that a template names.
fn nested(template: &Value) -> Vec<TemplateRef> {
    let listed = template.pointer("/spec/templates").cloned().unwrap_or_default();
    serde_json::from_value(listed).unwrap_or_default()
}

/// The place of a template's name in the Rollout.
fn template_path(document: &Document, kind: AnalysisKind, name: &str) -> String {
    let path = analysis_path(kind);
    let path = path.strip_suffix(".templates").unwrap_or(&path).to_owned();
    place_of(document, name, &with_strategy(&path))
}

/// Paths of messages leave the strategy out: `spec.strategy.steps[0]` is one of the canary.
fn with_strategy(path: &str) -> String {
    path.replacen("spec.strategy.steps", "spec.strategy.canary.steps", 1)
}

/// The path of the text `name` below `above`; `above` where it is not found.
fn place_of(document: &Document, name: &str, above: &str) -> String {
    let pointer = format!("/{}", above.replace('[', "/").replace(']', "").replace('.', "/"));
    let found = document.value.pointer(&pointer).and_then(|value| below(value, name));
    found.map_or_else(|| above.to_owned(), |rest| format!("{above}{rest}"))
}

/// Where a text stands inside of a value.
fn below(value: &Value, text: &str) -> Option<String> {
    match value {
        Value::String(found) if found == text => Some(String::new()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| Some(format!("[{index}]{}", below(item, text)?)))
        }
        Value::Object(map) => map.iter().find_map(|(key, item)| {
            let rest = below(item, text)?;
            Some(if key.contains('.') { format!("[{key}]{rest}") } else { format!(".{key}{rest}") })
        }),
        _ => None,
    }
}
