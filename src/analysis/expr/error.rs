//! What can go wrong with a condition. The texts are those of Go's `expr-lang`, because they reach users
//! through the message of a measurement.

/// The expression cannot be understood, or cannot fit the type of `result`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CompileError(pub String);

impl CompileError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The expression failed on this very result, or reached a bound of [`super::limits`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuntimeError(pub String);

impl RuntimeError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A value of another type stood where `wanted` was asserted.
    pub(super) fn conversion(got: &str, wanted: &str) -> Self {
        let got = if got == "<nil>" { "nil" } else { got };
        Self(format!("interface conversion: interface {{}} is {got}, not {wanted}"))
    }
}

/// Why a condition gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// It does not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// It failed on this result.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// It gave a value of another type than its user needs.
    #[error("expected {expected}, but got {got}")]
    WrongType {
        /// The type that was needed: `bool`, or `time.Time`.
        expected: &'static str,
        /// The Go name of the type that came out, such as `float64`.
        got: String,
    },
}
