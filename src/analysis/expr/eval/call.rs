//! Calls, and the operators on texts.

use regex::Regex;

use super::super::ast::{BinaryOp, Builtin, Node, NodeKind};
use super::super::builtin_names;
use super::super::error::RuntimeError;
use super::super::format;
use super::super::limits::STEPS_PER_PATTERN;
use super::super::number::{parse_float, parse_int, to_float, truncate};
use super::super::time::methods;
use super::super::types::Function;
use super::super::value::Value;
use super::{Evaluated, Evaluator, fail, fetch, functions};
use crate::analysis::re2;

impl Evaluator<'_> {
    pub(super) fn call(&mut self, callee: &Node, arguments: &[Node]) -> Evaluated {
        // Go evaluates what it calls after the arguments; a chain must end before them all the same.
        if let NodeKind::Member(member) = &callee.kind {
            let base = self.member_base(member)?;
            let arguments = self.all(arguments)?;
            let name = self.eval(&member.property)?;
            return Ok(match (fetch::fetch(&base, &name)?, &name) {
                (Value::Function(Function::Method(_)), Value::Str(name)) => methods::call(&base, name, &arguments)?,
                (function, _) => self.apply(&function, &arguments)?,
            });
        }
        let arguments = self.all(arguments)?;
        let function = self.eval(callee)?;
        Ok(self.apply(&function, &arguments)?)
    }

    fn all(&mut self, nodes: &[Node]) -> Result<Vec<Value>, super::Stop> {
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            values.push(self.eval(node)?);
        }
        Ok(values)
    }

    /// Calls one of Argo's functions (Argo: `utils/evaluate/evaluate.go`).
    fn apply(&mut self, function: &Value, arguments: &[Value]) -> Result<Value, RuntimeError> {
        let Value::Function(function) = function else {
            return match function {
                Value::Nil => fail("invalid operation: cannot call nil"),
                other => fail(format!("invalid operation: cannot call non-function of type {}", other.go_type())),
            };
        };
        let whole = self.environment.result;
        match (function, arguments) {
            (Function::AsInt, [value]) => as_int(value),
            (Function::AsFloat, [value]) => as_float(value),
            (Function::IsNaN, [Value::Float(number)]) => Ok(Value::Bool(number.is_nan())),
            (Function::IsInf, [Value::Float(number)]) => Ok(Value::Bool(number.is_infinite())),
            (Function::IsNaN | Function::IsInf, [other]) => Err(RuntimeError::conversion(other.go_type(), "float64")),
            (Function::IsNil, [_]) => Ok(Value::Bool(whole.is_nil())),
            (Function::Default, [_, default]) => Ok(if whole.is_nil() { default.clone() } else { whole.clone() }),
            _ => fail("invalid operation: wrong number of arguments in a call"),
        }
    }

    pub(super) fn builtin(&mut self, builtin: &Builtin) -> Evaluated {
        if builtin_names::predicate_builtin(builtin.name).is_some() {
            return self.with_predicate(builtin);
        }
        let arguments = self.all(&builtin.arguments)?;
        Ok(functions::call(builtin.name, &arguments, (self.environment.now, &mut self.meter))?)
    }

    /// `contains`, `startsWith`, `endsWith`: false where a side is nil.
    pub(super) fn text_test(&mut self, operator: BinaryOp, l: &Value, r: &Value) -> Result<Value, RuntimeError> {
        if l.is_nil() || r.is_nil() {
            return Ok(Value::Bool(false));
        }
        let (text, part) = (functions::as_text(l)?, functions::as_text(r)?);
        self.meter.text(text.len())?;
        Ok(Value::Bool(match operator {
            BinaryOp::Contains => text.contains(part.as_ref()),
            BinaryOp::StartsWith => text.starts_with(part.as_ref()),
            _ => text.ends_with(part.as_ref()),
        }))
    }

    pub(super) fn matches(&mut self, l: &Value, r: &Value) -> Result<Value, RuntimeError> {
        if l.is_nil() || r.is_nil() {
            return Ok(Value::Bool(false));
        }
        let source = functions::as_text(r)?;
        self.meter.step(STEPS_PER_PATTERN)?;
        self.meter.step(source.len() as u64)?;
        let pattern = re2::compile(source).map_err(RuntimeError::new)?;
        self.matches_literal(l, &pattern)
    }

    pub(super) fn matches_literal(&mut self, l: &Value, pattern: &Regex) -> Result<Value, RuntimeError> {
        if l.is_nil() {
            return Ok(Value::Bool(false));
        }
        let Value::Str(text) = l else { return Err(RuntimeError::conversion(l.go_type(), "[]uint8")) };
        self.meter.text(text.len())?;
        Ok(Value::Bool(pattern.is_match(text)))
    }
}

fn as_int(value: &Value) -> Result<Value, RuntimeError> {
    Ok(Value::Int64(match value {
        Value::Int(number) | Value::Int64(number) => *number,
        Value::Byte(byte) => i64::from(*byte),
        Value::Float(number) => truncate(*number),
        Value::Str(text) => parse_int(text).map_err(RuntimeError::new)?,
        other => return fail(format!("asInt() not supported on {} {}", other.go_type(), format::value(other))),
    }))
}

fn as_float(value: &Value) -> Result<Value, RuntimeError> {
    Ok(Value::Float(match value {
        Value::Int(number) | Value::Int64(number) => to_float(*number),
        Value::Byte(byte) => f64::from(*byte),
        Value::Float(number) => *number,
        Value::Str(text) => parse_float(text).map_err(RuntimeError::new)?,
        other => return fail(format!("asFloat() not supported on {} {}", other.go_type(), format::value(other))),
    }))
}
