//! Compiled expressions, and what they are evaluated on.

use std::sync::Arc;

use super::ast::Node;
use super::check::{Scope, check};
use super::error::{CompileError, EvalError, RuntimeError};
use super::eval;
use super::lexer;
use super::limits::MAX_SOURCE_BYTES;
use super::optimize::optimize;
use super::parser;
use super::types::Shape;
use super::value::Value;
use crate::api::Time;

/// What a program is evaluated on.
#[derive(Clone, Copy, Debug)]
pub struct Environment<'a> {
    /// What the provider measured, of the shape that the program was compiled for.
    pub result: &'a Value,
    /// The time that `now()` gives.
    pub now: Time,
}

/// A compiled expression: compiled once, evaluated often, cheap to clone, and the same in any thread.
#[derive(Clone, Debug)]
pub struct Program {
    root: Arc<Node>,
    shape: Shape,
}

/// Compiles a condition for results of `shape` (Argo: `utils/evaluate/evaluate.go` `EvalCondition`).
///
/// The error is what Argo would say, or that a bound of [`super::limits`] is passed.
pub fn compile(source: &str, shape: Shape) -> Result<Program, CompileError> {
    compiled(source, &Scope::Condition(shape.static_type()), shape)
}

/// Compiles a time of a range query, such as `now() - duration("1h")` (Argo: `EvalTime`). There is no `result` in it.
pub fn compile_time(source: &str) -> Result<Program, CompileError> {
    compiled(source, &Scope::Time, Shape::Nil)
}

fn compiled(source: &str, scope: &Scope, shape: Shape) -> Result<Program, CompileError> {
    if source.len() > MAX_SOURCE_BYTES {
        let text = format!("expression is longer than {MAX_SOURCE_BYTES} bytes: move part of it into the query");
        return Err(CompileError(text));
    }
    let tokens = lexer::tokens(source)?;
    let mut root = parser::parse(&tokens)?;
    check(&mut root, scope)?;
    optimize(&mut root)?;
    Ok(Program { root: Arc::new(root), shape })
}

impl Program {
    /// The shape of results that it was compiled for.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Evaluates it. It ends within [`super::limits::MAX_STEPS`] steps, and depends on nothing but `environment`.
    pub fn evaluate(&self, environment: Environment<'_>) -> Result<Value, RuntimeError> {
        if self.shape != Shape::Any && self.shape != Shape::of(environment.result) {
            let (wanted, got) = (self.shape, Shape::of(environment.result));
            return Err(RuntimeError(format!("condition is compiled for {wanted:?} but the result is {got:?}")));
        }
        eval::evaluate(&self.root, environment)
    }

    /// Evaluates a condition.
    pub fn evaluate_bool(&self, environment: Environment<'_>) -> Result<bool, EvalError> {
        match self.evaluate(environment)? {
            Value::Bool(flag) => Ok(flag),
            other => Err(EvalError::WrongType { expected: "bool", got: other.go_type().to_owned() }),
        }
    }

    /// Evaluates a time, to be used with [`compile_time`].
    pub fn evaluate_time(&self, now: Time) -> Result<Time, EvalError> {
        match self.evaluate(Environment { result: &Value::Nil, now })? {
            Value::Time(time) => {
                let nanos = i64::try_from(time.timestamp().as_nanosecond())
                    .map_err(|_| RuntimeError(format!("time {time} is outside the years 1678 to 2261")))?;
                Ok(Time::from_nanos(nanos))
            }
            other => Err(EvalError::WrongType { expected: "time.Time", got: other.go_type().to_owned() }),
        }
    }
}
