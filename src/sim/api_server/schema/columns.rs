//! Printer columns of a definition: a name, a type and a simple JSON path.

use serde_json::{Value, json};

use crate::sim::object;

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Heading.
    pub name: String,
    /// `string`, `integer`, `date` and the like.
    pub of: String,
    /// The path below the object, such as `.status.conditions[?(@.type=="Ready")].status`.
    pub path: String,
    /// Above 0, kubectl shows it only with `-o wide`.
    pub priority: i64,
}

impl Column {
    pub(crate) fn of(column: &Value) -> Self {
        Self {
            name: object::text(column, "/name").to_owned(),
            of: object::text(column, "/type").to_owned(),
            path: object::text(column, "/jsonPath").to_owned(),
            priority: object::integer(column, "/priority").unwrap_or(0),
        }
    }

    /// What stands there; null where nothing does, which kubectl shows as an empty cell.
    pub(crate) fn cell(&self, object: &Value) -> Value {
        find(object, &self.path).cloned().unwrap_or_default()
    }
}

/// The value at a path of names, indices and filters on one field's equality.
pub(crate) fn find<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut at = object;
    let mut rest = path.trim_start_matches('$');
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (step, after) = inside.split_once(']')?;
            at = index(at, step)?;
            rest = after;
        } else {
            let name = rest.trim_start_matches('.');
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (name, after) = name.split_at_checked(end)?;
            at = at.get(name)?;
            rest = after;
        }
    }
    Some(at)
}

fn index<'a>(list: &'a Value, step: &str) -> Option<&'a Value> {
    if let Ok(number) = step.parse::<usize>() {
        return list.get(number);
    }
    let filter = step.strip_prefix("?(@.")?.strip_suffix(')')?;
    let (field, wanted) = filter.split_once("==")?;
    let wanted = json!(wanted.trim().trim_matches(['"', '\'']));
    list.as_array()?.iter().find(|item| item.get(field.trim()) == Some(&wanted))
}
