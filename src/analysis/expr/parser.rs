//! From tokens to a syntax tree: a Pratt parser with the precedences and the oddities of Go's `expr-lang`
//! (`parser/parser.go`). It bounds depth, height and number of nodes, and knows no types.

mod atom;
mod call;
mod postfix;

use super::ast::{BinaryOp, Node, NodeKind, UnaryOp};
use super::error::CompileError;
use super::lexer::{Token, TokenKind};
use super::limits::{MAX_DEPTH, MAX_HEIGHT, MAX_NODES};

type Parsed = Result<Node, CompileError>;

/// Reads all of `tokens` as one expression.
pub(super) fn parse(tokens: &[Token]) -> Parsed {
    let end = Token { kind: TokenKind::Eof, value: String::new() };
    let mut parser = Parser { tokens, end, position: 0, depth: 0, nodes: 0, predicates: 0 };
    let node = parser.sequence()?;
    if parser.current().kind == TokenKind::Eof { Ok(node) } else { Err(parser.unexpected()) }
}

struct Parser<'a> {
    tokens: &'a [Token],
    end: Token,
    position: usize,
    /// How many expressions are open around the current one.
    depth: usize,
    /// How many nodes were made, copies included.
    nodes: usize,
    /// How many predicates are open around the current expression.
    predicates: usize,
}

