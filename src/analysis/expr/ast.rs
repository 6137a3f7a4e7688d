//! The syntax tree. The reader makes it, the checker writes types into it, the optimizer rewrites it,
//! and evaluation walks it.

use std::collections::BTreeSet;
use std::sync::Arc;

use regex::Regex;

use super::types::Type;
use super::value::Value;

/// A node and its static type.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub kind: NodeKind,
    pub ty: Type,
    /// Nodes in this tree, itself included.
    pub size: usize,
    /// Height of this tree; 1 for a leaf.
    pub height: usize,
}

/// `-x`, `+x`, `not x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnaryOp {
    Negate,
    Plus,
    /// `!` or `not`, as written.
    Not(&'static str),
}

impl UnaryOp {
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Negate => "-",
            Self::Plus => "+",
            Self::Not(symbol) => symbol,
        }
    }

    /// The operator and how tightly it binds.
    pub fn of(symbol: &str) -> Option<(Self, u16)> {
        Some(match symbol {
            "not" => (Self::Not("not"), 50),
            "!" => (Self::Not("!"), 50),
            "-" => (Self::Negate, 90),
            "+" => (Self::Plus, 90),
            _ => return None,
        })
    }
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BinaryOp {
    Or,
    And,
    /// `or`, `and` and `^` as written; the checker turns them into the same operators as symbols.
    OrWord,
    AndWord,
    Caret,
    Equal,
    NotEqual,
    Less,
    More,
    MoreOrEqual,
    LessOrEqual,
    In,
    Matches,
    Contains,
    StartsWith,
    EndsWith,
    Range,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Coalesce,
}

impl BinaryOp {
    /// The operator that a token stands for.
    pub fn of(symbol: &str) -> Option<Self> {
        Some(match symbol {
            "||" => Self::Or,
            "&&" => Self::And,
            "or" => Self::OrWord,
            "and" => Self::AndWord,
            "^" => Self::Caret,
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            "<" => Self::Less,
            ">" => Self::More,
            ">=" => Self::MoreOrEqual,
            "<=" => Self::LessOrEqual,
            "in" => Self::In,
            "matches" => Self::Matches,
            "contains" => Self::Contains,
            "startsWith" => Self::StartsWith,
            "endsWith" => Self::EndsWith,
            ".." => Self::Range,
            "+" => Self::Add,
            "-" => Self::Subtract,
            "*" => Self::Multiply,
            "/" => Self::Divide,
            "%" => Self::Modulo,
            "**" => Self::Power,
            "??" => Self::Coalesce,
            _ => return None,
        })
    }

    /// How tightly it binds (Go: `parser/operator`).
    pub fn precedence(self) -> u16 {
        match self {
            Self::Or | Self::OrWord => 10,
            Self::And | Self::AndWord => 15,
            Self::Range => 25,
            Self::Add | Self::Subtract => 30,
            Self::Multiply | Self::Divide | Self::Modulo => 60,
            Self::Power | Self::Caret => 100,
            Self::Coalesce => 500,
            _ => 20,
        }
    }

    /// The operator that means the same and has one spelling.
    pub fn plain(self) -> Self {
        match self {
            Self::OrWord => Self::Or,
            Self::AndWord => Self::And,
            Self::Caret => Self::Power,
            other => other,
        }
    }

    pub fn is_comparison(self) -> bool {
        matches!(self, Self::Less | Self::More | Self::MoreOrEqual | Self::LessOrEqual)
    }

    /// Whether `not` may stand before it.
    pub fn is_negatable(self) -> bool {
        matches!(self, Self::Contains | Self::Matches | Self::StartsWith | Self::EndsWith | Self::In)
    }

    pub fn symbol(self) -> &'static str {
        match self {
            Self::OrWord => "or",
            Self::AndWord => "and",
            Self::Caret => "^",
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::More => ">",
            Self::MoreOrEqual => ">=",
            Self::LessOrEqual => "<=",
            Self::In => "in",
            Self::Matches => "matches",
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Range => "..",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Power => "**",
            Self::Coalesce => "??",
        }
    }
}

/// What `#` and its names mean inside a predicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pointer {
    Element,
    Index,
    Accumulator,
    Unknown(String),
}

