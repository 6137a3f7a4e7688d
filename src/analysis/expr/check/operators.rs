//! Types of operators.

use super::super::ast::{BinaryOp, Node, UnaryOp};
use super::super::types::Type;
use super::{Checked, Checker, refuse};
use crate::analysis::re2;

type Test = fn(&Type) -> bool;

fn is_text(ty: &Type) -> bool {
    *ty == Type::Str
}

fn is_bool(ty: &Type) -> bool {
    *ty == Type::Bool
}

fn is_time(ty: &Type) -> bool {
    *ty == Type::Time
}

fn is_duration(ty: &Type) -> bool {
    *ty == Type::Duration
}

/// Whether the operator may work although a side is unknown: the other must be unknown too, or pass a test.
fn may_fit(left: &Type, right: &Type, tests: &[Test]) -> bool {
    let passes = |ty: &Type| tests.iter().any(|test| test(ty));
    match (left.is_unknown(), right.is_unknown()) {
        (true, true) => true,
        (true, false) => passes(right),
        (false, true) => passes(left),
        (false, false) => false,
    }
}

/// The type of arithmetic on two numbers.
fn promoted(left: &Type, right: &Type) -> Type {
    if *left == Type::Float || *right == Type::Float { Type::Float } else { Type::Int }
}

impl Checker<'_> {
    pub(super) fn unary(&mut self, operator: UnaryOp, operand: &mut Node) -> Checked {
        let ty = self.visit(operand)?;
        match operator {
            UnaryOp::Not(_) if ty == Type::Bool || ty.is_unknown() => Ok(Type::Bool),
            UnaryOp::Negate | UnaryOp::Plus if ty.is_number() => Ok(ty),
            UnaryOp::Negate | UnaryOp::Plus if ty.is_unknown() => Ok(Type::Unknown),
            _ => refuse(format!("invalid operation: {} (mismatched type {})", operator.symbol(), ty.name())),
        }
    }

    pub(super) fn binary(&mut self, operator: BinaryOp, left: &mut Node, right: &mut Node) -> Checked {
        let l = self.visit(left)?;
        let r = self.visit(right)?;
        let found = match operator.plain() {
            BinaryOp::Equal | BinaryOp::NotEqual => l.comparable_to(&r).then_some(Type::Bool),
            BinaryOp::Or | BinaryOp::And => {
                ((is_bool(&l) && is_bool(&r)) || may_fit(&l, &r, &[is_bool])).then_some(Type::Bool)
            }
            BinaryOp::Less | BinaryOp::More | BinaryOp::LessOrEqual | BinaryOp::MoreOrEqual => ordering(&l, &r),
            BinaryOp::In => membership(&l, &r)?,
            BinaryOp::Matches | BinaryOp::Contains | BinaryOp::StartsWith | BinaryOp::EndsWith => {
                if operator == BinaryOp::Matches
                    && let Some(literal) = right.as_text()
                {
                    re2::compile(literal).map_err(super::CompileError::new)?;
                }
                ((is_text(&l) && is_text(&r)) || may_fit(&l, &r, &[is_text])).then_some(Type::Bool)
            }
            BinaryOp::Range => {
                let fits = (l.is_integer() && r.is_integer()) || may_fit(&l, &r, &[Type::is_integer]);
                fits.then(|| Type::list_of(Type::Int))
            }
            BinaryOp::Coalesce => Some(coalesced(&l, &r)),
            plain => arithmetic(plain, &l, &r),
        };
        match found {
            Some(ty) => Ok(ty),
            None => refuse(format!(
                "invalid operation: {} (mismatched types {} and {})",
                operator.symbol(),
                l.name(),
                r.name()
            )),
        }
    }
}

fn ordering(l: &Type, r: &Type) -> Option<Type> {
    let tests: [Test; 4] = [Type::is_number, is_text, is_time, is_duration];
    let alike = tests.iter().any(|test| test(l) && test(r));
    (alike || may_fit(l, r, &tests)).then_some(Type::Bool)
}

fn arithmetic(operator: BinaryOp, l: &Type, r: &Type) -> Option<Type> {
    let unknown = |tests: &[Test]| may_fit(l, r, tests).then_some(Type::Unknown);
    let numbers = l.is_number() && r.is_number();
    match operator {
        BinaryOp::Add => match (l, r) {
            _ if numbers => Some(promoted(l, r)),
            (Type::Str, Type::Str) => Some(Type::Str),
            (Type::Time, Type::Duration) | (Type::Duration, Type::Time) => Some(Type::Time),
            (Type::Duration, Type::Duration) => Some(Type::Duration),
            _ => unknown(&[Type::is_number, is_text, is_time, is_duration]),
        },
        BinaryOp::Subtract => match (l, r) {
            _ if numbers => Some(promoted(l, r)),
            (Type::Time, Type::Time) | (Type::Duration, Type::Duration) => Some(Type::Duration),
            (Type::Time, Type::Duration) => Some(Type::Time),
            _ => unknown(&[Type::is_number, is_time, is_duration]),
        },
        BinaryOp::Multiply => match (l, r) {
            _ if numbers => Some(promoted(l, r)),
            (Type::Duration, other) | (other, Type::Duration) if other.is_number() || is_duration(other) => {
                Some(Type::Duration)
            }
            _ => unknown(&[Type::is_number, is_duration]),
        },
        BinaryOp::Divide | BinaryOp::Power => (numbers || may_fit(l, r, &[Type::is_number])).then_some(Type::Float),
        BinaryOp::Modulo => {
            ((l.is_integer() && r.is_integer()) || may_fit(l, r, &[Type::is_integer])).then_some(Type::Int)
        }
        _ => None,
    }
}

/// `l in r`.
fn membership(l: &Type, r: &Type) -> Result<Option<Type>, super::CompileError> {
    match r {
        Type::Map | Type::Table(_) => {
            let key = if *r == Type::Map { Type::Str } else { Type::Any };
            if !l.is_unknown() && !l.assignable_to(&key) {
                return refuse(format!("cannot use {} as type {} in map key", l.name(), key.name()));
            }
            Ok(Some(Type::Bool))
        }
        Type::List(..) => {
            let element = r.element();
            if !l.comparable_to(&element) {
                return refuse(format!("cannot use {} as type {} in array", l.name(), element.name()));
            }
            Ok(Some(Type::Bool))
        }
        // A struct has fields; those of a time are hidden.
        Type::Time if l.is_unknown() || *l == Type::Str => Ok(Some(Type::Bool)),
        Type::Str if l.is_unknown() => Ok(Some(Type::Bool)),
        _ => Ok(r.is_unknown().then_some(Type::Bool)),
    }
}

/// `l ?? r`.
fn coalesced(l: &Type, r: &Type) -> Type {
    match (l, r) {
        (Type::Nil, _) => r.clone(),
        (_, Type::Nil) => l.clone(),
        _ if r.assignable_to(l) => l.clone(),
        _ => Type::Unknown,
    }
}
