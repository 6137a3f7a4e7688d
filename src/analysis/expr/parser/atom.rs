//! What operators stand between: literals, names, parentheses, lists and maps.

use std::sync::Arc;

use super::super::ast::{NodeKind, Pointer, UnaryOp};
use super::super::error::CompileError;
use super::super::lexer::TokenKind;
use super::super::number;
use super::{Parsed, Parser};

impl Parser<'_> {
    /// An operand with the prefix operators before it and the accesses after it.
    pub(super) fn primary(&mut self) -> Parsed {
        let token = self.current().clone();
        if token.kind == TokenKind::Operator
            && let Some((operator, precedence)) = UnaryOp::of(&token.value)
        {
            self.advance();
            let operand = self.expression(precedence)?;
            let node = self.node(NodeKind::Unary(operator, Box::new(operand)))?;
            return self.postfix(node);
        }
        if token.is_bracket("(") {
            self.advance();
            let inner = self.sequence()?;
            self.expect_bracket(")")?;
            return self.postfix(inner);
        }
        if self.predicates > 0 && (token.is_operator("#") || token.is_operator(".")) {
            let pointer = self.pointer();
            let node = self.node(NodeKind::Pointer(pointer))?;
            return self.postfix(node);
        }
        if token.is_operator("::") {
            self.advance();
            let name = self.expect_identifier()?;
            let node = self.call(&name, Vec::new())?;
            return self.postfix(node);
        }
        self.literal_or_name()
    }

    /// `#`, `#index`, `#acc`; before a `.` that begins a predicate's field, `#` is understood.
    fn pointer(&mut self) -> Pointer {
        if !self.take_operator("#") || self.current().kind != TokenKind::Identifier {
            return Pointer::Element;
        }
        let pointer = match self.current().value.as_str() {
            "index" => Pointer::Index,
            "acc" => Pointer::Accumulator,
            other => Pointer::Unknown(other.to_owned()),
        };
        self.advance();
        pointer
    }

    fn literal_or_name(&mut self) -> Parsed {
        let token = self.current().clone();
        let node = match token.kind {
            TokenKind::Identifier => {
                self.advance();
                // After these, and after numbers, no access may follow.
                match token.value.as_str() {
                    "true" => return self.node(NodeKind::Bool(true)),
                    "false" => return self.node(NodeKind::Bool(false)),
                    "nil" => return self.node(NodeKind::Nil),
                    name if self.current().is_bracket("(") => self.call(name, Vec::new())?,
                    name => self.node(NodeKind::Name(Arc::from(name)))?,
                }
            }
            TokenKind::Number => {
                self.advance();
                let literal = number::literal(&token.value).map_err(CompileError::new)?;
                return self.node(literal);
            }
            TokenKind::String => {
                self.advance();
                self.node(NodeKind::Str(Arc::from(token.value)))?
            }
            TokenKind::Bracket if token.value == "[" => self.array()?,
            TokenKind::Bracket if token.value == "{" => self.map()?,
            _ => return Err(self.unexpected()),
        };
        self.postfix(node)
    }

    fn array(&mut self) -> Parsed {
        self.expect_bracket("[")?;
        let mut nodes = Vec::new();
        while !self.current().is_bracket("]") {
            if !nodes.is_empty() {
                self.expect_operator(",")?;
                if self.current().is_bracket("]") {
                    break;
                }
            }
            nodes.push(self.expression(0)?);
        }
        self.expect_bracket("]")?;
        self.node(NodeKind::Array(nodes))
    }

    fn map(&mut self) -> Parsed {
        self.expect_bracket("{")?;
        let mut pairs = Vec::new();
        while !self.current().is_bracket("}") {
            if !pairs.is_empty() {
                self.expect_operator(",")?;
                if self.current().is_bracket("}") {
                    break;
                }
            }
            let key = self.map_key()?;
            self.expect_operator(":")?;
            let value = self.expression(0)?;
            self.count(1)?;
            pairs.push((key, value));
        }
        self.expect_bracket("}")?;
        self.node(NodeKind::Map(pairs))
    }

    /// A key: a text, a number or a name as written, or an expression in parentheses.
    fn map_key(&mut self) -> Parsed {
        let token = self.current().clone();
        match token.kind {
            TokenKind::Number | TokenKind::String | TokenKind::Identifier => {
                self.advance();
                self.node(NodeKind::Str(Arc::from(token.value)))
            }
            TokenKind::Bracket if token.value == "(" => self.expression(0),
            _ => Err(CompileError::new(format!(
                "a map key must be a quoted string, a number, a identifier, or an expression enclosed in parentheses (unexpected token {token})"
            ))),
        }
    }
}
