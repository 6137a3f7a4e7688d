//! Evaluation: walks the tree with Go's run-time semantics (`vm/vm.go`, `vm/runtime`).
//! Every value may be of any type here; what the checker could not know fails now, as in Go.

mod arithmetic;
mod call;
mod compare;
mod fetch;
mod functions;
mod loops;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{BinaryOp, Node, NodeKind, Pointer, UnaryOp};
use super::error::RuntimeError;
use super::meter::Meter;
use super::program::Environment;
use super::types::{Function, Type};
use super::value::{List, ListKind, Value};
use loops::Loop;

/// Why evaluation of a node ended without a value.
enum Stop {
    /// It failed.
    Failed(RuntimeError),
    /// Something before a `?.` is nil: the chain around it is nil.
    ChainEnds,
}

impl From<RuntimeError> for Stop {
    fn from(error: RuntimeError) -> Self {
        Self::Failed(error)
    }
}

type Evaluated = Result<Value, Stop>;

fn fail<T>(text: impl Into<String>) -> Result<T, RuntimeError> {
    Err(RuntimeError::new(text))
}

/// Evaluates `root`.
pub(super) fn evaluate(root: &Node, environment: Environment<'_>) -> Result<Value, RuntimeError> {
    let mut evaluator = Evaluator { environment, meter: Meter::default(), variables: Vec::new(), loops: Vec::new() };
    match evaluator.eval(root) {
        Ok(value) => Ok(value),
        Err(Stop::Failed(error)) => Err(error),
        Err(Stop::ChainEnds) => Ok(Value::Nil),
    }
}

struct Evaluator<'a> {
    environment: Environment<'a>,
    meter: Meter,
    variables: Vec<(Arc<str>, Value)>,
    loops: Vec<Loop>,
}

