//! What may follow an operand: `.name`, `?.name`, `[index]`, `[from:to]`, and calls of methods.

use std::sync::Arc;

use super::super::ast::{Member, Node, NodeKind};
use super::super::error::CompileError;
use super::super::lexer::{TokenKind, is_alphabetic};
use super::{Parsed, Parser};

impl Parser<'_> {
    /// `node` with all accesses that follow it.
    pub(super) fn postfix(&mut self, node: Node) -> Parsed {
        let mut node = node;
        loop {
            let token = self.current();
            let optional = token.is_operator("?.");
            if optional || token.is_operator(".") {
                self.advance();
                node = if optional && self.current().is_bracket("[") {
                    self.advance();
                    self.index_or_slice(node, Access::Optional)?
                } else {
                    self.member(node, if optional { Access::Optional } else { Access::Plain })?
                };
            } else if token.is_bracket("[") {
                self.advance();
                node = self.index_or_slice(node, Access::Plain)?;
            } else {
                return Ok(node);
            }
        }
    }

    /// `.name` or `?.name`, after the dot. A chain that is already open is continued.
    fn member(&mut self, node: Node, access: Access) -> Parsed {
        let token = self.current().clone();
        self.advance();
        let word = token.kind == TokenKind::Identifier
            || (token.kind == TokenKind::Operator && token.value.chars().next().is_some_and(is_alphabetic));
        if !word {
            return Err(CompileError::new("expected name"));
        }
        let property = self.node(NodeKind::Str(Arc::from(token.value)))?;
        let (base, chained) = match node.kind {
            NodeKind::Chain(inner) => (inner, true),
            _ => (Box::new(node), false),
        };
        let optional = access == Access::Optional;
        let method = self.current().is_bracket("(");
        let member = NodeKind::Member(Member { base, property: Box::new(property), optional, method });
        let mut node = self.node(member)?;
        if method {
            let arguments = self.arguments(Vec::new())?;
            node = self.node(NodeKind::Call(Box::new(node), arguments))?;
        }
        if chained || optional { self.node(NodeKind::Chain(Box::new(node))) } else { Ok(node) }
    }

    /// `[index]` or `[from:to]`, after the bracket.
    fn index_or_slice(&mut self, node: Node, access: Access) -> Parsed {
        if self.take_operator(":") {
            return self.slice_end(node, None);
        }
        let from = self.expression(0)?;
        if self.take_operator(":") {
            return self.slice_end(node, Some(Box::new(from)));
        }
        let optional = access == Access::Optional;
        let member = Member { base: Box::new(node), property: Box::new(from), optional, method: false };
        let mut node = self.node(NodeKind::Member(member))?;
        if optional {
            node = self.node(NodeKind::Chain(Box::new(node)))?;
        }
        self.expect_bracket("]")?;
        Ok(node)
    }

    /// What follows the `:` of a slice.
    fn slice_end(&mut self, node: Node, from: Option<Box<Node>>) -> Parsed {
        let to = if self.current().is_bracket("]") { None } else { Some(Box::new(self.expression(0)?)) };
        let slice = self.node(NodeKind::Slice(Box::new(node), from, to))?;
        self.expect_bracket("]")?;
        Ok(slice)
    }
}

/// Whether nil before an access ends the chain quietly.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Plain,
    Optional,
}
