//! The condition language: Go's `expr-lang` v1.17 as Argo Rollouts uses it.
//!
//! `successCondition` and `failureCondition` are compiled against the shape of the result and then evaluated on it.
//! Both are pure, never panic, and end within the bounds of [`limits`]: a condition is written by a tenant
//! and judged in a process that all tenants share. Nothing here reads a clock; `now` comes in with the evaluation.
//!
//! ```text
//! source ─lexer─▶ tokens ─parser─▶ tree ─check─▶ typed tree ─optimize─▶ Program ─eval─▶ Value
//! ```
//!
//! What Go's types decide is kept: `result > 1` on a vector is an error, `1 / 2` is a half, `[]` is not nil,
//! and `x || true` is true even where `x` would fail. Texts are UTF-8 here: a slice of a text
//! that would cut a character in two holds U+FFFD in its place.

mod ast;
mod builtin_names;
mod check;
mod error;
mod eval;
mod format;
mod key;
mod lexer;
pub mod limits;
mod meter;
mod number;
mod optimize;
mod parser;
mod program;
mod time;
mod types;
mod value;

#[cfg(test)]
mod tests;

pub use error::{CompileError, EvalError, RuntimeError};
pub use key::{FloatKey, Key};
pub use program::{Environment, Program, compile, compile_time};
pub use types::{Function, Shape};
pub use value::{Fields, List, ListKind, Table, TableKind, Value};
