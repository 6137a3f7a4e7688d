//! Rewrites that Go's `expr-lang` makes before it runs a program. They are here because they can be seen:
//! `broken || true` is true, and `filter(list, test)[0]` stops at the first hit (Go: `optimizer/`).

mod calls;
mod fold;

use super::ast::{Node, NodeKind};
use super::error::CompileError;

/// Rewrites a checked tree.
pub(super) fn optimize(root: &mut Node) -> Result<(), CompileError> {
    walk(root, &mut fold::literal_sets)?;
    walk(root, &mut fold::fold)?;
    walk(root, &mut fold::compile_pattern)?;
    for pass in calls::PASSES {
        walk(root, &mut |node| {
            pass(node);
            Ok(())
        })?;
    }
    Ok(())
}

type Visit<'a> = &'a mut dyn FnMut(&mut Node) -> Result<(), CompileError>;

/// Visits every node, children before parents.
fn walk(node: &mut Node, visit: Visit<'_>) -> Result<(), CompileError> {
    let mut outcome = Ok(());
    node.kind.for_each_child_mut(&mut |child| {
        if outcome.is_ok() {
            outcome = walk(child, visit);
        }
    });
    outcome?;
    visit(node)
}

/// Takes a node out, leaving nothing of meaning behind.
fn taken(node: &mut Node) -> Node {
    std::mem::replace(node, Node::placeholder())
}

/// Puts `kind` in the place of `node`, which keeps its type.
fn replace(node: &mut Node, kind: NodeKind) {
    *node = Node::typed(kind, node.ty.clone());
}
