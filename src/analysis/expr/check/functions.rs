//! Types of calls, and the signatures of functions.

mod signatures;
mod validate;

use super::super::ast::{BinaryOp, Builtin, Node, NodeKind};
use super::super::time::methods;
use super::super::types::{Function, Type};
use super::{Checked, Checker, refuse};

impl Checker<'_> {
    /// A call of something that is no built-in. Of a call of something unknown the arguments are not checked.
    pub(super) fn call(&mut self, callee: &mut Node, arguments: &mut [Node]) -> Checked {
        let ty = self.visit(callee)?;
        if ty.is_unknown() {
            return Ok(Type::Unknown);
        }
        let name = match &callee.kind {
            NodeKind::Name(name) => name.to_string(),
            NodeKind::Member(member) => {
                member.property.as_text().map_or_else(|| "function".to_owned(), ToString::to_string)
            }
            _ => "function".to_owned(),
        };
        match ty {
            Type::Nil => refuse(format!("{name} is nil; cannot call nil as function")),
            Type::Function(Function::Method(method)) => {
                let found = match &callee.kind {
                    NodeKind::Member(member) => methods::find(&member.base.ty, method),
                    _ => None,
                };
                match found {
                    Some(found) => self.arguments(&name, (found.parameters, &found.result), arguments),
                    None => refuse(format!("{name} is not callable")),
                }
            }
            Type::Function(Function::Builtin(known)) => self.plain_builtin(known, arguments),
            Type::Function(function) => {
                let (parameters, result) = signatures::of_function(function);
                self.arguments(&name, (&parameters, &result), arguments)
            }
            other => refuse(format!("{} is not callable", other.name())),
        }
    }

    pub(super) fn builtin(&mut self, builtin: &mut Builtin) -> Checked {
        match self.predicate_builtin(builtin)? {
            Some(ty) => Ok(ty),
            None => self.plain_builtin(builtin.name, &mut builtin.arguments),
        }
    }

    fn plain_builtin(&mut self, name: &'static str, arguments: &mut [Node]) -> Checked {
        if name == "get" {
            return self.get(arguments);
        }
        let Some(overloads) = signatures::of_builtin(name) else {
            let known = |ty: Type| if ty.is_unknown() { Type::Any } else { ty };
            let types: Vec<Type> = self.visit_all(arguments)?.into_iter().map(known).collect();
            return validate::result_type(name, &types);
        };
        let types = self.visit_all(arguments)?;
        let mut last = refuse(format!("no matching overload for {name}"));
        for (parameters, result) in overloads {
            last = fits(name, &parameters, (arguments, &types)).map(|()| result);
            if last.is_ok() {
                break;
            }
        }
        last
    }

    /// The types of all arguments. Each is visited once, or overloads inside overloads would take exponential time.
    fn visit_all(&mut self, arguments: &mut [Node]) -> Result<Vec<Type>, super::CompileError> {
        arguments.iter_mut().map(|argument| self.visit(argument)).collect()
    }

    fn get(&mut self, arguments: &mut [Node]) -> Checked {
        let [base, property] = arguments else {
            return refuse(format!("invalid number of arguments (expected 2, got {})", arguments.len()));
        };
        let base = self.visit(base)?;
        let property = self.visit(property)?;
        match base {
            _ if base.is_unknown() => Ok(Type::Unknown),
            Type::List(..) if !property.is_integer() && !property.is_unknown() => {
                refuse(format!("non-integer slice index {}", property.name()))
            }
            Type::Map if property != Type::Str && !property.is_unknown() => {
                refuse(format!("cannot use {} to get an element from {}", property.name(), base.name()))
            }
            Type::List(..) | Type::Map | Type::Table(_) => Ok(base.element()),
            _ => refuse(format!("type {} does not support indexing", base.name())),
        }
    }

    /// Checks `arguments` against the parameters of the only signature, and gives its result.
    fn arguments(&mut self, name: &str, (parameters, result): (&[Type], &Type), arguments: &mut [Node]) -> Checked {
        let types = self.visit_all(arguments)?;
        fits(name, parameters, (arguments, &types))?;
        Ok(result.clone())
    }
}

/// Whether arguments of these types fit the parameters of a signature.
fn fits(
    name: &str,
    parameters: &[Type],
    (arguments, types): (&mut [Node], &[Type]),
) -> Result<(), super::CompileError> {
    if arguments.len() != parameters.len() {
        let amount = if arguments.len() > parameters.len() { "too many" } else { "not enough" };
        return refuse(format!("{amount} arguments to call {name}"));
    }
    for ((argument, ty), parameter) in arguments.iter_mut().zip(types).zip(parameters) {
        if *parameter == Type::Float && ty.is_integer() {
            // Go turns the literals into floats and lets the rest fail at run time.
            integers_to_floats(argument);
            continue;
        }
        if (parameter.is_integer() && ty.is_integer()) || (*ty == Type::Nil && *parameter == Type::Any) {
            continue;
        }
        if *ty == Type::Nil {
            return refuse(format!("cannot use nil as argument (type {}) to call {name}", parameter.name()));
        }
        if !ty.assignable_to(parameter) && !ty.is_unknown() {
            return refuse(format!("cannot use {} as argument (type {}) to call {name} ", ty.name(), parameter.name()));
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "Go rounds to the nearest float too")]
fn integers_to_floats(node: &mut Node) {
    match &mut node.kind {
        NodeKind::Int(number) => {
            node.kind = NodeKind::Float(*number as f64);
            node.ty = Type::Float;
        }
        NodeKind::Unary(_, operand) => integers_to_floats(operand),
        NodeKind::Binary(BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply, left, right) => {
            integers_to_floats(left);
            integers_to_floats(right);
        }
        _ => {}
    }
}