impl Evaluator<'_> {
    fn eval(&mut self, node: &Node) -> Evaluated {
        match &node.kind {
            NodeKind::Nil => return Ok(Value::Nil),
            NodeKind::Bool(flag) => return Ok(Value::Bool(*flag)),
            NodeKind::Int(number) => return Ok(Value::Int(*number)),
            NodeKind::Float(number) => return Ok(Value::Float(*number)),
            NodeKind::Str(text) => return Ok(Value::Str(Arc::clone(text))),
            NodeKind::Constant(value) => return Ok(value.clone()),
            NodeKind::Name(name) => return Ok(self.name(name)),
            NodeKind::Pointer(pointer) => return self.pointer(pointer),
            _ => self.meter.step(1)?,
        }
        match &node.kind {
            NodeKind::Unary(operator, operand) => self.unary(*operator, operand),
            NodeKind::Binary(operator, left, right) => self.binary(*operator, left, right),
            NodeKind::Chain(inner) => self.chain(inner),
            NodeKind::Predicate(inner) => self.eval(inner),
            NodeKind::Member(member) => {
                let base = self.member_base(member)?;
                let property = self.eval(&member.property)?;
                Ok(fetch::fetch(&base, &property)?)
            }
            NodeKind::Slice(base, from, to) => self.slice(base, from.as_deref(), to.as_deref()),
            NodeKind::Call(callee, arguments) => self.call(callee, arguments),
            NodeKind::Builtin(builtin) => self.builtin(builtin),
            NodeKind::Let(name, value, body) => {
                let value = self.eval(value)?;
                self.variables.push((Arc::clone(name), value));
                let body = self.eval(body);
                self.variables.pop();
                body
            }
            NodeKind::Sequence(nodes) => {
                let mut last = Value::Nil;
                for node in nodes {
                    last = self.eval(node)?;
                }
                Ok(last)
            }
            NodeKind::Conditional(test, yes, no) => {
                let branch = if self.test(test)? { yes } else { no };
                self.eval(branch)
            }
            NodeKind::Array(nodes) => self.array(nodes),
            NodeKind::Map(pairs) => self.map(pairs),
            // The rest are leaves, handled above, or right operands, handled with their operators.
            _ => Ok(Value::Nil),
        }
    }

    /// A node that must be a boolean.
    fn test(&mut self, node: &Node) -> Result<bool, Stop> {
        let value = self.eval(node)?;
        Ok(as_bool(&value)?)
    }

    /// A variable, or a global. Where Go does not check names, an unknown one is nil.
    fn name(&self, name: &str) -> Value {
        if let Some((_, value)) = self.variables.iter().rev().find(|(known, _)| known.as_ref() == name) {
            return value.clone();
        }
        match name {
            "result" => self.environment.result.clone(),
            "asInt" => Value::Function(Function::AsInt),
            "asFloat" => Value::Function(Function::AsFloat),
            "isNaN" => Value::Function(Function::IsNaN),
            "isInf" => Value::Function(Function::IsInf),
            "isNil" => Value::Function(Function::IsNil),
            "default" => Value::Function(Function::Default),
            "$env" => Value::map(BTreeMap::from([(Arc::from("result"), self.environment.result.clone())])),
            _ => Value::Nil,
        }
    }

    fn pointer(&self, pointer: &Pointer) -> Evaluated {
        let Some(inside) = self.loops.last() else { return Ok(fail("cannot use pointer accessor outside predicate")?) };
        Ok(match pointer {
            Pointer::Element => inside.element()?,
            Pointer::Index => Value::Int(inside.position()),
            Pointer::Accumulator => inside.accumulator.clone(),
            Pointer::Unknown(name) => fail(format!("unknown pointer #{name}"))?,
        })
    }

    fn unary(&mut self, operator: UnaryOp, operand: &Node) -> Evaluated {
        let value = self.eval(operand)?;
        Ok(match operator {
            UnaryOp::Not(_) => Value::Bool(!as_bool(&value)?),
            UnaryOp::Plus => value,
            UnaryOp::Negate => arithmetic::negate(&value)?,
        })
    }

    fn binary(&mut self, operator: BinaryOp, left: &Node, right: &Node) -> Evaluated {
        match operator {
            // The right side is the answer, whatever it is.
            BinaryOp::Or => return if self.test(left)? { Ok(Value::Bool(true)) } else { self.eval(right) },
            BinaryOp::And => return if self.test(left)? { self.eval(right) } else { Ok(Value::Bool(false)) },
            BinaryOp::Coalesce => {
                let value = self.eval(left)?;
                return if value.is_nil() { self.eval(right) } else { Ok(value) };
            }
            _ => {}
        }
        let l = self.eval(left)?;
        match (&right.kind, operator) {
            (NodeKind::IntSet(set), BinaryOp::In) => return Ok(Value::Bool(fetch::in_integers(&l, set)?)),
            (NodeKind::StrSet(set), BinaryOp::In) => return Ok(Value::Bool(fetch::in_texts(&l, set)?)),
            (NodeKind::Pattern(pattern), BinaryOp::Matches) => return Ok(self.matches_literal(&l, pattern)?),
            // Go does not build a range of literals to find an integer in it.
            (NodeKind::Binary(BinaryOp::Range, from, to), BinaryOp::In) if left.ty == Type::Int => {
                if let (NodeKind::Int(from), NodeKind::Int(to)) = (&from.kind, &to.kind) {
                    let above = compare::order(BinaryOp::MoreOrEqual, &l, &Value::Int(*from))?;
                    return Ok(Value::Bool(above && compare::order(BinaryOp::LessOrEqual, &l, &Value::Int(*to))?));
                }
            }
            _ => {}
        }
        let r = self.eval(right)?;
        Ok(match operator {
            BinaryOp::Equal => Value::Bool(self.equal((&l, left), (&r, right))?),
            BinaryOp::NotEqual => Value::Bool(!self.equal((&l, left), (&r, right))?),
            BinaryOp::Less | BinaryOp::More | BinaryOp::LessOrEqual | BinaryOp::MoreOrEqual => {
                Value::Bool(compare::order(operator, &l, &r)?)
            }
            BinaryOp::In => Value::Bool(fetch::is_in(&l, &r, &mut self.meter)?),
            BinaryOp::Matches => self.matches(&l, &r)?,
            BinaryOp::Contains | BinaryOp::StartsWith | BinaryOp::EndsWith => self.text_test(operator, &l, &r)?,
            BinaryOp::Range => self.range(&l, &r)?,
            _ => arithmetic::binary(operator, &l, &r, &mut self.meter)?,
        })
    }

    /// Where both sides are known to be integers, or texts, Go relies on it.
    fn equal(&mut self, (l, left): (&Value, &Node), (r, right): (&Value, &Node)) -> Result<bool, RuntimeError> {
        let other = |value: &Value, wanted: &str| RuntimeError::conversion(value.go_type(), wanted);
        match (&left.ty, &right.ty) {
            (Type::Int, Type::Int) => match (l, r) {
                (Value::Int(a), Value::Int(b)) => Ok(a == b),
                (Value::Int(_), wrong) | (wrong, _) => Err(other(wrong, "int")),
            },
            (Type::Str, Type::Str) => match (l, r) {
                (Value::Str(a), Value::Str(b)) => Ok(a == b),
                (Value::Str(_), wrong) | (wrong, _) => Err(other(wrong, "string")),
            },
            _ => compare::equal(l, r, &mut self.meter),
        }
    }

    fn chain(&mut self, inner: &Node) -> Evaluated {
        match self.eval(inner) {
            Err(Stop::ChainEnds) => Ok(Value::Nil),
            Ok(value) if value.is_nil() => Ok(Value::Nil),
            other => other,
        }
    }

    /// The value before an access; ends the chain where it is nil and the access optional.
    fn member_base(&mut self, member: &super::ast::Member) -> Evaluated {
        let base = self.eval(&member.base)?;
        if member.optional && base.is_nil() { Err(Stop::ChainEnds) } else { Ok(base) }
    }

    fn slice(&mut self, base: &Node, from: Option<&Node>, to: Option<&Node>) -> Evaluated {
        let base = self.eval(base)?;
        let to = match to {
            Some(to) => Some(self.eval(to)?),
            None => None,
        };
        let from = match from {
            Some(from) => self.eval(from)?,
            None => Value::Int(0),
        };
        Ok(fetch::slice(&base, &from, to.as_ref(), &mut self.meter)?)
    }

    fn range(&mut self, l: &Value, r: &Value) -> Result<Value, RuntimeError> {
        let (from, to) = (arithmetic::to_int(l)?, arithmetic::to_int(r)?);
        let size = to.checked_sub(from).and_then(|size| size.checked_add(1)).unwrap_or(i64::MAX).max(0);
        self.meter.grow(usize::try_from(size).unwrap_or(usize::MAX))?;
        self.meter.look(usize::try_from(size).unwrap_or(usize::MAX))?;
        Ok(Value::List(List::new(ListKind::Int, (from..=to).map(Value::Int).collect())))
    }

    fn array(&mut self, nodes: &[Node]) -> Evaluated {
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            items.push(self.eval(node)?);
        }
        Ok(self.made_list(items)?)
    }

    /// A list that the expression made.
    fn made_list(&mut self, items: Vec<Value>) -> Result<Value, RuntimeError> {
        self.meter.grow(items.len())?;
        self.meter.look(items.len())?;
        Meter::nested(Value::list(items))
    }

    fn map(&mut self, pairs: &[(Node, Node)]) -> Evaluated {
        let mut keys = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            keys.push((self.eval(key)?, self.eval(value)?));
        }
        self.meter.grow(pairs.len())?;
        let mut entries = BTreeMap::new();
        // Go fills the map from the end, so the first of two equal keys stays.
        for (key, value) in keys.into_iter().rev() {
            let Value::Str(key) = key else { return Err(RuntimeError::conversion(key.go_type(), "string").into()) };
            entries.insert(key, value);
        }
        Ok(Meter::nested(Value::map(entries))?)
    }
}

fn as_bool(value: &Value) -> Result<bool, RuntimeError> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        other => Err(RuntimeError::conversion(other.go_type(), "bool")),
    }
}
