//! Types of the built-ins that take a predicate.

use super::super::ast::{Builtin, Node};
use super::super::types::Type;
use super::super::value::{ListKind, TableKind};
use super::{Checked, Checker, Inside, refuse};

const NOT_ONE_OUTPUT: &str = "predicate should has one input and one output param";

impl Checker<'_> {
    /// The type of a call of `all`, `map`, `reduce` and their like; none if it is another built-in.
    pub(super) fn predicate_builtin(&mut self, builtin: &mut Builtin) -> Result<Option<Type>, super::CompileError> {
        let name = builtin.name;
        if super::builtin_names::predicate_builtin(name).is_none() {
            return Ok(None);
        }
        let mut arguments = builtin.arguments.iter_mut();
        let Some(first) = arguments.next() else { return refuse(format!("not enough arguments to call {name}")) };
        let collection = self.visit(first)?;
        if !collection.is_list() && !collection.is_unknown() {
            return refuse(format!("builtin {name} takes only array (got {})", collection.name()));
        }
        let output = match arguments.next() {
            Some(predicate) => Some(self.inside(name, &collection, predicate)?),
            None => None,
        };
        if let Some(last) = arguments.next() {
            self.visit(last)?;
        }
        // A predicate that is just `nil` has no output type.
        if output == Some(Type::Nil) {
            return refuse(NOT_ONE_OUTPUT);
        }
        outcome(name, &collection, output).map(Some)
    }

    fn inside(&mut self, name: &str, collection: &Type, predicate: &mut Node) -> Checked {
        self.predicates.push(Inside {
            collection: collection.clone(),
            has_index: matches!(name, "map" | "reduce"),
            has_accumulator: name == "reduce",
        });
        let output = self.visit(predicate)?;
        self.predicates.pop();
        Ok(output)
    }
}

/// What `name` gives for elements of `collection` and a predicate that gives `output`.
fn outcome(name: &str, collection: &Type, output: Option<Type>) -> Checked {
    let unknown = collection.is_unknown();
    let must_be_bool = !matches!(name, "map" | "sum" | "groupBy" | "sortBy" | "reduce");
    if let Some(output) = output.as_ref().filter(|_| must_be_bool)
        && *output != Type::Bool
        && !output.is_unknown()
    {
        return refuse(format!("predicate should return boolean (got {})", output.name()));
    }
    Ok(match name {
        "all" | "none" | "any" | "one" => Type::Bool,
        "count" | "findIndex" | "findLastIndex" => Type::Int,
        "filter" if unknown => Type::any_list(),
        "filter" => Type::list_of(collection.element()),
        "map" => Type::list_of(output.unwrap_or(Type::Unknown)),
        "sum" => match output {
            // The output type passes through reflection: only what Go declares is left of it.
            Some(Type::Unknown) => Type::Any,
            Some(Type::List(ListKind::Any, _)) => Type::any_list(),
            Some(output) => output,
            None if unknown => Type::Unknown,
            None => collection.element(),
        },
        "find" | "findLast" if unknown => Type::Unknown,
        "find" | "findLast" => collection.element(),
        "groupBy" => Type::Table(TableKind::Groups),
        "sortBy" => collection.clone(),
        _ => output.unwrap_or(Type::Unknown),
    })
}
