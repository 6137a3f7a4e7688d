//! Values of the wrong JSON type, found before anything else is read.
//!
//! The API server's schema refuses most of them; files given to `lint` and installations with an older
//! schema do not have that guard.

use super::error::{Path, Report};
use crate::rollout::revision::go_json::{fits, kind_to_text};
use crate::rollout::revision::table::{Kind, Struct};
use serde_json::Value;

#[cfg(test)]
mod tests;

/// Printed values longer than this many characters are cut.
const MAX_SHOWN: usize = 120;

/// Adds an error for each value in `object` that is not of the type that `shape` gives it.
pub fn check(shape: &Struct, object: &Value, path: &Path, report: &mut Report) {
    let Some(members) = object.as_object() else {
        add(Kind::Map(&Kind::Raw), object, path, report);
        return;
    };
    for field in shape.fields {
        if let Some(value) = members.get(field.key) {
            check_kind(field.kind, value, &path.child(field.key), report);
        }
    }
}

fn check_kind(kind: Kind, value: &Value, path: &Path, report: &mut Report) {
    // Null stands for absent everywhere.
    if value.is_null() {
        return;
    }
    if !fits(kind, value) {
        add(kind, value, path, report);
        return;
    }
    match (kind, value) {
        (Kind::Struct(shape), _) => check(shape, value, path, report),
        (Kind::List(element), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                check_kind(*element, item, &path.index(index), report);
            }
        }
        (Kind::Map(element), Value::Object(members)) => {
            for (key, item) in members {
                check_kind(*element, item, &path.key(key), report);
            }
        }
        _ => {}
    }
}

fn add(kind: Kind, value: &Value, path: &Path, report: &mut Report) {
    let expected = match kind {
        Kind::Text | Kind::Bytes => "text",
        Kind::Bool => "true or false",
        Kind::Int32 => "a whole number of 32 bits",
        Kind::Int64 => "a whole number of 64 bits",
        Kind::Quantity => "a quantity such as 500m or 1Gi",
        Kind::IntOrString => "a whole number of 32 bits or text",
        Kind::Time => "a time such as 2024-01-31T12:00:00Z",
        Kind::List(_) => "a list",
        Kind::Raw | Kind::Struct(_) | Kind::Map(_) => "an object",
    };
    let mut shown = kind_to_text(Kind::Raw, Some(value));
    if let Some((end, _)) = shown.char_indices().nth(MAX_SHOWN) {
        shown.truncate(end);
        shown.push('…');
    }
    report.type_invalid(path, shown, &format!("must be {expected}"));
}