/// What kind of node it is.
#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Arc<str>),
    /// A list of literals, folded.
    Constant(Value),
    /// A list of integer literals to the right of `in`, folded.
    IntSet(BTreeSet<i64>),
    /// A list of text literals to the right of `in`, folded.
    StrSet(BTreeSet<Arc<str>>),
    /// A literal to the right of `matches`, compiled.
    Pattern(Regex),
    Name(Arc<str>),
    Unary(UnaryOp, Box<Node>),
    Binary(BinaryOp, Box<Node>, Box<Node>),
    /// A chain of accesses with `?.` in it: nil anywhere there makes the whole nil.
    Chain(Box<Node>),
    Member(Member),
    Slice(Box<Node>, Option<Box<Node>>, Option<Box<Node>>),
    Call(Box<Node>, Vec<Node>),
    Builtin(Builtin),
    Predicate(Box<Node>),
    Pointer(Pointer),
    Let(Arc<str>, Box<Node>, Box<Node>),
    Sequence(Vec<Node>),
    Conditional(Box<Node>, Box<Node>, Box<Node>),
    Array(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// `base.property`, `base[property]`.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub base: Box<Node>,
    pub property: Box<Node>,
    pub optional: bool,
    pub method: bool,
}

/// A call of a built-in function.
#[derive(Clone, Debug)]
pub(super) struct Builtin {
    pub name: &'static str,
    pub arguments: Vec<Node>,
    /// Of a `filter` or `find`: what to make of an element that passes.
    pub map: Option<Box<Node>>,
    /// Of a `find`: not finding anything is an error.
    pub throws: bool,
}

impl Node {
    /// A node without a type yet; its size and height come from its children.
    pub fn new(kind: NodeKind) -> Self {
        let (mut size, mut height) = (1_usize, 0_usize);
        kind.for_each_child(&mut |child| {
            size = size.saturating_add(child.size);
            height = height.max(child.height);
        });
        Self { kind, ty: Type::Unknown, size, height: height.saturating_add(1) }
    }

    /// A node of a known type.
    pub fn typed(kind: NodeKind, ty: Type) -> Self {
        Self { ty, ..Self::new(kind) }
    }

    /// What is left behind where a node is taken out to be rewritten.
    pub fn placeholder() -> Self {
        Self { kind: NodeKind::Nil, ty: Type::Unknown, size: 1, height: 1 }
    }

    /// The text of a string literal.
    pub fn as_text(&self) -> Option<&Arc<str>> {
        if let NodeKind::Str(text) = &self.kind { Some(text) } else { None }
    }
}

impl NodeKind {
    /// Calls `visit` on every child, in source order.
    pub fn for_each_child<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        match self {
            Self::Unary(_, node) | Self::Chain(node) | Self::Predicate(node) => visit(node),
            Self::Binary(_, left, right) | Self::Let(_, left, right) => {
                visit(left);
                visit(right);
            }
            Self::Member(member) => {
                visit(&member.base);
                visit(&member.property);
            }
            Self::Slice(base, from, to) => {
                visit(base);
                from.iter().chain(to).for_each(|node| visit(node));
            }
            Self::Call(callee, arguments) => {
                visit(callee);
                arguments.iter().for_each(visit);
            }
            Self::Builtin(builtin) => {
                builtin.arguments.iter().for_each(&mut *visit);
                builtin.map.iter().for_each(|node| visit(node));
            }
            Self::Sequence(nodes) | Self::Array(nodes) => nodes.iter().for_each(visit),
            Self::Conditional(test, yes, no) => {
                visit(test);
                visit(yes);
                visit(no);
            }
            Self::Map(pairs) => pairs.iter().for_each(|(key, value)| {
                visit(key);
                visit(value);
            }),
            _ => {}
        }
    }

    /// As [`NodeKind::for_each_child`], to rewrite them.
    pub fn for_each_child_mut(&mut self, visit: &mut dyn FnMut(&mut Node)) {
        match self {
            Self::Unary(_, node) | Self::Chain(node) | Self::Predicate(node) => visit(node),
            Self::Binary(_, left, right) | Self::Let(_, left, right) => {
                visit(left);
                visit(right);
            }
            Self::Member(member) => {
                visit(&mut member.base);
                visit(&mut member.property);
            }
            Self::Slice(base, from, to) => {
                visit(base);
                from.iter_mut().chain(to).for_each(|node| visit(node));
            }
            Self::Call(callee, arguments) => {
                visit(callee);
                arguments.iter_mut().for_each(visit);
            }
            Self::Builtin(builtin) => {
                builtin.arguments.iter_mut().for_each(&mut *visit);
                builtin.map.iter_mut().for_each(|node| visit(node));
            }
            Self::Sequence(nodes) | Self::Array(nodes) => nodes.iter_mut().for_each(visit),
            Self::Conditional(test, yes, no) => {
                visit(test);
                visit(yes);
                visit(no);
            }
            Self::Map(pairs) => pairs.iter_mut().for_each(|(key, value)| {
                visit(key);
                visit(value);
            }),
            _ => {}
        }
    }
}
