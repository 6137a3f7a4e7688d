//! Types of accesses: members, indices, slices.

use super::super::ast::{Member, Node, NodeKind};
use super::super::time::methods;
use super::super::types::{Function, Type};
use super::{Checked, Checker, refuse};

impl Checker<'_> {
    pub(super) fn member(&mut self, member: &mut Member) -> Checked {
        if matches!(&member.base.kind, NodeKind::Name(name) if name.as_ref() == "$env") {
            return self.environment_member(member);
        }
        let base = self.visit(&mut member.base)?;
        let property = self.visit(&mut member.property)?;
        if base.is_unknown() {
            return Ok(Type::Unknown);
        }
        let name = member.property.as_text();
        if let Some(name) = name {
            if base == Type::Nil {
                return refuse(format!("type nil has no field {name}"));
            }
            if let Some(method) = methods::find(&base, name) {
                return Ok(Type::Function(Function::Method(method.name)));
            }
        }
        match base {
            Type::Map if property != Type::Str && !property.is_unknown() => {
                refuse(format!("cannot use {} to get an element from {}", property.name(), base.name()))
            }
            Type::List(..) if !property.is_integer() && !property.is_unknown() => {
                refuse(format!("array elements can only be selected using an integer (got {})", property.name()))
            }
            Type::Map | Type::Table(_) | Type::List(..) => Ok(base.element()),
            _ => match name {
                Some(name) if member.method => refuse(format!("type {} has no method {name}", base.name())),
                Some(name) => refuse(format!("type {} has no field {name}", base.name())),
                None => refuse(format!("type {}[{}] is undefined", base.name(), property.name())),
            },
        }
    }

    /// `$env.name`: a global name by way of the environment.
    fn environment_member(&mut self, member: &mut Member) -> Checked {
        let Some(name) = member.property.as_text() else { return Ok(Type::Unknown) };
        match self.scope.global(name) {
            Some(ty) => Ok(ty),
            None if member.optional => Ok(Type::Unknown),
            None => refuse(format!("unknown name {name}")),
        }
    }

    /// Of a slice of something unknown nothing is checked, not even its bounds.
    pub(super) fn slice(&mut self, base: &mut Node, from: Option<&mut Node>, to: Option<&mut Node>) -> Checked {
        let ty = self.visit(base)?;
        if ty.is_unknown() {
            return Ok(Type::Unknown);
        }
        if ty != Type::Str && !ty.is_list() {
            return refuse(format!("cannot slice {}", ty.name()));
        }
        for bound in [from, to].into_iter().flatten() {
            let bound = self.visit(bound)?;
            if !bound.is_integer() && !bound.is_unknown() {
                return refuse(format!("non-integer slice index {}", bound.name()));
            }
        }
        Ok(ty)
    }
}
