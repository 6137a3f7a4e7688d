//! Calls and their arguments.

use std::sync::Arc;

use super::super::ast::{Builtin, Node, NodeKind};
use super::super::builtin_names::{Argument, plain_builtin, predicate_builtin};
use super::super::error::CompileError;
use super::{Parsed, Parser};

impl Parser<'_> {
    /// The call of `name`, the arguments of which follow; `piped` holds what stood before a `|`.
    pub(super) fn call(&mut self, name: &str, piped: Vec<Node>) -> Parsed {
        if let Some((name, kinds)) = predicate_builtin(name) {
            let arguments = self.predicate_arguments(kinds, piped)?;
            return self.node(NodeKind::Builtin(Builtin { name, arguments, map: None, throws: false }));
        }
        let callee =
            if plain_builtin(name).is_none() { Some(self.node(NodeKind::Name(Arc::from(name)))?) } else { None };
        let arguments = self.arguments(piped)?;
        match (callee, plain_builtin(name)) {
            (None, Some(name)) => self.node(NodeKind::Builtin(Builtin { name, arguments, map: None, throws: false })),
            (Some(callee), _) => self.node(NodeKind::Call(Box::new(callee), arguments)),
            (None, None) => Err(self.unexpected()),
        }
    }

    /// `(a, b, …)` after what was piped.
    pub(super) fn arguments(&mut self, piped: Vec<Node>) -> Result<Vec<Node>, CompileError> {
        let given = piped.len();
        let mut arguments = piped;
        self.expect_bracket("(")?;
        while !self.current().is_bracket(")") {
            if arguments.len() > given {
                self.expect_operator(",")?;
            }
            if self.current().is_bracket(")") {
                break;
            }
            arguments.push(self.expression(0)?);
        }
        self.expect_bracket(")")?;
        Ok(arguments)
    }

    fn predicate_arguments(&mut self, kinds: &[Argument], piped: Vec<Node>) -> Result<Vec<Node>, CompileError> {
        let mut arguments = piped;
        self.expect_bracket("(")?;
        let wanted = kinds.get(arguments.len()..).unwrap_or_default();
        for (index, kind) in wanted.iter().enumerate() {
            if self.current().is_bracket(")") {
                if matches!(kind, Argument::OptionalPlain | Argument::OptionalPredicate) {
                    break;
                }
                return Err(CompileError::new(format!("expected at least {} arguments", wanted.len())));
            }
            if index > 0 {
                self.expect_operator(",")?;
            }
            arguments.push(match kind {
                Argument::Plain | Argument::OptionalPlain => self.expression(0)?,
                Argument::Predicate | Argument::OptionalPredicate => self.predicate()?,
            });
        }
        self.take_operator(",");
        self.expect_bracket(")")?;
        Ok(arguments)
    }

    /// An expression about each element, with or without braces.
    fn predicate(&mut self) -> Parsed {
        let braces = self.current().is_bracket("{");
        self.predicates += 1;
        let body = if braces {
            self.advance();
            self.sequence()?
        } else {
            let body = self.expression(0)?;
            if self.current().is_operator(";") {
                return Err(CompileError::new("wrap predicate with brackets { and }"));
            }
            body
        };
        self.predicates -= 1;
        if braces {
            self.expect_bracket("}")?;
        }
        self.node(NodeKind::Predicate(Box::new(body)))
    }
}