impl Parser<'_> {
    fn current(&self) -> &Token {
        self.tokens.get(self.position).unwrap_or(&self.end)
    }

    fn advance(&mut self) {
        self.position += 1;
    }

    fn unexpected(&self) -> CompileError {
        CompileError::new(format!("unexpected token {}", self.current()))
    }

    /// Takes the operator `value` if it is next.
    fn take_operator(&mut self, value: &str) -> bool {
        let taken = self.current().is_operator(value);
        if taken {
            self.advance();
        }
        taken
    }

    fn expect_operator(&mut self, value: &str) -> Result<(), CompileError> {
        if self.take_operator(value) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn expect_bracket(&mut self, value: &str) -> Result<(), CompileError> {
        if !self.current().is_bracket(value) {
            return Err(self.unexpected());
        }
        self.advance();
        Ok(())
    }

    fn expect_identifier(&mut self) -> Result<String, CompileError> {
        if self.current().kind != TokenKind::Identifier {
            return Err(self.unexpected());
        }
        let name = self.current().value.clone();
        self.advance();
        Ok(name)
    }

    fn count(&mut self, nodes: usize) -> Result<(), CompileError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err(CompileError::new("compilation failed: expression exceeds maximum allowed nodes"));
        }
        Ok(())
    }

    fn node(&mut self, kind: NodeKind) -> Parsed {
        self.count(1)?;
        let node = Node::new(kind);
        if node.height > MAX_HEIGHT {
            return Err(CompileError::new(format!("expression is a chain of more than {MAX_HEIGHT} operations")));
        }
        Ok(node)
    }

    /// Expressions separated by `;`, the value of which is that of the last.
    fn sequence(&mut self) -> Parsed {
        let first = self.expression(0)?;
        let mut nodes = vec![first];
        while self.take_operator(";") {
            if self.current().kind == TokenKind::Eof {
                break;
            }
            nodes.push(self.expression(0)?);
        }
        match nodes.pop() {
            Some(only) if nodes.is_empty() => Ok(only),
            Some(last) => {
                nodes.push(last);
                self.node(NodeKind::Sequence(nodes))
            }
            None => Err(self.unexpected()),
        }
    }

    /// One expression, the operators of which bind at least as tightly as `precedence`.
    fn expression(&mut self, precedence: u16) -> Parsed {
        if self.depth >= MAX_DEPTH {
            return Err(CompileError::new(format!("expression nests deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        let node = self.expression_inside(precedence);
        self.depth -= 1;
        node
    }

    fn expression_inside(&mut self, precedence: u16) -> Parsed {
        if precedence == 0 && self.take_operator("let") {
            return self.declaration();
        }
        if precedence == 0 && self.take_operator("if") {
            return self.if_else();
        }
        let mut left = self.primary()?;
        let mut after_coalesce = false;
        while self.current().kind == TokenKind::Operator {
            if precedence == 0 && self.current().is_operator("|") {
                self.advance();
                let name = self.expect_identifier()?;
                left = self.call(&name, vec![left])?;
                after_coalesce = false;
                continue;
            }
            let negate = self.current().is_operator("not");
            let symbol = self.tokens.get(self.position + usize::from(negate)).unwrap_or(&self.end).clone();
            let operator = if symbol.kind == TokenKind::Operator { BinaryOp::of(&symbol.value) } else { None };
            if negate && !operator.is_some_and(BinaryOp::is_negatable) {
                self.advance();
                return Err(self.unexpected());
            }
            let Some(operator) = operator.filter(|operator| operator.precedence() >= precedence) else { break };
            self.position += 1 + usize::from(negate);
            if after_coalesce && operator != BinaryOp::Coalesce {
                let text = format!(
                    "Operator ({}) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses.",
                    symbol.value
                );
                return Err(CompileError::new(text));
            }
            left = self.binary(left, operator)?;
            if negate {
                left = self.node(NodeKind::Unary(UnaryOp::Not("not"), Box::new(left)))?;
            }
            after_coalesce = operator == BinaryOp::Coalesce;
        }
        if precedence == 0 { self.conditional(left) } else { Ok(left) }
    }

    /// The right side of `operator`, and the node of both.
    fn binary(&mut self, left: Node, operator: BinaryOp) -> Parsed {
        if operator.is_comparison() {
            return self.comparison(left, operator);
        }
        let precedence = operator.precedence();
        // Only the power operator groups to the right.
        let right = self.expression(if operator.plain() == BinaryOp::Power { precedence } else { precedence + 1 })?;
        self.node(NodeKind::Binary(operator, Box::new(left), Box::new(right)))
    }

    /// `a < b < c` means `a < b && b < c`.
    fn comparison(&mut self, left: Node, operator: BinaryOp) -> Parsed {
        let (mut left, mut operator) = (left, operator);
        let mut root: Option<Node> = None;
        loop {
            let right = self.expression(operator.precedence() + 1)?;
            let next = Some(self.current())
                .filter(|token| token.kind == TokenKind::Operator)
                .and_then(|token| BinaryOp::of(&token.value))
                .filter(|next| next.is_comparison());
            let shared = next.map(|_| right.clone());
            // A copy counts: nested chains would double with each level.
            self.count(shared.as_ref().map_or(0, |copy| copy.size))?;
            let compared = self.node(NodeKind::Binary(operator, Box::new(left), Box::new(right)))?;
            let both = match root.take() {
                None => compared,
                Some(before) => self.node(NodeKind::Binary(BinaryOp::And, Box::new(before), Box::new(compared)))?,
            };
            let (Some(shared), Some(next)) = (shared, next) else { return Ok(both) };
            self.advance();
            (left, operator, root) = (shared, next, Some(both));
        }
    }

    /// `let name = value; body`, after `let`.
    fn declaration(&mut self) -> Parsed {
        let name = self.expect_identifier()?;
        self.expect_operator("=")?;
        let value = self.expression(0)?;
        self.expect_operator(";")?;
        let body = self.nested(Self::sequence)?;
        self.node(NodeKind::Let(name.into(), Box::new(value), Box::new(body)))
    }

    /// Runs `read` one level deeper.
    fn nested(&mut self, read: fn(&mut Self) -> Parsed) -> Parsed {
        if self.depth >= MAX_DEPTH {
            return Err(CompileError::new(format!("expression nests deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        let node = read(self);
        self.depth -= 1;
        node
    }

    /// `if test { yes } else { no }`, after `if`.
    fn if_else(&mut self) -> Parsed {
        let test = self.expression(0)?;
        self.expect_bracket("{")?;
        let yes = self.sequence()?;
        self.expect_bracket("}")?;
        self.expect_operator("else")?;
        let no = if self.take_operator("if") {
            self.nested(Self::if_else)?
        } else {
            self.expect_bracket("{")?;
            let no = self.sequence()?;
            self.expect_bracket("}")?;
            no
        };
        self.node(NodeKind::Conditional(Box::new(test), Box::new(yes), Box::new(no)))
    }

    /// `test ? yes : no`, as often as it follows; `test ?: no` is `test ? test : no`.
    fn conditional(&mut self, test: Node) -> Parsed {
        let mut node = test;
        while self.take_operator("?") {
            let yes = if self.current().is_operator(":") {
                self.count(node.size)?;
                node.clone()
            } else {
                self.expression(0)?
            };
            self.expect_operator(":")?;
            let no = self.expression(0)?;
            node = self.node(NodeKind::Conditional(Box::new(node), Box::new(yes), Box::new(no)))?;
        }
        Ok(node)
    }
}
