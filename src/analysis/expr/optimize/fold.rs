//! Folding of literals.

use super::super::ast::{BinaryOp, Node, NodeKind, UnaryOp};
use super::super::error::CompileError;
use super::super::number::to_float;
use super::super::types::{Kind, Type};
use super::super::value::Value;
use super::{replace, taken};
use crate::analysis::re2;

/// `x in [1, 2]` and `x in ["a", "b"]` look up a set, which is strict about the type of `x`.
#[expect(clippy::unnecessary_wraps, reason = "one of the visitors of `walk`")]
pub(super) fn literal_sets(node: &mut Node) -> Result<(), CompileError> {
    let NodeKind::Binary(BinaryOp::In, left, right) = &mut node.kind else { return Ok(()) };
    let NodeKind::Array(nodes) = &right.kind else { return Ok(()) };
    if nodes.is_empty() {
        return Ok(());
    }
    let integers = nodes.iter().map(|node| if let NodeKind::Int(number) = node.kind { Some(number) } else { None });
    let set = match integers.collect() {
        Some(set) if left.ty.kind() == Kind::Int => Some(NodeKind::IntSet(set)),
        _ => nodes.iter().map(|node| node.as_text().cloned()).collect::<Option<_>>().map(NodeKind::StrSet),
    };
    if let Some(set) = set {
        replace(right, set);
    }
    Ok(())
}

/// A literal pattern is compiled once.
pub(super) fn compile_pattern(node: &mut Node) -> Result<(), CompileError> {
    let NodeKind::Binary(BinaryOp::Matches, _, right) = &mut node.kind else { return Ok(()) };
    if let Some(text) = right.as_text() {
        let compiled = re2::compile(text).map_err(CompileError::new)?;
        replace(right, NodeKind::Pattern(compiled));
    }
    Ok(())
}

/// Computes what literals alone decide.
pub(super) fn fold(node: &mut Node) -> Result<(), CompileError> {
    match &mut node.kind {
        NodeKind::Unary(operator, operand) => {
            if let Some(kind) = folded_unary(*operator, &operand.kind) {
                put_literal(node, kind);
            }
        }
        NodeKind::Binary(operator @ (BinaryOp::And | BinaryOp::Or), left, right) => {
            match decided(*operator, &left.kind, &right.kind) {
                Some(Decided::Left) => *node = Node { ty: node.ty.clone(), ..taken(left) },
                Some(Decided::Right) => *node = Node { ty: node.ty.clone(), ..taken(right) },
                Some(Decided::Always(flag)) => put_literal(node, NodeKind::Bool(flag)),
                None => {}
            }
        }
        NodeKind::Binary(operator, left, right) => {
            if let Some(kind) = folded_binary(*operator, &left.kind, &right.kind)? {
                put_literal(node, kind);
            }
        }
        NodeKind::Array(nodes) if !nodes.is_empty() => {
            if let Some(values) = nodes.iter().map(|node| literal_value(&node.kind)).collect() {
                // Go keeps no element type with a constant.
                *node = Node::typed(NodeKind::Constant(Value::list(values)), Type::any_list());
            }
        }
        _ => {}
    }
    Ok(())
}

fn put_literal(node: &mut Node, kind: NodeKind) {
    let ty = match kind {
        NodeKind::Bool(_) => Type::Bool,
        NodeKind::Int(_) => Type::Int,
        NodeKind::Float(_) => Type::Float,
        NodeKind::Str(_) => Type::Str,
        _ => node.ty.clone(),
    };
    *node = Node::typed(kind, ty);
}

fn literal_value(kind: &NodeKind) -> Option<Value> {
    Some(match kind {
        NodeKind::Int(number) => Value::Int(*number),
        NodeKind::Float(number) => Value::Float(*number),
        NodeKind::Str(text) => Value::Str(text.clone()),
        NodeKind::Bool(flag) => Value::Bool(*flag),
        _ => return None,
    })
}

fn folded_unary(operator: UnaryOp, operand: &NodeKind) -> Option<NodeKind> {
    Some(match (operator, operand) {
        (UnaryOp::Negate, NodeKind::Int(number)) => NodeKind::Int(number.wrapping_neg()),
        (UnaryOp::Negate, NodeKind::Float(number)) => NodeKind::Float(-number),
        (UnaryOp::Plus, NodeKind::Int(number)) => NodeKind::Int(*number),
        (UnaryOp::Plus, NodeKind::Float(number)) => NodeKind::Float(*number),
        (UnaryOp::Not(_), NodeKind::Bool(flag)) => NodeKind::Bool(!flag),
        _ => return None,
    })
}

/// What is left of `left && right` or `left || right` where one side is a literal.
enum Decided {
    Left,
    Right,
    Always(bool),
}

fn decided(operator: BinaryOp, left: &NodeKind, right: &NodeKind) -> Option<Decided> {
    // The literal that changes nothing: `true` of `&&`, `false` of `||`.
    let neutral = operator == BinaryOp::And;
    match (left, right) {
        (NodeKind::Bool(flag), _) if *flag == neutral => Some(Decided::Right),
        (_, NodeKind::Bool(flag)) if *flag == neutral => Some(Decided::Left),
        (NodeKind::Bool(_), _) | (_, NodeKind::Bool(_)) => Some(Decided::Always(!neutral)),
        _ => None,
    }
}

fn folded_binary(operator: BinaryOp, left: &NodeKind, right: &NodeKind) -> Result<Option<NodeKind>, CompileError> {
    Ok(match (left, right) {
        (NodeKind::Int(a), NodeKind::Int(b)) => match operator {
            BinaryOp::Add => Some(NodeKind::Int(a.wrapping_add(*b))),
            BinaryOp::Subtract => Some(NodeKind::Int(a.wrapping_sub(*b))),
            BinaryOp::Multiply => Some(NodeKind::Int(a.wrapping_mul(*b))),
            BinaryOp::Modulo if *b == 0 => return Err(CompileError::new("integer divide by zero")),
            BinaryOp::Modulo => Some(NodeKind::Int(a.wrapping_rem(*b))),
            BinaryOp::Equal => Some(NodeKind::Bool(a == b)),
            _ => folded_floats(operator, to_float(*a), to_float(*b)),
        },
        (NodeKind::Int(a), NodeKind::Float(b)) => folded_floats(operator, to_float(*a), *b),
        (NodeKind::Float(a), NodeKind::Int(b)) => folded_floats(operator, *a, to_float(*b)),
        (NodeKind::Float(a), NodeKind::Float(b)) => folded_floats(operator, *a, *b),
        (NodeKind::Str(a), NodeKind::Str(b)) => match operator {
            BinaryOp::Add => Some(NodeKind::Str(format!("{a}{b}").into())),
            BinaryOp::Equal => Some(NodeKind::Bool(a == b)),
            _ => None,
        },
        (NodeKind::Bool(a), NodeKind::Bool(b)) if operator == BinaryOp::Equal => Some(NodeKind::Bool(a == b)),
        _ => None,
    })
}

fn folded_floats(operator: BinaryOp, a: f64, b: f64) -> Option<NodeKind> {
    Some(NodeKind::Float(match operator {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide => a / b,
        BinaryOp::Power => a.powf(b),
        _ => return None,
    }))
}
