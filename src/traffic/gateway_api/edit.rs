//! The patch that brings a route to a weight.
//!
//! It touches weights of the Rollout's own backends and one label, nothing else. Every replaced value is tested
//! first, so a patch computed from an older route fails as a whole instead of writing into a changed one.
//! The absence of a member cannot be tested in a JSON patch, so the effect must carry the route's resourceVersion too.

use std::borrow::Cow;

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::config::Label;
use super::error::{MAX_WEIGHT, RouteError};
use super::kind::RouteKind;
use super::rules::{BackendRef, Backends, Rule, rules};

/// What a route should say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// The route's kind, for messages.
    pub kind: RouteKind,
    /// Which parts of the route are meant.
    pub backends: Backends,
    /// Weight of the canary, 0 to `max_weight`; the stable Service gets the rest.
    pub canary_weight: i32,
    /// Weight that stands for all traffic, 1 to 1,000,000.
    pub max_weight: i32,
    /// The in-progress label; `None` leaves labels alone.
    pub label: Option<Label>,
}

/// The JSON patch from `route` to `goal`; `None` where nothing is to be changed.
///
/// Worked example: a weight of 30 of 100, stable written as 100 and canary without a weight, gives
/// test name, test 100, replace 70; test name, add 30; add the label.
///
/// # Errors
/// A goal out of range, no rule that splits traffic between the two Services, or a rule that names one of them twice.
pub fn edit(route: &Value, goal: &Goal) -> Result<Option<Value>, RouteError> {
    let &Goal { canary_weight: weight, max_weight: max, .. } = goal;
    if !(1..=MAX_WEIGHT).contains(&max) || !(0..=max).contains(&weight) {
        return Err(RouteError::WeightOutOfRange { weight, max });
    }
    let found = rules(route, &goal.backends);
    if !found.iter().any(Rule::splits) {
        return Err(RouteError::BackendNotFound(goal.kind));
    }
    let mut operations = Vec::new();
    for rule in found.iter().filter(|rule| rule.takes_part()) {
        let mut sides = [
            (&rule.canary, &goal.backends.canary_service, weight),
            (
                &rule.stable,
                &goal.backends.stable_service,
                max - weight - i32::from(crate::mutant!("weights-do-not-add-up")),
            ),
        ]
        .map(|(found, service, weight)| (found.as_slice(), service, weight));
        // In the order of the route, so that the patch reads along with it.
        sides.sort_by_key(|(found, ..)| found.first().map(|backend| backend.index));
        for (found, service, weight) in sides {
            match found {
                [] => {}
                [backend] => set_weight(&mut operations, rule, backend, (service, weight)),
                _ => return Err(RouteError::Repeated { rule: rule.path(), service: service.clone() }),
            }
        }
    }
    if let Some(label) = &goal.label {
        set_label(&mut operations, route, label, weight)?;
    }
    Ok((!operations.is_empty()).then_some(Value::Array(operations)))
}

/// The route as it will be after a patch from this room; as it is where the patch does not fit it.
pub fn applied<'r>(route: &'r Value, patch: Option<&Value>) -> Cow<'r, Value> {
    let Some(patch) = patch.and_then(|patch| json_patch::Patch::deserialize(patch).ok()) else {
        return Cow::Borrowed(route);
    };
    let mut after = route.clone();
    // A patch that does not fit leaves the route as it is.
    match json_patch::patch(&mut after, &patch) {
        Ok(()) => Cow::Owned(after),
        Err(_) => Cow::Borrowed(route),
    }
}

/// Two patches as one, the second made for the route after the first.
pub fn joined(first: Option<Value>, second: Option<Value>) -> Option<Value> {
    match (first, second) {
        (Some(Value::Array(mut first)), Some(Value::Array(second))) => {
            first.extend(second);
            Some(Value::Array(first))
        }
        (first, second) => first.or(second),
    }
}

fn set_weight(operations: &mut Vec<Value>, rule: &Rule<'_>, backend: &BackendRef<'_>, goal: (&str, i32)) {
    let (service, weight) = goal;
    if backend.weight.and_then(Value::as_i64) == Some(i64::from(weight)) {
        return;
    }
    let path = format!("/spec/rules/{}/backendRefs/{}", rule.index, backend.index);
    operations.push(json!({"op": "test", "path": format!("{path}/name"), "value": service}));
    let path = format!("{path}/weight");
    if let Some(old) = backend.weight {
        operations.push(json!({"op": "test", "path": path, "value": old}));
        operations.push(json!({"op": "replace", "path": path, "value": weight}));
    } else {
        operations.push(json!({"op": "add", "path": path, "value": weight}));
    }
}

/// The label is there exactly while the weight is not 0. Argo: the plugin's in-progress label.
fn set_label(operations: &mut Vec<Value>, route: &Value, label: &Label, weight: i32) -> Result<(), RouteError> {
    let Some(Value::Object(metadata)) = route.get("metadata") else {
        return Err(RouteError::Malformed { path: "metadata" });
    };
    let labels = match metadata.get("labels") {
        None | Some(Value::Null) => None,
        Some(Value::Object(labels)) => Some(labels),
        Some(_) => return Err(RouteError::Malformed { path: "metadata.labels" }),
    };
    let path = format!("/metadata/labels/{}", escaped(&label.key));
    match (labels.map(|labels| labels.get(&label.key)), weight != 0) {
        (None | Some(None), false) => {}
        (None, true) => {
            let mut only = serde_json::Map::new();
            only.insert(label.key.clone(), label.value.clone().into());
            operations.push(json!({"op": "add", "path": "/metadata/labels", "value": only}));
        }
        (Some(None), true) => operations.push(json!({"op": "add", "path": path, "value": label.value})),
        (Some(Some(old)), true) if *old == label.value => {}
        (Some(Some(old)), marked) => {
            operations.push(json!({"op": "test", "path": path, "value": old}));
            operations.push(if marked {
                json!({"op": "replace", "path": path, "value": label.value})
            } else {
                json!({"op": "remove", "path": path})
            });
        }
    }
    Ok(())
}

/// A key as a part of a JSON pointer (RFC 6901, section 3).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
