//! Values and sets of fields together.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::Fields;
use super::guide::{Form, Guide, key_of};

/// The parts of a value, by path element; none where it is one value.
fn parts<'a>(value: &'a Value, guide: Guide<'a>, is_root: bool) -> Option<Vec<(String, &'a Value, Guide<'a>)>> {
    match (guide.form(value), value) {
        (Form::Granular, Value::Object(map)) => {
            let field =
                |(name, value): (&'a String, &'a Value)| (format!("f:{name}"), value, guide.field(name, is_root));
            Some(map.iter().map(field).collect())
        }
        (Form::Set, Value::Array(items)) => {
            Some(items.iter().map(|item| (format!("v:{item}"), item, Guide::Free)).collect())
        }
        (Form::Keyed(keys), Value::Array(items)) => {
            let keyed = items.iter().map(|item| Some((key_of(item, keys)?, item, guide.item())));
            keyed.collect()
        }
        _ => None,
    }
}

/// The fields that a value sets. A whole map is not one of them, an item of a list is.
pub(crate) fn fields_of(value: &Value, guide: Guide<'_>) -> Fields {
    collect(value, guide, true)
}

fn collect(value: &Value, guide: Guide<'_>, is_root: bool) -> Fields {
    let Some(parts) = parts(value, guide, is_root).filter(|parts| !parts.is_empty()) else {
        return if is_root { Fields::default() } else { Fields::leaf() };
    };
    let mut fields = Fields::default();
    for (element, part, guide) in parts {
        let mut below = collect(part, guide, false);
        below.member |= !element.starts_with("f:");
        fields.put(element, &below);
    }
    fields
}

/// What has been set anew or otherwise, and what has gone.
pub(crate) fn difference(old: &Value, new: &Value, guide: Guide<'_>) -> (Fields, Fields) {
    compare(old, new, guide, true)
}

fn compare(old: &Value, new: &Value, guide: Guide<'_>, is_root: bool) -> (Fields, Fields) {
    let (mut set, mut gone) = (Fields::default(), Fields::default());
    if old == new {
        return (set, gone);
    }
    let (Some(before), Some(after)) = (parts(old, guide, is_root), parts(new, guide, is_root)) else {
        return (collect(new, guide, false), collect(old, guide, false).minus(&collect(new, guide, false)));
    };
    let before: BTreeMap<String, (&Value, Guide<'_>)> =
        before.into_iter().map(|(element, value, guide)| (element, (value, guide))).collect();
    let mut kept = std::collections::BTreeSet::new();
    for (element, value, guide) in after {
        let item = !element.starts_with("f:");
        if let Some((old, _)) = before.get(&element) {
            let (changed, removed) = compare(old, value, guide, false);
            set.put(element.clone(), &changed);
            gone.put(element.clone(), &removed);
        } else {
            let mut added = collect(value, guide, false);
            added.member |= item;
            set.put(element.clone(), &added);
        }
        kept.insert(element);
    }
    for (element, (value, guide)) in before.into_iter().filter(|(element, _)| !kept.contains(element)) {
        let mut lost = collect(value, guide, false);
        lost.member = true;
        gone.put(element, &lost);
    }
    (set, gone)
}

/// `target` with everything that `patch` sets.
pub(crate) fn merge(target: &Value, patch: &Value, guide: Guide<'_>) -> Value {
    combine(target, patch, guide, true)
}

fn combine(target: &Value, patch: &Value, guide: Guide<'_>, is_root: bool) -> Value {
    let (Some(_), Some(news)) = (parts(target, guide, is_root), parts(patch, guide, is_root)) else {
        return patch.clone();
    };
    match (target, patch) {
        (Value::Object(old), Value::Object(new)) => {
            let mut map = old.clone();
            for (name, value) in new {
                let merged = old.get(name).map(|old| combine(old, value, guide.field(name, is_root), false));
                map.insert(name.clone(), merged.unwrap_or_else(|| value.clone()));
            }
            Value::Object(map)
        }
        (Value::Array(_), Value::Array(_)) => {
            let mut news: Vec<(String, &Value, Guide<'_>)> = news;
            let mut items = Vec::new();
            for (element, old, guide) in parts(target, guide, is_root).unwrap_or_default() {
                let at = news.iter().position(|(new, ..)| *new == element);
                let new = at.map(|at| news.remove(at).1);
                items.push(new.map_or_else(|| old.clone(), |new| combine(old, new, guide, false)));
            }
            items.extend(news.into_iter().map(|(_, new, _)| new.clone()));
            Value::Array(items)
        }
        _ => patch.clone(),
    }
}

/// Takes the members of `gone` out of the value, as far as nobody else has a part in them.
pub(crate) fn remove(value: &mut Value, gone: &Fields, (others, guide): (&Fields, Guide<'_>)) {
    take(value, gone, others, (guide, true));
}

fn take(value: &mut Value, gone: &Fields, others: &Fields, (guide, is_root): (Guide<'_>, bool)) {
    let nobody = Fields::default();
    let form = guide.form(value);
    match value {
        Value::Object(map) if form == Form::Granular => {
            for (element, below) in &gone.inner {
                let Some(name) = element.strip_prefix("f:") else { continue };
                let others = others.inner.get(element).unwrap_or(&nobody);
                if take_field(map, (name, below), others, guide.field(name, is_root)) {
                    map.remove(name);
                }
            }
        }
        Value::Array(items) => {
            let key = |item: &Value| match form {
                Form::Keyed(keys) => key_of(item, keys),
                Form::Set => Some(format!("v:{item}")),
                _ => None,
            };
            items.retain_mut(|item| {
                let Some(element) = key(item) else { return true };
                let Some(below) = gone.inner.get(&element) else { return true };
                let others = others.inner.get(&element).unwrap_or(&nobody);
                if below.member && others.is_empty() {
                    return false;
                }
                take(item, below, others, (guide.item(), false));
                true
            });
        }
        _ => {}
    }
}

/// Whether the field itself is to go: it was owned as one value, or everything in it has gone.
fn take_field(map: &mut Map<String, Value>, (name, gone): (&str, &Fields), others: &Fields, guide: Guide<'_>) -> bool {
    let Some(child) = map.get_mut(name) else { return false };
    if gone.member && others.is_empty() {
        return true;
    }
    take(child, gone, others, (guide, false));
    let emptied = child.as_object().is_some_and(Map::is_empty) || child.as_array().is_some_and(Vec::is_empty);
    emptied && others.is_empty()
}
