//! All that is held against a manifest: names of fields, types, and the rules of the controller.

use serde_json::Value;

use super::documents::Document;
use super::finding::{Finding, Sort};
use super::unknown;
use crate::api::crd::check;
use crate::api::names::API_VERSION;

/// Everything that is wrong with the objects of one file, in their order.
pub fn findings(documents: &[Document]) -> Vec<Finding> {
    documents.iter().flat_map(of_document).collect()
}

fn of_document(document: &Document) -> Vec<Finding> {
    let text = |name: &str| document.value.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = text("kind");
    let mut found: Vec<Finding> = unknown::kind(document).into_iter().collect();
    if text("apiVersion") != API_VERSION || !unknown::KINDS.contains(&kind) {
        return found;
    }
    found.extend(unknown::fields(document, kind));
    let schema = check(kind, &document.value);
    found.extend(schema.iter().map(|error| unknown::finding(document, &error.path, Sort::Schema, &error.message)));
    found
}
