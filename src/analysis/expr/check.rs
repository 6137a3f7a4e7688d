//! The static checker: gives every node its type and refuses what Go's `expr-lang` refuses
//! (`checker/checker.go`), in the same order, so that the first complaint is the same.

mod functions;
mod members;
mod operators;
mod predicates;

use std::sync::Arc;

use super::ast::{Node, NodeKind, Pointer};
use super::builtin_names;
use super::error::CompileError;
use super::types::{Function, Type};

/// Names that an expression may use.
#[derive(Clone, Debug)]
pub(super) enum Scope {
    /// Of a condition: `result` of this type, and Argo's functions.
    Condition(Type),
    /// Of a time of a range query: no result.
    Time,
}

impl Scope {
    /// The type of a global name (Argo: `utils/evaluate/evaluate.go` `EvalCondition`, `EvalTime`).
    fn global(&self, name: &str) -> Option<Type> {
        let function = match (self, name) {
            (Self::Condition(result), "result") => return Some(result.clone()),
            (_, "isNaN") => Function::IsNaN,
            (_, "isInf") => Function::IsInf,
            (Self::Condition(_), "asInt") => Function::AsInt,
            (Self::Condition(_), "asFloat") => Function::AsFloat,
            (Self::Condition(_), "isNil") => Function::IsNil,
            (Self::Condition(_), "default") => Function::Default,
            _ => return None,
        };
        Some(Type::Function(function))
    }
}

type Checked = Result<Type, CompileError>;

fn refuse<T>(text: impl Into<String>) -> Result<T, CompileError> {
    Err(CompileError::new(text))
}

/// Checks `root` and writes the types into it.
pub(super) fn check(root: &mut Node, scope: &Scope) -> Checked {
    let mut checker = Checker { scope, variables: Vec::new(), predicates: Vec::new() };
    checker.visit(root)
}

/// The inside of a predicate: what is iterated, and which names `#` has.
struct Inside {
    collection: Type,
    has_index: bool,
    has_accumulator: bool,
}

struct Checker<'a> {
    scope: &'a Scope,
    variables: Vec<(Arc<str>, Type)>,
    predicates: Vec<Inside>,
}

impl Checker<'_> {
    fn visit(&mut self, node: &mut Node) -> Checked {
        let ty = match &mut node.kind {
            NodeKind::Nil => Type::Nil,
            NodeKind::Bool(_) => Type::Bool,
            NodeKind::Int(_) => Type::Int,
            NodeKind::Float(_) => Type::Float,
            NodeKind::Str(_) => Type::Str,
            // These come from the optimizer, which runs later.
            NodeKind::Constant(_) | NodeKind::IntSet(_) | NodeKind::StrSet(_) | NodeKind::Pattern(_) => Type::Unknown,
            NodeKind::Name(name) => self.name(name)?,
            NodeKind::Unary(operator, operand) => self.unary(*operator, operand)?,
            NodeKind::Binary(operator, left, right) => {
                let ty = self.binary(*operator, left, right)?;
                *operator = operator.plain();
                ty
            }
            NodeKind::Chain(inner) | NodeKind::Predicate(inner) => self.visit(inner)?,
            NodeKind::Member(member) => self.member(member)?,
            NodeKind::Slice(base, from, to) => self.slice(base, from.as_deref_mut(), to.as_deref_mut())?,
            NodeKind::Call(callee, arguments) => self.call(callee, arguments)?,
            NodeKind::Builtin(builtin) => self.builtin(builtin)?,
            NodeKind::Pointer(pointer) => self.pointer(pointer)?,
            NodeKind::Let(name, value, body) => self.declaration(name, value, body)?,
            NodeKind::Sequence(nodes) => {
                let mut last = Type::Unknown;
                for node in nodes {
                    last = self.visit(node)?;
                }
                last
            }
            NodeKind::Conditional(test, yes, no) => self.conditional(test, yes, no)?,
            NodeKind::Array(nodes) => self.array(nodes)?,
            NodeKind::Map(pairs) => {
                for (key, value) in pairs {
                    self.visit(key)?;
                    self.visit(value)?;
                }
                Type::Map
            }
        };
        node.ty = ty.clone();
        Ok(ty)
    }

    fn name(&self, name: &str) -> Checked {
        if let Some((_, ty)) = self.variables.iter().rev().find(|(known, _)| known.as_ref() == name) {
            return Ok(ty.clone());
        }
        if name == "$env" {
            return Ok(Type::Unknown);
        }
        if let Some(ty) = self.scope.global(name) {
            return Ok(ty);
        }
        match builtin_names::builtin(name) {
            Some(known) => Ok(Type::Function(Function::Builtin(known))),
            None => refuse(format!("unknown name {name}")),
        }
    }

    fn declaration(&mut self, name: &Arc<str>, value: &mut Node, body: &mut Node) -> Checked {
        if self.scope.global(name).is_some() {
            return refuse(format!("cannot redeclare {name}"));
        }
        if builtin_names::builtin(name).is_some() {
            return refuse(format!("cannot redeclare builtin {name}"));
        }
        if self.variables.iter().any(|(known, _)| known == name) {
            return refuse(format!("cannot redeclare variable {name}"));
        }
        let ty = self.visit(value)?;
        self.variables.push((Arc::clone(name), ty));
        let body = self.visit(body)?;
        self.variables.pop();
        Ok(body)
    }

    fn pointer(&self, pointer: &Pointer) -> Checked {
        let Some(inside) = self.predicates.last() else {
            return refuse("cannot use pointer accessor outside predicate");
        };
        match pointer {
            Pointer::Element if inside.collection.is_unknown() => Ok(Type::Unknown),
            Pointer::Element => Ok(inside.collection.element()),
            Pointer::Index if inside.has_index => Ok(Type::Int),
            Pointer::Accumulator if inside.has_accumulator => Ok(Type::Unknown),
            Pointer::Index => refuse("unknown pointer #index"),
            Pointer::Accumulator => refuse("unknown pointer #acc"),
            Pointer::Unknown(name) => refuse(format!("unknown pointer #{name}")),
        }
    }

    fn conditional(&mut self, test: &mut Node, yes: &mut Node, no: &mut Node) -> Checked {
        let test = self.visit(test)?;
        if test != Type::Bool && !test.is_unknown() {
            return refuse(format!("non-bool expression (type {}) used as condition", test.name()));
        }
        let (yes, no) = (self.visit(yes)?, self.visit(no)?);
        Ok(match (&yes, &no) {
            (Type::Nil, _) => no,
            (_, Type::Nil) => yes,
            _ if !yes.assignable_to(&no) => Type::Unknown,
            (Type::List(..), Type::List(..)) => {
                let (first, second) = (yes.element(), no.element());
                let same = first.assignable_to(&second) && second.assignable_to(&first);
                if same { yes } else { Type::any_list() }
            }
            _ => yes,
        })
    }

    /// A list literal: its element type is known if all elements are of one kind.
    fn array(&mut self, nodes: &mut [Node]) -> Checked {
        let mut previous: Option<Type> = None;
        let mut alike = true;
        for node in nodes {
            let ty = self.visit(node)?;
            alike &= previous.is_none_or(|before| before.kind() == ty.kind());
            previous = Some(ty);
        }
        Ok(if alike { Type::list_of(previous.unwrap_or(Type::Unknown)) } else { Type::any_list() })
    }
}
