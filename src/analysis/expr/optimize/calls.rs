//! Rewrites of calls that take predicates.

use super::super::ast::{BinaryOp, Builtin, Node, NodeKind, Pointer};
use super::super::types::Type;
use super::{replace, taken};

/// The rewrites, in the order that matters.
pub(super) const PASSES: [fn(&mut Node); 6] = [filter_map, filter_len, filter_last, filter_first, combine, sum_array];

fn as_builtin<'a>(node: &'a mut Node, name: &str) -> Option<&'a mut Builtin> {
    match &mut node.kind {
        NodeKind::Builtin(builtin) if builtin.name == name => Some(builtin),
        _ => None,
    }
}

/// The `filter` that is the first argument of a call of `name`.
fn filter_in<'a>(node: &'a mut Node, name: &str, arguments: usize) -> Option<&'a mut Builtin> {
    let builtin = as_builtin(node, name).filter(|builtin| builtin.arguments.len() == arguments)?;
    as_builtin(builtin.arguments.first_mut()?, "filter")
}

fn uses_index(node: &Node) -> bool {
    let mut found = matches!(node.kind, NodeKind::Pointer(Pointer::Index));
    node.kind.for_each_child(&mut |child| found |= uses_index(child));
    found
}

/// `map(filter(list, test), make)` is one loop.
fn filter_map(node: &mut Node) {
    let Some(builtin) = as_builtin(node, "map") else { return };
    let [list, predicate] = builtin.arguments.as_mut_slice() else { return };
    if uses_index(predicate) {
        return;
    }
    let NodeKind::Predicate(make) = &mut predicate.kind else { return };
    let Some(filter) = as_builtin(list, "filter").filter(|filter| filter.map.is_none()) else { return };
    let arguments = std::mem::take(&mut filter.arguments);
    let map = Some(Box::new(taken(make)));
    replace(node, NodeKind::Builtin(Builtin { name: "filter", arguments, map, throws: false }));
}

/// `len(filter(list, test))` counts.
fn filter_len(node: &mut Node) {
    let Some(filter) = filter_in(node, "len", 1) else { return };
    let arguments = std::mem::take(&mut filter.arguments);
    replace(node, NodeKind::Builtin(Builtin { name: "count", arguments, map: None, throws: false }));
}

/// `filter(list, test)[-1]` and `last(filter(list, test))` search from the end.
fn filter_last(node: &mut Node) {
    search(node, "last", -1, "findLast");
}

/// `filter(list, test)[0]` and `first(filter(list, test))` search from the beginning.
fn filter_first(node: &mut Node) {
    search(node, "first", 0, "find");
}

fn search(node: &mut Node, call: &str, index: i64, name: &'static str) {
    let throws = matches!(node.kind, NodeKind::Member(_));
    let filter = match &mut node.kind {
        NodeKind::Member(member)
            if !member.optional && matches!(member.property.kind, NodeKind::Int(at) if at == index) =>
        {
            as_builtin(&mut member.base, "filter")
        }
        _ => filter_in(node, call, 1),
    };
    let Some(filter) = filter else { return };
    let arguments = std::mem::take(&mut filter.arguments);
    let map = filter.map.take();
    replace(node, NodeKind::Builtin(Builtin { name, arguments, map, throws }));
}

/// `all(list, a) && all(list, b)` is `all(list, a && b)`; so are `any` with `||`, and `none`.
fn combine(node: &mut Node) {
    let NodeKind::Binary(operator, left, right) = &mut node.kind else { return };
    let (NodeKind::Builtin(first), NodeKind::Builtin(second)) = (&mut left.kind, &mut right.kind) else { return };
    let inner = match (first.name, *operator) {
        ("all", BinaryOp::And) => BinaryOp::And,
        ("any", BinaryOp::Or) | ("none", BinaryOp::And) => BinaryOp::Or,
        _ => return,
    };
    if first.name != second.name {
        return;
    }
    let ([list, a], [other, b]) = (first.arguments.as_mut_slice(), second.arguments.as_mut_slice()) else { return };
    let (NodeKind::Predicate(a), NodeKind::Predicate(b)) = (&mut a.kind, &mut b.kind) else { return };
    if list.size != other.size || format!("{list:?}") != format!("{other:?}") {
        return;
    }
    let mut both = Node::typed(NodeKind::Binary(inner, Box::new(taken(a)), Box::new(taken(b))), Type::Bool);
    combine(&mut both);
    let predicate = Node::typed(NodeKind::Predicate(Box::new(both)), Type::Bool);
    let (name, list) = (first.name, taken(list));
    replace(node, NodeKind::Builtin(Builtin { name, arguments: vec![list, predicate], map: None, throws: false }));
}

/// `sum([a, b, c])` is `a + (b + c)`.
fn sum_array(node: &mut Node) {
    let Some(builtin) = as_builtin(node, "sum") else { return };
    let [array] = builtin.arguments.as_mut_slice() else { return };
    let NodeKind::Array(nodes) = &mut array.kind else { return };
    // Longer lists are left alone: the sum of many elements would nest as deep.
    if !(2..=MAX_SUMMANDS).contains(&nodes.len()) {
        return;
    }
    let summands = std::mem::take(nodes).into_iter().rev();
    let add = |sum: Node, next: Node| Node::new(NodeKind::Binary(BinaryOp::Add, Box::new(next), Box::new(sum)));
    if let Some(sum) = summands.reduce(add) {
        *node = Node { ty: node.ty.clone(), ..sum };
    }
}

/// Most elements of a list literal that are added up one by one.
const MAX_SUMMANDS: usize = 4;
