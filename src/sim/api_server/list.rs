//! Lists: selectors, paging over one consistent snapshot, and what `resourceVersion` means there.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::reject::Reject;
use super::request::Options;
use super::select::Selector;
use super::store::Store;

/// A page of objects.
pub(crate) struct Page {
    pub items: Vec<Arc<Value>>,
    pub version: u64,
    pub token: String,
    pub remaining: usize,
}

impl Store {
    pub fn list(&self, resource: &str, namespace: &str, options: &Options) -> Result<Page, Reject> {
        let table = self.table(resource)?;
        let selector = Selector::parse(&options.label_selector, &options.field_selector, &table.def)?;
        let wanted = options.version()?;
        if wanted.is_some_and(|wanted| wanted > self.version) {
            let mut early = Reject::new(
                504,
                "Timeout",
                format!("Too large resource version: {}, current: {}", options.resource_version, self.version),
            );
            early.details = json!({ "retryAfterSeconds": 1, "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }] });
            return Err(early);
        }
        let (version, after) = if !options.token.is_empty() {
            parse_token(&options.token)?
        } else if options.version_match == "Exact" {
            (wanted.unwrap_or(self.version), None)
        } else {
            (self.version, None)
        };
        let past;
        let objects: &BTreeMap<_, _> = if version == self.version {
            &table.objects
        } else {
            past = table.snapshot(version)?;
            &past
        };
        let mut found: Vec<(&(String, String), &Arc<Value>)> = objects
            .iter()
            .filter(|(key, _)| namespace.is_empty() || key.0 == namespace)
            .filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after))
            .filter(|(_, object)| selector.matches(object))
            .collect();
        let remaining = if options.limit == 0 { 0 } else { found.len().saturating_sub(options.limit) };
        if options.limit > 0 {
            found.truncate(options.limit);
        }
        let token = match found.last() {
            Some(((namespace, name), _)) if remaining > 0 => format!("{version}/{namespace}/{name}"),
            _ => String::new(),
        };
        let items = found.into_iter().map(|(_, object)| object.clone()).collect();
        Ok(Page { items, version, token, remaining })
    }
}

impl Page {
    /// `metadata` of the list object.
    pub fn metadata(&self) -> Value {
        let mut metadata = json!({ "resourceVersion": self.version.to_string() });
        if !self.token.is_empty() {
            metadata = json!({
                "resourceVersion": self.version.to_string(), "continue": self.token, "remainingItemCount": self.remaining,
            });
        }
        metadata
    }
}

/// A token names the snapshot and the last object that was handed out.
fn parse_token(token: &str) -> Result<(u64, Option<(String, String)>), Reject> {
    let unreadable = || Reject::bad_request("continue key is not valid");
    let mut parts = token.splitn(3, '/');
    let mut next = || parts.next().ok_or_else(unreadable);
    let version = next()?.parse().map_err(|_| unreadable())?;
    let (namespace, name) = (next()?.to_owned(), next()?.to_owned());
    Ok((version, Some((namespace, name))))
}
