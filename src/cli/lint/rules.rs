//! All that is held against a manifest: names of fields, types, and the rules of the controller.

use serde_json::Value;

use super::documents::Document;
use super::finding::{Finding, Sort};
use super::references::references;
use super::{advice, together, unknown};
use crate::api::crd::{Fault, SchemaError, check};
use crate::api::names::API_VERSION;
use crate::rollout::validate::{
    FieldError, validate_references, validate_router_config, validate_spec, validate_strict,
};

/// Everything that is wrong with each of the objects, in their order.
pub fn findings(documents: &[Document]) -> Vec<Finding> {
    let here = |document: &Document, other: &Document| other.file == document.file;
    documents.iter().flat_map(|document| of_document(document, documents, here)).collect()
}

/// The same for objects of several files that belong together: a Rollout may name what is in another file.
pub fn findings_together(documents: &[Document]) -> Vec<Finding> {
    let mut found: Vec<Finding> =
        documents.iter().flat_map(|document| of_document(document, documents, |_, _| true)).collect();
    found.extend(together::contested(documents));
    found
}

/// Whether one document's Rollout may name what the other holds.
type Together = fn(&Document, &Document) -> bool;

fn of_document(document: &Document, all: &[Document], together: Together) -> Vec<Finding> {
    let text = |name: &str| document.value.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = text("kind");
    let mut found: Vec<Finding> = unknown::kind(document).into_iter().collect();
    if text("apiVersion") != API_VERSION || !unknown::KINDS.contains(&kind) {
        return found;
    }
    found.extend(unknown::fields(document, kind));
    let schema = check(kind, &document.value);
    found.extend(schema.iter().map(|error| of_schema(document, error)));
    // Rules say nothing sensible about values of a wrong type.
    if kind == "Rollout" && !found.iter().any(|finding| finding.sort == Sort::Type) {
        let mut rules = of_rollout(document, all, together);
        // A step whose only field is misspelt is an empty step as well: one finding says it.
        let misspelt: Vec<usize> =
            found.iter().filter(|finding| finding.sort == Sort::UnknownField).map(|finding| finding.line).collect();
        rules.retain(|rule| !misspelt.contains(&rule.line));
        found.extend(rules);
    }
    found
}

fn of_schema(document: &Document, error: &SchemaError) -> Finding {
    let sort = if error.fault == Fault::Type { Sort::Type } else { Sort::Schema };
    unknown::finding(document, &error.path, sort, &error.message)
}

fn of_rollout(document: &Document, all: &[Document], together: Together) -> Vec<Finding> {
    let rollout = &document.value;
    let mut rules = validate_spec(rollout);
    let here = all.iter().filter(|other| together(document, other)).map(|other| &other.value);
    rules.extend(validate_references(rollout, &references(rollout, here)));
    let routers = validate_router_config(rollout);
    let strict = validate_strict(rollout).into_iter().chain(routers.nginx).chain(routers.alb).chain(routers.istio);
    let rules = rules.iter().map(|error| of_rule(document, error, Sort::Rule));
    let strict: Vec<FieldError> = strict.collect();
    rules.chain(strict.iter().map(|error| of_rule(document, error, Sort::Strict))).collect()
}

/// The message of a rule without the path, which stands apart.
fn of_rule(document: &Document, error: &FieldError, sort: Sort) -> Finding {
    let whole = error.to_string();
    let body = whole.strip_prefix(&format!("{}: ", error.field)).unwrap_or(&whole);
    let mut finding = unknown::finding(document, &error.field, sort, body);
    advice::for_message(body).clone_into(&mut finding.fix);
    finding
}
